"""The exclusion rule and the five tables made from wide rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from wide_kit import LONG, SHORT, raw, result, wide_rows

from builder.config.campaign import Campaign
from builder.release.tables import (
    DROPPED_BOTH_FAILED,
    events_table,
    keywords_table,
    split_dropped,
    tables_of,
)
from ecuador_crisis_tiktok import CONFIG_COLUMNS, OPTIONAL_COLUMNS

ECUADOR = Campaign.load()


def wide(*rows: dict[str, Any], **results: pl.DataFrame) -> pl.DataFrame:
    frame = wide_rows(raw(*rows), results)
    ids = [f"{i:032x}" for i in frame["id"]]
    return frame.with_columns(
        pl.Series("video_id", ids),
        date=pl.lit(dt.date(2024, 1, 9)),
        matched_terms=pl.lit(None, pl.List(pl.String)),
    )


@pytest.mark.parametrize(
    ("media", "whisper", "api", "kept"),
    [
        ("ok", None, None, True),  # heard nothing, but the file is fine: flagged, not dropped
        (None, None, None, True),  # nobody looked at the file
        ("no_audio", None, None, False),
        ("corrupt", None, None, False),
        ("missing", "", None, False),
        ("missing", LONG, None, True),
        ("corrupt", None, LONG, True),
        ("corrupt", None, SHORT, True),  # near-empty is still a transcript
    ],
)
def test_dropped_only_if_audio_and_transcript_both_failed(
    media: str | None, whisper: str | None, api: str | None, kept: bool
) -> None:
    results = {}
    if media is not None:
        results["probe"] = result("probe", {"id": 1, "status": media})
    frame = wide({"whisper_text": whisper, "voice_to_text": api}, {"whisper_text": LONG}, **results)
    left, dropped = split_dropped(frame)
    assert left.height == 1 + kept
    assert dropped == ({} if kept else {DROPPED_BOTH_FAILED: 1})


@pytest.mark.parametrize(
    ("whisper", "api", "status", "reason", "rows"),
    [
        (LONG, None, "ok", None, 1),
        (LONG, LONG, "ok", None, 2),
        (SHORT, LONG, "ok", None, 2),
        (SHORT, None, "near_empty", "near_empty_transcript", 1),
        ("", None, None, "no_transcript", 1),
        (None, None, "missing", "no_transcript", 1),
    ],
)
def test_flags_and_transcript_rows(
    whisper: str | None, api: str | None, status: str | None, reason: str | None, rows: int
) -> None:
    tables = tables_of(wide({"whisper_text": whisper, "voice_to_text": api}), 0.75)
    video = tables["videos"].row(0, named=True)
    assert video["exclusion_reason"] == reason and video["is_excluded"] is (reason is not None)
    if status:
        assert video["transcript_status"] == status
    transcripts = tables["transcripts"]
    assert transcripts.height == rows
    assert transcripts["is_preferred"].sum() == 1
    chosen = transcripts.filter("is_preferred").row(0, named=True)
    assert (chosen["text"], chosen["source"], chosen["status"]) == (
        video["transcript"], video["transcript_source"], video["transcript_status"],
    )  # fmt: skip


def test_every_table_has_its_columns_and_every_video() -> None:
    tables = tables_of(wide(*({"whisper_text": text} for text in (LONG, SHORT, None))), 0.75)
    for config in ("videos", "metadata", "transcripts", "sentiment", "summaries"):
        wanted = set(CONFIG_COLUMNS[config]) - set(OPTIONAL_COLUMNS)
        assert wanted <= set(tables[config].columns), config
        assert tables[config]["video_id"].n_unique() == 3
        assert tables[config]["video_id"].is_sorted()
    for config in ("sentiment", "summaries"):
        assert tables[config]["status"].null_count() == 0


@pytest.mark.parametrize(
    ("confidence", "threshold", "low"),
    [
        (0.7499, 0.75, True), (0.75, 0.75, False), (1.0, 0.75, False), (None, 0.75, None),
        # stored as float32, 0.7 lies below and 0.6 above what Python calls 0.7 and 0.6
        (0.7, 0.7, False), (0.6999, 0.7, True), (0.6, 0.6, False), (0.5999, 0.6, True),
    ],
)  # fmt: skip
def test_low_confidence_is_under_the_threshold(
    confidence: float | None, threshold: float, low: bool | None
) -> None:
    label = {"id": 1, "label": "positive", "status": "ok", "confidence": confidence}
    tables = tables_of(
        wide({"whisper_text": LONG}, sentiment=result("sentiment", label)), threshold
    )
    assert tables["sentiment"]["low_confidence"].to_list() == [low]
    assert tables["videos"]["sentiment"].to_list() == ["positive"]


def test_whispers_own_columns_stay_with_whisper() -> None:
    ours = {"id": 1, "text": LONG, "status": "ok", "avg_logprob": -0.5,
            "segments": [{"start": 0.0, "end": 1.0, "text": LONG}]}  # fmt: skip
    tables = tables_of(wide({"voice_to_text": LONG}, transcribe=result("transcribe", ours)), 0.75)
    rows = {row["source"]: row for row in tables["transcripts"].iter_rows(named=True)}
    assert rows["whisper"]["avg_logprob"] == -0.5 and rows["whisper"]["segments"]
    assert rows["api"]["avg_logprob"] is None and rows["api"]["segments"] is None


def test_keywords_have_zero_or_null_videos() -> None:
    counted = keywords_table(ECUADOR, {"fito": 7})
    assert counted.height == 27
    counts = dict(counted.select("term", "n_videos").iter_rows())
    assert counts["fito"] == 7 and counts["choneros"] == 0
    assert keywords_table(ECUADOR, None)["n_videos"].null_count() == 27
    toque = counted.filter(pl.col("term") == "toquedequeda").row(0, named=True)
    assert toque["raw"] == ["toquedequeda "] and toque["english"] == "curfew"


def test_events_and_a_campaign_without_any() -> None:
    events = events_table(ECUADOR, {"2024-01-09": 3})
    assert dict(events.select("key", "n_videos").iter_rows()) == {
        "A": 0, "B": 3, "C": 0, "D": 0, "E": 0,
    }  # fmt: skip
    empty = events_table(ECUADOR.model_copy(update={"events": ()}), {})
    assert empty.height == 0 and empty.schema == events.schema
