"""What the labels and transcripts of a release look like: shares to know before using them."""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.validate.release import Release

_COUNTED = {
    "transcript_status": ("videos", "transcript_status"),
    "transcript_source": ("videos", "transcript_source"),
    "exclusion_reason": ("videos", "exclusion_reason"),
    "media_status": ("videos", "media_status"),
    "language": ("videos", "language"),
    "sentiment": ("videos", "sentiment"),
    "sentiment_status": ("sentiment", "status"),
    "summary_status": ("summaries", "status"),
    "entailment": ("summaries", "entailment"),
}


def check_quality(release: Release) -> dict[str, Any]:
    """Counts of every label and status.

    Returns:
        ``counts``: name -> value -> rows (values that are null are left out).
    """
    counts: dict[str, dict[str, int]] = {}
    for name, (config, column) in _COUNTED.items():
        table = (
            release.scan(config)
            .select(column)
            .drop_nulls()
            .group_by(column)
            .len()
            .sort("len", column, descending=[True, False])
            .collect(engine="streaming")
        )
        counts[name] = {str(value): int(number) for value, number in table.iter_rows()}
    low = release.scan("sentiment").select(pl.col("low_confidence").mean()).collect().item()
    return {
        "counts": counts,
        "low_confidence_share": None if low is None else round(float(low), 4),
    }
