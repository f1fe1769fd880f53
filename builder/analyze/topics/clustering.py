"""Clusters of embeddings: UMAP, then HDBSCAN; the option `--method clusters`, and the video map.

Both are seeded and run in one thread, and their input is sorted by id: the same rows in another
order give the same clusters. Another version of UMAP or numba, or another processor, may not.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from builder.analyze.topics.embedding import WAY_OUT
from builder.analyze.vectors import Floats
from builder.errors import StageFailed

NEIGHBOURS, DIMENSIONS, SEED = 15, 5, 0
LEAST = 3 * NEIGHBOURS  # under so many points there is no neighbourhood to speak of
Labels = npt.NDArray[np.int64]


def reduced(vectors: Floats, dimensions: int, *, seed: int = SEED, spread: float = 0.0) -> Floats:
    """UMAP of vectors, by cosine.

    Args:
        vectors: at least `LEAST`.
        dimensions: of the result.
        seed: another one gives another, equally good result.
        spread: `min_dist`: 0 for clusters, 0.1 for a map to look at.

    Raises:
        StageFailed: umap-learn is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import umap
    except ImportError as error:
        raise StageFailed("clusters need umap-learn", way_out=WAY_OUT) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread
        found: Any = umap.UMAP(
            n_neighbors=NEIGHBOURS,
            n_components=dimensions,
            min_dist=spread,
            metric="cosine",
            random_state=seed,
            n_jobs=1,
        ).fit_transform(vectors)
    return np.asarray(found, np.float32)


def dense(points: Floats, smallest: int) -> tuple[Labels, npt.NDArray[np.float64]]:
    """HDBSCAN: cluster of each point (-1: none) and how surely it belongs there, 0 to 1."""
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(min_cluster_size=smallest, n_jobs=1, copy=True).fit(points)
    return np.asarray(model.labels_, np.int64), np.asarray(model.probabilities_, np.float64)


def words_of_clusters(counts: Any, labels: Labels, clusters: int) -> npt.NDArray[np.float64]:
    """c-TF-IDF (Grootendorst 2022): weight of each word in each cluster.

    Args:
        counts: texts by words, scipy CSR of 0 and 1.
        labels: cluster of each text, -1 for none.
        clusters: how many.
    """
    from scipy.sparse import csr_matrix

    member = labels >= 0
    rows = np.flatnonzero(member)
    shape = (clusters, counts.shape[0])
    inside = csr_matrix((np.ones(len(rows)), (labels[member], rows)), shape)
    held = np.asarray((inside @ counts).todense(), np.float64)
    total = held.sum(axis=0)
    mean = held.sum() / max(clusters, 1)
    weight = np.log1p(mean / np.maximum(total, 1))
    return np.asarray(held / np.maximum(held.sum(axis=1, keepdims=True), 1) * weight)
