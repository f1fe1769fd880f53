"""Many texts as the tagger reads them, in one go: `reading.read` for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from builder.release.scrub.names.known import Phrases
from builder.release.scrub.names.many import vocabulary as v
from builder.release.scrub.names.reading import Reading
from builder.release.scrub.names.tagger import REACH, Array
from builder.release.scrub.names.tokens import FULL_STOP, PAUSE, SPACE, Token


class Readings:
    """Texts, cut into words.

    Args:
        texts: one or more.
        vocabulary: learns the words it has not met.
        places: known names; those the vocabulary was made with.

    Attributes:
        cased: of each text, whether its capitals tell anything.
        owner, word, gap, inside, flags: of each word of all texts: number of its text, row of the
            vocabulary, gap, whether it stands in a known name, bits of the vocabulary.
        margin, begins: what the tagger makes of it.
    """

    def __init__(self, texts: Sequence[str], vocabulary: v.Vocabulary, places: Phrases) -> None:
        vocabulary.limit()
        self._vocabulary = vocabulary
        self._forms, self._plain = vocabulary.forms, vocabulary.plain
        chunks: list[int] = []
        sizes: list[int] = []
        for text in texts:
            pieces = text.split(" ")
            sizes.append(len(pieces))
            chunks += map(vocabulary.chunks.__getitem__, pieces)
        self._cut(np.array(chunks, np.int64), np.array(sizes, np.int64))
        self._bounds = np.searchsorted(self.owner, np.arange(len(texts) + 1)).tolist()
        rows = vocabulary.word_rows.array[self.word]
        self.flags = rows[:, v.BITS]
        self._known: dict[int, list[tuple[int, int]]] = {}
        self.inside = np.zeros(len(self.word), np.bool_)
        self._look_up(rows, places)
        cased = self.cased[self.owner]
        kinds = vocabulary.rows(self.word, self.gap, cased, self.inside)
        at = np.arange(len(kinds)) + REACH * (self.owner + 1)
        padded = np.zeros(len(kinds) + REACH * (len(texts) + 1), np.int64)
        padded[at] = kinds
        margin, begins = vocabulary.tagger.leads(vocabulary.parts, padded)
        self.margin, self.begins = margin[at - REACH], begins[at - REACH]

    def _cut(self, chunks: Array, sizes: Array) -> None:
        """The words of all texts, from the chunks they are made of."""
        first = np.cumsum(sizes) - sizes
        owner = np.repeat(np.arange(len(sizes)), sizes)
        rows = self._vocabulary.chunk_rows.array[chunks].astype(np.int64)
        self.cased = _are_cased(
            *(
                np.add.reduceat(rows[:, column], first)
                for column in (v.LETTERS, v.CAPITALS, v.SHOUTED)
            )
        )
        counts = rows[:, v.COUNT]
        chunk = np.repeat(np.arange(len(chunks)), counts)
        within = np.arange(len(chunk)) - np.repeat(np.cumsum(counts) - counts, counts)
        tokens = self._vocabulary.token_rows.array[rows[chunk, v.TOKEN] + within]
        self.owner = owner[chunk]
        self.word = np.where(self.cased[self.owner], tokens[:, v.WRITTEN], tokens[:, v.LOWER])
        self.gap = tokens[:, v.GAP].copy()
        leading = np.flatnonzero(within == 0)
        self.gap[leading] = _gaps(rows, chunk[leading], self.owner[leading])
        behind = rows[:, v.LENGTH] + 1
        places = np.cumsum(behind) - behind
        start = (places - places[first][owner])[chunk]
        self._start, self._end = start + tokens[:, v.START], start + tokens[:, v.END]

    def _look_up(self, rows: Array, places: Phrases) -> None:
        """Find the known names."""
        may = rows[:, v.BITS] & v.ALONE > 0
        two = np.flatnonzero((rows[:-1, v.BEGINS] > 0) & (rows[1:, v.SECOND] > 0))
        pairs = self._vocabulary.pairs
        if len(two) and len(pairs):
            keys = rows[two, v.BEGINS].astype(np.int64) * self._vocabulary.seconds
            keys += rows[two + 1, v.SECOND]
            found = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
            may[two[pairs[found] == keys]] = True
        text, end, free = -1, 0, 0
        for at in np.flatnonzero(may).tolist():
            if at >= end:
                text = int(self.owner[at])
                end = self._bounds[text + 1]
            size = places.begun(self._words(at, min(end, at + places.longest))) * (at >= free)
            if size:
                free = at + size
                start = self._bounds[text]
                self._known.setdefault(text, []).append((at - start, free - start))
                self.inside[at:free] = True

    def _words(self, start: int, end: int) -> list[str]:
        return [self._plain[word] for word in self.word[start:end].tolist()]

    def words(self, text: int) -> list[str]:
        """The words of one text, without case and accents."""
        return self._words(*self._bounds[text : text + 2])

    def reading(self, text: int) -> Reading:
        """One text as `reading.read` reads it."""
        here = slice(*self._bounds[text : text + 2])
        words = [
            Token(start, end, self._forms[word], gap)
            for start, end, word, gap in zip(
                self._start[here].tolist(),
                self._end[here].tolist(),
                self.word[here].tolist(),
                self.gap[here].tolist(),
                strict=True,
            )
        ]
        known = self._known.get(text, [])
        return Reading(words, self.words(text), known, bool(self.cased[text]))

    def leads(self, text: int) -> tuple[Array, Array]:
        """`margin` and `begins` of one text."""
        here = slice(*self._bounds[text : text + 2])
        return self.margin[here], self.begins[here]


def _are_cased(letters: Array, capitals: Array, shouted: Array) -> Array:
    """The rule of `tokens.tokens` for many texts."""
    few = letters < 4
    cased = (capitals > 0) & ((capitals * 10 < letters * 7) | few)
    return cased & (few | (shouted * 2 <= letters))


def _gaps(rows: Array, chunk: Array, owner: Array) -> Array:
    """What parts the first word of each chunk from the word before, which is in another chunk.

    Args:
        rows: of all chunks.
        chunk: those with a word in them.
        owner: their texts.
    """
    head, empty = rows[:, v.HEAD], rows[:, v.COUNT] == 0

    def so_far(bit: int) -> Array:
        """How many chunks without a word hold such signs, before each chunk."""
        return np.concatenate([[0], np.cumsum(empty & (head & bit > 0))])

    before = np.concatenate([[0], chunk[:-1]])
    around = rows[before, v.TAIL] | head[chunk]
    apart = (around & v.THERE > 0) | (chunk - before > 1)
    between = {bit: (around & bit > 0) | _more(so_far(bit), before, chunk) for bit in (1, 2)}
    stop = between[v.STOPS] | ~between[v.SIGNS]
    gaps = np.where(apart, np.where(stop, FULL_STOP, PAUSE), SPACE)
    gaps[np.concatenate([[True], owner[1:] != owner[:-1]])[: len(gaps)]] = FULL_STOP
    return gaps


def _more(so_far: Array, before: Array, chunk: Array) -> Array:
    return np.asarray(so_far[chunk] > so_far[before + 1])
