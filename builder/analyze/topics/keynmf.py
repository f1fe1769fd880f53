"""KeyNMF: keywords of each text by embedding, and topics by factorising them.

The algorithm of Kristensen-McLachlan, Hicke, Kardos and Thunø (2024, arXiv 2410.12791; in the
library turftopic, MIT): the entry of a text and a word that it holds is the cosine similarity of
their embeddings where positive, only the `TOP_WORDS` largest of each text are kept, and the matrix
is factorised without negative numbers (scikit-learn's NMF). Two things differ. Embeddings
are centred first (texts by the mean of texts, words by that of words): all cosines of E5 lie
between 0.7 and 0.9, and on made corpora KeyNMF without it finds almost nothing
(`scripts/eval_topics.py` prints both). And turftopic itself is not used, since it imports torch and
sentence-transformers for a computation that needs neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from builder.analyze.topics.embedding import WAY_OUT
from builder.analyze.vectors import Floats
from builder.errors import StageFailed

TOP_WORDS = 25  # keywords of a text, as in turftopic
_ITERATIONS = 400
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Keywords:
    """Which words tell a text.

    Attributes:
        keys: of the texts, ascending; a row each.
        matrix: texts by words, scipy CSR.
    """

    keys: Ints
    matrix: Any


@dataclass(frozen=True)
class Factors:
    """Topics before they are named.

    Attributes:
        texts: weight of each topic in each text, shape (texts, topics); rows sum to 1, or are 0.
        words: weight of each word in each topic, shape (topics, words).
    """

    texts: npt.NDArray[np.float64]
    words: npt.NDArray[np.float64]


def sklearn() -> Any:
    """The module `sklearn.decomposition`.

    Raises:
        StageFailed: scikit-learn is not installed.
    """
    try:
        import sklearn.decomposition
    except ImportError as error:
        raise StageFailed("topics need scikit-learn", way_out=WAY_OUT) from error
    return sklearn.decomposition


def unit(vectors: Floats, mean: Floats) -> Floats:
    """Vectors as seen from their mean, of length 1."""
    moved = vectors - mean
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(length, 1e-12), np.float32)


def keywords_of(pairs: pl.DataFrame, ids: pl.Series, texts: Floats, words: Floats) -> pl.DataFrame:
    """The keywords of some texts.

    Args:
        pairs: id, place (row of `words`): the words each text holds.
        ids: the texts that have an embedding.
        texts: their unit vectors, in that order.
        words: unit vectors of the vocabulary.

    Returns:
        id, place, weight: at most `TOP_WORDS` of a text.
    """
    rows = pl.DataFrame({"id": ids}).with_row_index("row")
    held = pairs.join(rows, on="id").sort("id", "place")
    found = np.empty(held.height, np.float32)
    for start in range(0, held.height, 200_000):
        part = slice(start, start + 200_000)
        of_text = texts[held["row"].to_numpy()[part]]
        of_word = words[held["place"].to_numpy()[part]]
        found[part] = np.einsum("ij,ij->i", of_text, of_word)
    # rounded: the last bits of a product are the processor's business
    weights = pl.Series("weight", np.round(np.maximum(found, 0).astype(np.float64), 4))
    return (
        held.select("id", "place", weights)
        .filter(pl.col("weight") > 0)
        .sort("id", "weight", "place", descending=[False, True, False])
        .group_by("id", maintain_order=True)
        .head(TOP_WORDS)
    )


def keyword_matrix(found: pl.DataFrame, keys: Ints, words: int) -> Keywords:
    """Keywords of all texts as one sparse matrix; texts by key, words by place."""
    from scipy.sparse import csr_matrix

    found = found.sort("id", "place")
    rows = np.searchsorted(keys, found["id"].to_numpy())
    shape = (len(keys), words)
    values = found["weight"].to_numpy()
    return Keywords(keys, csr_matrix((values, (rows, found["place"].to_numpy())), shape))


def factorise(keywords: Keywords, topics: int, *, seed: int | None = None) -> Factors:
    """Topics of a keyword matrix.

    Args:
        keywords: at least as many texts and words as topics.
        topics: how many.
        seed: None: the start is the matrix's own (NNDSVD), so that nothing is drawn; a number: a
            random start, to see what of the topics is left.
    """
    import warnings

    from threadpoolctl import threadpool_limits

    model = sklearn().NMF(
        topics,
        init="nndsvd" if seed is None else "random",
        random_state=seed or 0,
        max_iter=_ITERATIONS,
    )
    # one thread: how a sum is cut among threads decides its last bits
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged to 1e-4 is good enough for words and shares
        texts = model.fit_transform(keywords.matrix)
    # topics of one size: what is large in `texts` must not depend on how `words` is scaled
    size = np.linalg.norm(model.components_, axis=1)
    return Factors(shares(texts * size), model.components_ / np.maximum(size, 1e-12)[:, None])


def shares(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows that sum to 1; a row of zeros stays."""
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=total > 0))
