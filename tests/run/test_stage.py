"""The base class of stages: loads once, travels unloaded, and no record takes the build along."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from fakes.toy_stage import Toy, inputs, quiet

from builder.config.profile import EMBEDDED, load_profile
from builder.errors import BuilderError, StageFailed
from builder.pipeline.plan import PLAN, Step
from builder.run.local import run_stage
from builder.run.stage import Stage
from builder.run.store import Store

SECRET = "la vecina Rosa Quishpe vive en la calle Olmedo"


class Trap(Stage):
    """Doubles a number; texts name the exception that their row raises."""

    name: ClassVar[str] = "trap"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "number": pl.Int16,
        "status": pl.String,
        "reason": pl.String,
    }
    batch_size = 4

    def __init__(self, *, healed: bool = False) -> None:
        self.healed = healed
        self.seen: list[int] = []

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(record["id"])
        text = record["text"]
        if self.healed or text == "fine":
            return {"number": record["id"], "status": "ok"}
        if text == "wide":
            return {"number": 70_000, "status": "ok"}
        if text == "word":
            return {"number": SECRET, "status": "ok"}
        if text == "nothing":
            return None  # type: ignore[return-value]
        raise {"key": KeyError, "memory": MemoryError, "stop": StageFailed}[text](SECRET)


class Together(Trap):
    """The same, computed a batch at a time."""

    def rows(self, batch: pl.DataFrame) -> Iterable[dict[str, Any]]:
        return [self.row(record) for record in batch.iter_rows(named=True)]


def frame(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"id": range(len(texts)), "text": texts}, schema_overrides={"id": pl.Int64})


@pytest.mark.parametrize("kind", [Trap, Together])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("key", "internal_KeyError"),
        ("memory", "internal_MemoryError"),
        ("wide", None),  # the name is polars' affair
        ("word", "internal_TypeError"),
        ("nothing", "internal_AttributeError"),
    ],
)
def test_a_record_that_breaks_the_stage_is_a_failed_row_and_its_neighbours_are_computed(
    tmp_path: Path, kind: type[Trap], text: str, reason: str | None
) -> None:
    rows = frame("fine", "fine", text, "fine", "fine")
    output, report = run_stage(kind(), rows, Store(tmp_path), quiet)
    assert report.statuses == {"ok": 4, "failed": 1}
    assert output["number"].to_list() == [0, 1, None, 3, 4]
    told = output["reason"][2]
    assert told.startswith("internal_") and reason in (None, told)
    stored = b"".join(part.read_bytes() for part in tmp_path.rglob("*.parquet"))
    assert "Quishpe" not in str(output.to_dicts()) and b"Quishpe" not in stored


def test_the_next_run_tries_an_internal_failure_again_and_nothing_else(tmp_path: Path) -> None:
    rows, store = frame("fine", "key", "fine"), Store(tmp_path)
    run_stage(Trap(), rows, store, quiet)
    still, healed, after = Trap(), Trap(healed=True), Trap()
    run_stage(still, rows, store, quiet)
    output, report = run_stage(healed, rows, store, quiet)
    run_stage(after, rows, store, quiet)
    assert (still.seen, healed.seen, after.seen) == ([1], [1], [])
    assert report.statuses == {"ok": 3}
    assert output["reason"].to_list() == [None] * 3


def test_a_failure_that_only_looks_internal_is_final(tmp_path: Path) -> None:
    class Honest(Trap):
        def row(self, record: dict[str, Any]) -> dict[str, Any]:
            self.seen.append(record["id"])
            return {"status": "skipped", "reason": "internal_rules"}

    run_stage(Honest(), frame("fine"), Store(tmp_path), quiet)
    again = Honest()
    run_stage(again, frame("fine"), Store(tmp_path), quiet)
    assert again.seen == []


@pytest.mark.parametrize("kind", [Trap, Together])
def test_an_error_of_the_stage_stops_it(tmp_path: Path, kind: type[Trap]) -> None:
    with pytest.raises(StageFailed):
        run_stage(kind(), frame("fine", "stop"), Store(tmp_path), quiet)


def test_a_stage_that_gives_too_few_results_is_named(tmp_path: Path) -> None:
    class Lossy(Trap):
        def rows(self, batch: pl.DataFrame) -> Iterable[dict[str, Any]]:
            return [{"status": "ok"}] * (batch.height - 1)

    with pytest.raises(StageFailed, match="trap gave 2 results for 3 rows"):
        run_stage(Lossy(), frame("fine", "fine", "fine"), Store(tmp_path), quiet)


def test_a_stage_without_a_reason_column_fails_its_rows_all_the_same(tmp_path: Path) -> None:
    class Bare(Trap):
        output_schema: ClassVar[dict[str, Any]] = {"number": pl.Int16, "status": pl.String}

    output, _ = run_stage(Bare(), frame("key", "fine"), Store(tmp_path), quiet)
    assert output["status"].to_list() == ["failed", "ok"]


def test_a_stage_travels_without_what_it_loaded() -> None:
    stage = Toy("?")
    made = stage(inputs(3))
    assert stage.setups == 1
    assert stage.loaded == "loaded"
    other = pickle.loads(pickle.dumps(stage))
    assert "_loaded" not in vars(other)
    assert other.fingerprint == stage.fingerprint
    assert other(inputs(3)).equals(made)
    assert other.setups == 2, "the copy loads for itself"


@pytest.mark.parametrize("profile", EMBEDDED)
@pytest.mark.parametrize("step", PLAN.row_steps, ids=lambda step: step.name)
def test_every_stage_of_the_plan_can_be_sent_to_another_process(step: Step, profile: str) -> None:
    assert step.make is not None
    stage = step.make(load_profile(profile))
    other = pickle.loads(pickle.dumps(stage))
    assert other.fingerprint == stage.fingerprint
    assert vars(other).keys() == vars(stage).keys()


@pytest.mark.parametrize("step", PLAN.row_steps, ids=lambda step: step.name)
def test_every_stage_of_the_plan_explains_its_failures(step: Step) -> None:
    assert step.make is not None
    assert {"status", "reason"} <= step.make(load_profile()).output_schema.keys()


def test_loading_that_fails_stops_the_stage(tmp_path: Path) -> None:
    class Unloadable(Toy):
        def load(self) -> str:
            raise StageFailed("no weights")

    with pytest.raises(BuilderError, match="no weights"):
        run_stage(Unloadable(), inputs(2), Store(tmp_path), quiet)
