"""A second opinion on sentiment: a supervised model beside the zero-shot one.

Off unless the profile names a model. The paper's definition (`sentiment`) is never overwritten: the
second label has columns of its own, and how often the two agree is reported (`validate/opinions`).

A transcript longer than the model's window is read in overlapping windows; its scores are the mean
of the windows' scores, each weighted by the tokens it adds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import polars as pl

from builder.annotate.nli.checkpoint import local_folder
from builder.annotate.nli.classifier import TextClassifier
from builder.annotate.nli.stage import SCORE_DIGITS, nli_params
from builder.annotate.nli.windows import over_windows, windows
from builder.annotate.sentiment import labelled, longest_first
from builder.config.profile import SecondOpinionTable
from builder.run.stage import Stage
from ecuador_crisis_tiktok import SENTIMENT_LABELS as LABELS


@lru_cache(maxsize=1)
def shared_classifier(table: SecondOpinionTable) -> TextClassifier:
    """The classifier of a table, loaded once per process. Raises as `TextClassifier.load`."""
    return TextClassifier.load(
        table.model,
        table.backend,
        revision=table.revision,
        labels=table.labels,
        precision=table.precision,
        max_tokens=table.max_tokens,
    )


class SecondOpinion(Stage):
    """Adds what a second model says of `text`. Statuses as `Sentiment`'s.

    Args:
        table: the model.
        classifier: a loaded one, for tests; default: the one of the process.
    """

    name: ClassVar[str] = "second_opinion"
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "label": pl.String,
        "confidence": pl.Float32,
        "n_windows": pl.Int32,
        "status": pl.String,
        "reason": pl.String,
        "model": pl.String,
    }
    batch_size = 128

    def __init__(self, table: SecondOpinionTable, classifier: TextClassifier | None = None) -> None:
        self.table, self._given = table, classifier

    @property
    def params(self) -> dict[str, Any]:
        """The `[second_opinion]` table."""
        return {self.name: nli_params(self.table), "digits": SCORE_DIGITS}

    def check(self) -> None:
        """Is there such a model, or could there be on the Hub? Raises `ModelProblem`."""
        local_folder(self.table.model)

    def load(self) -> TextClassifier:
        """The model. Raises `ModelProblem` when it cannot be had."""
        return self._given or shared_classifier(self.table)

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """As `Sentiment.order`."""
        return longest_first(pending)

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """See `Stage.rows`. The input column `text` may be null."""
        return labelled(batch["text"].to_list(), self.scores, self._verdict)

    def _verdict(self, scores: list[float], count: int) -> dict[str, Any]:
        best = max(range(len(LABELS)), key=scores.__getitem__)
        return {
            "label": LABELS[best],
            "confidence": round(scores[best], SCORE_DIGITS),
            "n_windows": count,
            "model": self.loaded.model,
        }

    def scores(self, texts: list[str]) -> list[tuple[list[float], int]]:
        """Scores (negative, neutral, positive), unrounded, and number of windows of each text."""
        if not texts:
            return []
        classifier: TextClassifier = self.loaded
        encoder = classifier.texts
        cut = [windows(encoder, text, encoder.room, self.table.overlap) for text in texts]
        per_window = classifier.scores([window.text for parts in cut for window in parts])
        return over_windows(per_window, cut)
