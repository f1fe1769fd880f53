"""`evaluate.load("cards/sentiment_confidence")`, offline, as a user calls it."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quality_kit import load_card

from builder.measure.inputs import (
    EmptyInput,
    MeasurementProblem,
    MissingValue,
    ScoreOutOfRange,
    UnequalLengths,
    UnknownLabel,
)
from builder.measure.measurements import measure_sentiment

evaluate = pytest.importorskip("evaluate")
ROOT = Path(__file__).resolve().parents[2]
LABELS = ["positive", "negative", "neutral", "negative"]
SCORES = [0.91, 0.62, 0.75, 0.80]
GOLD = ["positive", "neutral", "neutral", "negative"]


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The measurement, with caches of its own."""
    return load_card("sentiment_confidence", tmp_path_factory.mktemp("evaluate"))


def test_without_references(measurement: Any) -> None:
    result = measurement.compute(labels=LABELS, scores=SCORES)
    assert result == measure_sentiment(LABELS, SCORES)
    assert result["high_confidence_share"] == 0.75
    assert result["flagged"] == [1]
    assert "accuracy" not in result
    assert measurement.compute(labels=LABELS, scores=SCORES, references=None) == result


def test_with_references(measurement: Any) -> None:
    result = measurement.compute(labels=LABELS, scores=SCORES, references=GOLD, threshold=0.8)
    assert result == measure_sentiment(LABELS, SCORES, GOLD, threshold=0.8)
    assert {"accuracy", "macro_f1", "expected_calibration_error", "brier_score"} <= set(result)
    assert set(result["per_label"]) == {"negative", "neutral", "positive"}


def test_batches_single_rows_and_arrays(measurement: Any) -> None:
    whole = measurement.compute(labels=LABELS, scores=SCORES, references=GOLD)
    measurement.add_batch(labels=LABELS[:3], scores=SCORES[:3], references=GOLD[:3])
    measurement.add(labels=LABELS[3], scores=SCORES[3], references=GOLD[3])
    assert measurement.compute() == whole
    measurement.add_batch(labels=np.array(LABELS[:2]), scores=np.array(SCORES[:2]))
    measurement.add(labels=LABELS[2], scores=SCORES[2])
    more = measurement.compute(labels=LABELS[3:], scores=tuple(SCORES[3:]))
    assert more == measure_sentiment(LABELS, SCORES)


def test_combine(measurement: Any) -> None:
    both = evaluate.combine({"first": measurement, "second": measurement}, force_prefix=True)
    result = both.compute(labels=LABELS, scores=SCORES, references=GOLD)
    assert result["first_accuracy"] == result["second_accuracy"] == 0.75
    one = evaluate.combine([measurement])
    one.add_batch(labels=LABELS, scores=SCORES, references=GOLD)
    assert one.compute()["accuracy"] == 0.75


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, EmptyInput),
        ({"labels": [], "scores": []}, EmptyInput),
        ({"labels": ["positive"]}, MissingValue),
        ({"scores": [0.5]}, MissingValue),
        ({"references": ["positive"]}, MissingValue),
        ({"labels": ["positive"], "scores": None}, MissingValue),
        ({"labels": [None], "scores": [0.5]}, MissingValue),
        ({"labels": ["positive"], "scores": [None]}, MissingValue),
        ({"labels": ["positive"], "scores": [0.5, 0.6]}, UnequalLengths),
        ({"labels": ["positive"], "scores": [0.5], "references": []}, UnequalLengths),
        ({"labels": ["positive"], "scores": [1.01]}, ScoreOutOfRange),
        ({"labels": ["positive"], "scores": [-0.2]}, ScoreOutOfRange),
        ({"labels": ["joy"], "scores": [0.5]}, UnknownLabel),
        ({"labels": ["positive"], "scores": [0.5], "references": ["joy"]}, UnknownLabel),
        ({"labels": ["positive"], "scores": [0.5], "references": [None]}, MissingValue),
        ({"labels": ["positive"], "scores": [0.5], "references": [""]}, UnknownLabel),
        ({"labels": "positive", "scores": [0.5]}, MeasurementProblem),
    ],
)
def test_typed_errors_leave_the_module_usable(measurement: Any, given: Any, error: type) -> None:
    with pytest.raises(error):
        measurement.compute(**given)
    assert measurement.compute(labels=["positive"], scores=[0.5])["count"] == 1


def test_references_with_some_batches_only(measurement: Any) -> None:
    measurement.add_batch(labels=LABELS, scores=SCORES, references=GOLD)
    measurement.add_batch(labels=LABELS, scores=SCORES)
    with pytest.raises(MissingValue, match="4 of 8"):
        measurement.compute()
    assert measurement.compute(labels=LABELS, scores=SCORES)["count"] == 4


def test_a_refused_batch_does_not_take_earlier_ones_with_it(measurement: Any) -> None:
    measurement.add_batch(labels=LABELS, scores=SCORES)
    with pytest.raises(ScoreOutOfRange):
        measurement.add_batch(labels=["positive"], scores=[7.0])
    with pytest.raises(MissingValue, match="labelz"):
        measurement.add_batch(labels=["positive"], scores=[0.5], labelz=["x"])
    assert measurement.compute()["count"] == 4


def test_unknown_settings_are_refused(measurement: Any) -> None:
    with pytest.raises(TypeError, match="treshold"):
        measurement.compute(labels=["positive"], scores=[0.5], treshold=0.9)


def test_the_papers_size_is_taken_whole(measurement: Any) -> None:
    dice = np.random.default_rng(0)
    labels = dice.choice(["negative", "neutral", "positive"], 51_479).tolist()
    values = dice.uniform(1 / 3, 1, 51_479).tolist()
    found = measurement.compute(labels=labels, scores=values, references=labels)
    assert (found["count"], found["accuracy"]) == (51_479, 1.0)


def test_doctests_and_a_fresh_offline_process(tmp_path: Path) -> None:
    """The examples of both cards, as `evaluate.load` from the repository root gives them."""
    code = (
        "import doctest, evaluate, sys\n"
        "failed = 0\n"
        "for name in ('sentiment_confidence', 'nli_entailment'):\n"
        "    loaded = evaluate.load(f'cards/{name}')\n"
        "    text = loaded.inputs_description\n"
        "    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)\n"
        "    assert len(test.examples) >= 4, name\n"
        "    runner = doctest.DocTestRunner()\n"
        "    runner.run(test)\n"
        "    failed += runner.failures\n"
        "sys.exit(failed)\n"
    )
    quiet = {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_examples() -> None:
    """The README's example prints what it says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        for name in ("sentiment_confidence", "nli_entailment"):
            path = ROOT / "cards" / name / "README.md"
            result = doctest.testfile(str(path), module_relative=False)
            assert result.attempted
            assert not result.failed
