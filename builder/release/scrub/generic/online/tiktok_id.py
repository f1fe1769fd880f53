"""TikTok ids: the upper 32 bits are the Unix time of creation. Any figure of 17 digits is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.candidates import Candidate
from builder.release.scrub.recogniser import Context, Span, number

_LONG = re.compile("[0-9]{17,}")
_FIRST, _LAST = 1451606400, 2082758400  # the years 2016 to 2035


def is_tiktok_id(digits: str) -> bool:
    """Tell whether a number's upper 32 bits are a Unix time of the years 2016 to 2035."""
    return _FIRST <= int(digits) >> 32 < _LAST


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield figures too long for anything else."""
    for match in _LONG.finditer(view):
        yield match.span()


def claims(candidate: Candidate, context: Context) -> bool:
    """An id whose figures were spread."""
    return candidate.said != candidate.digits and is_tiktok_id(candidate.digits)


RECOGNISER = number("id", 50, claims, 10, sizes=range(19, 20), find=find)
