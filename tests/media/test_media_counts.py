"""What lies in the folder of downloads and is no video's is told, everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from release_kit import Built, Result, build, read_json

from builder.media.downloads import scan_media

OTHERS = frozenset(("transcribe", "language", "sentiment", "summarize", "entailment"))
COUNTS = {"files": 7, "matched": 3, "unmatched": 1, "not_an_id": 2, "doubled": 1}
WORDS = (
    "7 files, 3 of them of videos of this campaign, 1 of other videos, 2 not named by a TikTok id, "
    "1 doubled"
)


@pytest.fixture
def downloads(small: Built, tmp_path: Path) -> Path:
    """Markers of three videos, one of them twice, of another campaign's video, and two misnamed."""
    folder = tmp_path / "videos"
    folder.mkdir()
    known = small.raw["id"].sort().to_list()
    first, second, third = known[:3]
    names = (
        f"{first}.private",
        f"{second}.missing",
        f"{third}.private",
        f"{third}.missing",
        f"{known[-1] + 1}.missing",
        "holiday.mp4",
        "99999999999999999999.mp4",
        "notes.txt",
    )
    for name in names:
        (folder / name).touch()
    return folder


def test_the_kinds_add_up(downloads: Path) -> None:
    counts = scan_media(downloads).counts(matched=3)
    assert counts.model_dump() == COUNTS
    assert counts.files == sum(n for name, n in COUNTS.items() if name != "files")


def test_manifest_card_report_and_status_tell_them(
    small: Built, downloads: Path, tmp_path: Path, cli: Callable[..., Result]
) -> None:
    made = build(tmp_path, small.pages, skip=OTHERS, videos_dir=downloads)
    assert made.manifest["media"] == COUNTS
    assert made.report["media"] == COUNTS
    card = (made.release / "README.md").read_text(encoding="utf-8")
    assert f"The folder of downloads held {WORDS}." in card
    page = (made.release / "validation.html").read_text(encoding="utf-8")
    assert f"The folder of downloads held {WORDS}." in page
    shown = cli("status", "--work", made.work).out
    assert "media: 7 files, 3 matched, 1 unmatched, 2 not_an_id, 1 doubled" in shown


def test_without_a_folder_there_is_nothing_to_tell(
    small: Built, cli: Callable[..., Result]
) -> None:
    assert small.manifest["media"] is None and small.report["media"] is None
    for name in ("README.md", "validation.html"):
        assert "downloads held" not in (small.release / name).read_text(encoding="utf-8")
    assert "media:" not in cli("status", "--work", small.work).out
    assert read_json(small.work / "run.json")["found"] == {}
