"""Downloads that are missing because their folder is: the run stops, and nothing is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.media_files import tone, write_wav
from fakes.toy_stage import quiet
from release_kit import NAME, NO_MODELS, Built, beside, build, content

from builder.annotate.transcribe import Transcribe
from builder.errors import StageFailed
from builder.media import probe as probe_module
from builder.media.downloads import MediaScan, scan_media
from builder.media.facts import Facts
from builder.media.gone import check_folders
from builder.media.probe import Probe
from builder.pipeline import annotate as module
from builder.run.local import run_stage
from builder.run.store import Store

OTHERS = frozenset(NO_MODELS) - {"probe"}
CLIPS = 6


@pytest.fixture
def clips(small: Built, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for video_id in small.raw["id"].sort().head(CLIPS).to_list():
        write_wav(folder / f"{video_id}.wav", tone(0.2))
    return folder


def run(small: Built, tmp_path: Path, clips: Path) -> Built:
    return build(tmp_path, small.pages, skip=OTHERS, videos_dir=clips)


@pytest.mark.parametrize("how", ["unmounted", "gone"])
def test_a_folder_that_goes_away_stops_the_run_and_the_next_one_computes_it(
    small: Built, tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    away = tmp_path / "away"

    def scan_and_lose(folder: Path) -> MediaScan:
        scan = scan_media(folder)
        clips.rename(away)
        if how == "unmounted":
            clips.mkdir()
        return scan

    with monkeypatch.context() as patch:
        patch.setattr(module, "scan_media", scan_and_lose)
        with pytest.raises(StageFailed, match="6 downloads went away") as caught:
            run(small, tmp_path, clips)
    assert caught.value.way_out and str(clips) in str(caught.value)
    assert beside(tmp_path / NAME) <= {"clips", "away"} and not (tmp_path / NAME).exists()
    if how == "unmounted":
        clips.rmdir()
    away.rename(clips)
    made = run(small, tmp_path, clips)
    assert made.manifest["counts"]["probe"]["no_video"] == CLIPS
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert content(made.release) == content(run(small, fresh, clips).release)


def test_a_folder_that_is_empty_at_the_next_run_stops_every_later_run(
    small: Built, tmp_path: Path, clips: Path
) -> None:
    before = content(run(small, tmp_path, clips).release)
    away = clips.rename(tmp_path / "away")
    clips.mkdir()
    for _ in range(3):  # a run that stopped forgets nothing
        with pytest.raises(StageFailed, match="is empty; the last run found 6") as caught:
            run(small, tmp_path, clips)
        assert "--videos-dir" in caught.value.way_out
        assert content(tmp_path / NAME) == before
    clips.rmdir()
    away.rename(clips)
    assert content(run(small, tmp_path, clips).release) == before


@pytest.mark.parametrize("status", ["missing", "unreadable"])
def test_a_passing_fault_of_one_file_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    for number in (1, 2, 3):
        write_wav(tmp_path / f"{7_300_000_000_000_000_000 + number}.wav", tone(0.1))
    (tmp_path / "7300000000000000009.missing").touch()
    inputs, store = scan_media(tmp_path).frame, Store(tmp_path / "work")
    original = probe_module.probe_file

    def flaky(path: Path) -> Facts:
        return Facts(status) if path.stem.endswith("2") else original(path)

    with monkeypatch.context() as patch:
        patch.setattr(probe_module, "probe_file", flaky)
        first, report = run_stage(Probe(), inputs, store, quiet)
    assert first["status"].to_list() == ["no_video", status, "no_video", "missing"]
    check_folders(inputs)  # its folder is there: the run goes on
    second, report = run_stage(Probe(), inputs, store, quiet)
    assert second["status"].to_list() == ["no_video", "no_video", "no_video", "missing"]
    assert report.computed == 1  # what a downloader wrote down is not asked again
    assert run_stage(Probe(), inputs, store, quiet)[1].computed == 0


@pytest.mark.parametrize(
    ("status", "reason", "path", "again"),
    [("failed", "missing", "/c/1.mp4", True), ("failed", "unreadable", "/c/1.mp4", True),
     ("ok", "unreadable", "/c/1.mp4", True), ("failed", "missing", "/c/1.missing", False),
     ("failed", "private", "/c/1.private", False), ("failed", "corrupt", "/c/1.mp4", False),
     ("ok", None, "/c/1.mp4", False), ("failed", "internal_ValueError", "/c/1.mp4", True)],
)  # fmt: skip
def test_a_transcript_is_made_again_after_a_passing_fault(
    status: str, reason: str | None, path: str, again: bool
) -> None:
    schema: dict[str, Any] = {"status": pl.String, "reason": pl.String, "path": pl.String}
    done = pl.DataFrame([(status, reason, path)], schema=schema, orient="row")
    assert Transcribe().passing(done).to_list() == [again]


def test_one_deleted_file_is_no_lost_folder(tmp_path: Path) -> None:
    for name in ("a/1.mp4", "b/2.mp4", "b/3.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    media = pl.DataFrame({"path": [str(p) for p in sorted(tmp_path.glob("*/*.mp4"))]})
    (tmp_path / "a" / "1.mp4").unlink()
    (tmp_path / "b" / "2.mp4").unlink()
    check_folders(media)
    (tmp_path / "b" / "3.mp4").unlink()
    with pytest.raises(StageFailed, match="2 downloads"):
        check_folders(media)
