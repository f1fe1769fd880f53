"""Runs a row stage in this process: finds what is pending, batches it, keeps each batch at once."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from builder.errors import StageFailed
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store


@dataclass
class StageReport:
    """What a stage did.

    Attributes:
        rows: input rows of the stage.
        computed: rows computed by this run; the rest were up to date.
        statuses: status -> rows, over all input rows.
        reasons: reason -> rows, over rows whose status is not ok.
        seconds: wall-clock time of this run.
    """

    rows: int = 0
    computed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def input_digest(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """Digest of each row's input columns: 16 hex digits, the same on every machine and version."""
    rows = frame.select(columns).iter_rows()
    return pl.Series(
        "input_digest",
        [hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest() for row in rows],
        dtype=pl.String,
    )


def pending(stage: Stage, inputs: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Rows of `inputs` (`id` and the input columns) without a final result, with `input_digest`."""
    keyed = inputs.select("id", *stage.input_columns).with_columns(
        input_digest(inputs, stage.input_columns)
    )
    done = store.results(stage)
    if stage.retry_statuses:
        done = done.filter(~pl.col("status").is_in(stage.retry_statuses))
    return keyed.join(done, on=["id", "input_digest"], how="anti")


def run_stage(
    stage: Stage,
    inputs: pl.DataFrame,
    store: Store,
    progress: Callable[[str, int], Progress] = Progress,
    *,
    compute: bool = True,
) -> tuple[pl.DataFrame, StageReport]:
    """Bring a stage up to date with its inputs.

    Args:
        stage: the stage.
        inputs: `id` (int64, unique) and at least `stage.input_columns`.
        store: the work folder.
        progress: makes the progress display from (stage name, rows to do).
        compute: False only collects what is there; rows not computed come back null.

    Returns:
        The stage's output for every input row (`id` and the output columns, sorted by id), and the
        report.

    Raises:
        StageFailed: the stage returned other rows than it was given.
        DiskFull: a part could not be written; everything before it is kept.
    """
    started = time.monotonic()
    store.folder(stage.name, stage.fingerprint)
    todo = stage.order(pending(stage, inputs, store)) if compute else inputs.clear()
    if todo.height:
        stage.setup()
        with progress(stage.name, todo.height) as bar:
            for start in range(0, todo.height, stage.batch_size):
                batch = todo.slice(start, stage.batch_size)
                result = _checked(stage, batch, stage(batch.drop("input_digest")))
                store.add_part(stage, result)
                bar.advance(result.height, Counter(result["status"].to_list()))
    keyed = inputs.select("id").with_columns(input_digest(inputs, stage.input_columns))
    output = keyed.join(store.results(stage), on=["id", "input_digest"], how="left")
    output = output.drop("input_digest").sort("id")
    report = StageReport(
        rows=inputs.height,
        computed=todo.height,
        statuses=_counts(output["status"]),
        seconds=time.monotonic() - started,
    )
    if "reason" in output.columns:
        report.reasons = _counts(output.filter(pl.col("status") != "ok")["reason"])
    return output, report


def _checked(stage: Stage, batch: pl.DataFrame, result: pl.DataFrame) -> pl.DataFrame:
    if sorted(result["id"].to_list()) != sorted(batch["id"].to_list()):
        raise StageFailed(
            f"stage {stage.name} was given {batch.height} rows and returned other rows",
            way_out="this is a bug of the stage: every row must come back with a status",
        )
    columns = [pl.col(name).cast(dtype) for name, dtype in stage.output_schema.items()]
    return (
        batch.select("id", "input_digest")
        .join(result, on="id", how="left")
        .select("id", "input_digest", *columns)
    )


def _counts(values: pl.Series) -> dict[str, int]:
    counted = (
        values.drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
    )
    return {str(value): int(count) for value, count in counted.iter_rows()}
