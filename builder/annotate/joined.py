"""One wide row a video: what the source gave and what the stages found, side by side.

Still private: `anonymize` scrubs and drops columns afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from builder.annotate.transcripts.columns import judge

_SEGMENTS = pl.List(pl.Struct({"start": pl.Float32, "end": pl.Float32, "text": pl.String}))

# column of a stage's output -> column of the anonymised row, and its type
PROBE = {
    "status": ("media_status", pl.String),
    "duration_seconds": ("probe_duration", pl.Float64),
    "n_frames": ("probe_frames", pl.Int64),
}
TRANSCRIBE = {
    "text": ("whisper_text", pl.String),
    "status": ("whisper_status", pl.String),
    "reason": ("whisper_reason", pl.String),
    "model": ("whisper_model", pl.String),
    "avg_logprob": ("avg_logprob", pl.Float32),
    "no_speech_prob": ("no_speech_prob", pl.Float32),
    "compression_ratio": ("compression_ratio", pl.Float32),
    "segments": ("segments", _SEGMENTS),
}
SENTIMENT = {
    "label": ("label", pl.String),
    "confidence": ("confidence", pl.Float32),
    "score_negative": ("score_negative", pl.Float32),
    "score_neutral": ("score_neutral", pl.Float32),
    "score_positive": ("score_positive", pl.Float32),
    "low_confidence": ("low_confidence", pl.Boolean),
    "status": ("sentiment_status", pl.String),
    "reason": ("sentiment_reason", pl.String),
    "model": ("sentiment_model", pl.String),
}
SUMMARIZE = {
    "summary": ("summary", pl.String),
    "method": ("summary_method", pl.String),
    "model": ("summary_model", pl.String),
    "status": ("summary_status", pl.String),
    "reason": ("summary_reason", pl.String),
}
ENTAILMENT = {
    "status": ("entailment_status", pl.String),
    "reason": ("entailment_reason", pl.String),
    "entailment": ("entailment", pl.String),
    "entailment_confidence": ("entailment_confidence", pl.Float32),
    "entailment_model": ("entailment_model", pl.String),
}
LANGUAGE = {
    "language": ("language", pl.String),
    "language_confidence": ("language_confidence", pl.Float32),
}
ROW_STAGES: dict[str, dict[str, tuple[str, Any]]] = {
    "probe": PROBE,
    "transcribe": TRANSCRIBE,
    "sentiment": SENTIMENT,
    "summarize": SUMMARIZE,
    "entailment": ENTAILMENT,
}
UPSTREAM_MODEL = "as published by the authors"
NOT_RUN, NO_TRANSCRIPT = "not_run", "no_usable_transcript"
API_MODEL = "TikTok Research API voice_to_text"


def wide_rows(raw: pl.DataFrame, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Join the stages' results to the raw rows and settle which transcript is preferred.

    Args:
        raw: one bucket of ingest.
        results: stage name -> output (`id` and output columns); `language` also has `source`.

    Returns:
        The rows of `raw`, in their order, with the columns of every stage (null where it did not
        run), `whisper_*` and `api_*` transcripts, and `preferred` (whisper, api or null).
    """
    wide = _transcripts(_joined(raw, results))
    # Every video has a row in the tables of labels; where there is nothing, this says why.
    usable = (pl.col("whisper_status") == "ok") | (pl.col("api_status") == "ok")
    why = pl.when(usable.fill_null(False)).then(pl.lit(NOT_RUN)).otherwise(pl.lit(NO_TRANSCRIPT))
    return wide.with_columns(
        pl.col(column).fill_null(why if stage in results else pl.lit(NOT_RUN))
        for stage, column in (("sentiment", "sentiment_status"), ("summarize", "summary_status"))
    )


