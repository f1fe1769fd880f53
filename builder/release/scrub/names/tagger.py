"""A small network that tells which words of a text belong to a person's name.

Every word becomes a vector (lexicon + letters + flags); a hidden layer sees it with three words on
each side; three outputs: no name, a name begins, a name goes on. The first layer is a sum of one
part for each of the seven places, and a part depends on the word alone: it is reckoned once a
distinct word and looked up ever after, which makes a text cost microseconds a word.

Everything is whole numbers: the same text gives the same names on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from builder.release.scrub.names.features import (
    Kind,
    Lists,
    flags_of,
    lexicon_key,
    pieces_of,
)
from builder.release.scrub.names.tokens import plain

REACH = 3  # words on each side
_SHIFT = 8  # weights are whole 256ths
_KEEP = 1 << 17  # distinct words remembered
_FIRST_ROWS = 4096
FOLDER = Path(__file__).parents[3] / "models" / "names"


class Tagger:
    """The network with its lists.

    Args:
        weights: arrays `lexicon` (uint32, sorted), `words`, `pieces`, `flags` (rows x size),
            `window` (places x size x hidden), `hidden_bias`, `out` (hidden x 3), `out_bias`, all
            int16 or int8 in 256ths, and `bias`: what is added to "no name" (the threshold).
        lists: words of names.
    """

    def __init__(self, weights: dict[str, Any], lists: Lists) -> None:
        self.lists = lists
        self._lexicon = {int(key): row for row, key in enumerate(weights["lexicon"])}
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
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[Kind, int] = {}
        # row 0 is the place before the first and behind the last word
        self._parts = np.zeros((_FIRST_ROWS, self._places, self._hidden), np.int32)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is remembered behind."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_rows", "_parts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def in_lexicon(self, form: str) -> int | None:
        """Row of a word in the lexicon of common words; also where its accents were left out."""
        row = self._lexicon.get(lexicon_key(form.lower()))
        return self._lexicon.get(lexicon_key(plain(form))) if row is None else row

    def _learn(self, kind: Kind) -> int:
        row = len(self._rows) + 1
        if row >= len(self._parts):
            grown = np.zeros((len(self._parts) * 2, *self._parts.shape[1:]), np.int32)
            grown[: len(self._parts)] = self._parts
            self._parts = grown
        word = self.in_lexicon(kind.form)
        pieces = self._pieces[pieces_of(kind.form)]
        vector = pieces.sum(axis=0) // len(pieces)
        vector = vector + self._flags[flags_of(kind, word is not None, self.lists)].sum(axis=0)
        if word is not None:
            vector = vector + self._words[word]
        part = (vector @ self._window) >> _SHIFT
        self._parts[row] = part.reshape(self._places, self._hidden)
        self._rows[kind] = row
        return row

    def scores(self, kinds: Sequence[Kind]) -> np.ndarray[Any, Any]:
        """One row a word: no name, a name begins, a name goes on (int64, higher is likelier)."""
        if len(self._rows) > _KEEP:
            self._forget()
        known = self._rows
        rows = np.zeros(len(kinds) + 2 * REACH, np.int64)
        for at, kind in enumerate(kinds, REACH):
            row = known.get(kind)
            rows[at] = self._learn(kind) if row is None else row
        total = np.repeat((self._hidden_bias >> _SHIFT)[None], len(kinds), axis=0)
        for place in range(self._places):
            total += self._parts[rows[place : place + len(kinds)], place]
        np.maximum(total, 0, out=total)
        found: np.ndarray[Any, Any] = total @ self._out + self._out_bias
        found[:, 0] += self.bias
        return found


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
