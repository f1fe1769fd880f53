"""A stage is added by a module, a line in the plan, its columns in the schema: nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from datasets import Features, Value
from release_kit import NO_MODELS, Built, build

import ecuador_crisis_tiktok as schema
from builder.annotate.joined import Adds, Column
from builder.errors import StageFailed
from builder.pipeline.plan import PLAN, Plan, Step
from builder.run.engines.options import EngineOptions
from builder.run.ledger import read_status
from builder.run.stage import Stage


class Exclaims(Stage):
    """Counts exclamation marks: what a new stage needs at the least."""

    name: ClassVar[str] = "exclaims"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "marks": pl.Int64,
        "note": pl.String,
        "status": pl.String,
    }

    def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
        return batch.select(
            "id",
            marks=pl.col("text").str.count_matches("!").cast(pl.Int64),
            note=pl.lit("escriban a ana.prueba@correo.example"),
            status=pl.lit("ok"),
        )


def _usable(wide: pl.DataFrame, view: str) -> pl.DataFrame:
    return wide.select("id", text="usable_text").drop_nulls("text")


EXCLAIMS = Step(
    "exclaims",
    "exclamation marks of the usable transcript",
    make=lambda profile: Exclaims(),
    rows=_usable,
    adds=Adds(
        {
            "marks": Column("n_exclamation_marks", pl.Int64),
            "note": Column("exclamation_note", pl.String, text=True),
        }
    ),
)


def with_step(step: Step) -> Plan:
    """The plan with one more step before the release is made."""
    at = PLAN.names.index("anonymize")
    return replace(PLAN, steps=(*PLAN.steps[:at], step, *PLAN.steps[at:]))


@pytest.fixture
def wider_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema with the columns of the new stage in `videos` and `metadata`."""
    added = {
        "n_exclamation_marks": (Value("int64"), "Exclamation marks of the transcript"),
        "exclamation_note": (Value("string"), "A note, scrubbed"),
    }
    monkeypatch.setattr(schema, "COLUMNS", {**schema.COLUMNS, **added})
    columns = {
        config: [*names, *added] if config in ("videos", "metadata") else names
        for config, names in schema.CONFIG_COLUMNS.items()
    }
    monkeypatch.setattr(schema, "CONFIG_COLUMNS", columns)
    features = {
        config: Features({name: schema.COLUMNS[name][0] for name in names})
        for config, names in columns.items()
    }
    monkeypatch.setattr(schema, "FEATURES", features)


def test_a_stage_is_one_module_one_line_and_its_columns(
    small: Built, tmp_path: Path, wider_schema: None
) -> None:
    built = build(tmp_path, small.pages, plan=with_step(EXCLAIMS), skip=frozenset(NO_MODELS))
    videos = built.frame("videos")
    counted = videos.filter(pl.col("transcript_status") == "ok")
    assert counted.height > 50
    assert counted["n_exclamation_marks"].to_list() == [
        text.count("!") for text in counted["transcript"].to_list()
    ]
    assert videos.filter(pl.col("transcript_status") != "ok")["n_exclamation_marks"].is_null().all()
    # its text passed the scrubber, and the manifest and the card know the step
    assert counted["exclamation_note"].unique().to_list() == ["escriban a [EMAIL]"]
    assert built.manifest["counts"]["exclaims"] == {"in": counted.height, "out": counted.height}
    assert list(built.manifest["counts"]).index("exclaims") < list(built.manifest["counts"]).index(
        "anonymize"
    )
    assert "exclaims" in (built.release / "README.md").read_text(encoding="utf-8")
    assert built.report["contract"]["verdict"] == "pass"


def test_without_the_step_nothing_of_it_is_left(small: Built) -> None:
    assert "n_exclamation_marks" not in small.frame("videos").columns


def test_a_step_reads_only_steps_before_it() -> None:
    for at, step in enumerate(PLAN.steps):
        assert set(step.reads) <= set(PLAN.names[:at]), step.name


def test_every_row_step_says_what_it_adds_and_which_rows_it_concerns() -> None:
    for step in PLAN.row_steps:
        assert step.adds.columns or step.optional, step.name
        assert step.media != (step.rows is not None), step.name
    names = [c.name for s in PLAN.row_steps if not s.adds.views for c in s.adds.columns.values()]
    assert len(names) == len(set(names))


def test_a_step_that_fails_leaves_behind_what_is_pending_and_why(
    small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = Exclaims.__call__
    calls: list[int] = []

    def dying(self: Exclaims, batch: pl.DataFrame) -> pl.DataFrame:
        if calls:
            raise StageFailed("the counter is broken")
        calls.append(batch.height)
        return fine(self, batch)

    monkeypatch.setattr(Exclaims, "__call__", dying)
    monkeypatch.setattr(Exclaims, "batch_size", 50)
    with pytest.raises(StageFailed):
        here = EngineOptions("here")  # where the patches are
        build(tmp_path, small.pages, plan=with_step(EXCLAIMS), engine=here)
    lines = {line.stage: line for line in read_status(tmp_path / "work")[1]}
    line = lines["exclaims"]
    usable = small.frame("videos").filter(pl.col("transcript_status") == "ok").height
    assert (line.state, line.problem) == ("failed", "StageFailed: the counter is broken")
    assert (line.rows, line.done, line.pending) == (usable, 50, usable - 50)
    assert lines["ingest"].state == "done" and lines["anonymize"].state == "not started"
