"""Sentiment of transcripts: zero-shot classification with an NLI model.

The transcript is the premise; each label makes a hypothesis ("El sentimiento de este texto es
negativo."). Scores are the softmax over the labels' entailment logits: exactly what transformers'
zero-shot pipeline computes with `multi_label=False`. The paper's label wording is not public;
ours is a parameter (`[sentiment]` of the profile).

A transcript longer than the model's window is read in overlapping windows; its scores are the mean
of the windows' scores, each weighted by the tokens it adds. `long = "truncate"` reads the
beginning only, as the pipeline does.

Int8 moves a score by half a percent on average, which matters only where two labels are almost
level: such texts are scored again in float32 (`recheck`). On a processor that cuts int8 sums off
(`sums_int8_exactly`) it moves one by 1.25 percent, so that what counts as level is wider there:
with `CUT_OFF` times the margin one text in five is scored again, and the mean difference from
float32 is under one percent once more (`scripts/parity_nli.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl

from builder.annotate.nli.engine import NliEngine, softmax
from builder.annotate.nli.stage import SCORE_DIGITS, NliStage
from builder.annotate.nli.windows import Window, over_windows, windows
from builder.annotate.transcripts.pieces import has_words
from builder.config.profile import NliTable, SentimentTable
from builder.run.cpu import sums_int8_exactly
from ecuador_crisis_tiktok import SENTIMENT_LABELS as LABELS

CUT_OFF = 4.0  # chosen on half of the texts of scripts/parity_nli.py, the other half agrees


class Sentiment(NliStage):
    """Adds the sentiment of `text`.

    Statuses: `ok`; `skipped` with the reason `no_text` (null or blank) or `no_words` (emoji,
    digits and punctuation only). A text in another language is scored like any other: the models
    are multilingual, and the transcript's language is a column of its own.

    Args:
        nli: the model.
        table: wording and treatment of long texts.
        engine: a loaded engine, for tests; default: the one all stages share.
    """

    name: ClassVar[str] = "sentiment"
    version: ClassVar[str] = "2"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "label": pl.String,
        "confidence": pl.Float32,
        "score_negative": pl.Float32,
        "score_neutral": pl.Float32,
        "score_positive": pl.Float32,
        "low_confidence": pl.Boolean,
        "n_windows": pl.Int32,
        "status": pl.String,
        "reason": pl.String,
        "model": pl.String,
    }

    def __init__(
        self,
        nli: NliTable,
        table: SentimentTable | None = None,
        engine: NliEngine | None = None,
    ) -> None:
        super().__init__(nli, engine)
        self.table: SentimentTable = table or SentimentTable()

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """Longest first, equal texts together: TikTok sounds repeat, and are computed once."""
        return longest_first(pending)

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """See `Stage.rows`. The input column `text` may be null."""
        return labelled(batch["text"].to_list(), self.scores, self._verdict)

    def scores(self, texts: list[str]) -> list[tuple[list[float], int]]:
        """Scores (negative, neutral, positive), unrounded, and number of windows of each text."""
        if not texts:
            return []
        engine = self.engine
        found = self._scored(engine, texts)
        level = self.table.recheck * (1.0 if sums_int8_exactly() else CUT_OFF)
        close = [i for i, (scores, _) in enumerate(found) if _margin(scores) < level]
        if close and (exact := engine.exact()) is not engine:
            again = self._scored(exact, [texts[index] for index in close])
            for index, result in zip(close, again, strict=True):
                found[index] = result
        return found

    def _scored(self, engine: NliEngine, texts: list[str]) -> list[tuple[list[float], int]]:
        hypotheses = self.hypotheses
        cut = [self._windows(engine, text, hypotheses) for text in texts]
        premises = [window.text for parts in cut for window in parts]
        repeated = [premise for premise in premises for _ in hypotheses]
        logits = engine.logits(repeated, list(hypotheses) * len(premises))
        per_window = softmax(logits[:, 0].reshape(len(premises), len(hypotheses)))
        return over_windows(per_window, cut)

    @property
    def hypotheses(self) -> list[str]:
        """The hypotheses of negative, neutral and positive."""
        table = self.table
        return [
            table.template.replace("{}", label)
            for label in (table.negative, table.neutral, table.positive)
        ]

    def _windows(self, engine: NliEngine, text: str, hypotheses: list[str]) -> list[Window]:
        if self.table.long == "truncate":
            return [Window(text, 0, 1)]
        size = engine.pairs.room - max(engine.pairs.lengths(hypotheses))
        return windows(engine.pairs, text, size, self.table.overlap)

    def _verdict(self, scores: list[float], count: int) -> dict[str, Any]:
        rounded = [round(score, SCORE_DIGITS) for score in scores]
        best = max(range(len(LABELS)), key=scores.__getitem__)
        return {
            "label": LABELS[best],
            "confidence": rounded[best],
            **{f"score_{label}": value for label, value in zip(LABELS, rounded, strict=True)},
            # as float32, like the column it is stored in
            "low_confidence": bool(np.float32(rounded[best]) < np.float32(self.table.threshold)),
            "n_windows": count,
            "model": self.engine.model,
        }


def longest_first(pending: pl.DataFrame) -> pl.DataFrame:
    """Texts in the order they are scored in, equal ones together; nulls last."""
    length = pl.col("text").str.len_chars()
    return pending.sort(length, "text", "id", descending=[True, False, False], nulls_last=True)


def labelled(
    texts: Sequence[str | None],
    scores: Callable[[list[str]], list[tuple[list[float], int]]],
    verdict: Callable[[list[float], int], dict[str, Any]],
) -> list[dict[str, Any]]:
    """A row for each text; what is nothing to score has a reason.

    Args:
        texts: null for none.
        scores: of texts: scores of the labels, and number of windows.
        verdict: the columns that are made of these.
    """
    rows = [_blank(text) for text in texts]
    todo = [(row, text) for row, text in zip(rows, texts, strict=True) if row["status"] == "ok"]
    found = scores([text or "" for _, text in todo])
    for (row, _), (values, count) in zip(todo, found, strict=True):
        row.update(verdict(values, count))
    return rows


def _blank(text: str | None) -> dict[str, Any]:
    """The row of a text that is not scored; status `ok` where it is."""
    if not (text or "").strip():
        return {"status": "skipped", "reason": "no_text"}
    if not has_words(text):
        return {"status": "skipped", "reason": "no_words"}
    return {"status": "ok"}


def _margin(scores: list[float]) -> float:
    """How far the best score is ahead of the second."""
    second, best = sorted(scores)[-2:]
    return best - second
