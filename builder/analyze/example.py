"""The row that the dataset card shows."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from builder.validate.release import Tables

_LONGEST = 200  # characters of a text shown


def example_row(tables: Tables) -> str:
    """One row of `videos` as indented JSON, without its empty columns; empty if there is no row.

    The first row (by file, then place) with most of transcript, sentiment and summary; long texts
    are cut.
    """
    filled = [pl.col(c).is_not_null().cast(pl.Int8) for c in ("transcript", "sentiment", "summary")]
    best = (
        tables.scan("videos")
        .select(score=pl.sum_horizontal(filled))
        .with_row_index("at")
        .sort("score", "at", descending=[True, False])
        .head(1)
        .collect(engine="streaming")
    )
    if best.is_empty():
        return ""
    frame = tables.scan("videos").slice(int(best["at"][0]), 1).collect()
    shown = {name: _shown(frame[name]) for name in frame.columns if frame[name][0] is not None}
    # no text may end the card's code block
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str).replace("`", "'")


def _shown(column: pl.Series) -> object:
    """The one value of a column as a reader takes it."""
    value = column[0]
    if column.dtype == pl.Float32:  # 0.2, not the 0.20000000298023224 it is as a double
        return float(str(np.float32(value)))
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"
