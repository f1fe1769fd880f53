"""`evaluate.load("cards/nli_entailment")`, with a fake scorer and the shipped model."""

from __future__ import annotations

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
from builder.measure.measurements import measure_entailment

evaluate = pytest.importorskip("evaluate")
PREMISES = ["Llueve en Quito.", "Hubo toque de queda.", "Cerraron el mercado."]
HYPOTHESES = ["Llueve.", "Nadie se quedó en casa.", "Era martes."]
ROWS = [[0.9, 0.08, 0.02], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]]
GOLD = ["entailment", "contradiction", "entailment"]


def fake(premises: list[str], hypotheses: list[str]) -> np.ndarray:
    """The rows above, whatever the order of the texts."""
    return np.array([ROWS[HYPOTHESES.index(text)] for text in hypotheses], dtype=np.float32)


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The measurement, with caches of its own."""
    return load_card("nli_entailment", tmp_path_factory.mktemp("evaluate"))


def test_scores_already_computed(measurement: Any) -> None:
    result = measurement.compute(scores=ROWS, references=GOLD)
    assert result == measure_entailment(scores=ROWS, references=GOLD)
    assert result["entailment_share"] == result["contradiction_share"] == pytest.approx(1 / 3)
    assert result["worst_contradictions"] == [1]
    assert result["accuracy"] == pytest.approx(2 / 3)
    assert sum(result["per_verdict"]["neutral"]["histogram"]) == 1
    with_texts = measurement.compute(premises=PREMISES, hypotheses=HYPOTHESES, scores=ROWS)
    assert with_texts == measure_entailment(scores=ROWS)


def test_a_scorer_batches_and_single_rows(measurement: Any) -> None:
    whole = measurement.compute(
        premises=PREMISES, hypotheses=HYPOTHESES, references=GOLD, scorer=fake
    )
    assert whole["verdicts"] == ["entailment", "contradiction", "neutral"]
    measurement.add_batch(premises=PREMISES[:2], hypotheses=HYPOTHESES[:2], references=GOLD[:2])
    measurement.add(premises=PREMISES[2], hypotheses=HYPOTHESES[2], references=GOLD[2])
    assert measurement.compute(scorer=fake) == whole
    measurement.add_batch(premises=PREMISES, hypotheses=HYPOTHESES)
    assert measurement.compute(scores=ROWS) == measure_entailment(scores=ROWS)


def test_the_engine_is_loaded_by_name_and_only_when_needed(
    measurement: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def loader(model: Any) -> Any:
        asked.append(model)
        return fake

    monkeypatch.setitem(type(measurement)._compute.__globals__, "nli_scorer", loader)
    measurement.compute(scores=ROWS)
    assert asked == []
    measurement.compute(premises=PREMISES, hypotheses=HYPOTHESES, model="someone/some-nli")
    measurement.compute(premises=PREMISES, hypotheses=HYPOTHESES)
    assert asked == ["someone/some-nli", None]


def test_combine_with_the_other_measurement(measurement: Any, tmp_path: Path) -> None:
    sentiment = load_card("sentiment_confidence", tmp_path)
    both = evaluate.combine([sentiment, measurement])
    columns = {
        "labels": ["positive"] * 3,
        "scores": [0.9] * 3,
        "premises": PREMISES,
        "hypotheses": HYPOTHESES,
    }
    result = both.compute(**columns, scorer=fake)
    assert result["high_confidence_share"] == 1.0
    assert result["entailment_share"] == pytest.approx(1 / 3)
    both.add_batch(**columns)
    assert both.compute(scorer=fake)["sentiment_confidence_count"] == 3


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, EmptyInput),
        ({"premises": [], "hypotheses": []}, EmptyInput),
        ({"scores": []}, EmptyInput),
        ({"premises": PREMISES}, MissingValue),
        ({"premises": ["a", None], "hypotheses": ["b", "c"]}, MissingValue),
        ({"premises": ["a"], "hypotheses": [3]}, MissingValue),
        ({"premises": ["a"], "hypotheses": ["b", "c"]}, UnequalLengths),
        ({"premises": ["a"], "hypotheses": ["b"], "scores": ROWS}, UnequalLengths),
        ({"scores": ROWS, "references": ["entailment"]}, UnequalLengths),
        ({"scores": ROWS, "references": ["entailed"] * 3}, UnknownLabel),
        ({"scores": [[1.2, -0.1, -0.1]]}, ScoreOutOfRange),
        ({"scores": [[0.2, 0.2, 0.2]]}, ScoreOutOfRange),
        ({"scores": [0.2, 0.3, 0.5]}, MeasurementProblem),
    ],
)
def test_typed_errors_leave_the_module_usable(measurement: Any, given: Any, error: type) -> None:
    with pytest.raises(error):
        measurement.compute(**given, scorer=fake)
    result = measurement.compute(premises=PREMISES, hypotheses=HYPOTHESES, scorer=fake)
    assert result["count"] == 3


def test_an_engine_that_fails_leaves_the_module_usable(measurement: Any) -> None:
    def broken(premises: list[str], hypotheses: list[str]) -> Any:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        measurement.compute(premises=PREMISES, hypotheses=HYPOTHESES, scorer=broken)
    assert len(measurement) == 0
    assert measurement.compute(scores=ROWS)["count"] == 3


def test_the_papers_size_is_taken_whole(measurement: Any) -> None:
    rows = np.random.default_rng(0).dirichlet([1, 1, 1], 51_479)
    assert measurement.compute(scores=rows)["count"] == 51_479


def test_the_shipped_model_for_real(measurement: Any) -> None:
    pytest.importorskip("ctranslate2")
    result = measurement.compute(
        premises=["Anoche cayó una lluvia muy fuerte sobre la ciudad de Quito."] * 2,
        hypotheses=["En Quito llovió anoche.", "En Quito no llovió anoche."],
    )
    assert result["verdicts"][0] == "entailment"
    assert result["verdicts"][1] == "contradiction"
