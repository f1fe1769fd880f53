"""Vectors as the stages that embed keep them: little-endian float32 bytes in a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float32]


def packed(vector: Floats) -> dict[str, Any]:
    """The row of a vector: `embedding` and the status ok, or why there is none."""
    if not np.isfinite(vector).all():
        return {"status": "failed", "reason": "no_number"}
    return {"embedding": np.asarray(vector, "<f4").tobytes(), "status": "ok"}


def vectors_of(frame: pl.DataFrame) -> tuple[pl.Series, Floats]:
    """Ids and vectors of the rows that have one."""
    done = frame.filter(pl.col("embedding").is_not_null())
    if done.is_empty():
        return done["id"], np.empty((0, 0), np.float32)
    joined = b"".join(done["embedding"].to_list())
    return done["id"], np.frombuffer(joined, "<f4").reshape(done.height, -1).astype(np.float32)
