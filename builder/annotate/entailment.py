"""Does the transcript entail its summary? Entailment, neutral or contradiction, with confidence.

A transcript that fits the model's window is one pair with the whole summary. A longer one is
judged as in SummaC (Laban et al. 2022): every sentence of the summary meets every window of the
transcript, each sentence keeps the window that decides it, and sentences are averaged (or the
least entailed one counts, `aggregate = "min"`). `long = "truncate"` cuts the transcript instead.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl

from builder.annotate.nli.backends import Floats
from builder.annotate.nli.engine import NliEngine, softmax
from builder.annotate.nli.pairs import MIN_PREMISE_TOKENS
from builder.annotate.nli.stage import SCORE_DIGITS, NliStage
from builder.annotate.nli.windows import windows
from builder.annotate.transcripts.pieces import has_words, pieces
from builder.config.profile import EntailmentTable, NliTable
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS

ENTAILED, _NEUTRAL = LABELS.index("entailment"), LABELS.index("neutral")


class Entailment(NliStage):
    """Adds the verdict on `summary` given `text`.

    Statuses: `ok`; `skipped` with the reason `no_summary`, `no_text` or `no_words` (one of them
    holds no word); `failed` with `summary_too_long` (only with `long = "truncate"`: the summary
    alone fills the model's window).

    Args:
        nli: the model.
        table: treatment of long transcripts.
        engine: a loaded engine, for tests; default: the one all stages share.
    """

    name: ClassVar[str] = "entailment"
    version: ClassVar[str] = "2"
    input_columns: ClassVar[tuple[str, ...]] = ("text", "summary")
    output_schema: ClassVar[dict[str, Any]] = {
        "entailment": pl.String,
        "entailment_confidence": pl.Float32,
        "score_entailment": pl.Float32,
        "score_neutral": pl.Float32,
        "score_contradiction": pl.Float32,
        "n_pairs": pl.Int32,
        "status": pl.String,
        "reason": pl.String,
        "entailment_model": pl.String,
    }

    def __init__(
        self,
        nli: NliTable,
        table: EntailmentTable | None = None,
        engine: NliEngine | None = None,
    ) -> None:
        super().__init__(nli, engine)
        self.table: EntailmentTable = table or EntailmentTable()

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """Longest first, equal texts together."""
        length = pl.col("text").str.len_chars()
        return pending.sort(
            length, "text", "summary", "id", descending=[True, False, False, False], nulls_last=True
        )

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """See `Stage.rows`. Both input columns may be null."""
        engine = self.engine
        rows: list[dict[str, Any]] = []
        grids: list[tuple[int, int, int]] = []  # row, sentences, windows
        premises: list[str] = []
        hypotheses: list[str] = []
        for text, summary in batch.select("text", "summary").iter_rows():
            row = _blank(text, summary)
            rows.append(row)
            if row["status"] != "ok":
                continue
            plan = self._plan(engine, text, summary)
            if plan is None:
                row.update(status="failed", reason="summary_too_long")
                continue
            parts, sentences = plan
            grids.append((len(rows) - 1, len(sentences), len(parts)))
            for sentence in sentences:
                premises.extend(parts)
                hypotheses.extend([sentence] * len(parts))
        if not premises:
            return rows
        scores = softmax(engine.logits(premises, hypotheses))
        at = 0
        for index, many, wide in grids:
            grid = scores[at : at + many * wide].reshape(many, wide, 3)
            at += many * wide
            rows[index].update(self._verdict(grid, engine.model))
        return rows

    def _plan(
        self, engine: NliEngine, text: str, summary: str
    ) -> tuple[list[str], list[str]] | None:
        """Premises (windows) and hypotheses (sentences) to cross; None: the summary is too long."""
        room = engine.pairs.room
        premise, hypothesis = engine.pairs.lengths([text, summary])
        if premise + hypothesis <= room:
            return [text], [summary]
        if self.table.long == "truncate":
            fits = room - hypothesis >= min(premise, MIN_PREMISE_TOKENS)
            return ([text], [summary]) if fits else None
        # A sentence may take a third of the window at most.
        sentences = [
            part.text
            for sentence in pieces(summary)
            for part in windows(engine.pairs, sentence, room // 3)
        ]
        longest = max(engine.pairs.lengths(sentences))
        parts = windows(engine.pairs, text, room - longest, self.table.overlap)
        return [part.text for part in parts], sentences

    def _verdict(self, grid: Floats, model: str) -> dict[str, Any]:
        triples = np.stack([decisive(row) for row in grid]).astype(np.float64)
        if self.table.aggregate == "min":
            triple = triples[int(triples[:, ENTAILED].argmin())]
        else:
            triple = triples.mean(axis=0)
        best = int(triple.argmax())
        rounded = [round(float(value), SCORE_DIGITS) for value in triple]
        return {
            "entailment": LABELS[best],
            "entailment_confidence": rounded[best],
            **{f"score_{label}": value for label, value in zip(LABELS, rounded, strict=True)},
            "n_pairs": int(grid.shape[0] * grid.shape[1]),
            "entailment_model": model,
        }


def _blank(text: str | None, summary: str | None) -> dict[str, Any]:
    """The row of a pair that is not judged; status `ok` where it is."""
    if not (text or "").strip():
        return {"status": "skipped", "reason": "no_text"}
    if not (summary or "").strip():
        return {"status": "skipped", "reason": "no_summary"}
    if not has_words(text) or not has_words(summary):
        return {"status": "skipped", "reason": "no_words"}
    return {"status": "ok"}


def decisive(windows_scores: Floats) -> Floats:
    """The scores of the window that decides a sentence, shape (windows, 3) -> (3,).

    The window that entails it most, if that window says entailment (SummaC's maximum). If none
    does, the window least neutral about it: one stretch that contradicts a sentence is not
    outvoted by the many that are about something else.
    """
    best: Floats = windows_scores[int(windows_scores[:, ENTAILED].argmax())]
    if int(best.argmax()) == ENTAILED:
        return best
    chosen: Floats = windows_scores[int(windows_scores[:, _NEUTRAL].argmin())]
    return chosen
