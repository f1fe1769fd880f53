"""Names out of a text: `<PERSON_1>`, `<PERSON_2>` … in their place, the rest byte for byte.

Passes repeat until nothing is found, so a text that was done once is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple, Protocol

from builder.release.scrub.names.find import Name
from builder.release.scrub.names.roster import Roster


class Finder(Protocol):
    """What finds names; `find.NameFinder` is one."""

    def find(self, text: str, also: Set[str] = frozenset()) -> list[Name]:
        """Names of private persons, from left to right."""

    def find_all(
        self, texts: Sequence[str], also: Sequence[Set[str]] | None = None
    ) -> list[list[Name]]:
        """`find` for each of many texts."""


class Cut(NamedTuple):
    """Characters of a text, and the tag in their place."""

    start: int
    end: int
    tag: str


def cuts(finder: Finder, text: str, roster: Roster) -> list[Cut]:
    """What to replace in a text, from left to right; `roster` learns who was met."""
    return cuts_of_all(finder, [text], [roster])[0]


def cuts_of_all(finder: Finder, texts: Sequence[str], rosters: Sequence[Roster]) -> list[list[Cut]]:
    """`cuts` for each of many texts, each with a roster of its own."""
    done: list[list[Cut]] = [[] for _ in texts]
    also = [roster.words for roster in rosters]
    left = list(range(len(texts)))
    while left:
        now = [replaced(texts[at], done[at]) for at in left]
        found = finder.find_all(now, [also[at] for at in left])
        for at, names in zip(left, found, strict=True):
            new = [
                Cut(
                    _back(name.start, done[at]),
                    _back(name.end, done[at]),
                    rosters[at].tag(name.words),
                )
                for name in names
            ]
            done[at] = sorted([*done[at], *new])
        left = [at for at, names in zip(left, found, strict=True) if names]
    return done


def replaced(text: str, made: list[Cut]) -> str:
    """A text with its names replaced."""
    parts, at = [], 0
    for cut in made:
        parts += [text[at : cut.start], cut.tag]
        at = cut.end
    return "".join(parts) + text[at:]


def _back(place: int, done: list[Cut]) -> int:
    """A place in the text with `done` replaced, as a place in the text itself."""
    shift = 0
    for cut in done:
        if cut.start + shift >= place:
            break
        shift += len(cut.tag) - (cut.end - cut.start)
    return place - shift


def in_pieces(pieces: list[str], text: str, made: list[Cut]) -> list[str]:
    """The pieces of a text (its segments) with the same names replaced.

    A name that runs over from one piece into the next is replaced in the first.

    Args:
        pieces: what the text is made of, but for blanks.
        text: the text before.
        made: what was replaced in it.

    Returns:
        As many pieces; one that held nothing but the rest of a name is empty.
    """
    place = [0]  # characters that are no blanks, before each character
    for char in text:
        place.append(place[-1] + (not char.isspace()))
    solid = [(place[cut.start], place[cut.end], cut.tag) for cut in made]
    done, before = [], 0
    for piece in pieces:
        signs = [at for at, char in enumerate(piece) if not char.isspace()]
        after = before + len(signs)
        parts, at = [], 0
        for start, end, tag in solid:
            if end <= before or start >= after:
                continue
            first = signs[max(start, before) - before]
            last = signs[min(end, after) - 1 - before] + 1
            parts += [piece[at:first], tag if start >= before else ""]
            at = last
        done.append("".join(parts) + piece[at:] if at else piece)
        before = after
    return done