def _joined(raw: pl.DataFrame, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Raw rows with the columns of every stage; null where a stage did not run."""
    frame = raw.rename({"whisper_text": "upstream_text", "upstream_summary": "published_summary"})
    for stage, columns in ROW_STAGES.items():
        names = {source: target for source, (target, _) in columns.items()}
        if stage in results:
            output = results[stage].select("id", *names).rename(names)
            frame = frame.join(output, on="id", how="left", maintain_order="left")
        else:
            missing = [pl.lit(None, dtype).alias(target) for target, dtype in columns.values()]
            frame = frame.with_columns(missing)
    frame = frame.with_columns(
        duration_seconds=pl.coalesce("probe_duration", "duration_seconds"),
        n_frames=pl.coalesce("probe_frames", "n_frames"),
    )
    return _languages(_published(frame), results.get("language"))


def _published(frame: pl.DataFrame) -> pl.DataFrame:
    """Upstream labels and summaries stand where our own stages gave nothing."""
    unheard = pl.col("whisper_status").is_null() | (pl.col("whisper_status") == "failed")
    take_text = unheard & pl.col("upstream_text").is_not_null()
    take_label = pl.col("sentiment_status").is_null() & pl.col("upstream_sentiment").is_not_null()
    take_summary = pl.col("summary_status").is_null() & pl.col("published_summary").is_not_null()

    def fill(name: str, take: pl.Expr, value: pl.Expr) -> pl.Expr:
        return pl.when(take).then(value).otherwise(pl.col(name)).alias(name)

    theirs = pl.lit(UPSTREAM_MODEL)
    return frame.with_columns(
        fill("whisper_text", take_text, pl.col("upstream_text")),
        fill("whisper_status", take_text, pl.lit(None, pl.String)),
        fill("whisper_model", take_text, theirs),
        fill("label", take_label, pl.col("upstream_sentiment")),
        fill("sentiment_model", take_label, theirs),
        fill("sentiment_status", take_label, pl.lit("ok")),
        fill("summary", take_summary, pl.col("published_summary")),
        fill("summary_model", take_summary, theirs),
        fill("summary_method", take_summary, pl.lit("upstream")),
        fill("summary_status", take_summary, pl.lit("ok")),
    ).drop("upstream_text", "published_summary", "probe_duration", "probe_frames")


def _languages(frame: pl.DataFrame, languages: pl.DataFrame | None) -> pl.DataFrame:
    for source in ("whisper", "api"):
        names = {c: f"{source}_{target}" for c, (target, _) in LANGUAGE.items()}
        if languages is None:
            frame = frame.with_columns(
                pl.lit(None, dtype).alias(names[c]) for c, (_, dtype) in LANGUAGE.items()
            )
            continue
        mine = languages.filter(pl.col("source") == source).select("id", *names).rename(names)
        frame = frame.join(mine, on="id", how="left", maintain_order="left")
    return frame


def _transcripts(frame: pl.DataFrame) -> pl.DataFrame:
    """Status and word count of both transcripts, and which one is preferred."""
    frame = frame.rename({"voice_to_text": "api_text"})
    for source in ("whisper", "api"):
        text = frame[f"{source}_text"]
        judged = judge(text)
        frame = frame.with_columns(judged["n_words"].alias(f"{source}_words"))
        status = pl.Series(judged["status"])
        reason = pl.Series(judged["reason"])
        if source == "whisper":
            ours = frame["whisper_status"].is_not_null()
            status = status.zip_with(~ours, frame["whisper_status"])
            reason = reason.zip_with(~ours, frame["whisper_reason"])
        frame = frame.with_columns(
            status.alias(f"{source}_status"), reason.alias(f"{source}_reason")
        )
    whisper, api = pl.col("whisper_status"), pl.col("api_status")
    return frame.with_columns(
        preferred=pl.when(whisper == "ok")
        .then(pl.lit("whisper"))
        .when(api == "ok")
        .then(pl.lit("api"))
        .when((whisper == "near_empty") | (api.is_null() & whisper.is_not_null()))
        .then(pl.lit("whisper"))
        .when(api.is_not_null())
        .then(pl.lit("api"))
    )
