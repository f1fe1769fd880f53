"""The row that the dataset card shows."""

from __future__ import annotations

import json

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
    row = tables.scan("videos").slice(int(best["at"][0]), 1).collect().row(0, named=True)
    shown = {
        name: _cut(value) if isinstance(value, str) else value
        for name, value in row.items()
        if value is not None
    }
    # no text may end the card's code block
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str).replace("`", "'")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"
