"""Entailment: one pair for short transcripts, sentence x window for long ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from nli_checkpoints import TEXTS

from builder.annotate.entailment import Entailment
from builder.annotate.grid import WORD_FOR_WORD, Grid
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


def test_a_short_transcript_is_one_pair_by_windows(bert_engine: Any) -> None:
    made = stage(bert_engine, granularity="window")
    (row,) = made(frame((TEXTS[0], TEXTS[1]))).iter_rows(named=True)
    expected = bert_engine.score([TEXTS[0]], [TEXTS[1]])[0]
    assert np.allclose([row[name] for name in SCORES], expected, atol=6e-5)
    assert row["entailment"] == LABELS[int(expected.argmax())]
    assert row["entailment_confidence"] == max(row[name] for name in SCORES)
    assert (row["status"], row["n_pairs"]) == ("ok", 1)
    assert row["entailment_model"] == bert_engine.model


@pytest.mark.parametrize("granularity", ["sentence", "window"])
@pytest.mark.parametrize("aggregate", ["mean", "min"])
def test_sentences_meet_sentences_and_windows(
    bert_engine: Any, aggregate: str, granularity: str
) -> None:
    table = {"aggregate": aggregate, "granularity": granularity, "overlap": 8}
    made = stage(bert_engine, word_for_word=False, **table)
    (row,) = made(frame((LONG, SUMMARY))).iter_rows(named=True)
    grid = made._grid(LONG, SUMMARY)
    assert grid is not None
    assert len(grid.hypotheses) >= 2
    assert len(grid.windows) >= 4
    assert bool(grid.sentences) == (granularity == "sentence")
    premises, hypotheses = zip(*grid.pairs(), strict=True)
    assert row["n_pairs"] == len(premises)
    triples = grid.triples(bert_engine.score(list(premises), list(hypotheses)))
    expected = triples.mean(axis=0) if aggregate == "mean" else triples[triples[:, 0].argmin()]
    assert np.allclose([row[name] for name in SCORES], expected, atol=6e-5)


def test_which_premise_decides() -> None:
    off_topic, entails, contradicts = [0.05, 0.9, 0.05], [0.8, 0.1, 0.1], [0.05, 0.15, 0.8]
    said = ("ayer llovió en la sierra", "el alcalde renunció ayer por la tarde")
    grid = Grid(("el alcalde no renunció",), said, (" ".join(said),))
    # any premise that entails decides
    assert grid.triples(np.array([entails, off_topic, off_topic]))[0, 0] == 0.8
    # a sentence about something else does not contradict
    assert grid.triples(np.array([contradicts, off_topic, off_topic]))[0].argmax() == 1
    # one about the same thing does, the more so if the window agrees
    assert grid.triples(np.array([off_topic, contradicts, contradicts]))[0, 2] == pytest.approx(0.8)
    # nothing in common with any sentence: the window alone
    odd = Grid(("xyz xyzzy",), said, (" ".join(said),))
    assert odd.triples(np.array([contradicts, contradicts, off_topic]))[0, 1] == 0.9


def test_what_stands_in_the_transcript_needs_no_model(bert_engine: Any) -> None:
    made = stage(bert_engine)
    copied = TEXTS[2].upper().rstrip(".") + " !"
    rows = made(frame((LONG, TEXTS[0]), (LONG, f"{TEXTS[0]} {TEXTS[2]}"), (LONG, copied)))
    assert rows["entailment"].to_list() == ["entailment"] * 3
    assert rows["entailment_confidence"].to_list() == [1.0] * 3
    assert rows["n_pairs"].to_list() == [0] * 3
    assert rows["entailment_model"].unique().to_list() == [WORD_FOR_WORD]


def test_half_copied_summaries_name_both_judges(bert_engine: Any) -> None:
    foreign = "Los marcianos compraron doce elefantes."
    (row,) = stage(bert_engine)(frame((LONG, f"{TEXTS[0]} {foreign}"))).iter_rows(named=True)
    assert row["entailment_model"] == f"{WORD_FOR_WORD} + {bert_engine.model}"
    assert row["n_pairs"] > 0
    (alone,) = stage(bert_engine)(frame((LONG, foreign))).iter_rows(named=True)
    assert row["score_entailment"] == pytest.approx((1 + alone["score_entailment"]) / 2, abs=2e-4)


@pytest.mark.parametrize("part", ["hola", "no renunci", "renunció a"])
def test_a_part_of_a_word_is_not_word_for_word(bert_engine: Any, part: str) -> None:
    text = "el alcalde no renunció anoche y saludó con un holaaa"
    (row,) = stage(bert_engine)(frame((text, part))).iter_rows(named=True)
    assert WORD_FOR_WORD not in row["entailment_model"]


def test_truncate_is_one_pair_of_the_beginning(bert_engine: Any) -> None:
    made = stage(bert_engine, granularity="window", word_for_word=False, long="truncate")(
        frame((LONG, TEXTS[0]), (LONG + " más", TEXTS[0]))
    )
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
    cut = stage(xlmr_engine, granularity="window", word_for_word=False, long="truncate")(
        frame((LONG, "palabra " * 2_000), (LONG, "hola"))
    )
    assert cut["status"].to_list() == ["failed", "ok"]
    assert cut["reason"].to_list() == ["summary_too_long", None]


def test_bytes_do_not_depend_on_company(bert_engine: Any) -> None:
    made = stage(bert_engine)
    rows = frame(*((TEXTS[i % 8] * (1 + 6 * (i % 3)), TEXTS[(i + 3) % 8]) for i in range(24)))
    assert made(rows).equals(pl.concat([made(rows.slice(i, 1)) for i in range(24)]))
