"""Extractive summaries: the sentences of a transcript that say most of what it says.

Deterministic, no model. Sentences are scored by how close they are to the transcript's centre
(LexRank on TF-IDF cosine, with a bonus for early sentences, where spoken news puts its point),
then taken greedily while they add something (maximal marginal relevance) and fit.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import numpy.typing as npt

from builder.annotate.transcripts.pieces import pieces
from builder.annotate.transcripts.rules import words

VERSION = "2"
_STOP = frozenset(
    "a al algo ante como con contra cual cuando de del desde donde dos e el ella ellas ellos en "
    "entre era es esa ese eso esta está estas este esto estos fue ha han hasta hay la las le les "
    "lo los más me mi muy no nos o para pero por porque que qué se ser si sí sin sobre son su sus "
    "también te tiene todo tu un una uno unos y ya yo "
    "the of and to in is it that for on was with as at be this are you we they i he she have not "
    "o a os as um uma e que não em para com por mais foi ele ela isso".split()
)
_FULL_SENTENCE = 6
_POSITION, _REDUNDANCY, _DAMPING, _ROUNDS = 0.15, 0.6, 0.85, 50


def summarize(
    text: str, *, max_sentences: int = 3, max_words: int = 60, min_words: int = 20
) -> str:
    """The most central sentences of a text, in their order.

    Args:
        text: a transcript, with or without punctuation.
        max_sentences: most sentences (of an unpunctuated transcript: stretches of its words).
        max_words: most words; at least one sentence is taken whatever its length.
        min_words: a text with fewer words is its own summary.

    Returns:
        The summary, never longer than the text; "" for a text without words.
    """
    stripped = " ".join(text.split())
    if len(words(stripped)) < max(min_words, 1):
        return stripped if words(stripped) else ""
    parts = list(dict.fromkeys(pieces(text, max_words=max(10, max_words // 2))))
    if not parts:
        return ""
    chosen = _choose(parts, max_sentences, max_words)
    return " ".join(parts[index] for index in sorted(chosen))


def _choose(parts: list[str], max_sentences: int, max_words: int) -> list[int]:
    similar = _similarity(parts)
    central = _rank(similar)
    central = central / central.max()
    early = np.array([1 / (1 + index) for index in range(len(parts))])
    sizes = [len(words(part)) for part in parts]
    # "Buenas noches." comes first and says nothing.
    fullness = np.array([min(1.0, size / _FULL_SENTENCE) for size in sizes])
    value = ((1 - _POSITION) * central + _POSITION * early) * fullness
    chosen: list[int] = []
    left = max_words
    while len(chosen) < max_sentences:
        best, best_gain = -1, -math.inf
        for index in range(len(parts)):
            if index in chosen or (chosen and sizes[index] > left):
                continue
            repeated = max((similar[index, other] for other in chosen), default=0.0)
            # Rounded: the last bits of a sum must not decide between equals.
            gain = round(float(value[index] - _REDUNDANCY * repeated), 6)
            if gain > best_gain:
                best, best_gain = index, gain
        if best < 0:
            break
        chosen.append(best)
        left -= sizes[best]
    return chosen


def _similarity(parts: list[str]) -> npt.NDArray[np.float64]:
    """Cosine of the sentences' TF-IDF vectors, shape (n, n)."""
    counts = [
        Counter(word for word in map(str.casefold, words(part)) if word not in _STOP)
        for part in parts
    ]
    vocabulary = {word: i for i, word in enumerate(sorted(set().union(*counts)))}
    seen = Counter(word for count in counts for word in count)
    matrix = np.zeros((len(parts), max(len(vocabulary), 1)))
    for row, count in enumerate(counts):
        for word, times in count.items():
            weight = (1 + math.log(times)) * (1 + math.log(len(parts) / seen[word]))
            matrix[row, vocabulary[word]] = weight
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(norms == 0, 1, norms)
    cosine: npt.NDArray[np.float64] = matrix @ matrix.T
    return cosine


def _rank(similar: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """LexRank: the stationary weight of each sentence in a walk between similar ones."""
    count = len(similar)
    links = similar.copy()
    np.fill_diagonal(links, 0)
    sums = links.sum(axis=1, keepdims=True)
    walk = np.where(sums > 0, links / np.where(sums == 0, 1, sums), 1 / count)
    weight = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        weight = (1 - _DAMPING) / count + _DAMPING * (walk.T @ weight)
    return weight
