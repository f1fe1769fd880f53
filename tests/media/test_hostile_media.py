"""Media that attacks: the decoder, the clock, the folder next to it. Every one ends as a status."""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from fakes.hostile import mutants
from fakes.media_files import RATE, tone, write_mp4, write_wav

from builder.errors import StageFailed
from builder.media import workers
from builder.media.audio import SAMPLE_RATE, MediaProblem, decode_blocks
from builder.media.downloads import MEDIA_SCHEMA, probe_file
from builder.media.facts import STATUSES, Facts
from builder.media.probe import Probe
from builder.media.workers import CRASHED, HUNG

FIRST = 7_321_728_245_254_717_441


def heard(path: Path) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.float32), *decode_blocks(path, 1.0)])


def with_tag(path: Path, old: bytes, new: bytes) -> Path:
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new))
    return path


def with_timescale(path: Path, box: bytes, number: int, scale: int) -> Path:
    """The n-th `mdhd` or the `mvhd` with another time scale."""
    raw = bytearray(path.read_bytes())
    at = -1
    for _ in range(number + 1):
        at = raw.index(box, at + 1)
    raw[at + 16 : at + 20] = struct.pack(">I", scale)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("tag", [b"bvc2", b"zzzz", b"\0\0\0\0"])
def test_a_picture_codec_nobody_knows_costs_the_pictures_only(tmp_path: Path, tag: bytes) -> None:
    path = with_tag(write_mp4(tmp_path / "1.mp4", 3.0), b"avc1", tag)
    facts = probe_file(path)
    assert facts.status == "ok"
    assert (facts.video_codec, facts.has_audio, facts.n_frames) == ("unknown", True, 30)
    assert facts.duration_seconds == pytest.approx(3.0, abs=0.2)
    assert len(heard(path)) == pytest.approx(3 * RATE, abs=2_000)


def test_a_sound_codec_nobody_knows_is_a_status(tmp_path: Path) -> None:
    path = with_tag(write_mp4(tmp_path / "1.mp4", 2.0), b"mp4a", b"zzzz")
    assert probe_file(path).status in STATUSES
    try:  # another box of the file may still say what it is
        assert len(heard(path)) > RATE
    except MediaProblem as problem:
        assert problem.status in STATUSES
    silent = with_tag(write_mp4(tmp_path / "2.mp4", 2.0, audio=False), b"avc1", b"bvc2")
    assert probe_file(silent) == Facts("corrupt", "unknown_codec")


