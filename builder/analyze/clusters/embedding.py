"""The stage that looks at downloads: frames of each video to one vector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from builder.analyze.clusters.networks import EfficientNetLite0, Network, TimeSformer
from builder.analyze.vectors import packed
from builder.config.profile import FramesTable
from builder.media.formats import MediaProblem, check_file
from builder.media.workers import frames_of
from builder.run.stage import Stage

ABOUT = {
    "efficientnet-lite0": "EfficientNet-Lite0 frame embeddings, mean and deviation over {} frames",
    "timesformer": "TimeSformer embeddings of {} frames",
}


class EmbedFrames(Stage):
    """Adds the embedding of a download: little-endian float32 bytes.

    Statuses: `ok`; else why there is no picture, as `builder.media.facts.STATUSES`.

    Args:
        table: which network; `[frames]` of the profile.
        network: a loaded one, for tests.
    """

    name: ClassVar[str] = "embed_frames"
    version: ClassVar[str] = "2"
    input_columns: ClassVar[tuple[str, ...]] = ("path", "size", "mtime_ns")
    output_schema: ClassVar[dict[str, Any]] = {
        "embedding": pl.Binary,
        "frames": pl.Int32,
        "status": pl.String,
        "reason": pl.String,
        "model": pl.String,
    }
    retry_statuses: ClassVar[tuple[str, ...]] = ("missing", "unreadable")
    batch_size = 16

    def __init__(self, table: FramesTable | None = None, network: Any = None) -> None:
        self.table, self.network = table or FramesTable(), network

    @property
    def params(self) -> dict[str, Any]:
        """See `Stage.params`."""
        told = self.table.model_dump()
        if self.table.model == "timesformer":
            return told  # how many frames is its own business
        return {"model": told["model"], "frames": EfficientNetLite0.frames}

    def load(self) -> Network:
        """See `Stage.load`."""
        if self.network is not None:
            loaded: Network = self.network
            return loaded
        if self.table.model == "timesformer":
            return TimeSformer(self.table.checkpoint, self.table.revision)
        return EfficientNetLite0()

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """See `Stage.row`."""
        network: Any = self.loaded
        path = Path(record["path"])
        try:
            check_file(path)
            pictures = frames_of(path, network.frames, network.size)
        except MediaProblem as problem:
            return {"status": problem.status}
        if not pictures:
            return {"status": "corrupt"}
        made = packed(np.asarray(network(pictures), "<f4"))
        if made["status"] == "ok":
            made |= {
                "frames": len(pictures),
                "model": ABOUT[self.table.model].format(len(pictures)),
            }
        return made
