"""From anonymised wide rows to the released tables."""

from __future__ import annotations

import polars as pl

from builder.annotate.joined import API_MODEL
from builder.config.campaign import Campaign
from builder.release.coarsen import coarse_day
from builder.release.texts.withhold import STATUS as WITHHELD

# Media no sound could be taken from; see `media.facts.STATUSES`. With no transcript from anywhere
# the video is dropped.
AUDIO_FAILED = tuple(
    "no_audio corrupt empty encrypted missing not_a_file unreadable private".split()
)
DROPPED_BOTH_FAILED = "audio_and_transcript_failed"

SOURCES = ("whisper", "api")
MISSING = "missing"  # status of the transcript of a video that no source gave one

_TRANSCRIPT = ("text", "status", "reason", "language", "language_confidence")


def split_dropped(wide: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """The paper's exclusion rule, second half: audio extraction AND transcript failed -> dropped.

    Returns:
        The rows kept, and reason -> rows dropped.
    """
    heard = pl.any_horizontal(
        pl.col(f"{source}_status").is_in(["ok", "near_empty", WITHHELD]).fill_null(False)
        for source in SOURCES
    )
    silent = pl.col("media_status").is_in(AUDIO_FAILED) | (pl.col("whisper_status") == "failed")
    kept = wide.filter(~silent.fill_null(False) | heard)
    dropped = wide.height - kept.height
    return kept, {DROPPED_BOTH_FAILED: dropped} if dropped else {}


def under(threshold: float, confidence: str = "confidence") -> pl.Expr:
    """Whether a confidence is low; null where there is none.

    Confidences are released as float32: a threshold of 0.7 is compared as such, or the stored 0.7
    would lie below it.
    """
    return pl.col(confidence).cast(pl.Float32) < pl.lit(threshold, pl.Float32)


def tables_of(wide: pl.DataFrame, threshold: float) -> dict[str, pl.DataFrame]:
    """The five tables with at least one row for every video, each sorted as the wide rows are.

    Args:
        wide: anonymised rows, sorted by date and video_id.
        threshold: of the profile; a confidence under it is flagged.

    Returns:
        config -> frame with all columns of that config (and the optional ones present).
    """
    flagged = _flagged(wide, threshold)
    transcripts = pl.concat([*(_transcripts_of(flagged, s) for s in SOURCES), _missing(flagged)])
    no_verdict = (pl.col("entailment_status") != "ok").fill_null(False)
    unjudged = pl.when(no_verdict).then(pl.format("entailment: {}", "entailment_reason"))
    order = flagged.select("video_id").with_row_index("row")
    transcripts = (
        transcripts.join(order, on="video_id")
        .sort("row", pl.col("source") == "api", nulls_last=True)
        .drop("row")
    )
    return {
        "videos": flagged,
        "metadata": flagged,
        "transcripts": transcripts,
        "sentiment": flagged.with_columns(
            status="sentiment_status", reason="sentiment_reason", model="sentiment_model"
        ),
        "summaries": flagged.with_columns(
            method="summary_method",
            model="summary_model",
            status="summary_status",
            reason=pl.coalesce("summary_reason", unjudged),
        ),
    }


def _flagged(wide: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Wide rows with the columns of `videos`: preferred transcript, exclusion flags, labels."""
    whisper = pl.col("preferred") == "whisper"
    api = pl.col("preferred") == "api"

    def preferred(name: str) -> pl.Expr:
        return (
            pl.when(whisper).then(pl.col(f"whisper_{name}")).when(api).then(pl.col(f"api_{name}"))
        )

    status = preferred("status").fill_null(MISSING)
    reason = (
        pl.when(status == "ok")
        .then(None)
        .when(status == "near_empty")
        .then(pl.lit("near_empty_transcript"))
        .when(status == WITHHELD)
        .then(pl.lit("transcript_withheld"))
        .otherwise(pl.lit("no_transcript"))
    )
    ok = pl.col("sentiment_status") == "ok"
    return wide.with_columns(
        transcript=preferred("text"),
        transcript_source="preferred",
        transcript_status=status,
        language=preferred("language"),
        exclusion_reason=reason,
        is_excluded=reason.is_not_null(),
        low_confidence=pl.when(ok).then(under(threshold)),
    ).with_columns(sentiment="label", sentiment_confidence="confidence")


def _transcripts_of(flagged: pl.DataFrame, source: str) -> pl.DataFrame:
    rows = flagged.filter(pl.col(f"{source}_status").is_not_null())
    whisper = source == "whisper"
    own = [
        pl.col(name) if whisper else pl.lit(None, rows.schema[name]).alias(name)
        for name in ("avg_logprob", "no_speech_prob", "compression_ratio", "segments")
    ]
    model = pl.col("whisper_model") if whisper else pl.lit(API_MODEL)
    return rows.select(
        "video_id",
        pl.lit(source).alias("source"),
        (pl.col("preferred") == source).alias("is_preferred"),
        *(pl.col(f"{source}_{name}").alias(name) for name in _TRANSCRIPT),
        model.alias("model"),
        pl.col(f"{source}_words").alias("n_words"),
        *own,
    )


def _missing(flagged: pl.DataFrame) -> pl.DataFrame:
    """A row for each video that no source gave a transcript."""
    nobody = flagged.filter(pl.col("whisper_status").is_null() & pl.col("api_status").is_null())
    return _transcripts_of(
        nobody.with_columns(whisper_status=pl.lit(MISSING)), "whisper"
    ).with_columns(
        pl.lit(None, pl.String).alias("source"),
        pl.lit(None, pl.String).alias("model"),
        is_preferred=pl.lit(True),
        reason=pl.lit("no source gave a transcript"),
    )


def keywords_table(campaign: Campaign, videos: dict[str, int] | None) -> pl.DataFrame:
    """The `keywords` config.

    Args:
        campaign: its keywords.
        videos: term -> videos that match it; None where the source cannot tell.
    """
    return pl.DataFrame(
        [
            {
                "term": keyword.term,
                "raw": list(keyword.raw),
                "kind": keyword.kind,
                "english": keyword.english,
                "description": keyword.description,
                "n_videos": None if videos is None else videos.get(keyword.term.casefold(), 0),
            }
            for keyword in campaign.keywords
        ]
    )


def events_table(campaign: Campaign, videos: dict[str, int]) -> pl.DataFrame:
    """The `events` config; `videos` is released date (ISO) -> videos.

    Where dates are coarser than a day, `n_videos` is that of the event's week or month.
    """
    unit = campaign.privacy.date_resolution
    return pl.DataFrame(
        [
            {
                "key": event.key,
                "date": event.date,
                "title": event.title,
                "description": event.description,
                "event_source": event.source,
                "n_videos": videos.get(coarse_day(event.date, unit).isoformat(), 0),
            }
            for event in campaign.events
        ],
        schema={
            "key": pl.String,
            "date": pl.Date,
            "title": pl.String,
            "description": pl.String,
            "event_source": pl.String,
            "n_videos": pl.Int64,
        },
    )
