"""What probing says about good and broken files; nothing may raise."""

import os

import av
import polars as pl
import pytest
from fakes.media_files import broken_files, tone, write_mp4, write_wav

from builder.errors import EmptySource
from builder.media.audio import SAMPLE_RATE, MediaProblem, decode_blocks
from builder.media.downloads import find_media, probe_file, scan_media
from builder.media.facts import STATUSES, Facts
from builder.media.probe import Probe
from builder.run.local import run_stage
from builder.run.progress import Progress
from builder.run.store import Store

EXPECTED = {
    "ok": "ok",
    "no_audio": "no_audio",
    "audio_only_mp4": "no_video",
    "audio_only_wav": "no_video",
    "zero_byte": "empty",
    "random_bytes": "corrupt",
    "text": "corrupt",
    "wrong_extension": "no_video",
    "truncated": "truncated",
    "header_only": "corrupt",
    "index_cut_off": "corrupt",
    "one_frame": "no_audio",
    "encrypted": "encrypted",
    "password_zip": "encrypted",
    "directory": "not_a_file",
    "dangling_link": "missing",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return broken_files(tmp_path_factory.mktemp("media"))


@pytest.mark.parametrize("what", EXPECTED)
def test_status(files, what):
    facts = probe_file(files[what])
    assert facts.status == EXPECTED[what]
    assert facts.status in STATUSES


def test_facts_of_a_whole_video(tmp_path):
    facts = probe_file(write_mp4(tmp_path / "1.mp4", 3.0, size=(90, 160), rate=10))
    assert facts.n_frames == 30
    assert facts.duration_seconds == pytest.approx(3.0, abs=0.15)
    assert (facts.width, facts.height, facts.has_audio) == (90, 160, True)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")


def test_a_truncated_video_reports_what_is_left(files):
    facts = probe_file(files["truncated"])
    assert 0 < facts.duration_seconds < 5.5
    assert 0 < facts.n_frames < 60


def test_a_video_without_a_frame_rate(tmp_path):
    # Matroska stores no rate; frames are counted, not computed.
    facts = probe_file(write_mp4(tmp_path / "1.mkv", 2.0, container="matroska"))
    assert (facts.status, facts.n_frames) == ("ok", 20)


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = write_wav(tmp_path / "1.wav", tone(1))
    if os.geteuid() == 0:  # root reads everything
        monkeypatch.setattr("builtins.open", _denied)
    else:
        path.chmod(0)
    assert probe_file(path) == Facts("unreadable")


def _denied(*args, **kwargs):
    raise PermissionError(13, "denied")


def test_scan_keeps_ids_exact_and_counts_the_rest(tmp_path):
    for name in (
        "7321728245254717441.mp4",
        "7321728245254717442.MP3",
        "7321728245254717443.private",
        "7321728245254717444.slideshow",
        "7321728245254717441.mp3",
        "holiday.mp4",
        "99999999999999999999.mp4",
        "0.mp4",
        "notes.txt",
        "٣٤.mp4",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "7321728245254717445").mkdir()
    (tmp_path / "7321728245254717446.mp4").mkdir()
    scan = scan_media(tmp_path)
    assert scan.frame["id"].to_list() == [7321728245254717441 + i for i in range(6)]
    assert scan.frame.schema == {
        "id": pl.Int64,
        "path": pl.String,
        "size": pl.Int64,
        "mtime_ns": pl.Int64,
    }
    assert (scan.not_an_id, scan.doubled) == (4, 1)
    statuses = [probe_file(tmp_path / path).status for path in scan.frame["path"]]
    assert statuses == ["corrupt", "corrupt", "private", "slideshow", "slideshow", "not_a_file"]


def test_a_missing_folder_is_one_clear_error(tmp_path):
    with pytest.raises(EmptySource, match="--videos-dir"):
        find_media(tmp_path / "nowhere")


def test_stage_gives_every_row_a_status_and_resumes(files, tmp_path):
    folder = files["ok"].parent
    frame = find_media(folder)
    lost = pl.DataFrame({"id": [5], "path": [str(folder / "5.mp4")], "size": [1], "mtime_ns": [1]})
    frame = pl.concat([frame, lost])
    silent = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    output, report = run_stage(Probe(), frame, Store(tmp_path), progress=silent)
    assert report.computed == frame.height == len(EXPECTED) + 1
    assert output["status"].null_count() == 0
    assert output.filter(pl.col("id") == 5)["status"].item() == "missing"
    again, second = run_stage(Probe(), frame, Store(tmp_path), progress=silent)
    # what is not there may be there the next time; nothing else is asked again
    assert second.computed == output["status"].is_in(["missing", "unreadable"]).sum() == 2
    assert again.equals(output)


def test_no_status_or_reason_names_a_file(files):
    for path in files.values():
        facts = probe_file(path)
        assert path.stem not in f"{facts.status} {facts.reason}"


@pytest.mark.parametrize("what", EXPECTED)
def test_decoding_gives_sound_or_a_problem(files, what):
    try:
        samples = sum(len(block) for block in decode_blocks(files[what], 1.0))
    except MediaProblem as problem:
        assert problem.status in STATUSES
        assert what not in ("ok", "audio_only_mp4", "audio_only_wav", "wrong_extension")
    else:
        assert samples > 0


def test_blocks_are_the_whole_sound_cut_evenly(tmp_path):
    path = write_wav(tmp_path / "1.wav", tone(3.3))
    blocks = list(decode_blocks(path, 1.0))
    assert [len(block) for block in blocks[:-1]] == [SAMPLE_RATE] * 3
    assert sum(map(len, blocks)) == pytest.approx(3.3 * SAMPLE_RATE, abs=2)


def test_broken_packets_in_the_middle_are_skipped(tmp_path):
    path = write_mp4(tmp_path / "1.mp4", 6.0)
    raw = bytearray(path.read_bytes())
    start = raw.index(b"mdat") + len(raw) // 3
    raw[start : start + 400] = os.urandom(400)
    path.write_bytes(raw)
    assert sum(map(len, decode_blocks(path, 1.0))) > 3 * SAMPLE_RATE
    assert probe_file(path).status in ("ok", "truncated")


def test_ffmpeg_itself_stays_silent(files, capfd):
    for path in files.values():
        probe_file(path)
    assert capfd.readouterr() == ("", "")
    assert av.logging.get_level() == av.logging.PANIC
