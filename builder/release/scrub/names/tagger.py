"""A small network that tells which words of a text belong to a person's name.

Every word becomes a vector (lexicon + letters + flags); a hidden layer sees it with three words on
each side; three outputs: no name, a name begins, a name goes on. The first layer is a sum of one
part for each of the seven places, and a part depends on the word alone: it is reckoned once a
distinct word and looked up ever after (`many/vocabulary.py`), for many texts in one go.

Everything is whole numbers: the same text gives the same names on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from builder.release.scrub.names.features import (
    FLAGS,
    Kind,
    Lists,
    flags_of,
    lexicon_key,
    pieces_of,
)
from builder.release.scrub.names.tokens import plain

REACH = 3  # words on each side
_SHIFT = 8  # weights are whole 256ths
_AT_ONCE = 2048  # words whose sums fit into the processor's cache
Array = np.ndarray[Any, Any]
FOLDER = Path(__file__).parents[3] / "models" / "names"


class Tagger:
    """The network with its lists.

    Args:
        weights: arrays `lexicon` (uint32: common words, then rarer ones, which share the last row
            of `words`), `words`, `pieces`, `flags` (rows x size),
            `window` (places x size x hidden), `hidden_bias`, `out` (hidden x 3), `out_bias`, all
            int16 or int8 in 256ths, and `bias`: what is added to "no name" (the threshold).
        lists: words of names.
    """

    def __init__(self, weights: dict[str, Any], lists: Lists) -> None:
        self.lists = lists
        last = len(weights["words"]) - 1  # the row that all rarer words share
        self._lexicon = {int(key): min(row, last) for row, key in enumerate(weights["lexicon"])}
        self._words, self._pieces, self._flags = (
            weights[name].astype(np.int64) for name in ("words", "pieces", "flags")
        )
        window = weights["window"].astype(np.int64)
        self._places, size, self._hidden = window.shape
        self._window = window.transpose(1, 0, 2).reshape(size, self._places * self._hidden)
        self._hidden_bias = weights["hidden_bias"].astype(np.int64) << _SHIFT
        self._out = weights["out"].astype(np.int64)
        self._out_bias = weights["out_bias"].astype(np.int64) << _SHIFT
        self.bias = int(weights["bias"]) << _SHIFT
        # sums of seven parts fit into 32 bits with weights of any sense; with others they need more
        words, pieces, flags, window = (
            int(np.abs(table).max())
            for table in (self._words, self._pieces, self._flags, self._window)
        )
        part = (words + pieces + flags * len(FLAGS)) * size * window >> _SHIFT
        most = self._places * part + int(np.abs(self._hidden_bias).max())
        self._sums = np.int32 if most < 1 << 31 else np.int64

    @property
    def part_size(self) -> tuple[int, int]:
        """Shape of a word's part: places x hidden."""
        return self._places, self._hidden

    def in_lexicon(self, form: str) -> int | None:
        """Row of a word in the lexicon of common words; also where its accents were left out."""
        row = self._lexicon.get(lexicon_key(form.lower()))
        return self._lexicon.get(lexicon_key(plain(form))) if row is None else row

    def parts(self, kinds: Sequence[Kind]) -> Array:
        """The part of each kind in each of the seven places: kinds x places x hidden, int32."""
        vectors = np.empty((len(kinds), self._window.shape[0]), np.int64)
        for at, kind in enumerate(kinds):
            word = self.in_lexicon(kind.form)
            pieces = self._pieces[pieces_of(kind.form)]
            vector = pieces.sum(axis=0) // len(pieces)
            vector += self._flags[flags_of(kind, word is not None, self.lists)].sum(axis=0)
            vectors[at] = vector if word is None else vector + self._words[word]
        # whole numbers far below 2^53: floating point has them exactly, and is ten times as fast
        found = (vectors.astype(np.float64) @ self._window.astype(np.float64)).astype(np.int64)
        parts: Array = (found >> _SHIFT).astype(np.int32)
        return parts.reshape(-1, self._places, self._hidden)

    def leads(self, parts: Array, rows: Array) -> tuple[Array, Array]:
        """How far each word is from being no name, and whether one rather begins than goes on.

        Args:
            parts: of the kinds met, a row each; row 0 is nought.
            rows: of each word; 0 is what stands before and behind a text: `REACH` of them part two
                texts, and stand at both ends.

        Returns:
            For every row but the `REACH` at both ends: the better of the two scores of a name less
            the score of none (int64, 65,536 are one nat), and a Boolean.
        """
        count, places = len(rows) - 2 * REACH, self._places
        flat = parts.reshape(-1, self._hidden)
        margin, begins = np.empty(count, np.int64), np.empty(count, np.bool_)
        # more than none: both scores of a name less that of none
        out = (self._out[:, 1:] - self._out[:, :1]).astype(np.float64)
        bias = self._out_bias[1:] - self._out_bias[0] - self.bias
        part = np.empty((_AT_ONCE, self._hidden), np.int32)
        sums = np.empty((_AT_ONCE, self._hidden), self._sums)
        for start in range(0, count, _AT_ONCE):
            stop = min(start + _AT_ONCE, count)
            one, total = part[: stop - start], sums[: stop - start]
            total[:] = self._hidden_bias >> _SHIFT
            for place in range(places):
                at = rows[start + place : stop + place] * places + place
                total += np.take(flat, at, axis=0, out=one, mode="clip")
            np.maximum(total, 0, out=total)
            found = (total.astype(np.float64) @ out).astype(np.int64) + bias
            margin[start:stop] = found.max(axis=1)
            begins[start:stop] = found[:, 0] > found[:, 1]
        return margin, begins


def read_words(path: Path) -> frozenset[str]:
    """The words of a list of names, without case and accents."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return frozenset(plain(word) for line in lines for word in line.split() if len(word) > 1)


@cache
def shipped() -> Tagger:
    """The tagger that comes with the package."""
    with np.load(FOLDER / "weights.npz", allow_pickle=False) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    lists = Lists(read_words(FOLDER / "first.txt"), read_words(FOLDER / "last.txt"))
    return Tagger(weights, lists)
