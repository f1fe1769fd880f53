"""Runs a row stage: finds what is pending, batches it, keeps each batch as soon as it is computed.

The batches are computed by an engine: `in_process` here, or `builder.run.on_ray`.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from builder.errors import StageFailed
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store

# An engine computes batches and hands the results back in the order of the batches.
Engine = Callable[[Stage, Iterable[pl.DataFrame]], Iterator[pl.DataFrame]]


def in_process(stage: Stage, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The engine of one machine: one batch after the other in this process."""
    stage.setup()
    for batch in batches:
        yield stage(batch)


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
    rows = frame.select(columns).iter_rows() if columns else [()] * frame.height
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
    engine: Engine = in_process,
) -> tuple[pl.DataFrame, StageReport]:
    """Bring a stage up to date with its inputs.

    Args:
        stage: the stage.
        inputs: `id` (int64, unique) and at least `stage.input_columns`.
        store: the work folder.
        progress: makes the progress display from (stage name, rows to do).
        compute: False only collects what is there; rows not computed come back null.
        engine: what computes the batches.

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
        batches = [
            todo.slice(start, stage.batch_size) for start in range(0, todo.height, stage.batch_size)
        ]
        with progress(stage.name, todo.height) as bar:
            computed = engine(stage, (batch.drop("input_digest") for batch in batches))
            for batch, raw in zip(batches, computed, strict=True):
                result = _checked(stage, batch, raw)
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
    missing = [name for name in ("id", *stage.output_schema) if name not in result.columns]
    if missing:
        raise _bug(stage, f"returned no column {', '.join(missing)}")
    schema = {"id": pl.Int64, **stage.output_schema}
    try:
        result = result.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    except pl.exceptions.PolarsError as error:  # its text quotes values: not repeated
        raise _bug(stage, "returned values that do not fit its columns") from error
    if sorted(result["id"].to_list(), key=str) != sorted(batch["id"].to_list(), key=str):
        raise _bug(stage, f"was given {batch.height} rows and returned other rows")
    if result["status"].null_count():
        raise _bug(stage, "returned rows without a status")
    columns = ("id", "input_digest", *stage.output_schema)
    return batch.select("id", "input_digest").join(result, on="id", how="left").select(columns)


def _bug(stage: Stage, problem: str) -> StageFailed:
    return StageFailed(
        f"stage {stage.name} {problem}",
        way_out="this is a bug of the stage: every row must come back with a status",
    )


def _counts(values: pl.Series) -> dict[str, int]:
    counted = (
        values.drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
    )
    return {str(value): int(count) for value, count in counted.iter_rows()}
