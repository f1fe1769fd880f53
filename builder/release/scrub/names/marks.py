"""Which words of a text belong to names: what the tagger says, and what stands beside them.

Less is asked of a word that is announced ("mi hijo …"), that no language has, or that stands beside
a word of a name.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from builder.release.scrub.names.cues import JOINING, PARTICLES, announces
from builder.release.scrub.names.many.readings import Readings
from builder.release.scrub.names.many.vocabulary import (
    CUE,
    FIRST,
    IN_LEXICON,
    IS_WORD,
    LAST,
    PARTICLE,
    UPPER,
)
from builder.release.scrub.names.reading import Reading
from builder.release.scrub.names.tagger import Tagger
from builder.release.scrub.names.tokens import FULL_STOP, SPACE

# What is asked less of a word that is announced, or that goes on a name: 65,536 are one nat.
_ANNOUNCED, _CAPITAL = 3 << 16, 6 << 16
_COMMON, _UNCOMMON, _LISTED, _PAIR = 3 << 16, 5 << 16, 6 << 16, 8 << 16
_FURTHEST = 6 << 16
Leads = np.ndarray[Any, Any]


class Marker:
    """Marks the words of names.

    Args:
        tagger: the network and its lists.
        lean: how far below a name's score, in 256ths of a nat, a word may be that is no common one;
            half of it in texts without capitals, where words of other languages stand unmarked.
    """

    def __init__(self, tagger: Tagger, lean: int) -> None:
        self._tagger, self._lean = tagger, lean << 8

    def suspects(self, many: Readings) -> list[int]:
        """The texts in which any word may be marked; in the others `marks` marks none.

        The first two rules of `marks` for all words at once (the others need a mark to begin
        with); of an announced word only the word before it is looked at.
        """
        may = many.flags & IS_WORD > 0
        at = np.flatnonzero((many.margin > -_FURTHEST) & may)
        flags, margin, gap = many.flags[at], many.margin[at], many.gap[at]
        cased, upper = many.cased[many.owner[at]], flags & UPPER > 0
        common = (flags & (IN_LEXICON | FIRST | LAST)) == IN_LEXICON
        odd = np.where(cased & upper, (gap != FULL_STOP) | ~common, flags & IN_LEXICON == 0)
        lean = np.where(cased, -self._lean, -self._lean >> 1)
        asked = np.where(odd & ~many.inside[at], lean, 0)
        hit = margin > asked
        able = flags & PARTICLE == 0
        cue = many.flags[at - 1] & CUE > 0  # a text's first word is behind a full stop
        announced = able & (gap == SPACE) & cue & np.where(cased, upper, ~common)
        hit |= announced & (margin > asked - _ANNOUNCED)
        pair = (at[1:] == at[:-1] + 1) & (gap[1:] == SPACE) & able[:-1] & able[1:]
        pair &= (flags[:-1] & FIRST > 0) & (flags[1:] & LAST > 0)
        pair &= ~cased[:-1] | (upper[:-1] & upper[1:])
        hit[:-1] |= pair & (margin[:-1] + margin[1:] > -_PAIR)
        found: list[int] = np.unique(many.owner[at[hit]]).tolist()
        return found

    def marks(self, reading: Reading, margin: Leads, begins: Leads) -> list[int]:
        """0: no name; 1: one begins; 2: one goes on; for every word.

        Args:
            reading: the text.
            margin, begins: what the tagger makes of each word; see `Tagger.leads`.
        """
        marks = [0] * len(reading.words)
        # every rule below asks for more than this
        near = [
            at for at in np.flatnonzero(margin > -_FURTHEST).tolist() if reading.words[at].is_word
        ]
        if not near:
            return marks
        inside = {at for first, last in reading.known for at in range(first, last)}
        for at in near:
            asked = 0
            if at not in inside and self._is_odd(reading, at):
                asked = -self._lean if reading.cased else -self._lean >> 1
            if _is_able(reading, at) and self.is_announced(reading, at):
                asked -= _ANNOUNCED
            if margin[at] > asked:
                marks[at] = 1 if begins[at] or not at or not marks[at - 1] else 2
        near = [at for at in near if not marks[at] and _is_able(reading, at)]
        for at, after in pairwise(near):  # a first name and a surname, each could be a word
            if after == at + 1 and reading.words[after].gap == SPACE:
                enough = margin[at] + margin[after] > -_PAIR
                if enough and not marks[at] and self._is_pair(reading, at):
                    marks[at], marks[after] = 1, 2
        near = [
            at
            for at in near
            if not marks[at] and (at not in inside or self._is_listed(reading, at))
        ]
        for at in near:  # names go on …
            before = self._before(reading, marks, at)
            if before and margin[at] > -self._leave(reading, at, before):
                marks[at] = 2
        for at in reversed(near):  # … and began before
            if marks[at] or not any(marks[at + 1 : at + 2]) or reading.words[at + 1].gap != SPACE:
                continue
            first = reading.words[at].gap == FULL_STOP
            if first and reading.cased and self.is_common(reading, at):
                continue  # "Hola Kevin"
            if margin[at] > -self._leave(reading, at, 1):
                marks[at], marks[at + 1] = 1, 2
        return marks

    def _before(self, reading: Reading, marks: list[int], at: int) -> int:
        """How many words before a word the name stands that it may go on; 0: none does."""
        for step in (1, 2, 3):
            if at < step or reading.words[at - step + 1].gap != SPACE:
                return 0
            if marks[at - step]:
                return step
            if reading.plain[at - step] not in JOINING:
                return 0
        return 0

    def _leave(self, reading: Reading, at: int, step: int) -> int:
        """How far below a name's score a word beside a name may be, and be one."""
        form = reading.words[at].form
        if reading.cased:
            return (_CAPITAL if step == 1 else _CAPITAL >> 1) if form[0].isupper() else 0
        if self.is_common(reading, at):
            return _COMMON if step == 1 else 0
        listed = reading.plain[at] in self._tagger.lists.last
        return (_LISTED if listed else _UNCOMMON) if step == 1 else _UNCOMMON >> 1

    def _is_listed(self, reading: Reading, at: int) -> bool:
        """Whether a list of names has a word."""
        word = reading.plain[at]
        return word in self._tagger.lists.first or word in self._tagger.lists.last

    def _is_pair(self, reading: Reading, at: int) -> bool:
        """Whether a first name and a surname of the lists stand side by side."""
        first, last = reading.plain[at], reading.plain[at + 1]
        if first not in self._tagger.lists.first or last not in self._tagger.lists.last:
            return False
        forms = (reading.words[at].form, reading.words[at + 1].form)
        return not reading.cased or all(form[0].isupper() for form in forms)

    def _is_odd(self, reading: Reading, at: int) -> bool:
        """Whether a word is none of the language, or has a capital that needs a reason."""
        form, cased = reading.words[at].form, reading.cased
        if cased and form[0].isupper():
            return reading.words[at].gap != FULL_STOP or not self.is_common(reading, at)
        return self._tagger.in_lexicon(form) is None

    def is_common(self, reading: Reading, at: int) -> bool:
        """Whether a word is one of the language, and no list of names has it."""
        if self._is_listed(reading, at):
            return False
        return self._tagger.in_lexicon(reading.words[at].form) is not None

    def is_announced(self, reading: Reading, at: int) -> bool:
        """Whether the words before say that this one is a name."""
        if not at or reading.words[at].gap != SPACE:
            return False
        word = reading.words[at]
        if reading.cased and not word.form[0].isupper():
            return False
        if not reading.cased and self.is_common(reading, at):
            return False
        plain = ["", "", *reading.plain[max(0, at - 3) : at]][-3:]
        return announces(*plain)


def _is_able(reading: Reading, at: int) -> bool:
    """Whether a word can begin or end a name."""
    return reading.plain[at] not in PARTICLES
