"""Does the transcript entail its summary? Entailment, neutral or contradiction, with confidence.

As in SummaC (Laban et al. 2022) the summary is judged sentence by sentence: each meets every
sentence and every window of the transcript (`annotate.grid`), and the sentences are averaged (or
the least entailed one counts, `aggregate = "min"`). A sentence that stands in the transcript word
for word is entailed by definition: no model is asked, and `entailment_model` says so.

`granularity = "window"` judges whole windows only: one pair where transcript and summary fit the
model together; with `long = "truncate"` the transcript is cut to fit, as the paper's code would.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl

from builder.annotate.grid import ENTAILED, WORD_FOR_WORD, Grid
from builder.annotate.nli.backends.base import Floats
from builder.annotate.nli.engine import NliEngine, softmax
from builder.annotate.nli.pairs import MIN_PREMISE_TOKENS
from builder.annotate.nli.stage import SCORE_DIGITS, NliStage
from builder.annotate.nli.windows import windows
from builder.annotate.transcripts.pieces import has_words, pieces
from builder.annotate.transcripts.rules import normalise
from builder.config.profile import EntailmentTable, NliTable
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS


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
    version: ClassVar[str] = "3"
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
        rows: list[dict[str, Any]] = []
        grids: list[tuple[int, Grid]] = []
        for text, summary in batch.select("text", "summary").iter_rows():
            row = _blank(text, summary)
            rows.append(row)
            if row["status"] != "ok":
                continue
            grid = self._grid(text, summary)
            if grid is None:
                row.update(status="failed", reason="summary_too_long")
            else:
                grids.append((len(rows) - 1, grid))
        pairs = [pair for _, grid in grids for pair in grid.pairs()]
        scores = self._scores(pairs)
        at = 0
        for index, grid in grids:
            mine = scores[at : at + grid.size]
            at += grid.size
            rows[index].update(self._verdict(grid, mine))
        return rows

    def _scores(self, pairs: list[tuple[str, str]]) -> Floats:
        if not pairs:
            return np.zeros((0, len(LABELS)), np.float32)
        premises, hypotheses = zip(*pairs, strict=True)
        return softmax(self.engine.logits(list(premises), list(hypotheses)))

    def _grid(self, text: str, summary: str) -> Grid | None:
        """What is crossed with what; None: the summary is too long."""
        sentences, copied = pieces(summary), 0
        if self.table.word_for_word:
            said = f" {normalise(text)} "
            new = [one for one in sentences if f" {normalise(one)} " not in said]
            copied, sentences = len(sentences) - len(new), new
        if not sentences:
            return Grid(copied=copied)
        pairs = self.engine.pairs
        if self.table.granularity == "window":
            rest = summary if not copied else " ".join(sentences)
            premise, hypothesis = pairs.lengths([text, rest])
            if premise + hypothesis <= pairs.room:
                return Grid((rest,), (), (text,), copied)
            if self.table.long == "truncate":
                fits = pairs.room - hypothesis >= min(premise, MIN_PREMISE_TOKENS)
                return Grid((rest,), (), (text,), copied) if fits else None
        # A sentence may take a third of the window at most.
        short = [
            part.text
            for sentence in sentences
            for part in windows(pairs, sentence, pairs.room // 3)
        ]
        size = pairs.room - max(pairs.lengths(short))
        whole = [part.text for part in windows(pairs, text, size, self.table.overlap)]
        said_in: list[str] = []
        if self.table.granularity == "sentence":
            said_in = [part.text for one in pieces(text) for part in windows(pairs, one, size)]
        # a text of one sentence is its own window
        said_in = [one for one in dict.fromkeys(said_in) if one not in whole]
        return Grid(tuple(short), tuple(said_in), tuple(whole), copied)

    def _verdict(self, grid: Grid, scores: Floats) -> dict[str, Any]:
        triples = grid.triples(scores)
        if self.table.aggregate == "min":
            triple = triples[int(triples[:, ENTAILED].argmin())]
        else:
            triple = triples.mean(axis=0)
        best = int(triple.argmax())
        rounded = [round(float(value), SCORE_DIGITS) for value in triple]
        judges = [WORD_FOR_WORD] if grid.copied else []
        judges += [self.engine.model] if grid.size else []
        return {
            "entailment": LABELS[best],
            "entailment_confidence": rounded[best],
            **{f"score_{label}": value for label, value in zip(LABELS, rounded, strict=True)},
            "n_pairs": grid.size,
            "entailment_model": " + ".join(judges),
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
