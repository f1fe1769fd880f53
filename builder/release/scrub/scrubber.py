"""The text scrubber: what identifies a person leaves a text, the rest stays byte for byte.

Handles, links, e-mails, phones, cédulas, RUCs, plates, cards, IBANs, TikTok ids and known
usernames become tags such as ``[PHONE]``. Presidio's analyzer drives it with our own recognizers
(`builder.release.scrub.presidio`) over a plain view of the text (`builder.release.scrub.fold`).

**Out of scope**: names of private persons and addresses. That takes a named-entity model, and none
is available offline; whoever needs it adds a recognizer. Public figures therefore survive by
themselves; `allowed_handles` and `allowed_terms` protect their handles and such words as "ECU 911".

**Overlaps**: findings are taken in the order email, url, handle, iban; then id, card, ruc, phone,
cedula (longest first); then plate, username. A finding wholly inside those taken before is
dropped; one that overlaps them partly is merged with them under the kind taken first, so that no
part of either remains. A finding wholly inside an allowed term is dropped beforehand.

**Idempotence**: passes repeat until nothing changes, and tags are opaque to every pass, so
``scrub(scrub(x)) == scrub(x)`` by construction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import polars as pl

from builder.release.scrub.fold import MASK, SPOKEN_RUN, Folded, fold, read_numbers
from builder.release.scrub.numerals import SEVEN_FIGURES
from builder.release.scrub.written import (
    AT_HINT,
    DOT_HINT,
    IBAN_HINT,
    PLATE_HINT,
    TOKEN,
    Found,
)

KINDS: tuple[str, ...] = (
    "email",
    "url",
    "handle",
    "iban",
    "id",
    "card",
    "ruc",
    "phone",
    "cedula",
    "plate",
    "username",
)
_NUMERIC = frozenset({"id", "card", "ruc", "phone", "cedula"})
_TAG = re.compile(rf"\[(?:{'|'.join(KINDS).upper()})\]")
_ACCENTED = "áéíóúüñÁÉÍÓÚÜÑ"
_BARE = "aeiouunAEIOUUN"

# The gate: a text without any of these holds nothing a recognizer could find. Each line says which
# recognizers depend on it; Rust's regex has no look-around, so each line only ever asks for less.
_GATE = "|".join(
    f"(?:{pattern})"
    for pattern in (
        AT_HINT,  # email, handle
        DOT_HINT,  # url
        SEVEN_FIGURES,  # id, card, ruc, phone, cedula
        r"[0-9][OoIl|]|[OoIl|][0-9]",  # the same, figures written as letters (fold)
        SPOKEN_RUN,  # the same, spoken (read_numbers)
        PLATE_HINT,
        IBAN_HINT,
    )
)
# Texts of these characters read the same folded, but for the accents. All others are folded first.
_ORDINARY = rf"^[\x20-\x7e\t\n\r¿¡“”‘’«»{_ACCENTED}]*$"
_FOLD_PASSES = 50  # every pass removes text, so this only bounds a bug


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
    region: ISO 3166 country assumed by libphonenumber for national numbers.
    """

    version: ClassVar[str] = "1"

    def __init__(
        self,
        *,
        allowed_handles: Collection[str] = (),
        allowed_terms: Collection[str] = (),
        usernames: Collection[str] = (),
        region: str = "EC",
    ) -> None:
        self._allowed = frozenset(map(_bare_name, allowed_handles))
        self._usernames = frozenset(map(_bare_name, usernames)) - self._allowed - {""}
        self._region = region
        terms = sorted({fold(term).text.strip() for term in allowed_terms} - {""}, key=len)
        joined = "|".join(re.escape(term) for term in reversed(terms))
        self._terms = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if terms else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the engine behind: workers build their own."""
        return {name: value for name, value in self.__dict__.items() if name != "_analyze"}

    @cached_property
    def _analyze(self) -> Callable[[str], list[Found]]:
        from builder.release.scrub.presidio import build_analyzer  # imports spaCy: about a second

        return build_analyzer(self._allowed, self._usernames, self._region)

    def scrub(self, text: str) -> Scrubbed:
        """Return `text` (str) with every identifier replaced by its tag.

        Raises TypeError if `text` is no str.
        """
        if not isinstance(text, str):
            raise TypeError(f"scrub takes a str, not {type(text).__name__}; drop nulls first")
        kinds: list[str] = []
        for _ in range(_FOLD_PASSES):
            spans = self._spans(text)
            if not spans:
                return Scrubbed(text, tuple(kinds))
            parts, done = [], 0
            for start, end, kind in spans:
                parts += [text[done:start], f"[{kind.upper()}]"]
                kinds.append(kind)
                done = end
            text = "".join(parts) + text[done:]
        raise RuntimeError(f"scrubbing did not settle in {_FOLD_PASSES} passes; please report it")

    def scrub_column(self, texts: pl.Series) -> pl.DataFrame:
        """Scrub a String series: a frame of `text` (String) and `kinds` (List(String)).

        Rows keep their order, equal what `scrub` returns for them, and null stays null (with no
        kinds). A vectorised gate spares texts that cannot hold an identifier, and equal texts are
        scrubbed once. Raises TypeError if `texts` is not of type String.
        """
        if texts.dtype not in (pl.String, pl.Null):
            raise TypeError(f"scrub_column takes a String series, not {texts.dtype}")
        texts = texts.cast(pl.String).alias("text")
        suspects = texts.filter(self._may_identify(texts)).unique()
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

    def _may_identify(self, texts: pl.Series) -> pl.Series:
        """Return a Boolean series, false only where `scrub` would change nothing."""
        ordinary = texts.str.contains(_ORDINARY).fill_null(True)
        plain = texts.str.replace_many(list(_ACCENTED), list(_BARE))
        if not ordinary.all():
            odd = [index for index, fine in enumerate(ordinary) if not fine]
            plain = plain.scatter(odd, [fold(text).text for text in texts.gather(odd)])
        suspect = plain.str.contains(_GATE)
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
        return suspect.fill_null(False)

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Return (start, end, kind) in `text` of what one pass replaces, left to right."""
        folded = fold(text)
        masked = _TAG.sub(lambda tag: MASK * len(tag.group()), folded.text)
        view = read_numbers(folded._replace(text=masked))
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
        return _resolve([place for place in (_place(view, text, one) for one in found) if place])


