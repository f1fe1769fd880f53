"""Fills a built release with invented sentiment, summaries and languages, in its Parquet files.

The model stages are not needed for what `validate/quality` and `review` do; the columns are.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

# `evaluate` reads these when it is imported, and imports modules from one folder a process
os.environ.setdefault("HF_MODULES_CACHE", tempfile.mkdtemp(prefix="evaluate-modules-"))
os.environ.setdefault("HF_EVALUATE_OFFLINE", "1")

import numpy as np
import polars as pl
import pytest
from release_kit import rewrite, table

ROOT = Path(__file__).resolve().parents[1]

LABELS = ["negative", "neutral", "positive"]
VERDICTS = ["entailment", "neutral", "contradiction"]
MODEL = "invented-model@1"


def load_card(name: str, cache: Path) -> Any:
    """`evaluate.load("cards/<name>")` from the repository root, with a cache folder of its own."""
    evaluate = pytest.importorskip("evaluate")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return evaluate.load(f"cards/{name}", cache_dir=str(cache))


def _scores(dice: np.random.Generator, n: int) -> np.ndarray:
    """n rows of three probabilities, rounded as the stages round, in a sure-to-unsure mixture."""
    logits = dice.normal(0, 1, (n, 3)) * dice.choice([0.6, 1.5, 4.0], (n, 1))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.round(powers / powers.sum(axis=1, keepdims=True), 4).astype(np.float32)


def fill(release: Path, seed: int = 0, truth: float = 1.6) -> pl.DataFrame:
    """Give every usable transcript a sentiment, a summary, a verdict and a language.

    Args:
        release: a copy that may be changed; it still keeps its contract afterwards.
        seed: of the invention.
        truth: temperature at which the sentiment scores would be calibrated.

    Returns:
        The made-up truth: `video_id`, `label`, `gold` (drawn from the scores at `truth`),
        `entailment`.
    """
    dice = np.random.default_rng(seed)
    videos = table(release, "videos")
    usable = (videos["transcript_status"] == "ok").to_numpy()
    n = videos.height
    scores, verdicts = _scores(dice, n), _scores(dice, n)
    best, verdict = scores.argmax(axis=1), verdicts.argmax(axis=1)
    sure = scores[np.arange(n), best]
    soft = scores.astype(np.float64) ** (1 / truth)
    soft /= soft.sum(axis=1, keepdims=True)
    gold = [LABELS[int(dice.choice(3, p=row))] for row in soft]
    spoken = dice.choice(["es", "es", "es", "es", "qu", "en"], n)
    ok = pl.Series(usable)

    def only(values: list | np.ndarray, dtype: pl.DataType | type = pl.Float32) -> pl.Series:
        return pl.Series(
            [value if keep else None for value, keep in zip(list(values), usable, strict=True)],
            dtype=dtype,
        )

    added = pl.DataFrame(
        {
            "video_id": videos["video_id"],
            "label": only([LABELS[i] for i in best], pl.String),
            "confidence": only(sure),
            **{f"score_{name}": only(scores[:, i]) for i, name in enumerate(LABELS)},
            "low_confidence": only(sure < np.float32(0.75), pl.Boolean),
            "summary": only([f"Resumen inventado número {i}" for i in range(n)], pl.String),
            "entailment": only([VERDICTS[i] for i in verdict], pl.String),
            "entailment_confidence": only(verdicts[np.arange(n), verdict]),
            "language": only(spoken, pl.String),
            "status": ["ok" if keep else "skipped" for keep in usable],
            "model": only([MODEL] * n, pl.String),
            "method": only(["extractive"] * n, pl.String),
        }
    )

    def put(frame: pl.DataFrame, renamed: dict[str, str]) -> pl.DataFrame:
        side = added.select("video_id", *(pl.col(k).alias(f"_{v}") for k, v in renamed.items()))
        joined = frame.join(side, on="video_id", how="left", maintain_order="left")
        columns = [
            pl.col(f"_{name}").cast(frame.schema[name]).alias(name) for name in renamed.values()
        ]
        return joined.with_columns(columns).select(frame.columns)

    same = {name: name for name in ("label", "confidence", "low_confidence", "status", "model")} | {
        f"score_{name}": f"score_{name}" for name in LABELS
    }
    rewrite(release, "sentiment", lambda frame: put(frame, same))
    summaries = {
        name: name
        for name in ("summary", "method", "model", "status", "entailment", "entailment_confidence")
    }
    rewrite(
        release,
        "summaries",
        lambda frame: put(frame, summaries).with_columns(entailment_model=pl.col("model")),
    )
    rewrite(
        release,
        "transcripts",
        lambda frame: put(frame, {"language": "language"}).with_columns(
            language=pl.when("is_preferred").then("language")
        ),
    )
    rewrite(
        release,
        "videos",
        lambda frame: put(
            frame,
            {
                "label": "sentiment",
                "confidence": "sentiment_confidence",
                "low_confidence": "low_confidence",
                "summary": "summary",
                "method": "summary_method",
                "entailment": "entailment",
                "entailment_confidence": "entailment_confidence",
                "language": "language",
            },
        ),
    )
    return added.with_columns(gold=pl.Series(gold)).filter(ok)
