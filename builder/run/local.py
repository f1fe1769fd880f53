"""Runs a row stage: finds what is pending, batches it, keeps each batch as soon as it is computed.

The batches are computed by an engine: `in_process` here, or one of `builder.run.engines`.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from builder.errors import StageFailed
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store

# An engine computes batches and hands the results back in the order of the batches.
Engine = Callable[[Stage, Iterable[pl.DataFrame]], Iterator[pl.DataFrame]]
# Makes the frame of one slice of a stage's inputs, anew at each call.
Slice = Callable[[], pl.DataFrame]


def in_process(stage: Stage, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """One batch after the other in this process, which a row may kill: not for a whole campaign."""
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
        loading: of it, until the engine asked for the first batch.
        computing: of it, from then to the last result.
    """

    rows: int = 0
    computed: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    loading: float = 0.0
    computing: float = 0.0

    def add(self, output: pl.DataFrame) -> None:
        """Count the rows of one slice's output."""
        self.rows += output.height
        _add(self.statuses, _counter(output["status"]))
        if "reason" in output.columns:
            _add(self.reasons, _counter(output.filter(pl.col("status") != "ok")["reason"]))

    def merge(self, other: StageReport) -> None:
        """Add another report about the same stage."""
        self.rows += other.rows
        self.computed += other.computed
        self.seconds += other.seconds
        self.loading += other.loading
        self.computing += other.computing
        for mine, theirs in ((self.statuses, other.statuses), (self.reasons, other.reasons)):
            _add(mine, Counter(theirs))


def _add(counts: dict[str, int], more: Counter[str]) -> None:
    """Add to counts, most frequent first, then by name."""
    total = Counter(counts) + more
    counts.clear()
    counts.update(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _counter(values: pl.Series) -> Counter[str]:
    return Counter({str(v): int(n) for v, n in values.drop_nulls().value_counts().iter_rows()})


def input_digest(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """Digest of each row's input columns: 16 hex digits, the same on every machine and version."""
    rows = frame.select(columns).iter_rows() if columns else [()] * frame.height
    return pl.Series(
        "input_digest",
        [hashlib.blake2b(repr(row).encode(), digest_size=8).hexdigest() for row in rows],
        dtype=pl.String,
    )


def _keyed(stage: Stage, inputs: pl.DataFrame) -> pl.DataFrame:
    return inputs.select("id", *stage.input_columns).with_columns(
        input_digest(inputs, stage.input_columns)
    )


def pending(stage: Stage, inputs: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Rows of `inputs` (`id` and the input columns) without a final result, with `input_digest`.

    What came of a passing fault (`Stage.passing`) is no final result.
    """
    told = [name for name in ("status", "reason") if name in stage.output_schema]
    done = store.results(stage, inputs["id"], told)
    keyed = _keyed(stage, inputs)
    known = done.join(keyed, on=["id", "input_digest"], how="inner", suffix="_read")
    final = known.filter(~stage.passing(known))
    return keyed.join(final, on=["id", "input_digest"], how="anti")


def collect(stage: Stage, inputs: pl.DataFrame, store: Store) -> pl.DataFrame:
    """What is known of `inputs`: `id` and the output columns, by id; null where nothing is."""
    keyed = inputs.select("id").with_columns(input_digest(inputs, stage.input_columns))
    found = store.results(stage, inputs["id"])
    output = keyed.join(found, on=["id", "input_digest"], how="left")
    return output.drop("input_digest").sort("id")


def run_stage(
    stage: Stage,
    inputs: pl.DataFrame,
    store: Store,
    progress: Callable[[str, int], Progress] = Progress,
    *,
    compute: bool = True,
    engine: Engine = in_process,
) -> tuple[pl.DataFrame, StageReport]:
    """Bring a stage up to date with inputs that fit in memory.

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
        as `run_slices`.
    """
    outputs: list[pl.DataFrame] = []
    report = run_slices(
        stage,
        [lambda: inputs],
        store,
        progress,
        compute=compute,
        engine=engine,
        seen=outputs.append,
    )
    return outputs[0], report


def run_slices(
    stage: Stage,
    slices: Sequence[Slice],
    store: Store,
    progress: Callable[[str, int], Progress] = Progress,
    *,
    compute: bool = True,
    engine: Engine = in_process,
    seen: Callable[[pl.DataFrame], None] | None = None,
    planned: Callable[[int], None] | None = None,
) -> StageReport:
    """Bring a stage up to date with inputs that are read slice by slice: memory holds one of them.

    Args:
        stage: the stage.
        slices: each makes its frame anew when called: `id` (int64) and at least
            `stage.input_columns`. An id stands in one slice only.
        store: the work folder.
        progress: makes the progress display from (stage name, rows to do).
        compute: False only collects what is there.
        engine: what computes the batches; one call sees the batches of all slices.
        seen: called with the output of each slice, in order.
        planned: called with the number of input rows before the first is computed.

    Raises:
        StageFailed: the stage returned other rows than it was given.
        DiskFull: a part could not be written; everything before it is kept.
    """
    started = time.monotonic()
    store.folder(stage.name, stage.fingerprint)
    counts, rows = [0] * len(slices), 0
    for index, make in enumerate(slices if compute else ()):
        inputs = make()
        rows += inputs.height
        counts[index] = pending(stage, inputs, store).height
    if compute and planned is not None:
        planned(rows)
    report = StageReport(computed=sum(counts))
    if rows:
        bar = progress(stage.name, report.computed)
        bar.resumed(rows)
        todo = [make for make, count in zip(slices, counts, strict=True) if count]
        if todo:
            with bar:
                report.loading, report.computing = _compute(stage, todo, store, engine, bar)
    for make in slices:
        output = collect(stage, make(), store)
        report.add(output)
        if seen is not None:
            seen(output)
    report.seconds = time.monotonic() - started
    return report


def _compute(
    stage: Stage, slices: Sequence[Slice], store: Store, engine: Engine, bar: Progress
) -> tuple[float, float]:
    """Seconds until the first batch was asked for, and from then on."""
    started = time.monotonic()
    asked: list[float] = []
    waiting: deque[pl.DataFrame] = deque()  # batches the engine has taken and not given back

    def batches() -> Iterator[pl.DataFrame]:
        asked.append(time.monotonic())
        for make in slices:
            todo = stage.order(pending(stage, make(), store))
            for batch in todo.iter_slices(stage.batch_size):
                waiting.append(batch)
                yield batch.drop("input_digest")

    for raw in engine(stage, batches()):
        result = _checked(stage, waiting.popleft(), raw)
        store.add_part(stage, result)
        bar.advance(result.height, Counter(result["status"].to_list()))
    if waiting:
        raise _bug(stage, f"left {sum(batch.height for batch in waiting)} rows without a result")
    loaded = asked[0] if asked else started
    return loaded - started, time.monotonic() - loaded


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
