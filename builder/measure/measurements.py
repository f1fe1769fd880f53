"""The two measurements as functions: `cards/` and the release's quality report both call these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from builder.config.profile import SentimentTable
from builder.measure.inputs import (
    MissingValue,
    codes,
    confidences,
    fraction,
    probabilities,
    same_length,
)
from builder.measure.scores import BINS, Floats, Ints, against_gold, summary
from ecuador_crisis_tiktok import ENTAILMENT_LABELS, SENTIMENT_LABELS

THRESHOLD = SentimentTable().threshold
"""The profile's default, which is the paper's: a confidence of at least it is high."""
WORST = 20
Scorer = Callable[[Sequence[str], Sequence[str]], Any]


def measure_sentiment(
    labels: Sequence[str],
    scores: Sequence[float],
    references: Sequence[str] | None = None,
    *,
    threshold: float = THRESHOLD,
    precision: float = 0.9,
    bins: int = BINS,
) -> dict[str, Any]:
    """How sure a classifier is of its labels and, with gold labels, whether it may be.

    Args:
        labels: n labels out of negative, neutral, positive.
        scores: n confidences of these labels, within [0, 1].
        references: n gold labels, or None.
        threshold: confidences below it are flagged.
        precision: wanted precision of `precision_threshold`.
        bins: of histograms and of the reliability table.

    Returns:
        `count`, `mean`, `median`, `high_confidence_share`, `histogram`, `threshold`, `per_label`
        (label -> the same and `share`, `flagged_count`), `flagged_count`, `flagged` (row numbers);
        with references also what `scores.against_gold` returns.

    Raises:
        MeasurementProblem: any of its kinds.

    Examples:
        >>> labels, gold = ["positive", "negative"], ["positive", "neutral"]
        >>> result = measure_sentiment(labels, [0.9, 0.6], gold)
        >>> result["high_confidence_share"], result["flagged"], result["accuracy"]
        (0.5, [1], 0.5)
    """
    columns: dict[str, Sequence[Any]] = {"labels": labels, "scores": scores}
    if references is not None:
        columns["references"] = references
    same_length(columns)
    found = codes(labels, SENTIMENT_LABELS, "labels")
    gold = None if references is None else codes(references, SENTIMENT_LABELS, "references")
    return sentiment_result(
        found, confidences(scores), gold, threshold=threshold, precision=precision, bins=bins
    )


def sentiment_result(
    found: Ints,
    scores: Floats,
    gold: Ints | None,
    *,
    threshold: float = THRESHOLD,
    precision: float = 0.9,
    bins: int = BINS,
) -> dict[str, Any]:
    """`measure_sentiment` on class numbers that were already checked."""
    threshold = fraction(threshold, "threshold")
    flagged = np.flatnonzero(scores < threshold)
    flags = np.bincount(found[flagged], minlength=len(SENTIMENT_LABELS))
    per_label = {}
    for number, name in enumerate(SENTIMENT_LABELS):
        mine = summary(scores[found == number], threshold, bins)
        per_label[name] = mine | {
            "share": mine["count"] / found.size,
            "flagged_count": int(flags[number]),
        }
    result = summary(scores, threshold, bins) | {
        "threshold": threshold,
        "per_label": per_label,
        "flagged_count": int(flagged.size),
        "flagged": flagged.tolist(),
    }
    if gold is not None:
        result |= against_gold(
            found,
            gold,
            scores,
            SENTIMENT_LABELS,
            precision=fraction(precision, "precision"),
            bins=bins,
        )
    return result


def measure_entailment(
    premises: Sequence[str] | None = None,
    hypotheses: Sequence[str] | None = None,
    references: Sequence[str] | None = None,
    *,
    scores: Sequence[Sequence[float]] | None = None,
    scorer: Scorer | None = None,
    worst: int = WORST,
    bins: int = BINS,
) -> dict[str, Any]:
    """How many hypotheses their premises entail, leave open or contradict.

    Args:
        premises: n texts; not needed with `scores`.
        hypotheses: n texts; not needed with `scores`.
        references: n gold verdicts, or None.
        scores: n rows of probabilities in the order entailment, neutral, contradiction.
        scorer: gives such rows for (premises, hypotheses) when `scores` is not given.
        worst: how many row numbers `worst_contradictions` holds at most.
        bins: of histograms and of the reliability table.

    Returns:
        `count`, `entailment_share`, `neutral_share`, `contradiction_share`, `mean_confidence`,
        `per_verdict` (verdict -> count, mean, median, histogram of its confidence),
        `verdicts` and `confidences` (n each), `worst_contradictions` (row numbers, the most certain
        first); with references also what `scores.against_gold` returns.

    Raises:
        MeasurementProblem: any of its kinds.

    Examples:
        >>> result = measure_entailment(scores=[[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
        >>> result["entailment_share"], result["worst_contradictions"]
        (0.5, [1])
    """
    given: dict[str, Sequence[Any] | None] = {
        "premises": premises,
        "hypotheses": hypotheses,
        "references": references,
        "scores": scores,
    }
    same_length({name: column for name, column in given.items() if column is not None})
    if scores is None:
        if premises is None or hypotheses is None or scorer is None:
            raise MissingValue(
                "there is nothing to score",
                way_out="give premises and hypotheses, or scores=[[entailment, neutral, …], …]",
            )
        texts(premises, "premises")
        texts(hypotheses, "hypotheses")
        scores = scorer(premises, hypotheses)
    gold = None if references is None else codes(references, ENTAILMENT_LABELS, "references")
    matrix = probabilities(scores, len(ENTAILMENT_LABELS))
    found = matrix.argmax(axis=1).astype(np.int64)
    sure = matrix[np.arange(found.size), found]
    result = entailment_result(found, sure, gold, worst=worst, bins=bins)
    result["verdicts"] = [ENTAILMENT_LABELS[number] for number in found]
    result["confidences"] = sure.tolist()
    return result


def entailment_result(
    found: Ints, sure: Floats, gold: Ints | None, *, worst: int = WORST, bins: int = BINS
) -> dict[str, Any]:
    """`measure_entailment` on verdict numbers and their confidences that were already checked."""
    per_verdict = {}
    for number, name in enumerate(ENTAILMENT_LABELS):
        mine = summary(sure[found == number], THRESHOLD, bins)
        mine.pop("high_confidence_share")
        per_verdict[name] = mine | {"share": mine["count"] / found.size}
    against = np.flatnonzero(found == ENTAILMENT_LABELS.index("contradiction"))
    order = against[np.argsort(-sure[against], kind="stable")]
    result: dict[str, Any] = {
        "count": int(found.size),
        **{f"{name}_share": per_verdict[name]["share"] for name in ENTAILMENT_LABELS},
        "mean_confidence": float(sure.mean()),
        "per_verdict": per_verdict,
        "worst_contradictions": order[:worst].tolist(),
    }
    if gold is not None:
        result |= against_gold(found, gold, sure, ENTAILMENT_LABELS, bins=bins)
    return result


def texts(values: Sequence[Any], field: str) -> None:
    """Check that every value is a text.

    Raises:
        MissingValue: naming the first row that is not.
    """
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise MissingValue(
                f"a {type(value).__name__} where a text is needed",
                row=row,
                field=field,
                way_out="leave the row out, in every column",
            )
