"""Entailment: one pair for short transcripts, sentence x window for long ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from nli_checkpoints import TEXTS

from builder.annotate.entailment import Entailment, decisive
from builder.config.profile import EntailmentTable, NliTable
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS

SCORES = [f"score_{label}" for label in LABELS]
LONG = " ".join(TEXTS)
SUMMARY = f"{TEXTS[0]} {TEXTS[2]}"


def stage(engine: Any, **table: Any) -> Entailment:
    return Entailment(NliTable(model="tiny"), EntailmentTable(**table), engine=engine)


def frame(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": range(len(rows)), "text": [r[0] for r in rows], "summary": [r[1] for r in rows]},
        schema={"id": pl.Int64, "text": pl.String, "summary": pl.String},
    )


def test_a_short_transcript_is_one_pair(bert_engine: Any) -> None:
    (row,) = stage(bert_engine)(frame((TEXTS[0], TEXTS[1]))).iter_rows(named=True)
    expected = bert_engine.score([TEXTS[0]], [TEXTS[1]])[0]
    assert np.allclose([row[name] for name in SCORES], expected, atol=6e-5)
    assert row["entailment"] == LABELS[int(expected.argmax())]
    assert row["entailment_confidence"] == max(row[name] for name in SCORES)
    assert (row["status"], row["n_pairs"]) == ("ok", 1)


@pytest.mark.parametrize("aggregate", ["mean", "min"])
def test_a_long_transcript_is_scored_by_sentence_and_window(
    bert_engine: Any, aggregate: str
) -> None:
    made = stage(bert_engine, aggregate=aggregate, overlap=8)
    (row,) = made(frame((LONG, SUMMARY))).iter_rows(named=True)
    parts, sentences = made._plan(bert_engine, LONG, SUMMARY) or ([], [])
    assert len(sentences) >= 2
    assert len(parts) >= 4
    assert row["n_pairs"] == len(sentences) * len(parts)
    triples = np.stack(
        [decisive(bert_engine.score(parts, [sentence] * len(parts))) for sentence in sentences]
    )
    expected = triples.mean(axis=0) if aggregate == "mean" else triples[triples[:, 0].argmin()]
    assert np.allclose([row[name] for name in SCORES], expected, atol=6e-5)


def test_which_window_decides() -> None:
    off_topic, entails, contradicts = [0.05, 0.9, 0.05], [0.8, 0.1, 0.1], [0.05, 0.15, 0.8]
    assert decisive(np.array([off_topic, entails, contradicts]))[0] == 0.8
    assert decisive(np.array([off_topic, contradicts, off_topic]))[2] == 0.8
    assert decisive(np.array([off_topic, off_topic]))[1] == 0.9


def test_truncate_is_one_pair_of_the_beginning(bert_engine: Any) -> None:
    made = stage(bert_engine, long="truncate")(frame((LONG, TEXTS[0]), (LONG + " más", TEXTS[0])))
    assert made["n_pairs"].to_list() == [1, 1]
    assert made["score_entailment"].n_unique() == 1


def test_every_row_has_a_defined_outcome(xlmr_engine: Any) -> None:
    rows = frame(
        (None, "x"), ("hola", None), ("hola", "  "), ("😀", "hola"), ("hola", "🔥"),
        ("hola", "hola"),
        ("a" * 50_000, "hola"), (LONG * 5, "palabra " * 2_000), ("hola", LONG),
    )  # fmt: skip
    made = stage(xlmr_engine)(rows)
    assert made["reason"].to_list() == [
        "no_text", "no_summary", "no_summary", "no_words", "no_words", None, None, None, None,
    ]  # fmt: skip
    assert made["status"].to_list() == ["skipped"] * 5 + ["ok"] * 4
    cut = stage(xlmr_engine, long="truncate")(frame((LONG, "palabra " * 2_000), (LONG, "hola")))
    assert cut["status"].to_list() == ["failed", "ok"]
    assert cut["reason"].to_list() == ["summary_too_long", None]


def test_bytes_do_not_depend_on_company(bert_engine: Any) -> None:
    made = stage(bert_engine)
    rows = frame(*((TEXTS[i % 8] * (1 + 6 * (i % 3)), TEXTS[(i + 3) % 8]) for i in range(24)))
    assert made(rows).equals(pl.concat([made(rows.slice(i, 1)) for i in range(24)]))
