"""From vectors of videos to places on a map, clusters, and near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from builder.analyze.topics.clustering import LEAST, dense, reduced
from builder.analyze.vectors import Floats

SMALLEST = 5  # videos of a cluster, at least
NEAR = 0.995  # cosine above which two videos look the same to the network
_BLOCK = 2_048
_MOST_COMPARED = 20_000


@dataclass(frozen=True)
class Map:
    """Videos on a plane.

    Attributes:
        videos: video_id, x, y, cluster (-1: none), by video_id; cluster 0 is the largest.
        near: videos that look like another one; None where there were too many to compare.
    """

    videos: pl.DataFrame
    near: int | None

    @property
    def clusters(self) -> int:
        """How many."""
        return int(self.videos["cluster"].max() or 0) + 1 if self.videos.height else 0  # type: ignore[arg-type]


def lay_out(ids: list[str], vectors: Floats) -> Map | None:
    """The map of some videos; None where there are too few.

    Args:
        ids: of the videos, in any order.
        vectors: theirs.
    """
    if len(ids) < LEAST:
        return None
    order = sorted(range(len(ids)), key=ids.__getitem__)
    sorted_vectors = np.ascontiguousarray(vectors[order])
    places = reduced(sorted_vectors, 2, spread=0.1)
    smallest = max(SMALLEST, len(ids) // 100)
    labels, _ = dense(reduced(sorted_vectors, 5), smallest)
    sizes = {int(label): int((labels == label).sum()) for label in set(labels.tolist())}
    ranked = sorted((k for k in sizes if k >= 0), key=lambda label: (-sizes[label], label))
    renamed = {old: new for new, old in enumerate(ranked)}
    videos = pl.DataFrame(
        {
            "video_id": [ids[place] for place in order],
            "x": places[:, 0].astype(np.float64).round(3),
            "y": places[:, 1].astype(np.float64).round(3),
            "cluster": [renamed.get(int(label), -1) for label in labels],
        },
        schema_overrides={"cluster": pl.Int32},
    )
    return Map(videos, near_duplicates(sorted_vectors))


def near_duplicates(vectors: Floats) -> int | None:
    """Videos with another one closer than `NEAR`; None above a number that would take too long."""
    if len(vectors) > _MOST_COMPARED:
        return None
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.maximum(length, 1e-12)
    found = 0
    for start in range(0, len(units), _BLOCK):
        like = units[start : start + _BLOCK] @ units.T
        like[np.arange(len(like)), start + np.arange(len(like))] = -1
        found += int((like.max(axis=1) >= NEAR).sum())
    return found
