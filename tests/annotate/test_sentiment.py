"""Sentiment: semantics, long texts, odd texts, and the same bytes after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from nli_checkpoints import TEXTS

from builder.annotate.nli.engine import softmax
from builder.annotate.sentiment import CUT_OFF, LABELS, Sentiment
from builder.config.profile import NliTable, SentimentTable
from builder.run.local import run_stage
from builder.run.store import Store

SCORES = [f"score_{label}" for label in LABELS]


def stage(engine: Any, **table: Any) -> Sentiment:
    table.setdefault("recheck", 0)
    return Sentiment(NliTable(model="tiny"), SentimentTable(**table), engine=engine)


def frame(*texts: str | None) -> pl.DataFrame:
    ids = list(range(7_000_000_000_000_000_000, 7_000_000_000_000_000_000 + len(texts)))
    return pl.DataFrame({"id": ids, "text": texts}, schema={"id": pl.Int64, "text": pl.String})


def test_scores_are_the_softmax_of_the_labels_entailment_logits(bert_engine: Any) -> None:
    made = stage(bert_engine)(frame(*TEXTS[:8]))
    for row, text in zip(made.iter_rows(named=True), TEXTS[:8], strict=True):
        hypotheses = [
            f"The sentiment of this text is {x}." for x in ("negative", "neutral", "positive")
        ]
        logits = bert_engine.logits([text] * 3, hypotheses)[:, 0]
        expected = softmax(logits[None])[0]
        assert np.allclose([row[name] for name in SCORES], expected, atol=6e-5)
        assert row["label"] == LABELS[int(expected.argmax())]
        assert row["confidence"] == max(row[name] for name in SCORES)
        assert row["low_confidence"] == (row["confidence"] < 0.75)
        assert (row["status"], row["reason"], row["n_windows"]) == ("ok", None, 1)
    assert made["model"].unique().len() == 1


def test_every_row_comes_back_with_a_defined_outcome(xlmr_engine: Any) -> None:
    texts = [None, "", "  \n", "😀🔥🇪🇨", "123 !!!", "ñ" * 50_000, "palabra larga " * 4_000,
             "The city is quiet today.", "Hoje o povo tem medo.", "Ñukanchik llakta"]  # fmt: skip
    made = stage(xlmr_engine)(frame(*texts))
    assert made["id"].to_list() == frame(*texts)["id"].to_list()
    assert made["status"].to_list() == ["skipped"] * 5 + ["ok"] * 5
    assert made["reason"].to_list() == ["no_text"] * 3 + ["no_words"] * 2 + [None] * 5
    ok = made.filter(pl.col("status") == "ok")
    assert ok.select(SCORES).null_count().sum_horizontal().item() == 0
    assert np.allclose(ok.select(pl.sum_horizontal(SCORES)).to_numpy(), 1, atol=2e-4)
    assert made.filter(pl.col("status") != "ok")["label"].null_count() == 5
    assert made["n_windows"].to_list()[6] > 50


def test_a_long_text_is_the_weighted_mean_of_its_windows(bert_engine: Any) -> None:
    text = " ".join(TEXTS)
    whole = stage(bert_engine, overlap=0)
    (scores, count), = whole.scores([text])  # fmt: skip
    cut = whole._windows(bert_engine, text, whole.hypotheses)
    assert count == len(cut) > 2
    each = np.array(
        [s for s, _ in stage(bert_engine, long="truncate").scores([w.text for w in cut])]
    )
    weights = np.array([window.tokens for window in cut], float)
    assert np.allclose(scores, weights @ each / weights.sum(), atol=1e-6)


def test_truncate_reads_the_beginning_only(bert_engine: Any) -> None:
    text = " ".join(TEXTS)
    short = stage(bert_engine, long="truncate")
    assert short.scores([text]) == short.scores([text + " y entonces todo cambió para bien"])
    assert short.scores([text])[0][1] == 1


def test_wording_is_part_of_the_fingerprint_and_of_the_hypotheses(bert_engine: Any) -> None:
    usual, other = stage(bert_engine), stage(bert_engine, template="Es {}.", negative="malo")
    assert usual.fingerprint != other.fingerprint
    assert other.hypotheses == ["Es malo.", "Es neutral.", "Es positive."]


@pytest.mark.parametrize("exactly", [True, False])
def test_near_ties_are_scored_again_in_float32(
    bert_engine: Any, exactly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = TEXTS[:8]
    exact = stage(bert_engine.exact()).scores(texts)
    quick = stage(bert_engine).scores(texts)
    margins = [sorted(scores)[-1] - sorted(scores)[-2] for scores, _ in quick]
    level = sorted(margins)[4]
    monkeypatch.setattr("builder.annotate.sentiment.sums_int8_exactly", lambda: exactly)
    mixed = stage(bert_engine, recheck=level if exactly else level / CUT_OFF).scores(texts)
    for index, margin in enumerate(margins):
        scores, count = (exact if margin < level else quick)[index]
        # float32 sums differ in the last digit with the company a text is scored in
        assert mixed[index] == (pytest.approx(scores, abs=1e-6), count)
    assert bert_engine.exact().backend.precision == "float32"
    assert np.abs(np.array([s for s, _ in exact]) - np.array([s for s, _ in quick])).max() > 0


def test_bytes_do_not_depend_on_company(bert_engine: Any) -> None:
    """A row scored alone, in a full batch, or after others were done is the same row."""
    made = stage(bert_engine)
    rows = frame(*(TEXTS[i % 8] * (1 + i % 3) for i in range(40)))
    together = made(rows)
    apart = pl.concat([made(rows.slice(i, 1)) for i in range(40)])
    assert together.equals(apart)
    assert made(rows.reverse()).sort("id").equals(together.sort("id"))


def test_resume_after_kill_gives_the_same_bytes(
    bert_engine: Any, nli_home: Path, tmp_path: Path
) -> None:
    """kill -9 in the middle, run again: as if nothing had happened."""
    code = f"""
