"""Words met in texts so far, by number: what is asked of a word is worked out once.

Texts are cut at blanks first: no word runs over one, so what stands between two blanks (a chunk)
gives the same words wherever it stands. Chunks, words and kinds of words are rows of tables, and
a column of texts is read by looking numbers up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.release.scrub.names.cues import LAST_OF_CUES, PARTICLES
from builder.release.scrub.names.features import Kind
from builder.release.scrub.names.known import Phrases
from builder.release.scrub.names.tagger import Array, Tagger
from builder.release.scrub.names.tokens import Token, cut, gap_of, plain, stops

# Bits about a word, whose form is taken as it is written.
IS_WORD, UPPER, IN_LEXICON, FIRST, LAST, PARTICLE, CUE, ALONE = (1 << bit for bit in range(8))
# Bits about the signs around words.
STOPS, SIGNS, THERE = 1, 2, 4
# Columns of a chunk: its first token and how many, the signs before and behind them, how many words
# of letters, with a capital, in capitals, and its characters.
TOKEN, COUNT, HEAD, TAIL, LETTERS, CAPITALS, SHOUTED, LENGTH = range(8)
# Columns of a token: its word as written and in lower case, its place in the chunk, its gap.
WRITTEN, LOWER, START, END, GAP = range(5)
# Columns of a word: its bits, and its number among the first and second words of known names.
BITS, BEGINS, SECOND = range(3)
_GAPS, _KINDS = 3, 12  # kinds of a word: three gaps, with telling capitals or not, known or not
KEEP = 1 << 16  # distinct chunks, words or kinds before everything is forgotten: 120 MB


class _Rows:
    """A table of whole numbers that grows by rows."""

    def __init__(self, width: int) -> None:
        self.array = np.zeros((1024, width), np.int32)
        self.size = 0

    def add(self, *row: int) -> int:
        """Append a row; returns its number."""
        if self.size == len(self.array):
            self.array = np.concatenate([self.array, np.zeros_like(self.array)])
        self.array[self.size, : len(row)] = row
        self.size += 1
        return self.size - 1


class _Chunks(dict[str, int]):
    """Chunk -> its row; one that was never met is learned."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def __missing__(self, chunk: str) -> int:
        row = self[chunk] = self._vocabulary.learn(chunk)
        return row


class Vocabulary:
    """What is known of words.

    Args:
        tagger: the network and its lists.
        places: known names.

    Attributes:
        chunks: chunk -> its row in `chunk_rows`.
        chunk_rows, token_rows, word_rows: the tables; see the constants above.
        forms, plain: of each word: as written, and without case and accents.
        pairs: of known names of several words: number of the first times `seconds` and number of
            the second, sorted.
    """

    def __init__(self, tagger: Tagger, places: Phrases) -> None:
        self.tagger = tagger
        longer = [words for words in places.all if len(words) > 1]
        self._alone = {words[0] for words in places.all if len(words) == 1}
        self._begins = {word: at for at, word in enumerate(sorted({w[0] for w in longer}), 1)}
        self._seconds = {word: at for at, word in enumerate(sorted({w[1] for w in longer}), 1)}
        self.seconds = len(self._seconds) + 1
        keys = {self._begins[w[0]] * self.seconds + self._seconds[w[1]] for w in longer}
        self.pairs = np.array(sorted(keys), np.int64)
        self.forget()

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was met behind."""
        kept = ("tagger", "_alone", "_begins", "_seconds", "seconds", "pairs")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.chunks = _Chunks(self)
        self._words: dict[str, int] = {}
        self.forms: list[str] = []
        self.plain: list[str] = []
        self.chunk_rows, self.token_rows, self.word_rows = _Rows(8), _Rows(5), _Rows(3)
        self._kind_rows = np.zeros((1024, _KINDS), np.int32)
        # row 0 is the place before the first and behind the last word; a zero costs no memory
        # before it is written to
        size = self.tagger.part_size
        self.parts = np.zeros((KEEP, *size), np.int32)
        self._kinds = 1

    def limit(self) -> None:
        """Forget where too much is remembered; what was read before is then read."""
        if max(self.chunk_rows.size, self.token_rows.size, self._kinds) > KEEP:
            self.forget()

    def learn(self, chunk: str) -> int:
        """The row of a chunk that was never met."""
        spans = cut(chunk)
        first, before = self.token_rows.size, 0
        for start, end, form in spans:
            gap = gap_of(chunk[before:start]) if before else 0
            self.token_rows.add(self._word(form), self._word(form.lower()), start, end, gap)
            before = end
        head = _signs(chunk[: spans[0][0]] if spans else chunk)
        written = [form for _, _, form in spans if form[0].isalpha()]
        return self.chunk_rows.add(
            first,
            len(spans),
            head,
            _signs(chunk[before:]) if spans else head,
            len(written),
            sum(form[0].isupper() for form in written),
            sum(form.isupper() for form in written),
            len(chunk),
        )

    def _word(self, form: str) -> int:
        row = self._words.get(form)
        if row is not None:
            return row
        bare, lists = plain(form), self.tagger.lists
        bits = (
            (IS_WORD, Token(0, 0, form, 0).is_word),
            (UPPER, form[0].isupper()),
            (IN_LEXICON, self.tagger.in_lexicon(form) is not None),
            (FIRST, bare in lists.first),
            (LAST, bare in lists.last),
            (PARTICLE, bare in PARTICLES),
            (CUE, bare in LAST_OF_CUES),
            (ALONE, bare in self._alone),
        )
        told = sum(bit for bit, holds in bits if holds)
        row = self._words[form] = self.word_rows.add(
            told, self._begins.get(bare, 0), self._seconds.get(bare, 0)
        )
        self.forms.append(form)
        self.plain.append(bare)
        return row

    def rows(self, words: Array, gaps: Array, cased: Array, known: Array) -> Array:
        """The rows of `parts` for words as they stand in texts."""
        if len(self._kind_rows) < self.word_rows.size:
            grown = np.zeros((len(self.word_rows.array), _KINDS), np.int32)
            grown[: len(self._kind_rows)] = self._kind_rows
            self._kind_rows = grown
        flat = self._kind_rows.reshape(-1)
        keys = words.astype(np.int64) * _KINDS + (cased * 2 + known) * _GAPS + gaps
        rows: Array = flat[keys]
        unmet = rows == 0
        if unmet.any():
            new = np.unique(keys[unmet])
            flat[new] = np.arange(self._kinds, self._kinds + len(new))
            self._learn_kinds(new.tolist())
            rows = flat[keys]
        return rows

    def _learn_kinds(self, keys: list[int]) -> None:
        kinds = []
        for key in keys:
            word, kind = divmod(key, _KINDS)
            told, gap = divmod(kind, _GAPS)
            kinds.append(Kind(self.forms[word], gap, bool(told & 2), bool(told & 1)))
        end = self._kinds + len(kinds)
        if end > len(self.parts):
            more = np.zeros((max(KEEP, end - len(self.parts)), *self.parts.shape[1:]), np.int32)
            self.parts = np.concatenate([self.parts, more])
        self.parts[self._kinds : end] = self.tagger.parts(kinds)
        self._kinds = end


def _signs(text: str) -> int:
    return (THERE if text else 0) | (SIGNS if text.strip() else 0) | (STOPS if stops(text) else 0)
