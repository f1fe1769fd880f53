"""One wide row a video: whose transcript is preferred, whose label stands."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from wide_kit import LONG, SHORT, raw, result, wide_rows

from builder.annotate.joined import UPSTREAM_MODEL
from builder.pipeline.plan import PLAN


def one(frame: pl.DataFrame, **results: pl.DataFrame) -> dict[str, Any]:
    return wide_rows(frame, results).row(0, named=True)


@pytest.mark.parametrize(
    ("whisper", "api", "preferred"),
    [
        (LONG, LONG, "whisper"),
        (LONG, None, "whisper"),
        (None, LONG, "api"),
        (SHORT, LONG, "api"),  # a usable transcript goes before a near-empty one
        ("", LONG, "api"),
        (SHORT, SHORT, "whisper"),
        (SHORT, None, "whisper"),
        ("", None, "whisper"),
        (None, SHORT, "api"),
        (None, None, None),
    ],
)
def test_which_transcript_is_preferred(
    whisper: str | None, api: str | None, preferred: str | None
) -> None:
    row = one(raw({"whisper_text": whisper, "voice_to_text": api}))
    assert row["preferred"] == preferred
    assert (row["whisper_status"] is None) == (whisper is None)
    assert (row["api_status"] is None) == (api is None)


def test_our_own_transcript_goes_before_the_published_one() -> None:
    ours = {"id": 1, "text": "lo que oímos nosotros en este video largo", "status": "ok",
            "model": "base@1", "avg_logprob": -0.2}  # fmt: skip
    row = one(raw({"whisper_text": LONG}), transcribe=result("transcribe", ours))
    assert row["whisper_text"] == ours["text"] and row["whisper_model"] == "base@1"
    row = one(raw({"whisper_text": LONG}), transcribe=result("transcribe"))
    assert row["whisper_text"] == LONG and row["whisper_model"] == UPSTREAM_MODEL


OURS = {"id": 1, "text": LONG, "status": "ok", "model": "base@1"}


@pytest.mark.parametrize(
    ("probe", "api", "seconds", "preferred"),
    [
        ({"status": "truncated", "duration_seconds": 9.0}, LONG, None, "api"),
        ({"status": "truncated", "duration_seconds": 9.0}, None, None, "whisper"),
        ({"status": "truncated", "duration_seconds": 9.0}, SHORT, None, "whisper"),
        ({"status": "ok", "duration_seconds": 30.0}, LONG, 30.0, "whisper"),
        # cut where the container cannot tell: the service knows how long the video is
        ({"status": "ok", "duration_seconds": 9.0}, LONG, 30.0, "api"),
        ({"status": "ok", "duration_seconds": 28.5}, LONG, 30.0, "whisper"),
        ({"status": "ok", "duration_seconds": 0.9}, LONG, 2.0, "whisper"),
        ({"status": "ok"}, LONG, 30.0, "whisper"),
    ],
)
def test_half_a_clip_does_not_beat_a_whole_transcript_of_the_service(
    probe: dict[str, Any], api: str | None, seconds: float | None, preferred: str
) -> None:
    frame = raw({"voice_to_text": api, "duration_seconds": seconds})
    results = {
        "transcribe": result("transcribe", OURS),
        "probe": result("probe", {"id": 1} | probe),
    }
    row = one(frame, **results)
    assert row["preferred"] == preferred
    assert row["usable_text"] == (api if preferred == "api" else LONG)
    assert not any(name.startswith("_") for name in row)


def test_a_published_transcript_is_not_blamed_for_our_broken_file() -> None:
    frame = raw({"whisper_text": LONG, "voice_to_text": LONG + " del servicio"})
    row = one(frame, probe=result("probe", {"id": 1, "status": "truncated"}))
    assert row["preferred"] == "whisper"


@pytest.mark.parametrize("step", [s for s in PLAN.row_steps if "transcribe" in s.reads])
def test_every_step_that_reads_the_transcript_knows_whether_the_clip_was_whole(step: Any) -> None:
    assert "probe" in step.reads or step.name == "language"  # which reads both transcripts


def test_marks_of_lost_characters_leave_every_text() -> None:
    ours = OURS | {
        "text": "ho\ufffdla a todos",
        "segments": [{"start": 0, "end": 1, "text": "\ufffda"}],
    }
    summary = {"id": 1, "summary": "Un res\ufffdumen.", "status": "ok", "method": "extractive"}
    row = one(
        raw({}), transcribe=result("transcribe", ours), summarize=result("summarize", summary)
    )
    assert (row["whisper_text"], row["summary"]) == ("hola a todos", "Un resumen.")
    assert [piece["text"] for piece in row["segments"]] == ["a"]


def test_published_labels_stand_only_where_we_have_none() -> None:
    frame = raw({"upstream_sentiment": "negative", "upstream_summary": "Ellos."})
    row = one(frame)
    assert (row["label"], row["sentiment_status"], row["confidence"]) == ("negative", "ok", None)
    assert (row["summary"], row["summary_method"], row["summary_status"]) == (
        "Ellos.", "upstream", "ok",
    )  # fmt: skip
    ours = {"id": 1, "label": "neutral", "status": "ok", "confidence": 0.9}
    own_summary = {"id": 1, "summary": "Nosotros.", "status": "ok", "method": "extractive"}
    row = one(
        frame,
        sentiment=result("sentiment", ours),
        summarize=result("summarize", own_summary),
    )
    assert row["label"] == "neutral" and row["summary"] == "Nosotros."


def test_a_label_that_failed_is_not_replaced_silently() -> None:
    failed = {"id": 1, "status": "failed", "reason": "too long"}
    row = one(raw({"upstream_sentiment": "negative"}), sentiment=result("sentiment", failed))
    assert row["label"] is None and row["sentiment_reason"] == "too long"


def test_what_was_probed_goes_before_what_was_published() -> None:
    frame = raw({"duration_seconds": 10.0, "n_frames": 300}, {"duration_seconds": 7.0})
    probe = result("probe", {"id": 1, "status": "ok", "duration_seconds": 10.4, "n_frames": 312})
    wide = wide_rows(frame, {"probe": probe})
    assert wide["duration_seconds"].to_list() == [10.4, 7.0]
    assert wide["n_frames"].to_list() == [312, None]
    assert wide["media_status"].to_list() == ["ok", None]


def test_rows_keep_their_order_and_number() -> None:
    frame = raw(*({"whisper_text": LONG} for _ in range(50)))[::-1]
    results = {
        stage: result(stage, {"id": 7}, {"id": 3})
        for stage in (step.name for step in PLAN.row_steps)
    }
    wide = wide_rows(frame, results)
    assert wide["id"].to_list() == frame["id"].to_list()


def test_languages_belong_to_a_source() -> None:
    languages = pl.DataFrame(
        {"id": [1, 1], "source": ["whisper", "api"], "language": ["es", "qu"],
         "language_confidence": [0.9, 0.4]},
        schema={"id": pl.Int64, "source": pl.String, "language": pl.String,
                "language_confidence": pl.Float32},
    )  # fmt: skip
    row = one(raw({"whisper_text": LONG, "voice_to_text": LONG}), language=languages)
    assert (row["whisper_language"], row["api_language"]) == ("es", "qu")
    assert one(raw({"whisper_text": LONG}))["whisper_language"] is None