def _bare_name(name: str) -> str:
    """Reduce a handle as people write it to what a token is compared with."""
    plain = name if name.isascii() and name.isalpha() else fold(name).text  # a million of them
    return plain.strip().lstrip("@").strip().lower()


def _place(view: Folded, text: str, found: Found) -> tuple[int, int, str] | None:
    """Map a finding to the original text; None for a username that is an accented word."""
    kind, view_start, view_end = found
    start, end = view.original_span(view_start, view_end)
    if kind == "username" and any(char in _ACCENTED for char in text[start:end]):
        return None
    return start, end, kind


def _resolve(places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Settle overlaps by the rule in the module docstring; return disjoint spans in order."""

    def precedence(place: tuple[int, int, str]) -> tuple[int, int, int, int]:
        start, end, kind = place
        rank = KINDS.index(kind)
        return KINDS.index("id") if kind in _NUMERIC else rank, start - end, rank, start

    taken: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(places, key=precedence):
        touching = [other for other in taken if other[0] < end and start < other[1]]
        covered = sum(min(end, other[1]) - max(start, other[0]) for other in touching)
        if covered == end - start:
            continue
        if touching:
            kind = touching[0][2]
            taken = [other for other in taken if other not in touching]
            start = min(start, *(other[0] for other in touching))
            end = max(end, *(other[1] for other in touching))
        taken.append((start, end, kind))
    return sorted(taken)
