"""Dates of birth: a date after "nací", "fecha de nacimiento" and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.recogniser import Context, Recogniser, Span

# "nació" is not here: towns, heroes and ministers were born in public.
_CUE = (
    r"(?:nac[ií]|nacid[oa]s?|fechas?\s+de\s+nac(?:imiento)?|nacimiento|(?:mi|su)\s+cumplea[nñ]os|"
    r"cumplo\s+a[nñ]os|nasci|nascid[oa]s?|data\s+de\s+nascimento|meu\s+anivers[aá]rio)"
)
_MONTH = (
    r"(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre|"
    r"janeiro|fevereiro|mar[cç]o|maio|junho|julho|setembro|outubro|novembro|dezembro)"
)
_DAY = r"(?:\x02?\d{1,2}|primero|primeiro)"
_PATTERN = re.compile(
    rf"(?<!\w){_CUE}(?!\w)[^\d\x01\n]{{0,25}}?"
    rf"(?P<date>{_DAY}\s+(?:de\s+)?{_MONTH}(?:,?\s+(?:de\s*l?\s+|del\s+)?(?:a[nñ]o\s+)?\x02?\d{{2,4}}(?:\s\x02?\d{{2}})?)?"
    r"|\x02?\d{1,4}\s?[/.\-\s]\s?\x02?\d{1,2}\s?[/.\-\s]\s?\x02?\d{2,4})(?!\d)",
    re.IGNORECASE,
)
_HINT = rf"(?i)(?:^|[^a-z]){_CUE}(?:[^a-záéíóú]|$)"
_NEEDED = ("nac", "nasc", "cumple", "cumplo", "anivers")  # found faster than a pattern
_needs = re.compile(_HINT).search


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield the dates."""
    low = view.lower()
    if any(word in low for word in _NEEDED) and _needs(view):
        for match in _PATTERN.finditer(view):
            yield match.span("date")


RECOGNISER = Recogniser("birth", 42, (_HINT,), find)
