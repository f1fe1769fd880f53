"""`evaluate` measurement: how many hypotheses (summaries) their premises (transcripts) entail.

The maths is in `builder.measure.measurements`, the model runs in `builder.annotate.nli`, which is
imported only when there is something to score; see README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate

from builder.measure.evaluate_base import Checked, gold_of
from builder.measure.measurements import Scorer, measure_entailment, texts
from builder.measure.nli_scorer import nli_scorer
from ecuador_crisis_tiktok import ENTAILMENT_LABELS

_DESCRIPTION = """
Runs a natural language inference model over (premise, hypothesis) pairs, or takes its output,
and tells the shares entailed, left open and contradicted, the confidence of each verdict, and the
most certain contradictions. With gold labels also accuracy, macro-F1 and calibration.
"""

_CITATION = """
@article{laban2022summac,
  title = {{SummaC}: Re-Visiting {NLI}-based Models for Inconsistency Detection in Summarization},
  author = {Laban, Philippe and Schnabel, Tobias and Bennett, Paul N. and Hearst, Marti A.},
  journal = {Transactions of the ACL},
  year = {2022}
}
"""

_INPUTS = """
Args:
    premises (list of str): texts that should support the hypotheses. Not needed with scores.
    hypotheses (list of str): one a premise. Not needed with scores.
    references (list of str, optional): gold labels: entailment, neutral or contradiction.
    model (str, optional): folder, name of a shipped model, or Hub name; default the offline model.
    scores (list of 3 floats, optional): probabilities already computed, one row for every row given
        to this measurement, in the order entailment, neutral, contradiction; no model is run then.
    scorer (callable, optional): (premises, hypotheses) -> such rows; no model is loaded then.
    worst (int, default 20): how many of the most certain contradictions to name.
    bins (int, default 10): intervals of histograms and of the reliability table.

Returns:
    dict: see README.md.

Examples:
    >>> import evaluate
    >>> measurement = evaluate.load("cards/nli_entailment")
    >>> result = measurement.compute(
    ...     premises=["Llueve en Quito.", "Hubo un toque de queda."],
    ...     hypotheses=["En Quito cae agua.", "Nadie tuvo que quedarse en casa."],
    ...     scores=[[0.90, 0.08, 0.02], [0.05, 0.25, 0.70]],
    ... )
    >>> result["entailment_share"], result["worst_contradictions"]
    (0.5, [1])
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class NliEntailment(Checked, evaluate.Measurement):
    columns = ("premises", "hypotheses")
    label_names = ENTAILMENT_LABELS

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            module_type="measurement",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {
                    "premises": datasets.Value("string"),
                    "hypotheses": datasets.Value("string"),
                    "references": datasets.Value("string"),
                }
            ),
        )

    def check_columns(self, batch: dict[str, list[Any]]) -> dict[str, Any]:
        for name, values in batch.items():
            texts(values, name)
        return batch

    def compute(
        self,
        *,
        predictions: Any = None,
        references: Any = None,
        scores: Any = None,
        labels: Any = None,
        **columns: Any,
    ) -> Any:
        """Compute the measurement over the rows given here and those added before.

        Args:
            predictions: not used; `evaluate.combine` passes it.
            references: gold labels, or None.
            scores: probabilities already computed; premises and hypotheses may then be left out.
            labels: of sentiment_confidence; `evaluate.combine` passes them with its own scores.
            columns: premises, hypotheses and settings.

        Raises:
            MeasurementProblem: None, empty, unequal lengths, no probabilities, unknown labels.
            ModelProblem: the model cannot be found or run.
        """
        if labels is not None:
            scores = None
        absent = columns.get("premises") is None and columns.get("hypotheses") is None
        if scores is not None and absent and not len(self):
            return measure_entailment(
                references=references,
                scores=scores,
                worst=columns.get("worst", 20),
                bins=columns.get("bins", 10),
            )
        return super().compute(
            predictions=predictions, references=references, scores=scores, **columns
        )

    def _compute(
        self,
        premises: list[str],
        hypotheses: list[str],
        references: list[str],
        scores: Sequence[Sequence[float]] | None = None,
        model: str | None = None,
        scorer: Scorer | None = None,
        worst: int = 20,
        bins: int = 10,
        # settings of sentiment_confidence, when `evaluate.combine` computes both
        threshold: float | None = None,
        precision: float | None = None,
    ) -> dict[str, Any]:
        if scores is None and scorer is None:
            scorer = nli_scorer(model)
        return measure_entailment(
            premises,
            hypotheses,
            gold_of(references),
            scores=scores,
            scorer=scorer,
            worst=worst,
            bins=bins,
        )
