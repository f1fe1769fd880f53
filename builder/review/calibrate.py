"""Temperature calibration of sentiment scores: optional, off by default, never over the raw ones.

One number T divides the logits of all labels: p_T(k) = p(k)^(1/T) / sum_j p(j)^(1/T). It cannot
change a label, only how sure it looks. T minimises the negative log-likelihood of people's labels
(Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2), which is convex in 1/T.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from builder.errors import UsageProblem
from builder.measure.inputs import codes, probabilities, same_length
from builder.measure.scores import Floats, Ints, calibration_error, log_loss, reliability
from builder.run.store import write_frame, write_json
from builder.validate.release import Release
from ecuador_crisis_tiktok import SENTIMENT_LABELS

COLUMN = "calibrated_confidence"
METHOD = "temperature"
MIN_ROWS = 30
_SCORES = [f"score_{name}" for name in SENTIMENT_LABELS]
# 1/T is searched here; beyond it every confidence is 1/3 or 1
_SHARPNESS = (0.02, 50.0)
_TINY = 1e-7  # below it a float32 softmax says nothing


@dataclass(frozen=True)
class Calibration:
    """A fitted temperature and what it was fitted on: the facts the manifest keeps.

    Attributes:
        method: temperature.
        temperature: T; above 1 the raw scores were too sure.
        rows: labelled rows it was fitted on.
        model: the model whose scores they are.
        labels: where the labels come from.
        labels_sha256: their digest.
        log_loss, expected_calibration_error: [before, after], on the rows it was fitted on.
    """

    method: str
    temperature: float
    rows: int
    model: str
    labels: str
    labels_sha256: str
    log_loss: tuple[float, float]
    expected_calibration_error: tuple[float, float]

    def facts(self) -> dict[str, Any]:
        """JSON form, for the manifest."""
        return asdict(self)


def apply_temperature(scores: Floats, temperature: float) -> Floats:
    """Calibrated probabilities.

    Args:
        scores: raw probabilities, shape (n, classes).
        temperature: T > 0.

    Returns:
        Shape (n, classes); rows sum to 1 and keep the order of their labels.
    """
    logits = np.log(np.clip(scores, _TINY, None)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def fit_temperature(scores: Floats, gold: Ints, weights: Floats | None = None) -> float:
    """The temperature that makes the gold labels most likely.

    Golden-section search over log(1/T): the loss is convex in 1/T, hence has one minimum.

    Args:
        scores: raw probabilities, shape (n, classes), n > 0.
        gold: class numbers, shape (n,).
        weights: shape (n,).
    """

    def loss(place: float) -> float:
        return log_loss(apply_temperature(scores, float(np.exp(-place))), gold, weights)

    ratio = (np.sqrt(5.0) - 1) / 2
    low, high = float(np.log(_SHARPNESS[0])), float(np.log(_SHARPNESS[1]))
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-7:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(right)
    return float(np.exp(-(low + high) / 2))


def fit(
    scores: list[list[float]],
    gold: list[str],
    *,
    weights: Floats | None = None,
    model: str = "",
    labels: str = "",
    labels_sha256: str = "",
) -> Calibration:
    """Fit on labelled rows.

    Args:
        scores: negative, neutral, positive of each row.
        gold: people's labels.
        weights: rows each stands for.
        model: name of the model.
        labels: where the labels come from; `labels_sha256`: their digest.

    Raises:
        MeasurementProblem: scores or labels out of order.
        UsageProblem: fewer than 30 rows, or labels of one kind only.
    """
    same_length({"scores": scores, "gold": gold})
    matrix = probabilities(scores, len(SENTIMENT_LABELS))
    truth = codes(gold, SENTIMENT_LABELS, "gold")
    if truth.size < MIN_ROWS or np.unique(truth).size < 2:
        raise UsageProblem(
            f"{truth.size:,} labelled rows of {np.unique(truth).size} kind(s) are too few to "
            "calibrate with",
            way_out=f"label at least {MIN_ROWS} rows of two labels (`ecuador-crisis review`)",
        )
    temperature = fit_temperature(matrix, truth, weights)
    after = apply_temperature(matrix, temperature)
    return Calibration(
        method=METHOD,
        temperature=temperature,
        rows=int(truth.size),
        model=model,
        labels=labels,
        labels_sha256=labels_sha256,
        log_loss=(log_loss(matrix, truth, weights), log_loss(after, truth, weights)),
        expected_calibration_error=(_error(matrix, truth, weights), _error(after, truth, weights)),
    )


def fit_release(release: Release, gold: pl.DataFrame, **source: str) -> Calibration:
    """Fit on a release and people's labels about it.

    Args:
        release: with sentiment scores.
        gold: `review_score.GOLD_SCHEMA`.
        source: `labels` and `labels_sha256` of `fit`.

    Raises:
        UsageProblem: too few of these rows have scores.
    """
    mine = gold.filter(pl.col("task") == "sentiment").select("video_id", "gold", "weight")
    table = release.columns("sentiment", ["video_id", "model", *_SCORES]).drop_nulls(_SCORES)
    rows = mine.join(table, on="video_id")
    models = ", ".join(sorted(rows["model"].drop_nulls().unique().to_list()))
    if not rows.height:
        raise UsageProblem(
            "none of the labelled rows has a score for every label",
            file=release.folder,
            way_out="calibrate a release whose sentiment was made by the stage sentiment",
        )
    return fit(
        [list(row) for row in rows.select(_SCORES).iter_rows()],
        rows["gold"].to_list(),
        weights=rows["weight"].to_numpy(),
        model=models,
        **source,
    )


def calibrated(frame: pl.DataFrame, calibration: Calibration) -> pl.DataFrame:
    """Add `calibrated_confidence`; every other column stays as it is.

    Args:
        frame: `label` and the three score columns.
        calibration: fitted on scores of the same model.

    Returns:
        `frame` with one more column (float32): the calibrated score of the label; null where the
        label or a score is.
    """
    raw = frame.select(pl.col(_SCORES).cast(pl.Float64).fill_null(1.0)).to_numpy()
    scores = apply_temperature(raw, calibration.temperature)
    number = frame["label"].replace_strict(
        list(SENTIMENT_LABELS),
        list(range(len(SENTIMENT_LABELS))),
        default=None,
        return_dtype=pl.Int64,
    )
    taken = scores[np.arange(frame.height), number.fill_null(0).to_numpy()]
    complete = pl.all_horizontal(pl.col(name).is_not_null() for name in ("label", *_SCORES))
    return frame.with_columns(
        pl.when(complete).then(pl.Series(taken, dtype=pl.Float32)).alias(COLUMN)
    )


def write_calibrated(release: Release, calibration: Calibration, path: Path) -> int:
    """Write `video_id`, `label`, `confidence` and `calibrated_confidence` as Parquet.

    Returns:
        How many rows have a calibrated confidence.
    """
    frame = release.columns("sentiment", ["video_id", "label", "confidence", *_SCORES])
    result = calibrated(frame, calibration).drop(_SCORES)
    write_frame(path, result)
    return int(result[COLUMN].count())


def save(calibration: Calibration, path: Path) -> None:
    """Write a calibration as JSON."""
    write_json(path, calibration.facts())


def load(path: Path) -> Calibration:
    """Read a calibration.

    Raises:
        UsageProblem: missing, or not one.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for name in ("log_loss", "expected_calibration_error"):
            data[name] = tuple(data[name])
        found = Calibration(**data)
        usable = found.method == METHOD and 0 < float(found.temperature) < float("inf")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageProblem(
            f"cannot read this calibration ({type(error).__name__})",
            file=path,
            way_out="give the JSON file that `ecuador-crisis calibrate` wrote",
        ) from error
    if not usable:
        raise UsageProblem("this calibration has no usable temperature", file=path)
    return found


def _error(scores: Floats, gold: Ints, weights: Floats | None) -> float:
    found = scores.argmax(axis=1)
    sure = scores[np.arange(gold.size), found]
    return calibration_error(reliability(sure, found == gold, weights))
