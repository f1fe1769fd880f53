"""What a row stage is: a step that gives every video one result row.

A stage is a small class. It says what it reads and writes, loads its model in `load`, and makes
one result of one record in `row` (or many together in `rows`, where a model wants batches). The
base class does the rest: it loads once, builds the frame, and turns whatever a record does to the
stage into a row with a status. `run.local` and an engine (`run.engines`) feed it batches;
`run.store` keeps what it returns.

A row that fails is a row with a status and a reason, never an exception. Exceptions are for a
stage that cannot run at all: a `BuilderError` (`StageFailed` and its kinds) stops it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from abc import ABC
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import polars as pl

from builder.errors import BuilderError, StageFailed

log = logging.getLogger(__name__)

T = TypeVar("T")
FAILED, INTERNAL = "failed", "internal_"
# How the reason of a row begins that killed its process again and again (`builder.run.engines`).
QUARANTINED = "quarantined_"


listeners: list[Callable[[], None]] = []
"""Told that a stage still works, by `alive`. May be called from any thread."""


def alive() -> None:
    """Say that a stage still works: after each row that is `guarded`, or in the middle of much."""
    for tell in listeners:
        tell()


def fingerprint(*parts: Any) -> str:
    """Stable 16-hex-digit digest of anything JSON can hold (dates and paths as text)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Stage(ABC):
    """One verb applied to every video.

    A subclass defines `row` or `rows`, and `load` where it needs a model. What `__init__` sets must
    be picklable: an engine may send the stage to another process, where it loads for itself.

    Class attributes:
        name: the stage's name on the command line and in `work/<name>/`.
        version: changed by hand when the same input would give another output.
        input_columns: columns read besides `id`; their values decide whether a row is up to date.
        output_schema: columns written besides `id` and `input_digest`; must hold `status`, and
            `reason` if failures are to be explained and internal ones tried again.
        retry_statuses: statuses of passing faults, computed again by the next run.
        patience: seconds without a sign of life (`alive`) after which the stage hangs.
        on_gpu: it loads a model that runs on a GPU where there is one.

    Attributes:
        retry_quarantined: rows in quarantine are computed again.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]]
    output_schema: ClassVar[dict[str, Any]]
    retry_statuses: ClassVar[tuple[str, ...]] = ()
    batch_size: int = 64
    patience: float = 900.0
    on_gpu: bool = False
    retry_quarantined: bool = False

    @property
    def params(self) -> dict[str, Any]:
        """Everything that changes the output, JSON-able; part of the fingerprint."""
        return {}

    @property
    def fingerprint(self) -> str:
        """Digest of name, version and parameters: the folder its results live in."""
        return fingerprint(self.name, self.version, self.params)

    def check(self) -> None:  # noqa: B027 - most stages have nothing to check
        """Notice what would make `load` or every row fail, before the first stage of a run.

        Cheap: names, files, a request; no model is loaded.

        Raises:
            BuilderError: the stage could not run.
        """

    def load(self) -> Any:
        """Load what is expensive (a model) and return it; `loaded` keeps it.

        Called once in a process, and only if there is work to do.

        Raises:
            StageFailed: it cannot be had.
        """
        return None

    @property
    def loaded(self) -> Any:
        """What `load` returned; loads if need be."""
        if "_loaded" not in vars(self):
            self._loaded = self.load()
        return self._loaded

    def setup(self) -> None:
        """Load now, so that the first batch does not wait. Raises as `load`."""
        _ = self.loaded

    def __getstate__(self) -> dict[str, Any]:
        """Without the model: the other process loads its own."""
        return {key: value for key, value in vars(self).items() if key != "_loaded"}

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """The order pending rows are worked in; a function of the input alone. Default: by id."""
        return pending.sort("id")

    def passing(self, done: pl.DataFrame) -> pl.Series:
        """Which of the stage's own results came of a fault that passes, to be computed again.

        Args:
            done: `status` and, where the stage has one, `reason`; the input columns (with the
                suffix `_read` where they have the same name).

        Returns:
            Booleans. Default: a status of `retry_statuses`, and internal failures; rows in
            quarantine only when they are asked for.
        """
        poison = is_quarantined(done)
        passing = done["status"].is_in(self.retry_statuses) | is_internal(done)
        return passing | poison if self.retry_quarantined else passing & ~poison

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """The result of one record.

        Args:
            record: `id` (int) and `input_columns`, as Python values.

        Returns:
            Output columns by name, `status` among them. A column that is left out is null.
        """
        raise NotImplementedError(f"stage {self.name} defines neither row() nor rows()")

    def rows(self, batch: pl.DataFrame) -> Iterable[dict[str, Any]]:
        """The results of a batch, one for each of its rows and in their order.

        For stages that compute rows together; default: `row` of each. What is raised here is raised
        again for the record that is to blame: the batch is then computed one record at a time.

        Args:
            batch: `id` (int64) and `input_columns`.

        Returns:
            As `row`.
        """
        return [self.guarded(self.row, record) for record in batch.iter_rows(named=True)]

    def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Compute one batch: what an engine calls.

        Args:
            batch: `id` (int64) and `input_columns`.

        Returns:
            `id` and the columns of `output_schema`, one row for every row of the batch, in their
            order. A record that broke the stage, or whose values do not fit the columns, has the
            status `failed` and the reason ``internal_<type of the exception>``; the next run tries
            it again.

        Raises:
            StageFailed, or another BuilderError: the stage cannot run.
        """
        self.setup()
        results = self._results(batch)
        try:
            return self.frame(batch["id"], results)
        except Exception:  # noqa: BLE001 - some value does not fit its column: find whose
            fitting = [self.guarded(self._fits, result) for result in results]
            return self.frame(batch["id"], fitting)

    def _results(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        try:
            results = list(self.rows(batch))
        except BuilderError:
            raise
        except Exception as error:  # noqa: BLE001 - becomes a row that says so
            if batch.height == 1:
                return [self.internal_failure(error)]
            # One record must not take its neighbours along.
            return [self._results(one)[0] for one in batch.iter_slices(1)]
        if len(results) != batch.height:
            raise StageFailed(
                f"stage {self.name} gave {len(results)} results for {batch.height} rows",
                way_out="this is a bug of the stage: every row must come back with a status",
            )
        return results

    def internal_failure(self, error: Exception) -> dict[str, Any]:
        """The result of a record that raised what nobody foresaw.

        Only the error's type is told: its text may quote what was said in a video.
        """
        log.debug("stage %s: %s at %s", self.name, type(error).__name__, _place(error))
        return {"status": FAILED, "reason": f"{INTERNAL}{type(error).__name__}"}

    def guarded(self, make: Callable[[T], dict[str, Any]], item: T) -> dict[str, Any]:
        """`make(item)`, or where that raises what nobody foresaw, `internal_failure`.

        Raises:
            BuilderError: `make` did.
        """
        try:
            return make(item)
        except BuilderError:
            raise
        except Exception as error:  # noqa: BLE001 - becomes a row that says so
            return self.internal_failure(error)
        finally:
            alive()

    def _fits(self, result: dict[str, Any]) -> dict[str, Any]:
        self.frame(pl.Series([0]), [result])
        return result

    def frame(self, ids: pl.Series, results: list[dict[str, Any]]) -> pl.DataFrame:
        """Results as a frame; raises what polars raises where a value does not fit its column."""
        columns = [
            pl.Series(name, [result.get(name) for result in results], dtype=dtype)
            for name, dtype in self.output_schema.items()
        ]
        return pl.DataFrame([ids.cast(pl.Int64).alias("id"), *columns])


def is_internal(frame: pl.DataFrame) -> pl.Series:
    """Which rows of a stage's results failed for no reason of their own (`Stage.__call__`)."""
    return _failed_for(frame, INTERNAL)


def is_quarantined(frame: pl.DataFrame) -> pl.Series:
    """Which rows of a stage's results are in quarantine."""
    return _failed_for(frame, QUARANTINED)


def _failed_for(frame: pl.DataFrame, prefix: str) -> pl.Series:
    if "reason" not in frame.columns:
        return pl.repeat(False, frame.height, eager=True)
    failed = (pl.col("status") == FAILED) & pl.col("reason").str.starts_with(prefix)
    return frame.select(failed.fill_null(False)).to_series()


def _place(error: Exception) -> str:
    """File and line of the innermost frame; no source text, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
