"""A candidate: a stretch of figures that could be an identifier, and what speaks for and against.

Dates, years, amounts and counted things are told apart here, in the words of the languages at
hand, because every country's numbers are taken for them.
"""

from __future__ import annotations

import re
from functools import cached_property

Token = tuple[str, int, int]  # figures, start, end in the view

# Seven figures with at most five characters between them: the least a phone, a national number, a
# card or an id has. Shared with the vectorised gate.
SEVEN_FIGURES = r"[0-9](?:[^0-9]{0,5}[0-9]){6}"

DATE = (
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d\d)"
)
_YEAR = r"(?:19|20)\d\d"
# A candidate that starts with a whole date, or is nothing but dates and years, is no identifier.
_DATES = re.compile(rf"{DATE}(?:\s[\s\S]*)?|(?:{DATE}|{_YEAR})(?:[\s,;\-/]+(?:{DATE}|{_YEAR}))*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})+(?:[.,]\d{1,2})?")
_MONEY = re.compile(r"(?:[$€£]|USD|US\$)\s*$", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:%|d[oó]lares|usd|mil(?!\w)|millones|vistas|views|likes|reproducciones|seguidores|"
    r"personas|votos|comentarios|habitantes|visitas|compartidos|"
    r"reais(?!\w)|milh[oõ]es|visualiza[cç][oõ]es|curtidas|pessoas|compartilhamentos)",
    re.IGNORECASE,
)
_GOES_ON, _COMES_FROM = re.compile(r"[\-./]\d"), re.compile(r"\d[\-./]$")


def cue(words: str) -> re.Pattern[str]:
    """A pattern that finds one of `words` (alternatives of a regex) shortly before a candidate.

    Views carry no accents, so the words must not either.
    """
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)[^\d\x01]{{0,25}}$", re.IGNORECASE)


def is_dates(said: str) -> bool:
    """Whether figures are a date with what follows, or nothing but dates and years."""
    return bool(_DATES.fullmatch(said))


def is_amount(said: str) -> bool:
    """Whether figures are grouped in threes, as amounts are."""
    return bool(_THOUSANDS.fullmatch(said))


def is_money(before: str) -> bool:
    """Whether a currency stands right before."""
    return bool(_MONEY.search(before))


def is_counted(after: str) -> bool:
    """Whether what follows is a thing people count."""
    return bool(_COUNTED.match(after))


def is_piece(before: str, after: str) -> bool:
    """Whether the figures are part of something longer, such as an ISBN."""
    return bool(_GOES_ON.match(after) or _COMES_FROM.search(before))


class Candidate:
    """One stretch of whole figures.

    Attributes:
        digits: its figures.
        said: the view it spans, separators included.
        before, after: up to 45 and 20 characters around it.
    """

    def __init__(self, digits: str, said: str, before: str, after: str) -> None:
        self.digits, self.said, self.before, self.after = digits, said, before, after
        self.size = len(digits)
        self.comma = "," in said

    @cached_property
    def amount(self) -> bool:
        """Grouped in threes."""
        return is_amount(self.said)

    @cached_property
    def counted(self) -> bool:
        """Followed by a thing people count."""
        return is_counted(self.after)

    @cached_property
    def weak(self) -> bool:
        """Money, counted, or a piece of a longer number: without a cue it is not believed."""
        return is_money(self.before) or self.counted or is_piece(self.before, self.after)

    def cued(self, pattern: re.Pattern[str]) -> bool:
        """Whether a cue (see `cue`) stands before it."""
        return bool(pattern.search(self.before))
