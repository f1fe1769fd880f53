"""What a campaign will cost: arithmetic on measured rates, and where the rates come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.toy_stage import Toy, inputs, quiet
from release_kit import Built

from builder.commands.building.plan import PlanOptions, rates_given, run_plan
from builder.config.profile import load_profile
from builder.errors import UsageProblem
from builder.pipeline.cost import Prices, cost_of
from builder.pipeline.plan import PLAN
from builder.run.local import run_stage
from builder.run.rates import RATES, Rate, keep_rate, read_rates
from builder.run.store import Store


def test_hours_gpu_hours_and_money_are_rows_times_rates() -> None:
    rates = {
        "transcribe": Rate(10, 20.0, loading=30.0),  # 2 s a video
        "sentiment": Rate(100, 10.0, share=0.5),  # 0.1 s a text, every other video has one
        "summarize": Rate(1, 1e-9, share=0.5),
    }
    prices = Prices(machine=1.0, gpu=3.0, summaries=2.0)
    paper = load_profile("paper")
    cost = cost_of(PLAN, paper, rates, videos=36_000, longer=2.0, workers=4, prices=prices)
    hours = {each.step: each.hours for each in cost.steps}
    assert hours["transcribe"] == pytest.approx(40 + 30 / 3600)
    assert hours["sentiment"] == pytest.approx(0.5)
    assert cost.gpu_hours == hours["transcribe"]  # Whisper runs on a GPU in this profile
    assert cost.money == pytest.approx(3 * hours["transcribe"] + 0.5 + 2 * 18)
    optional = {step.name for step in PLAN.steps if step.optional}  # no part of a usual build
    assert set(cost.unknown) == {*PLAN.names} - {*rates} - optional
    assert cost_of(PLAN, load_profile("offline"), rates, videos=9).gpu_hours == 0


def test_the_last_run_that_computed_something_leaves_its_rate(tmp_path: Path) -> None:
    keep_rate(tmp_path, "a", Rate(10, 5.0))
    keep_rate(tmp_path, "b", Rate(1, 1.0))
    keep_rate(tmp_path, "a", Rate(0, 0.1))
    assert read_rates(tmp_path) == {"a": Rate(10, 5.0), "b": Rate(1, 1.0)}
    for damage in ("", "{", "[]", '{"a": {"x": 1}}', '{"a": 1}'):
        (tmp_path / RATES).write_text(damage)
        assert read_rates(tmp_path) == {}


def test_loading_and_computing_are_told_apart(tmp_path: Path) -> None:
    _, report = run_stage(Toy(pause=0.05), inputs(9), Store(tmp_path), quiet)
    assert report.computing >= 3 * 0.05 > report.loading > 0


def test_a_build_leaves_rates_and_plan_uses_them(small: Built, tmp_path: Path) -> None:
    rates = read_rates(small.work)
    assert rates["assemble"].rows and rates["assemble"].seconds > 0
    told = tmp_path / "plan.json"
    options = PlanOptions(
        sources=(small.pages,), work=small.work, rates="transcribe=0.25,entailment=4", json=told
    )
    lines = "\n".join(run_plan(options, quiet))
    cost = json.loads(told.read_text())
    videos = small.manifest["counts"]["ingest"]["out"]
    assert cost["videos"] == videos
    hours = {each["step"]: each["hours"] for each in cost["steps"]}
    assert hours["transcribe"] == pytest.approx(videos * 4 / 3600)
    rowwise = [step.name for step in PLAN.row_steps if not step.optional]
    assert cost["unknown"] == [name for name in rowwise if name not in ("transcribe", "entailment")]
    assert "requests" in lines and "GPU-hours" in lines


@pytest.mark.parametrize("wrong", ["transcribe", "x=1", "probe=0", "probe=-1", "probe=nan", "=1"])
def test_a_rate_that_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(UsageProblem, match="--rate"):
        rates_given(wrong)


def test_a_work_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="nothing was measured"):
        run_plan(PlanOptions(videos=9, work=tmp_path), quiet)
