"""The row that the card shows."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from release_kit import rewrite

from builder.analyze.example import example_row
from builder.validate.release import Release


def test_a_number_of_single_precision_is_shown_as_it_was_written(editable: Path) -> None:
    rewrite(
        editable,
        "videos",
        lambda frame: frame.with_columns(
            duration_seconds=pl.lit(0.2, frame.schema["duration_seconds"]),
            transcript=pl.lit("x" * 500),
        ),
    )
    row = json.loads(example_row(Release(editable)))
    assert row["duration_seconds"] == 0.2
    assert row["transcript"] == "x" * 200 + " …"
    assert None not in row.values()
