"""Temperature calibration: finds the temperature that made the data, leaves raw scores alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_kit import LABELS, MODEL, fill
from release_kit import content, table

from builder.commands.review import run_calibrate
from builder.errors import UsageProblem
from builder.measure.inputs import ScoreOutOfRange, UnequalLengths
from builder.measure.scores import log_loss
from builder.review.calibrate import (
    COLUMN,
    Calibration,
    apply_temperature,
    calibrated,
    fit,
    fit_release,
    fit_temperature,
    load,
    save,
    write_calibrated,
)
from builder.validate.release import Release


def invented(n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Raw probabilities and gold labels drawn from them at a temperature."""
    dice = np.random.default_rng(seed)
    logits = dice.normal(0, 2.5, (n, 3))
    raw = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = apply_temperature(raw, temperature)
    gold = (dice.random(n)[:, None] > true.cumsum(axis=1)).sum(axis=1)
    return raw, np.minimum(gold, 2)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 3.0])
def test_it_finds_the_temperature_that_made_the_labels(temperature: float) -> None:
    raw, gold = invented(20_000, temperature)
    assert fit_temperature(raw, gold) == pytest.approx(temperature, rel=0.06)


def test_it_agrees_with_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(4):
        raw, gold = invented(300, 1.8, seed)
        weights = np.random.default_rng(seed).uniform(0.5, 20, 300)
        best = optimize.minimize_scalar(
            lambda t, raw=raw, gold=gold, w=weights: log_loss(apply_temperature(raw, t), gold, w),
            bounds=(0.05, 20),
            method="bounded",
            options={"xatol": 1e-8},
        )
        assert fit_temperature(raw, gold, weights) == pytest.approx(best.x, rel=1e-4)


@given(
    st.lists(st.tuples(*[st.floats(0.001, 1)] * 3), min_size=1, max_size=20),
    st.floats(0.1, 10),
)
def test_calibration_keeps_labels_and_gives_distributions(raw, temperature) -> None:
    matrix = np.array(raw) / np.sum(raw, axis=1, keepdims=True)
    after = apply_temperature(matrix, temperature)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    # order is kept: nothing rises above what was above it
    order = np.argsort(matrix, axis=1, kind="stable")
    sorted_after = np.take_along_axis(after, order, axis=1)
    assert (np.diff(sorted_after, axis=1) >= -1e-12).all()
    np.testing.assert_allclose(apply_temperature(matrix, 1.0), matrix, atol=1e-6)


def test_scores_of_zero_and_one_do_no_harm() -> None:
    raw = np.array([[1.0, 0.0, 0.0]] * 40 + [[0.0, 1.0, 0.0]] * 40)
    gold = np.array([0] * 30 + [1] * 50)
    temperature = fit_temperature(raw, gold)
    assert temperature > 1
    assert np.isfinite(apply_temperature(raw, temperature)).all()


def test_fit_and_the_stored_facts(tmp_path: Path) -> None:
    raw, gold = invented(2_000, 2.0)
    found = fit(raw.tolist(), [LABELS[i] for i in gold], model="m@1", labels="x.csv")
    assert found.log_loss[1] < found.log_loss[0]
    assert found.expected_calibration_error[1] < found.expected_calibration_error[0]
    save(found, tmp_path / "c.json")
    assert load(tmp_path / "c.json") == found
    assert json.loads((tmp_path / "c.json").read_text())["method"] == "temperature"


def test_too_few_or_one_sided_labels_are_refused() -> None:
    raw, gold = invented(29, 1.0)
    names = [LABELS[i] for i in gold]
    with pytest.raises(UsageProblem, match="29 labelled rows"):
        fit(raw.tolist(), names)
    raw, _ = invented(100, 1.0)
    with pytest.raises(UsageProblem, match="too few"):
        fit(raw.tolist(), ["positive"] * 100)
    with pytest.raises(UnequalLengths):
        fit(raw.tolist(), ["positive"])
    with pytest.raises(ScoreOutOfRange):
        fit([[0.9, 0.9, 0.9]] * 40, ["positive"] * 40)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"method": "temperature"}', '{"temperature": -1}']
)
def test_a_file_that_is_no_calibration(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UsageProblem, match="calibration"):
        load(tmp_path / "c.json")
    with pytest.raises(UsageProblem, match="calibration"):
        load(tmp_path / "absent.json")


def test_a_temperature_that_cannot_be() -> None:
    facts = Calibration("temperature", 0.0, 1, "", "", "", (0, 0), (0, 0))
    assert facts.facts()["temperature"] == 0.0


def test_a_release_gets_a_separate_column_and_stays_as_it_was(
    editable: Path, tmp_path: Path
) -> None:
    truth = fill(editable, truth=2.5)
    gold = truth.select(
        pl.lit("sentiment").alias("task"), "video_id", "gold", pl.lit(1.0).alias("weight")
    )
    before = content(editable)
    release = Release(editable)
    found = fit_release(release, gold)
    assert found.model == MODEL
    assert found.rows == truth.height
    assert found.temperature > 1.2
    n = write_calibrated(release, found, tmp_path / "calibrated.parquet")
    assert n == truth.height
    assert content(editable) == before
    written = pl.read_parquet(tmp_path / "calibrated.parquet")
    raw = table(editable, "sentiment")
    assert written["confidence"].equals(raw["confidence"])
    assert written.columns == ["video_id", "label", "confidence", COLUMN]
    labelled = written.drop_nulls("label")
    assert (labelled[COLUMN] <= labelled["confidence"] + 1e-6).all()
    assert written[COLUMN].null_count() == written["label"].null_count()
    both = calibrated(raw, found)
    assert both.drop(COLUMN).equals(raw)


def test_labels_about_another_release(editable: Path) -> None:
    fill(editable)
    gold = pl.DataFrame(
        {"task": ["sentiment"], "video_id": ["0" * 32], "gold": ["neutral"], "weight": [1.0]}
    )
    with pytest.raises(UsageProblem, match="none of the labelled rows"):
        fit_release(Release(editable), gold)


def test_the_command(editable: Path, tmp_path: Path) -> None:
    from test_review import answer

    from builder.review.draw import write_review
    from builder.review.sheet import design_path, read_design

    truth = fill(editable, truth=2.0)
    gold = dict(truth.select("video_id", "gold").iter_rows())
    sheet = tmp_path / "review.csv"
    write_review(Release(editable), sheet, rows=80)
    items = read_design(design_path(sheet)).items
    answers = {i.item: gold[i.video_id] for i in items if i.task == "sentiment"}
    answer(sheet, {"annotator_1": answers})
    lines = run_calibrate(editable, [sheet], tmp_path / "c.json", parquet=tmp_path / "c.parquet")
    assert "fitted on 80 labelled rows" in lines[0]
    assert len(load(tmp_path / "c.json").labels_sha256) == 64
    assert (tmp_path / "c.parquet").is_file()
