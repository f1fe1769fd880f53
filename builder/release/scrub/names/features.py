"""What the tagger knows about one word: numbers of rows in its tables.

The same function serves training (scripts/train_names.py) and use. A word is described by its
place in the lexicon of common words, by hashed pieces of its letters (so that a name nobody has
seen still looks like one), and by flags.
"""

from __future__ import annotations

import zlib
from collections.abc import Set
from typing import NamedTuple

from builder.release.scrub.names.tokens import plain

PIECES = 1 << 15  # rows of the table of hashed letters
FLAGS = (
    "unknown_word first last known common_name lower capital capitals mixed figures "
    "gap_0 gap_1 gap_2 cased bare tag mark short_1 short_2 short_3 long_4 long_6 long_9 "
    "edge first_and_last"
).split()
_FLAG = {name: row for row, name in enumerate(FLAGS)}


class Kind(NamedTuple):
    """Everything about a word that does not depend on its neighbours: equal kinds, equal numbers.

    Attributes:
        form, gap: see `tokens.Token`.
        cased: whether the text's capitals tell anything.
        known: it stands inside the name of a place, a gang, a medium or an institution.
        listed: lists of names may be asked.
    """

    form: str
    gap: int
    cased: bool
    known: bool
    listed: bool = True


class Lists(NamedTuple):
    """Words the flags ask for, without case and accents.

    Attributes:
        first, last: words of first names and surnames.
    """

    first: Set[str]
    last: Set[str]


def flags_of(kind: Kind, in_lexicon: bool, lists: Lists) -> list[int]:
    """Rows of the table of flags."""
    form = kind.form
    found = [f"gap_{kind.gap}", "cased" if kind.cased else "bare"]
    if form[0] == "\x01":
        return [_FLAG[name] for name in [*found, "tag"]]
    if form[0] == "\x02":
        return [_FLAG[name] for name in [*found, "mark"]]
    word = plain(form)
    if not in_lexicon:
        found.append("unknown_word")
    if kind.known:
        found.append("known")
    if kind.listed:
        first, last = word in lists.first, word in lists.last
        if first:
            found.append("first")
        if last:
            found.append("last")
        if first and last:
            found.append("first_and_last")
        if (first or last) and in_lexicon:
            found.append("common_name")
    if form[0].isdigit():
        found.append("figures")
    elif form.islower() or not form[0].isalpha():
        found.append("lower")
    elif form[1:].islower() or len(form) == 1:
        found.append("capital")
    else:
        found.append("capitals" if form.isupper() else "mixed")
    size = len(word)
    found.append(
        f"short_{size}"
        if size < 4
        else "long_4"
        if size < 6
        else "long_6"
        if size < 9
        else "long_9"
    )
    return [_FLAG[name] for name in found]


def pieces_of(form: str) -> list[int]:
    """Rows of the table of letters: pieces of two to five letters, with the word's ends marked."""
    if form[0] in "\x01\x02":
        return [0]
    word = f"^{plain(form)[:24]}$"
    size = len(word)
    found = {word[:3], word[:5], word[-3:], word[-4:], word[-5:]}
    for length in (3, 4):
        found.update(word[at : at + length] for at in range(size - length + 1))
    return sorted({zlib.crc32(piece.encode()) % PIECES for piece in found})


def lexicon_key(word: str) -> int:
    """What the lexicon keeps of a word: 32 bits."""
    return zlib.crc32(word.encode())
