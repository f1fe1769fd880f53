"""The maths agrees with scikit-learn, scipy and the published formulas on random inputs."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.measure import measurements as measures
from builder.measure import scores
from builder.measure.inputs import (
    EmptyInput,
    MeasurementProblem,
    MissingValue,
    ScoreOutOfRange,
    UnequalLengths,
    UnknownLabel,
    codes,
    confidences,
    probabilities,
)
from builder.measure.measurements import measure_entailment, measure_sentiment
from ecuador_crisis_tiktok import SENTIMENT_LABELS

metrics = pytest.importorskip("sklearn.metrics")


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """found, gold, scores, weights of 1 to 80 rows; scores are often equal or on an edge."""
    n = draw(st.integers(1, 80))
    label = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    edge = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.75, 0.9, 1.0])
    score = st.one_of(st.floats(0, 1, allow_subnormal=False), edge)
    weight = st.floats(0.1, 50)
    return (
        np.array(draw(label), dtype=np.int64),
        np.array(draw(label), dtype=np.int64),
        np.array(draw(st.lists(score, min_size=n, max_size=n))),
        np.array(draw(st.lists(weight, min_size=n, max_size=n))),
    )


@given(judged(), st.booleans())
def test_accuracy_f1_and_confusion_agree_with_scikit_learn(rows, weighted) -> None:
    found, gold, _, weight = rows
    use = weight if weighted else None
    expected = metrics.accuracy_score(gold, found, sample_weight=use)
    assert scores.accuracy(found == gold, use) == pytest.approx(expected)
    matrix = metrics.confusion_matrix(gold, found, labels=[0, 1, 2], sample_weight=use)
    np.testing.assert_allclose(scores.confusion(found, gold, 3, use), matrix)
    f1 = metrics.f1_score(gold, found, average="macro", zero_division=0, sample_weight=use)
    assert scores.macro_f1(found, gold, 3, use) == pytest.approx(f1)


@given(judged(), st.booleans())
def test_brier_agrees_with_scikit_learn(rows, weighted) -> None:
    found, gold, score, weight = rows
    use = weight if weighted else None
    right = (found == gold).astype(int)
    expected = metrics.brier_score_loss(right, score, sample_weight=use, pos_label=1)
    assert scores.brier(score, found == gold, use) == pytest.approx(expected, abs=1e-12)


@given(judged())
def test_log_loss_agrees_with_scikit_learn(rows) -> None:
    _, gold, score, weight = rows
    matrix = np.stack([score + 0.1, 1.1 - score, np.full_like(score, 0.4)], axis=1)
    matrix /= matrix.sum(axis=1, keepdims=True)
    loss = metrics.log_loss(gold, matrix, labels=[0, 1, 2], sample_weight=weight)
    assert scores.log_loss(matrix, gold, weight) == pytest.approx(loss)


@given(judged(), st.integers(1, 20))
def test_calibration_error_agrees_with_its_formula(rows, bins) -> None:
    found, gold, score, weight = rows
    right = found == gold
    expected = 0.0
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        inside = (score > low) & (score <= high) if i else score <= high
        if i == bins - 1:
            inside |= score > high
        if inside.any():
            gap = np.average(right[inside], weights=weight[inside]) - np.average(
                score[inside], weights=weight[inside]
            )
            expected += weight[inside].sum() / weight.sum() * abs(gap)
    table = scores.reliability(score, right, weight, bins)
    assert scores.calibration_error(table) == pytest.approx(expected, abs=1e-9)
    assert sum(row["count"] for row in table) == score.size


@given(judged(), st.integers(1, 25))
def test_histogram_counts_every_row_once(rows, bins) -> None:
    score = rows[2]
    counted = scores.histogram(score, bins)
    assert sum(counted) == score.size
    assert counted == np.histogram(score, bins=bins, range=(0, 1))[0].tolist()


@given(judged(), st.floats(0.05, 1.0), st.booleans())
def test_threshold_for_precision_agrees_with_the_precision_curve(rows, wanted, weighted) -> None:
    found, gold, score, weight = rows
    use = weight if weighted else None
    right = found == gold
    result = scores.threshold_for_precision(score, right, wanted, use)
    # scikit-learn leaves nothing out here: its curve has a point for every distinct score
    mass = weight if weighted else np.ones_like(score)
    possible = []
    for t in np.unique(score):
        kept = score >= t
        if np.average(right[kept], weights=mass[kept]) >= wanted - 1e-9:
            possible.append(t)
    if not possible:
        assert result["threshold"] is None
        return
    assert result["threshold"] == min(possible)
    kept = score >= result["threshold"]
    assert result["precision"] == pytest.approx(np.average(right[kept], weights=mass[kept]))
    assert result["coverage"] == pytest.approx(mass[kept].sum() / mass.sum())
    if right.any():
        precision, _, thresholds = metrics.precision_recall_curve(right, score, sample_weight=use)
        at = np.flatnonzero(np.isclose(thresholds, result["threshold"], rtol=0, atol=0))
        assert precision[at[0]] == pytest.approx(result["precision"])


def test_the_smallest_threshold_is_taken_and_ties_stand_together() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True, False])
    assert scores.threshold_for_precision(score, right, 0.75) == {
        "wanted": 0.75,
        "threshold": 0.7,
        "precision": 0.75,
        "coverage": 0.8,
    }
    assert scores.threshold_for_precision(score, right, 0.9)["threshold"] == 0.9
    assert scores.threshold_for_precision(score, ~right, 0.9)["threshold"] is None


@given(judged())
def test_sentiment_measurement_agrees_with_plain_python(rows) -> None:
    found, gold, score, _ = rows
    labels = [SENTIMENT_LABELS[i] for i in found]
    result = measure_sentiment(labels, score.tolist(), [SENTIMENT_LABELS[i] for i in gold])
    assert result["count"] == len(labels)
    assert result["flagged"] == [i for i, s in enumerate(score) if s < 0.75]
    assert result["flagged_count"] == len(result["flagged"])
    assert result["high_confidence_share"] == pytest.approx(np.mean(score >= 0.75))
    assert result["median"] == pytest.approx(np.median(score))
    for name in SENTIMENT_LABELS:
        mine = [s for s, label in zip(score, labels, strict=True) if label == name]
        per = result["per_label"][name]
        assert per["count"] == len(mine)
        assert sum(per["histogram"]) == len(mine)
        assert per["flagged_count"] == sum(s < 0.75 for s in mine)
        assert per["mean"] == (pytest.approx(np.mean(mine)) if mine else None)
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(gold, found))


@given(st.lists(st.tuples(*[st.floats(0.01, 1)] * 3), min_size=1, max_size=40))
def test_entailment_measurement_agrees_with_plain_python(raw) -> None:
    matrix = np.array(raw) / np.sum(raw, axis=1, keepdims=True)
    result = measure_entailment(scores=matrix.tolist())
    found = matrix.argmax(axis=1)
    for number, name in enumerate(["entailment", "neutral", "contradiction"]):
        assert result[f"{name}_share"] == pytest.approx(np.mean(found == number))
    assert result["mean_confidence"] == pytest.approx(matrix.max(axis=1).mean())
    against = [i for i in range(len(raw)) if found[i] == 2]
    assert result["worst_contradictions"] == sorted(against, key=lambda i: (-matrix[i, 2], i))[:20]


@pytest.mark.parametrize(
    ("labels", "values", "references", "error", "told"),
    [
        ([], [], None, EmptyInput, "nothing to measure"),
        (["positive"], [0.5, 0.6], None, UnequalLengths, "labels 1, scores 2"),
        (["positive"], [0.5], ["positive", "neutral"], UnequalLengths, "references 2"),
        (["positive", None], [0.5, 0.6], None, MissingValue, "row 1"),
        (["positive", "neutral"], [0.5, None], None, MissingValue, "row 1"),
        (["positive"], [math.nan], None, MissingValue, "NaN"),
        (["positive"], [1.2], None, ScoreOutOfRange, "1.2"),
        (["positive"], [-0.1], None, ScoreOutOfRange, "row 0"),
        (["positive"], [math.inf], None, ScoreOutOfRange, "inf"),
        (["happy"], [0.5], None, UnknownLabel, "happy"),
        (["positive"], [0.5], ["Positive"], UnknownLabel, "references"),
        ([3], [0.5], None, UnknownLabel, "3"),
        ([["positive"]], [0.5], None, UnknownLabel, "positive"),
        (["positive"], ["x"], None, MeasurementProblem, "no number"),
    ],
)
def test_bad_input_is_a_typed_error(labels, values, references, error, told) -> None:
    with pytest.raises(error, match=told) as caught:
        measure_sentiment(labels, values, references)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("setting", [{"threshold": 1.5}, {"threshold": math.nan}])
def test_settings_outside_zero_and_one(setting) -> None:
    with pytest.raises(ScoreOutOfRange, match="threshold"):
        measure_sentiment(["positive"], [0.5], **setting)
    with pytest.raises(ScoreOutOfRange, match="precision"):
        measure_sentiment(["positive"], [0.5], ["positive"], precision=-1)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], EmptyInput),
        ([[0.5, 0.5]], MeasurementProblem),
        ([[0.9, 0.9, 0.1]], ScoreOutOfRange),
        ([[1.5, -0.3, -0.2]], ScoreOutOfRange),
        ([[0.5, None, 0.5]], MissingValue),
        ([[0.2, 0.3, 0.5], [0.1, 0.9]], MeasurementProblem),
    ],
)
def test_rows_that_are_no_distribution(rows, error) -> None:
    with pytest.raises(error):
        measure_entailment(scores=rows)


def test_entailment_without_anything_to_score() -> None:
    with pytest.raises(EmptyInput):
        measure_entailment()
    with pytest.raises(MissingValue, match="nothing to score"):
        measure_entailment(["a"], ["b"])
    with pytest.raises(MissingValue, match="row 0"):
        measure_entailment([None], ["b"], scorer=lambda p, h: [[1, 0, 0]])  # type: ignore[list-item]


def test_float32_that_left_a_softmax_is_accepted() -> None:
    almost = np.nextafter(np.float32(1), np.float32(2))
    assert confidences([almost]).tolist() == [1.0]
    third = np.float32(1 / 3)
    assert probabilities([[third, third, third]], 3).shape == (1, 3)
    assert codes(np.array(["neutral"]), SENTIMENT_LABELS, "labels").tolist() == [1]


def test_the_paper_size_takes_under_a_second() -> None:
    import time

    dice = np.random.default_rng(0)
    n = 51_479
    labels = dice.choice(SENTIMENT_LABELS, n).tolist()
    gold = dice.choice(SENTIMENT_LABELS, n).tolist()
    values = dice.uniform(1 / 3, 1, n).tolist()
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        measure_sentiment(labels, values, gold)
        best = min(best, time.perf_counter() - start)
    assert best < 1.0


def test_doctests() -> None:
    for module in (measures, scores):
        assert doctest.testmod(module).failed == 0