import sys, time
from pathlib import Path
import polars as pl
from builder.annotate.nli.engine import NliEngine
from builder.config.profile import NliTable
from builder.annotate.sentiment import Sentiment
from builder.run.local import run_stage
from builder.run.store import Store

class Slow(Sentiment):
    batch_size = 8
    def __call__(self, batch):
        time.sleep(float(sys.argv[2]))
        return super().__call__(batch)

engine = NliEngine.load({str(nli_home / "bert")!r}, "ctranslate2",
                        cache_dir=Path({str(nli_home / "cache")!r}))
rows = pl.read_parquet({str(tmp_path / "rows.parquet")!r})
out, report = run_stage(Slow(NliTable(model="tiny"), engine=engine), rows, Store(Path(sys.argv[1])))
out.write_parquet(Path(sys.argv[1]) / "out.parquet")
print(report.computed)
"""
    frame(*(TEXTS[i % 8] * (1 + i % 5) for i in range(80))).write_parquet(tmp_path / "rows.parquet")

    def start(work: str, pause: float) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / work), str(pause)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    whole = start("whole", 0)
    assert whole.communicate(timeout=120)[0].split() == ["80"]
    killed = start("killed", 0.3)
    deadline = time.monotonic() + 90
    while len(list((tmp_path / "killed").rglob("part-*.parquet"))) < 3:
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done = start("killed", 0).communicate(timeout=120)[0]
    assert 0 < int(done) <= 56
    for name in ("whole", "killed"):
        assert (tmp_path / name / "out.parquet").is_file()
    assert (tmp_path / "whole/out.parquet").read_bytes() == (
        tmp_path / "killed/out.parquet"
    ).read_bytes()
    parts = [
        sorted(path.name for path in (tmp_path / name).rglob("part-*.parquet"))
        for name in ("whole", "killed")
    ]
    assert parts[0] == parts[1], "the parts hold the same bytes, too"


def test_a_second_run_does_nothing(bert_engine: Any, tmp_path: Path) -> None:
    rows = frame(*TEXTS[:6], None)
    first, report = run_stage(stage(bert_engine), rows, Store(tmp_path))
    second, again = run_stage(stage(bert_engine), rows, Store(tmp_path))
    assert (report.computed, again.computed) == (7, 0)
    assert first.equals(second)
    assert report.reasons == {"no_text": 1}


def test_templates_are_checked() -> None:
    with pytest.raises(ValueError, match="template"):
        SentimentTable(template="El sentimiento es negativo.")
