"""How good topics are, without anybody's judgement: coherence, diversity, stability."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from builder.analyze.topics.embedding import WAY_OUT
from builder.analyze.topics.keynmf import Keywords, factorise
from builder.errors import StageFailed

SEEDS = (1, 2, 3)
TOP = 10  # words of a topic
COHERENCE_TEXTS = 20_000


@dataclass(frozen=True)
class Quality:
    """Scores of a set of topics.

    Attributes:
        npmi: mean coherence over topics, -1 to 1 (Bouma 2009, Röder et al. 2015; gensim's
            `c_npmi`, the same texts); None where there is nothing to count.
        diversity: share of different words among the top words of all topics (Dieng et al. 2020).
        stability: mean share of the top words that topics of other seeds have in common with these,
            best matched; None where a method has no seeds here.
    """

    npmi: float | None
    diversity: float | None
    stability: float | None


def coherence(topics: Sequence[Sequence[str]], texts: Sequence[Sequence[str]]) -> float | None:
    """Mean NPMI of topics over texts (lists of words).

    Raises:
        StageFailed: gensim is not installed.
    """
    told = [list(words) for words in topics if len(words) > 1]
    if not told or not texts:
        return None
    try:
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel
    except ImportError as error:
        raise StageFailed("coherence needs gensim", way_out=WAY_OUT) from error
    documents = [list(words) for words in texts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CoherenceModel(
            topics=told,
            texts=documents,
            dictionary=Dictionary(documents),
            coherence="c_npmi",
            window_size=10_000,  # a transcript is one window: what is said in it belongs together
            processes=1,
        )
        found = float(model.get_coherence())
    return round(found, 4) if np.isfinite(found) else None


def diversity(topics: Sequence[Sequence[str]]) -> float | None:
    """Share of different words among those of all topics."""
    words = [word for topic in topics for word in topic]
    return round(len(set(words)) / len(words), 4) if words else None


def agreement(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """Mean Jaccard similarity of topics' words, each with its best partner (Hungarian)."""
    from scipy.optimize import linear_sum_assignment

    table = np.array(
        [[len(set(a) & set(b)) / max(len(set(a) | set(b)), 1) for b in other] for a in one]
    )
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / max(len(one), len(other), 1))


def stability(keywords: Keywords, topics: Sequence[Sequence[str]], words: Sequence[str]) -> float:
    """Mean agreement of KeyNMF's topics with those of random starts."""
    again = []
    for seed in SEEDS:
        factors = factorise(keywords, len(topics), seed=seed)
        again.append(agreement(topics, [top_words(row, words) for row in factors.words]))
    return round(float(np.mean(again)), 4)


def top_words(row: npt.NDArray[np.float64], words: Sequence[str], n: int = TOP) -> list[str]:
    """The words of most weight, by weight and then by alphabet; none without weight."""
    weights: list[float] = row.tolist()
    order = sorted(range(len(words)), key=lambda place: (-round(weights[place], 9), words[place]))
    return [words[place] for place in order[:n] if weights[place] > 0]