@pytest.mark.parametrize("error", [IndexError, AttributeError, KeyError, TypeError, SystemError])
def test_whatever_a_binding_raises_is_a_status(
    tmp_path: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    from builder.media import facts, sound

    path = write_mp4(tmp_path / "1.ts", 2.0, container="mpegts")

    def broken(path: Path) -> None:
        raise error("x")

    monkeypatch.setattr(facts, "open_media", broken)
    monkeypatch.setattr(sound, "open_media", broken)
    assert facts.probe_here(path) == Facts("corrupt", "cannot_open")
    with pytest.raises(MediaProblem, match="corrupt"):
        list(sound.decode_sound(path))


@pytest.mark.parametrize("error", [PermissionError(1, "x"), OSError(5, "x"), FileNotFoundError(2)])
def test_what_ffmpeg_calls_unreadable_is_corrupt_if_anybody_else_can_read_it(
    tmp_path: Path, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    from builder.media import facts

    def broken(path: Path) -> None:
        raise error

    monkeypatch.setattr(facts, "open_media", broken)
    path = write_wav(tmp_path / "1.wav", tone(1))
    assert facts.probe_here(path).status == "corrupt"
    path.unlink()
    if not isinstance(error, PermissionError):
        assert facts.probe_here(path).status == "missing"


FAKE = """
import os, signal, sys, time
import builder.media.facts as facts, builder.media.sound as sound
from builder.media import child
def hostile(real):
    def run(path, *more):
        if "crash" in path.name:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hang" in path.name:
            time.sleep(1000)
        return real(path, *more)
    return run
def middle(real):
    def run(path):
        for number, samples in enumerate(real(path)):
            yield samples
            if "middle" in path.name and number == 20:
                os.kill(os.getpid(), signal.SIGSEGV)
    return run
facts.probe_here = hostile(facts.probe_here)
sound.decode_sound = middle(hostile(sound.decode_sound))
child.serve()
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that die or hang over files called so."""
    workers._CHILDREN.end()
    fake = tmp_path / "fake_child.py"
    fake.write_text(FAKE)
    monkeypatch.setattr(workers, "COMMAND", (sys.executable, str(fake)))
    monkeypatch.setattr(workers, "PATIENCE", 15.0)
    yield
    workers._CHILDREN.end()


@pytest.mark.usefixtures("hostile")
def test_a_segfault_is_a_status_of_that_row_and_the_next_file_is_fine(tmp_path: Path) -> None:
    bad, good = write_mp4(tmp_path / "crash.mp4"), write_mp4(tmp_path / "1.mp4")
    assert probe_file(bad) == Facts("corrupt", CRASHED)
    with pytest.raises(MediaProblem, match="corrupt"):
        heard(bad)
    assert probe_file(good).status == "ok"
    assert len(heard(good)) > RATE


@pytest.mark.usefixtures("hostile")
def test_a_hang_is_a_status_of_that_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = write_mp4(tmp_path / "hang.mp4"), write_mp4(tmp_path / "1.mp4")
    assert probe_file(good).status == "ok"  # a child is up: patience is for the file alone
    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    assert probe_file(bad) == Facts("corrupt", HUNG)
    monkeypatch.setattr(workers, "PATIENCE", 15.0)
    assert probe_file(good).status == "ok"


@pytest.mark.usefixtures("hostile")
def test_a_crash_in_the_middle_keeps_the_sound_before_it(tmp_path: Path) -> None:
    bad = write_mp4(tmp_path / "middle.mp4", 15.0)
    blocks = []
    with pytest.raises(MediaProblem, match="corrupt"):
        for block in decode_blocks(bad, 0.5):
            blocks.append(block)  # noqa: PERF402 - what came before the error counts
    assert sum(map(len, blocks)) >= 4 * RATE


@pytest.mark.usefixtures("hostile")
def test_an_interrupted_batch_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 600.0)
    paths = [write_mp4(tmp_path / f"hang{n}.mp4", 0.5) for n in range(6)]
    facts = [(n, str(path), path.stat().st_size, 0) for n, path in enumerate(paths)]
    batch = pl.DataFrame(facts, schema=MEDIA_SCHEMA, orient="row")
    threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    # a process in the background ignores it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Probe()(batch)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 20
    assert not workers._CHILDREN._busy


def test_a_batch_comes_back_in_its_order(tmp_path: Path) -> None:
    paths = [write_wav(tmp_path / f"{n}.wav", tone(0.2 + (n * 7 % 5) / 10)) for n in range(12)]
    facts = [(n, str(path), path.stat().st_size, 0) for n, path in enumerate(paths)]
    done = Probe()(pl.DataFrame(facts, schema=MEDIA_SCHEMA, orient="row"))
    expected = [probe_file(path).duration_seconds for path in paths]
    assert done["id"].to_list() == list(range(12))
    assert done["duration_seconds"].to_list() == expected and len(set(expected)) == 5


def test_a_child_killed_by_somebody_else_costs_nothing(tmp_path: Path) -> None:
    path = write_mp4(tmp_path / "1.mp4", 2.0)
    assert probe_file(path).status == "ok"
    for child in workers._CHILDREN._idle:
        os.kill(child.process.pid, signal.SIGKILL)
    assert probe_file(path).status == "ok"
    assert len(heard(path)) > RATE


def test_a_reader_that_stops_early_leaves_no_half_answer_behind(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "1.wav", tone(60))
    for _ in range(3):
        assert len(next(decode_blocks(path, 1.0))) == SAMPLE_RATE
    assert len(heard(path)) == pytest.approx(60 * RATE, abs=2)


def test_many_threads_share_the_children(tmp_path: Path) -> None:
    paths = [write_mp4(tmp_path / f"{n}.mp4", 1.0 + n / 10) for n in range(6)]
    got: dict[int, int] = {}

    def listen(number: int) -> None:
        got[number] = len(heard(paths[number]))

    threads = [threading.Thread(target=listen, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[n] for n in range(6)] == [len(heard(path)) for path in paths]
    assert len(workers._CHILDREN._idle) <= 6


def test_no_child_at_all_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_mp4(tmp_path / "1.mp4")
    workers._CHILDREN.end()
    monkeypatch.setattr(workers, "COMMAND", (str(tmp_path / "no-python"),))
    with pytest.raises(StageFailed, match="process"):
        probe_file(path)


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile neighbour.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nneighbour.mp4\n#EXT-X-ENDLIST\n",
        "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><Period><BaseURL>neighbour.mp4</BaseURL>"
        "</Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
    ids=["ffconcat", "hls", "dash", "sdp"],
)
@pytest.mark.parametrize("name", ["7321728245254717441.mp4", "1.ts", "2.m4a"])
def test_a_text_that_names_another_file_plays_nothing(
    tmp_path: Path, content: str, name: str
) -> None:
    write_mp4(tmp_path / "neighbour.mp4", 2.0)
    (tmp_path / name).write_text(content)
    assert probe_file(tmp_path / name).status == "corrupt"
    with pytest.raises(MediaProblem):
        heard(tmp_path / name)


@pytest.mark.parametrize(
    ("extension", "container"),
    [("mkv", "matroska"), ("mov", "mov"), ("ts", "mpegts"), ("flv", "flv"), ("avi", "avi")],
)
def test_ordinary_containers_are_still_opened(
    tmp_path: Path, extension: str, container: str
) -> None:
    path = write_mp4(tmp_path / f"1.{extension}", 2.0, container=container, options={})
    assert probe_file(path).status == "ok"
    assert len(heard(path)) > RATE


def test_a_name_with_a_colon_is_a_file_and_no_protocol(tmp_path: Path) -> None:
    path = write_mp4(tmp_path / "concat:1|http:x.mp4", 2.0)
    assert probe_file(path).status == "ok"


def stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    with av.open(str(path), "w", format="wav") as out:
        stream = out.add_stream("pcm_s16le", rate=44_100, layout="stereo")
        pairs = (np.stack([left, right]) * 32767).astype(np.int16)
        for start in range(0, pairs.shape[1], 4_096):
            part = np.ascontiguousarray(pairs[:, start : start + 4_096])
            frame = av.AudioFrame.from_ndarray(part, format="s16p", layout="stereo")
            frame.sample_rate, frame.pts = 44_100, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def wave(seconds: float = 3.0, frequency: float = 440.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 44_100)) / 44_100)


