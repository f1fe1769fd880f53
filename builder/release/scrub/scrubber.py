"""The text scrubber: what identifies a person leaves a text, the rest stays byte for byte.

Handles, links, e-mails, phones, cards, bank accounts, passports, TikTok ids, dates of birth, street
addresses, coordinates, known usernames and the numbers of the campaign's country and its neighbours
become tags such as ``[PHONE]``. Presidio's analyzer drives it with our own recognisers
(`builder.release.scrub.registry` lists them) over a plain view of the text
(`builder.release.scrub.fold`).

**Out of scope**: names of private persons, and places that are described. That takes a named-entity
model, and none is available offline; whoever needs it adds a recognizer. Public figures therefore
survive by themselves; `allowed_handles` and `allowed_terms` protect their handles and such words as
"ECU 911".

**Overlaps**: findings are taken by the `order` of their recognisers (email, url, handle, iban, then
numbers, the longest first, then plate, username). A finding wholly inside those taken before is
dropped; one that overlaps them partly is merged with them under the kind taken first, so that no
part of either remains. A finding wholly inside an allowed term is dropped beforehand.

**Idempotence**: passes repeat until nothing changes, and tags are opaque to every pass, so
``scrub(scrub(x)) == scrub(x)`` by construction.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.fold import MASK, Folded, fold
from builder.release.scrub.generic.online.username import PIECE, PIECES, TOKEN, head, respelled
from builder.release.scrub.numbers import Found
from builder.release.scrub.recogniser import Context
from builder.release.scrub.registry import all_kinds, kinds_of, load
from builder.release.scrub.spoken import number_words

_ACCENTED = "áéíóúüñÁÉÍÓÚÜÑ"
_BARE = "aeiouunAEIOUUN"
_DIGITS_AS_LETTERS = r"[0-9][OoIl|]|[OoIl|][0-9]"  # what `fold` reads as figures

# Texts of these characters read the same folded, but for the accents. All others are folded first.
_ORDINARY = rf"^[\x20-\x7e\t\n\r¿¡“”‘’«»{_ACCENTED}]*$"
_REBUILT = ("_analyze",)
_PASSES = 12  # nearly every text is settled after two; each further one costs as much as the first


class Scrubbed(NamedTuple):
    """A scrubbed text, and the kind of each replacement, pass by pass from left to right."""

    text: str
    kinds: tuple[str, ...]


class Scrubber:
    """Replaces identifiers by tags. Reusable and picklable; the engine is built on first use.

    allowed_handles: public accounts, with or without @, any case; never replaced as handle or
        username (a link to one is still a link).
    allowed_terms: words or phrases in which nothing is replaced, e.g. "ECU 911".
    usernames: known accounts, with or without @, any case; every whole token equal to one is
        replaced. A million are fine: tokens are looked up, not searched for. A token spelled with
        a Spanish accent is a word, not the username without it ("está" is not @esta).
    country: ISO 3166 code of the campaign's country: its recognisers are loaded, and libphonenumber
        reads national numbers as its own.
    neighbours: countries whose recognisers are loaded too, where a cue or check digit speaks.
    languages: ISO 639-1 codes; which number words are read.

    Attributes:
        kinds: the kinds it can replace, in order of precedence.
        countries, missing_countries: ISO codes with and without a module of their own.
    """

    version: ClassVar[str] = "3"

    def __init__(
        self,
        *,
        allowed_handles: Collection[str] = (),
        allowed_terms: Collection[str] = (),
        usernames: Collection[str] = (),
        country: str = "",
        neighbours: Collection[str] = (),
        languages: Collection[str] = ("es",),
    ) -> None:
        allowed = frozenset(map(_bare_name, allowed_handles))
        self._usernames = frozenset(map(_bare_name, usernames)) - allowed - {""}
        self._codes = (country.upper(), *neighbours)
        recognisers, loaded, self.missing_countries = load(self._codes)
        self.countries = tuple(one.code for one in loaded)
        self.kinds = kinds_of(recognisers)
        plans = {one.code: one.plan for one in loaded if one.plan is not None}
        plan = plans.pop(country.upper(), None)
        self._context = Context(
            allowed_handles=allowed,
            usernames=self._usernames,
            country=country.upper(),
            plan=plan,
            abroad=tuple(plans.values()),
            languages=tuple(languages),
            respelled=respelled(self._usernames),
        )
        heads = {head(name) for name in self._context.respelled}
        self._spellings = self._context.respelled | {name for name in heads if len(name) >= 6}
        self._words = number_words(tuple(languages))
        self._tags = re.compile(rf"\[(?:{'|'.join(all_kinds()).upper()})\]")
        # The gate: a text without any of these holds nothing a recogniser could find. Rust's regex
        # has no look-around, so each only ever asks for less.
        hints = [hint for recogniser in recognisers for hint in recogniser.hints]
        hints += [_DIGITS_AS_LETTERS, *([self._words.hint] if self._words.hint else [])]
        self._gate = tuple(dict.fromkeys(hints))  # one pattern of them all would be much slower
        numeric = [r.order for r in recognisers if r.is_number]
        self._rank = {
            r.kind: (min(numeric) if r.is_number else r.order, r.order) for r in recognisers
        }
        terms = sorted({self._plain(term) for term in allowed_terms} - {""}, key=len)
        joined = "|".join(re.escape(term) for term in reversed(terms))
        self._terms = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if terms else None

    def _plain(self, term: str) -> str:
        return self._words.read(fold(term)).text.strip()

    @classmethod
    def of(cls, campaign: Campaign, usernames: Collection[str] = ()) -> Scrubber:
        """The scrubber of a campaign: its countries, languages, public figures and terms."""
        return cls(
            allowed_handles=campaign.allowed_handles,
            allowed_terms=campaign.allowed_terms,
            usernames=usernames,
            country=campaign.country,
            neighbours=campaign.neighbour_countries,
            languages=campaign.languages,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave the engine behind: workers build their own."""
        return {name: value for name, value in self.__dict__.items() if name not in _REBUILT}

    @cached_property
    def _analyze(self) -> Callable[[str], list[Found]]:
        from builder.release.scrub.presidio import build_analyzer  # imports spaCy: about a second

        return build_analyzer(load(self._codes)[0], self._context)

    def scrub(self, text: str) -> Scrubbed:
        """Return `text` (str) with every identifier replaced by its tag.

        A text that is not settled after `_PASSES` passes (nobody writes one by chance) is replaced
        as a whole by the last tag. Raises TypeError if `text` is no str, and nothing else.
        """
        if not isinstance(text, str):
            raise TypeError(f"scrub takes a str, not {type(text).__name__}; drop nulls first")
        kinds: list[str] = []
        for _ in range(_PASSES):
            spans = self._spans(text)
            if not spans:
                return Scrubbed(text, tuple(kinds))
            parts, done = [], 0
            for start, end, kind in spans:
                parts += [text[done:start], f"[{kind.upper()}]"]
                kinds.append(kind)
                done = end
            text = "".join(parts) + text[done:]
        return Scrubbed(f"[{kinds[-1].upper()}]", tuple(kinds))

    def scrub_column(self, texts: pl.Series) -> pl.DataFrame:
        """Scrub a String series: a frame of `text` (String) and `kinds` (List(String)).

        Rows keep their order, equal what `scrub` returns for them, and null stays null (with no
        kinds). A vectorised gate spares texts that cannot hold an identifier, and equal texts are
        scrubbed once. Raises TypeError if `texts` is not of type String.
        """
        if texts.dtype not in (pl.String, pl.Null):
            raise TypeError(f"scrub_column takes a String series, not {texts.dtype}")
        texts = texts.cast(pl.String).alias("text")
        suspects = texts.filter(self.may_identify(texts)).unique()
        results = [self.scrub(text) for text in suspects]
        answers = pl.DataFrame(
            {
                "text": suspects,
                "scrubbed": pl.Series([result.text for result in results], dtype=pl.String),
                "kinds": pl.Series(
                    [list(result.kinds) for result in results], dtype=pl.List(pl.String)
                ),
            }
        )
        return (
            texts.to_frame()
            .join(answers, on="text", how="left", maintain_order="left")
            .select(
                pl.coalesce("scrubbed", "text").alias("text"),
                pl.col("kinds").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            )
        )

    def may_identify(self, texts: pl.Series) -> pl.Series:
        """Return a Boolean series, false only where `scrub` would change nothing."""
        ordinary = texts.str.contains(_ORDINARY).fill_null(True)
        plain = texts.str.replace_many(list(_ACCENTED), list(_BARE))
        if not ordinary.all():
            odd = [index for index, fine in enumerate(ordinary) if not fine]
            plain = plain.scatter(odd, [fold(text).text for text in texts.gather(odd)])
        asked = [pl.col("text").str.contains(hint) for hint in self._gate]
        suspect = plain.to_frame("text").select(suspect=pl.any_horizontal(asked))["suspect"]
        if self._usernames:
            # Ordinary texts are read with their accents, as usernames want (see the class).
            named = pl.select(pl.when(ordinary).then(texts).otherwise(plain)).to_series()
            tokens = (
                pl.DataFrame({"row": pl.int_range(len(texts), eager=True), "token": named})
                .filter(~suspect)
                .select("row", pl.col("token").str.to_lowercase().str.extract_all(TOKEN))
                .explode("token")
            )
            words = tokens["token"].drop_nulls().unique()
            known = pl.Series([word for word in words if word in self._usernames], dtype=pl.String)
            rows = tokens.filter(pl.col("token").is_in(known.implode()))["row"].unique()
            suspect = suspect.scatter(rows, True)
        if self._spellings:
            suspect = suspect.scatter(self._respelled_rows(plain, suspect), True)
        return suspect.fill_null(False)

    def _respelled_rows(self, plain: pl.Series, suspect: pl.Series) -> pl.Series:
        """Rows in which neighbouring words make up a username (see `generic.username`)."""
        names = pl.Series(list(self._spellings), dtype=pl.String).implode()
        joined = pl.col("word")
        words = (
            pl.LazyFrame(
                {"row": pl.int_range(len(plain), eager=True, dtype=pl.UInt32), "text": plain}
            )
            .filter(~suspect)
            .select("row", word=pl.col("text").str.to_lowercase().str.extract_all(PIECE))
            .explode("word")
            .drop_nulls("word")
        )
        hit = joined.is_in(names)
        for step in range(1, PIECES):
            same = pl.col("row") == pl.col("row").shift(-step)
            joined = joined + pl.col("word").shift(-step)
            hit = hit | (same & joined.is_in(names)).fill_null(False)
        return words.filter(hit).select("row").unique().collect()["row"]

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Return (start, end, kind) in `text` of what one pass replaces, left to right."""
        folded = fold(text)
        masked = self._tags.sub(lambda tag: MASK * len(tag.group()), folded.text)
        view = self._words.read(folded._replace(text=masked))
        found = self._analyze(view.text)
        if not found:
            return []
        if self._terms:
            allowed = [term.span() for term in self._terms.finditer(view.text)]
            found = [
                (kind, start, end)
                for kind, start, end in found
                if not any(first <= start and end <= last for first, last in allowed)
            ]
        return self._resolve(
            [place for place in (_place(view, text, one) for one in found) if place]
        )

    def _resolve(self, places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
        """Settle overlaps by the rule in the module docstring; return disjoint spans in order."""

        def precedence(place: tuple[int, int, str]) -> tuple[int, int, int, int]:
            start, end, kind = place
            group, order = self._rank[kind]
            return group, start - end, order, start

        # Disjoint and in order, so those that touch a place are neighbours: no list is searched.
        starts: list[int] = []
        ends: list[int] = []
        kinds: list[str] = []
        turn: dict[int, int] = {}  # start of a taken span -> when it was taken
        for number, (start, end, kind) in enumerate(sorted(places, key=precedence)):
            first, last = bisect_right(ends, start), bisect_left(starts, end)
            near = slice(first, last)
            covered = sum(
                min(end, to) - max(start, at)
                for at, to in zip(starts[near], ends[near], strict=True)
            )
            if covered == end - start:
                continue
            when = number
            if first < last:
                oldest = min(range(first, last), key=lambda index: turn[starts[index]])
                when, kind = turn[starts[oldest]], kinds[oldest]
                start, end = min(start, starts[first]), max(end, ends[last - 1])
            starts[near], ends[near], kinds[near] = [start], [end], [kind]
            turn[start] = when
        return list(zip(starts, ends, kinds, strict=True))


def _bare_name(name: str) -> str:
    """Reduce a handle as people write it to what a token is compared with."""
    plain = name if name.isascii() and name.isalpha() else fold(name).text  # a million of them
    return plain.strip().lstrip("@").strip().lower()


def _place(view: Folded, text: str, found: Found) -> tuple[int, int, str] | None:
    """Map a finding to the original text; None for a username that is an accented word.

    A name of twelve signs or with a figure in it is no word ("está" is one).
    """
    kind, view_start, view_end = found
    start, end = view.original_span(view_start, view_end)
    name = text[start:end]
    if kind == "username" and len(name) < 12 and name.isalpha():
        return None if any(char in _ACCENTED for char in name) else (start, end, kind)
    return start, end, kind
