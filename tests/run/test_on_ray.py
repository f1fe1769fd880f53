"""The Ray engine gives what the local engine gives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from builder.run.local import run_stage
from builder.run.on_ray import ray_engine
from builder.run.stage import Stage
from builder.run.store import Store


class _Lengths(Stage):
    name: ClassVar[str] = "language"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "letters": pl.Int64,
        "words": pl.List(pl.String),
        "status": pl.String,
    }
    batch_size = 7

    def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
        return batch.select(
            "id",
            letters=pl.col("text").str.len_chars().cast(pl.Int64),
            words=pl.col("text").str.split(" "),
            status=pl.when(pl.col("text") == "").then(pl.lit("failed")).otherwise(pl.lit("ok")),
        )


@pytest.mark.slow
def test_ray_computes_the_same_rows_in_the_same_order_as_the_local_engine(tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("ray.cloudpickle", reason="needs the extra `ray`")
    # Ray's workers cannot import a test module.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    texts = ["palabra " * n for n in range(40)]
    inputs = pl.DataFrame({"id": range(1, 41), "text": texts})
    ours, _ = run_stage(_Lengths(), inputs, Store(tmp_path / "local"))
    theirs, report = run_stage(
        _Lengths(), inputs, Store(tmp_path / "ray"), engine=ray_engine(workers=2)
    )
    assert report.computed == 40
    assert theirs.equals(ours)
    again, report = run_stage(_Lengths(), inputs, Store(tmp_path / "ray"), engine=ray_engine())
    assert report.computed == 0
    assert again.equals(ours)