@pytest.mark.parametrize("gain", [1.0, 0.9, 0.7])
def test_a_channel_upside_down_does_not_silence_the_other(tmp_path: Path, gain: float) -> None:
    got = heard(stereo(tmp_path / "1.wav", wave(), -gain * wave()))
    assert len(got) == pytest.approx(3 * RATE, abs=50)
    assert np.sqrt(np.square(got[RATE:-RATE]).mean()) > 0.15


def test_ordinary_stereo_is_mixed_as_before(tmp_path: Path) -> None:
    path = stereo(tmp_path / "1.wav", wave(), wave(frequency=700.0))
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    expected = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            expected += [out.to_ndarray().reshape(-1) for out in resampler.resample(frame)]
        expected += [out.to_ndarray().reshape(-1) for out in resampler.resample(None)]
    assert np.array_equal(heard(path), np.concatenate(expected).astype(np.float32) / 32768)


@pytest.mark.parametrize("scale", [1, 7, 100])
@pytest.mark.parametrize(("box", "number"), [(b"mdhd", 0), (b"mdhd", 1), (b"mvhd", 0)])
def test_a_broken_time_scale_makes_no_clip_of_days(
    tmp_path: Path, box: bytes, number: int, scale: int
) -> None:
    path = with_timescale(write_mp4(tmp_path / "1.mp4", 4.0), box, number, scale)
    facts = probe_file(path)
    assert facts.status in ("ok", "truncated")
    assert facts.duration_seconds is None or 1 < facts.duration_seconds < 15
    assert facts.n_frames == 40 or box == b"mdhd"  # FFmpeg cuts by the edit list, in that scale


def test_a_broken_time_scale_of_a_silent_clip(tmp_path: Path) -> None:
    path = with_timescale(write_mp4(tmp_path / "1.mp4", 4.0, audio=False), b"mdhd", 0, 1)
    facts = probe_file(path)
    assert facts.duration_seconds is None or facts.duration_seconds < 30


def check_all(paths: list[Path]) -> None:
    for path in paths:
        facts = probe_file(path)
        assert facts.status in STATUSES
        assert facts.reason not in (HUNG, "decoder_failed")
        assert facts.duration_seconds is None or 0 <= facts.duration_seconds < 3_600
        try:
            assert len(heard(path)) < 3_600 * RATE
        except MediaProblem as problem:
            assert problem.status in STATUSES


def test_mutated_clips_all_end_as_a_status(tmp_path: Path) -> None:
    check_all(mutants(tmp_path / "clips", range(FIRST, FIRST + 60), seed=1))


@pytest.mark.slow
def test_two_thousand_mutated_clips_all_end_as_a_status(tmp_path: Path) -> None:
    check_all(mutants(tmp_path / "clips", range(FIRST, FIRST + 2_000), seed=2))
