"""Passports: up to three letters and six to nine figures after the word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.recogniser import Context, Recogniser, Span
from builder.release.scrub.spoken import number_words

_HINT = r"(?i)pass?aport"
_needs = re.compile(_HINT).search


def _pattern(names: str) -> re.Pattern[str]:
    return re.compile(
        r"pass?aportes?(?!\w)[^\d\x01]{0,30}?"
        rf"(?P<number>(?:(?<!\w)(?:(?-i:[A-Z]{{1,3}})|(?:{names})(?!\w)(?:[\s,.]+(?:{names})(?!\w)){{0,2}}))?"
        r"[^\w\x01]{0,8}\d(?:[^\w\x01\n]{0,8}\d){5,8})(?!\d)",
        re.IGNORECASE,
    )


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield passport numbers with their letters."""
    if not _needs(view):
        return
    letters = number_words(context.languages).letters
    names = "|".join(sorted({*letters, *"abcdefghijklmnopqrstuvwxyz"}, key=lambda name: -len(name)))
    for match in _pattern(names).finditer(view):
        start, end = match.span("number")
        while start < end and not view[start].isalnum():
            start += 1
        yield start, end


RECOGNISER = Recogniser("passport", 45, (_HINT,), find)
