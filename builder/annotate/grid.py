"""Sentences of a summary against the sentences and windows of its transcript, as in SummaC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from builder.annotate.nli.backends.base import Floats
from builder.annotate.transcripts.rules import words
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS

ENTAILED, NEUTRAL = LABELS.index("entailment"), LABELS.index("neutral")
WORD_FOR_WORD = "word for word"
_SHORT = 3  # letters of a word that tells nothing of what a sentence is about


@dataclass(frozen=True)
class Grid:
    """The pairs one row asks a model about.

    Attributes:
        hypotheses: sentences of the summary that no rule decides.
        sentences: premises: sentences of the transcript.
        windows: premises: windows of the transcript; the whole of it where it fits.
        copied: sentences of the summary that stand in the transcript word for word.
    """

    hypotheses: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    copied: int = 0

    @property
    def size(self) -> int:
        """How many pairs there are."""
        return len(self.hypotheses) * (len(self.sentences) + len(self.windows))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """(premise, hypothesis), hypothesis by hypothesis, sentences before windows."""
        for hypothesis in self.hypotheses:
            for premise in (*self.sentences, *self.windows):
                yield premise, hypothesis

    def triples(self, scores: Floats) -> npt.NDArray[np.float64]:
        """Scores of each sentence of the summary, shape (sentences, 3).

        Args:
            scores: of `pairs()`, shape (size, 3), in the order of `LABELS`.
        """
        found = np.zeros((len(self.hypotheses) + self.copied, len(LABELS)))
        found[:, ENTAILED] = 1.0  # word for word
        wide = len(self.sentences) + len(self.windows)
        table = scores.reshape(len(self.hypotheses), wide, len(LABELS)).astype(np.float64)
        for row, hypothesis in enumerate(self.hypotheses):
            found[row] = self._decided(hypothesis, table[row])
        return found

    def _decided(self, hypothesis: str, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What decides one sentence of the summary.

        The premise that entails it most, if that one says entailment (SummaC's maximum). If none
        does, only what speaks of the same things may contradict it: the sentence that shares most
        words with it and the window least neutral about it, averaged. One of many sentences about
        something else would else be found that a small model takes for a contradiction.
        """
        best: npt.NDArray[np.float64] = scores[int(scores[:, ENTAILED].argmax())]
        if int(best.argmax()) == ENTAILED:
            return best
        windows = scores[len(self.sentences) :]
        window: npt.NDArray[np.float64] = windows[int(windows[:, NEUTRAL].argmin())]
        about = _telling(hypothesis)
        shared = [len(about & _telling(sentence)) for sentence in self.sentences]
        if not shared or not max(shared):
            return window
        mean: npt.NDArray[np.float64] = (scores[int(np.argmax(shared))] + window) / 2
        return mean


def _telling(text: str) -> set[str]:
    """The words of a text that say what it is about: those of more than three letters."""
    return {word.casefold() for word in words(text) if len(word) > _SHORT}
