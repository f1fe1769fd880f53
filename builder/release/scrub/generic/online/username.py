"""Known usernames: whole tokens equal to one of the campaign's accounts, and their other spellings.

A username is also taken when it is written apart ("wilmer quishpe 99"), with other separators, in
another case, with accents, with its figures said, or as a #hashtag: what is compared has neither
separators nor accents. Only long enough names are looked for so, and never one that is spelled with
a common little word ("la verdad 2024").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from builder.release.scrub.recogniser import Context, Recogniser, Span

# A username as a whole token: dots inside, never at its ends, where they are punctuation.
TOKEN = r"[A-Za-z0-9_]+(?:\.+[A-Za-z0-9_]+)*"
PIECE = "[A-Za-z0-9]+"
PIECES = 5  # a username is looked for in so many pieces at most
_PATTERN = re.compile(rf"(?<!\w){TOKEN}(?!\w)")
_TOKENS = re.compile(TOKEN)
_PIECE = re.compile(PIECE)
# What may be said for a separator; no name is spelled with it.
JOINTS = frozenset(("guion", "bajo", "punto"))
_GAP = re.compile(r"[\s._\-\x02]{1,4}(?:(?:guion|punto|bajo)\s{1,2}){0,2}")
# "elecciones 2023" is said of the year; long names with a year of birth are not.
_YEAR = re.compile(r"[a-z]{1,8}(?:19|20)\d\d|[a-z]+20(?:1[3-9]|[2-9]\d)")
LITTLE = frozenset(
    "a al con de del e el en es la las lo los me mi no o para por que se si sin su te tu un una y "
    "ya yo com da das do dos em na nas no nos os as um uma pra pro mas".split()
)
_LEAST = 8  # letters and figures of a name that is looked for in other spellings
_LEAST_LETTERS = 12  # of one without any figure
_SEED = 6  # signs by which a beginning is known; every name has more
_LEAST_HEAD = 6  # letters before the figures where the figures are said


def squashed(name: str) -> str:
    """A username without its separators, lower case."""
    return name.lower().replace(".", "").replace("_", "")


def head(name: str) -> str:
    """A squashed username without the figures at its end."""
    return name.rstrip("0123456789")


def respelled(names: frozenset[str]) -> frozenset[str]:
    """The squashed names that are long and odd enough to be known in another spelling."""
    short = (squashed(name) for name in names)
    return frozenset(
        name
        for name in short
        if len(name) >= (_LEAST_LETTERS if name.isalpha() else _LEAST)
        and sum(char.isalpha() for char in name) >= 4
    )


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield known usernames."""
    low = view.lower()
    if not context.usernames.isdisjoint(_TOKENS.findall(low)):
        for match in _PATTERN.finditer(view):
            name = match.group().lower()
            # a hashtag is everybody's word unless the name could be none
            tag = view[match.start() - 1 : match.start()] == "#" and name.isalpha()
            if name in context.usernames and not (tag and len(name) < _LEAST_LETTERS):
                yield match.span()
    if context.respelled and not _starts(context.respelled).isdisjoint(
        piece[:_SEED] for piece in set(_PIECE.findall(low)) - LITTLE
    ):
        yield from _respelled(view, context)


def _respelled(view: str, context: Context) -> Iterator[Span]:
    names = context.respelled
    starts = _starts(names)
    pieces = [
        (match.group().lower(), match.start(), match.end()) for match in _PIECE.finditer(view)
    ]
    pieces = [piece for piece in pieces if piece[0] not in JOINTS]
    for first, (word, start, end) in enumerate(pieces):
        if word[:_SEED] not in starts:
            continue
        joined = ""
        for last in range(first, min(first + PIECES, len(pieces))):
            word, at, end = pieces[last]
            if last > first and not _GAP.fullmatch(view, pieces[last - 1][2], at):
                break
            joined += word
            if joined[:_SEED] not in starts:
                break
            if word in LITTLE:
                break  # one of several words: never taken
            if joined in names and _stands(view, start, end):
                if last == first + 1 and _YEAR.fullmatch(joined):
                    continue
                said = "\x02" in view[start:end]
                if not said or len(head(joined)) >= _LEAST_HEAD:
                    yield start, end


@lru_cache(maxsize=8)
def _starts(names: frozenset[str]) -> frozenset[str]:
    """How names begin: most words of a text begin none."""
    return frozenset(name[:size] for name in names for size in range(1, _SEED + 1))


def _stands(view: str, start: int, end: int) -> bool:
    """Whether no letter or figure touches it."""
    return not (view[start - 1 : start].isalnum() or view[end : end + 1].isalnum())


# No hint: the scrubber looks the tokens of a column up in the list of usernames.
RECOGNISER = Recogniser("username", 1000, (), find)
