"""`evaluate` measurement: how sure a sentiment classifier is and, with gold labels, if it may be.

The maths is in `builder.measure.measurements`; see README.md beside this file.
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate

from builder.measure.evaluate_base import Checked, gold_of
from builder.measure.inputs import codes, confidences
from builder.measure.measurements import THRESHOLD, measure_sentiment
from ecuador_crisis_tiktok import SENTIMENT_LABELS

_DESCRIPTION = """
Distribution of the confidence of sentiment labels, overall and by label: how many are sure, which
ones to look at. With gold labels also accuracy, macro-F1, expected calibration error, Brier score,
a reliability table, and the threshold that would reach a wanted precision.
"""

_CITATION = """
@inproceedings{guo2017calibration,
  title = {On Calibration of Modern Neural Networks},
  author = {Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.},
  booktitle = {ICML},
  year = {2017}
}
"""

_INPUTS = """
Args:
    labels (list of str): the labels given: negative, neutral or positive.
    scores (list of float): the confidence of each, 0 to 1.
    references (list of str, optional): gold labels.
    threshold (float, default 0.75): confidences below it are flagged.
    precision (float, default 0.9): precision that `precision_threshold` should reach.
    bins (int, default 10): intervals of histograms and of the reliability table.

Returns:
    dict: see README.md.

Examples:
    >>> import evaluate
    >>> measurement = evaluate.load("cards/sentiment_confidence")
    >>> result = measurement.compute(
    ...     labels=["positive", "negative", "negative"], scores=[0.91, 0.62, 0.80]
    ... )
    >>> round(result["high_confidence_share"], 3), result["flagged"]
    (0.667, [1])
    >>> result = measurement.compute(
    ...     labels=["positive", "negative"],
    ...     scores=[0.9, 0.6],
    ...     references=["positive", "neutral"],
    ... )
    >>> result["accuracy"], round(result["expected_calibration_error"], 3)
    (0.5, 0.35)
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class SentimentConfidence(Checked, evaluate.Measurement):
    columns = ("labels", "scores")
    label_names = SENTIMENT_LABELS

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            module_type="measurement",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {
                    "labels": datasets.Value("string"),
                    "scores": datasets.Value("float64"),
                    "references": datasets.Value("string"),
                }
            ),
        )

    def check_columns(self, batch: dict[str, list[Any]]) -> dict[str, Any]:
        codes(batch["labels"], SENTIMENT_LABELS, "labels")
        return {"labels": batch["labels"], "scores": confidences(batch["scores"]).tolist()}

    def _compute(
        self,
        labels: list[str],
        scores: list[float],
        references: list[str],
        threshold: float = THRESHOLD,
        precision: float = 0.9,
        bins: int = 10,
        # of nli_entailment, when `evaluate.combine` computes both
        premises: Any = None,
        hypotheses: Any = None,
        model: Any = None,
        scorer: Any = None,
        worst: Any = None,
    ) -> dict[str, Any]:
        return measure_sentiment(
            labels,
            scores,
            gold_of(references),
            threshold=threshold,
            precision=precision,
            bins=bins,
        )
