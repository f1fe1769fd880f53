"""The text scrubber: what identifies a person leaves a text, the rest stays byte for byte.

Handles, links, e-mails, phones, cards, bank accounts, passports, TikTok ids, dates of birth, street
addresses, coordinates, known usernames and the numbers of the campaign's country and its neighbours
become tags such as ``[PHONE]``. Presidio's analyzer drives it with our own recognisers
(`builder.release.scrub.registry` lists them) over a plain view of the text
(`builder.release.scrub.fold`).

**Elsewhere**: names of private persons (`builder.release.scrub.names`); their tags (``<PERSON_1>``)
are as opaque here as ours. **Out of scope**: places that are described. `allowed_handles` and
`allowed_terms` protect the handles of public figures and such words as "ECU 911".

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
from builder.release.scrub.gate import ACCENTED, Gate
from builder.release.scrub.generic.online.username import respelled
from builder.release.scrub.names.tokens import PERSON
from builder.release.scrub.numbers import Found
from builder.release.scrub.recogniser import FIGURE, Context, Hint
from builder.release.scrub.registry import all_kinds, kinds_of, load
from builder.release.scrub.spoken import number_words

_DIGITS_AS_LETTERS = r"[0-9][OoIl]|[OoIl][0-9]"  # what `fold` reads as figures

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

    version: ClassVar[str] = "5"

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
        self._words = number_words(tuple(languages))
        self._tags = re.compile(rf"\[(?:{'|'.join(all_kinds()).upper()})\]|{PERSON.pattern}")
        hints: list[Hint] = [hint for recogniser in recognisers for hint in recogniser.hints]
        hints.append((FIGURE, _DIGITS_AS_LETTERS))
        hints += self._words.hints
        self._gate = Gate(hints, self._usernames, self._context.respelled, self._words.alone)
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
            text, found = self._pass(text)
            if not found:
                return Scrubbed(text, tuple(kinds))
            kinds += found
        return Scrubbed(f"[{kinds[-1].upper()}]", tuple(kinds))

    def _pass(self, text: str) -> tuple[str, list[str]]:
        """One pass over a text: what it becomes, and the kinds replaced."""
        parts, kinds, done = [], [], 0
        for start, end, kind in self._spans(text):
            parts += [text[done:start], f"[{kind.upper()}]"]
            kinds.append(kind)
            done = end
        return "".join(parts) + text[done:], kinds

    def _scrub_all(self, texts: list[str]) -> list[Scrubbed]:
        """`scrub` for each of many; the gate also spares their further passes."""
        current, kinds = list(texts), [[] for _ in texts]  # type: list[str], list[list[str]]
        left = list(range(len(texts)))
        for _ in range(_PASSES):
            found = []
            for at in left:
                current[at], new = self._pass(current[at])
                kinds[at] += new
                if new:
                    found.append(at)
            again = self.may_identify(pl.Series([current[at] for at in found], dtype=pl.String))
            left = [at for at, suspect in zip(found, again, strict=True) if suspect]
            if not left:
                break
        for at in left:
            current[at] = f"[{kinds[at][-1].upper()}]"
        return [Scrubbed(text, tuple(kind)) for text, kind in zip(current, kinds, strict=True)]

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
        results = self._scrub_all(suspects.to_list())
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
        return self._gate.suspects(texts)

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
            firsts = [first for first, _ in allowed]  # disjoint: only the last before holds
            found = [
                (kind, start, end)
                for kind, start, end in found
                if not (at := bisect_right(firsts, start)) or allowed[at - 1][1] < end
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
        return None if any(char in ACCENTED for char in name) else (start, end, kind)
    return start, end, kind
