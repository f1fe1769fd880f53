"""Plain-function maths of confidence: histograms, accuracy, F1, calibration, thresholds.

Everything takes and returns numpy arrays or plain numbers, knows nothing of releases, and is
compared with scikit-learn in `tests/measure/test_scores.py`. `weights` are the number of rows each
row stands for (a stratified sample's N_h / n_h); without them every row counts once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BINS = 10


def _weights(weights: Floats | None, n: int) -> Floats:
    return np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)


def histogram(scores: Floats, bins: int = BINS) -> list[int]:
    """Rows in `bins` equal intervals of [0, 1]; the last one is closed at 1.

    Args:
        scores: shape (n,), within [0, 1].
        bins: how many.

    Returns:
        `bins` counts whose sum is n.
    """
    return [int(n) for n in np.histogram(scores, bins=bins, range=(0.0, 1.0))[0]]


def summary(scores: Floats, threshold: float, bins: int = BINS) -> dict[str, Any]:
    """Count, mean, median, histogram and the share at or above a threshold.

    Args:
        scores: shape (n,), within [0, 1]; may be empty.
        threshold: the share counts scores >= it.
        bins: of the histogram.

    Returns:
        `count`, `mean`, `median`, `high_confidence_share` (null when empty) and `histogram`.
    """
    n = int(scores.size)
    return {
        "count": n,
        "mean": float(scores.mean()) if n else None,
        "median": float(np.median(scores)) if n else None,
        "high_confidence_share": float((scores >= threshold).mean()) if n else None,
        "histogram": histogram(scores, bins),
    }


def accuracy(right: Bools, weights: Floats | None = None) -> float:
    """Weighted share of correct rows; shape (n,), n > 0."""
    return float(np.average(right, weights=weights))


def confusion(found: Ints, gold: Ints, classes: int, weights: Floats | None = None) -> Floats:
    """Confusion matrix, gold in rows and found in columns.

    Args:
        found: class numbers, shape (n,).
        gold: class numbers, shape (n,).
        classes: how many there are.
        weights: shape (n,).

    Returns:
        Shape (classes, classes), sums of weights.
    """
    flat = np.bincount(
        gold * classes + found,
        weights=_weights(weights, found.size),
        minlength=classes * classes,
    )
    return flat.astype(np.float64).reshape(classes, classes)


def f1_by_class(matrix: Floats) -> list[float | None]:
    """F1 of every class of a confusion matrix: 2 TP / (2 TP + FP + FN).

    Returns:
        One number a class; None for a class that is neither in the gold nor in the found labels.
    """
    hit = np.diag(matrix)
    total = matrix.sum(axis=0) + matrix.sum(axis=1)
    return [float(2 * h / t) if t > 0 else None for h, t in zip(hit, total, strict=True)]


def macro_f1(found: Ints, gold: Ints, classes: int, weights: Floats | None = None) -> float:
    """Unweighted mean of F1 over the classes that occur in gold or found labels.

    The same as scikit-learn's `f1_score(average="macro", zero_division=0)` without `labels=`.
    """
    scores = f1_by_class(confusion(found, gold, classes, weights))
    return float(np.mean([score for score in scores if score is not None]))


def reliability(
    scores: Floats, right: Bools, weights: Floats | None = None, bins: int = BINS
) -> list[dict[str, Any]]:
    """Reliability table: mean confidence beside accuracy in `bins` equal intervals.

    Intervals are (low, high], the first one closed at 0 (Guo et al. 2017, "On Calibration of Modern
    Neural Networks", section 2).

    Args:
        scores: confidence of the given label, shape (n,).
        right: whether it is the gold label, shape (n,).
        weights: shape (n,).
        bins: how many.

    Returns:
        One entry an interval: `low`, `high`, `count` (rows), `weight`, `confidence`, `accuracy`;
        the last two are null where the interval is empty.
    """
    weight = _weights(weights, scores.size)
    # the very comparison that names the interval: no rounding of scores * bins can cross an edge
    edges = np.arange(1, bins) / bins
    place = np.searchsorted(edges, scores, side="left")
    count = np.bincount(place, minlength=bins)
    mass = np.bincount(place, weights=weight, minlength=bins)
    confidence = np.bincount(place, weights=weight * scores, minlength=bins)
    hits = np.bincount(place, weights=weight * right, minlength=bins)
    return [
        {
            "low": i / bins,
            "high": (i + 1) / bins,
            "count": int(count[i]),
            "weight": float(mass[i]),
            "confidence": float(confidence[i] / mass[i]) if mass[i] > 0 else None,
            "accuracy": float(hits[i] / mass[i]) if mass[i] > 0 else None,
        }
        for i in range(bins)
    ]


def calibration_error(table: list[dict[str, Any]]) -> float:
    """Expected calibration error: sum over intervals of share x |accuracy - confidence|.

    Naeini, Cooper, Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning"; equal-width intervals as in Guo et al. 2017.

    Args:
        table: from `reliability`, at least one row in it.
    """
    total = sum(row["weight"] for row in table)
    return float(
        sum(
            row["weight"] / total * abs(row["accuracy"] - row["confidence"])
            for row in table
            if row["weight"] > 0
        )
    )


def brier(scores: Floats, right: Bools, weights: Floats | None = None) -> float:
    """Brier score of the given label (Brier 1950, two outcomes): mean (confidence - correct)^2."""
    return float(np.average((scores - right) ** 2, weights=weights))


def log_loss(probabilities: Floats, gold: Ints, weights: Floats | None = None) -> float:
    """Mean negative log-likelihood of the gold class, probabilities clipped at 1e-12."""
    taken = probabilities[np.arange(gold.size), gold]
    return float(np.average(-np.log(np.clip(taken, 1e-12, None)), weights=weights))


def threshold_for_precision(
    scores: Floats, right: Bools, wanted: float, weights: Floats | None = None
) -> dict[str, Any]:
    """The lowest threshold whose rows (score >= threshold) are right at least `wanted` of the time.

    Args:
        scores: shape (n,), n > 0.
        right: shape (n,).
        wanted: precision between 0 and 1.
        weights: shape (n,).

    Returns:
        `wanted`, `threshold`, `precision` reached, `coverage` (share of rows kept); the last three
        are null when no threshold reaches it.
    """
    weight = _weights(weights, scores.size)
    order = np.argsort(-scores, kind="stable")
    ordered, mass = scores[order], np.cumsum(weight[order])
    precision = np.cumsum(weight[order] * right[order]) / mass
    # rows of the same score stand or fall together: only the last of each run is a threshold
    last = np.append(ordered[1:] != ordered[:-1], True)
    reached = np.flatnonzero(last & (precision >= wanted - 1e-12))
    if not reached.size:
        return {"wanted": wanted, "threshold": None, "precision": None, "coverage": None}
    at = int(reached[-1])
    return {
        "wanted": wanted,
        "threshold": float(ordered[at]),
        "precision": float(precision[at]),
        "coverage": float(mass[at] / mass[-1]),
    }


def against_gold(
    found: Ints,
    gold: Ints,
    scores: Floats,
    names: tuple[str, ...],
    *,
    weights: Floats | None = None,
    precision: float = 0.9,
    bins: int = BINS,
) -> dict[str, Any]:
    """Everything that needs gold labels.

    Args:
        found: class numbers given, shape (n,), n > 0.
        gold: class numbers by people, shape (n,).
        scores: confidence of the given class, shape (n,).
        names: of the classes, in the order of their numbers.
        weights: shape (n,).
        precision: wanted precision of `precision_threshold`.
        bins: of the reliability table.

    Returns:
        `gold_count`, `accuracy`, `macro_f1`, `f1` (class -> F1), `confusion` (gold -> found ->
        rows), `expected_calibration_error`, `maximum_calibration_error`, `brier_score`,
        `reliability`, `precision_threshold`.
    """
    right = found == gold
    table = reliability(scores, right, weights, bins)
    matrix = confusion(found, gold, len(names), weights)
    gaps = [abs(row["accuracy"] - row["confidence"]) for row in table if row["weight"] > 0]
    return {
        "gold_count": int(found.size),
        "accuracy": accuracy(right, weights),
        "macro_f1": macro_f1(found, gold, len(names), weights),
        "f1": dict(zip(names, f1_by_class(matrix), strict=True)),
        "confusion": {
            name: {other: float(matrix[i, j]) for j, other in enumerate(names)}
            for i, name in enumerate(names)
        },
        "expected_calibration_error": calibration_error(table),
        "maximum_calibration_error": float(max(gaps)),
        "brier_score": brier(scores, right, weights),
        "reliability": table,
        "precision_threshold": threshold_for_precision(scores, right, precision, weights),
    }
