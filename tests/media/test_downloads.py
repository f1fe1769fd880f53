"""Which download is which video: names of every downloader, folders, and two files for one id."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.media_files import tone, write_mp4, write_wav

from builder.errors import EmptySource
from builder.media import downloads
from builder.media.counts import MediaCounts
from builder.media.downloads import find_media, scan_media

ID = 7_321_728_245_254_717_441
NAMES = {
    "by id": f"{ID}.mp4",
    "Pyktok": f"@maria.perez_99_video_{ID}.mp4",
    "Pyktok, digits in the name": f"@u7123456789012345678_video_{ID}.mp4",
    "yt-dlp": f"Marcha en Quito 2024 #ecuador [{ID}].mp4",
    "yt-dlp, title with brackets": f"[EN VIVO] marcha [1] [{ID}].webm",
    "yt-dlp with a format": f"marcha [{ID}].h264_540p_1.mp4",
    "youtube-dl": f"Marcha-{ID}.mp4",
    "user first": f"maria.perez - {ID} - marcha.mp4",
    "a copy": f"{ID} (1).mp4",
    "in a folder": f"2024-01-09/{ID}.mp4",
    "deeper": f"a/b c/@maria_video_{ID}.MP4",
    "named by the folder": f"{ID}/video.mp4",
    "sound": f"marcha [{ID}].m4a",
}
NAMELESS = (
    "holiday.mp4",
    "IMG_20240109_101112.mp4",
    "marcha [EN VIVO].mp4",
    f"{ID} and {ID + 7_000_000}.mp4",  # which?
    "12345678901234567.mp4x.mp4",
    "1111111111111111111 copy.mp4",  # carries no time TikTok existed in
)


@pytest.mark.parametrize("what", NAMES)
def test_names_of_downloaders_are_understood(tmp_path: Path, what: str) -> None:
    path = tmp_path / NAMES[what]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    scan = scan_media(tmp_path)
    assert scan.frame.select("id", "path").rows() == [(ID, str(path))]
    assert (scan.not_an_id, scan.doubled) == (0, 0)


@pytest.mark.parametrize("name", NAMELESS)
def test_no_id_is_invented(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    scan = scan_media(tmp_path)
    assert (scan.frame.height, scan.not_an_id) == (0, 1)


def test_the_line_counts_everything_and_its_examples_quote_nobody(tmp_path: Path) -> None:
    for name in (f"{ID}.mp4", f"{ID + 9}.mp4", "maria.perez 0991234567 en Quito.mp4", "b.MP3"):
        (tmp_path / name).write_bytes(b"x")
    scan = scan_media(tmp_path)
    line = scan.counts(1).line(scan.shapes)
    assert line.startswith("4 files: 1 matched, 3 unmatched (")
    assert "<10 digits>" in line
    for private in ("maria", "perez", "Quito", "0991234567", str(ID)):
        assert private not in line
    assert scan.counts(1).warning() is None
    assert "WARNING: not one of 4" in str(scan.counts(0).warning())


def test_no_match_at_all_is_loud_and_an_empty_folder_is_too(tmp_path: Path) -> None:
    counts = scan_media(tmp_path).counts(0)
    assert counts.line() == "0 files: 0 matched, 0 unmatched"
    assert "WARNING" in str(counts.warning())
    assert "could not be read" in str(MediaCounts(**counts.model_dump()).warning(unread=2))


def test_linked_folders_are_looked_into_and_circles_end(tmp_path: Path) -> None:
    there = tmp_path / "disk"
    there.mkdir()
    (there / f"{ID}.mp4").write_bytes(b"x")
    inside = tmp_path / "videos"
    inside.mkdir()
    (inside / "linked").symlink_to(there, target_is_directory=True)
    (inside / "circle").symlink_to(inside, target_is_directory=True)
    (inside / ".hidden").mkdir()
    (inside / ".hidden" / f"{ID + 1}.mp4").write_bytes(b"x")
    assert find_media(inside)["id"].to_list() == [ID]


def test_a_slideshow_with_music_is_still_a_slideshow(tmp_path: Path) -> None:
    (tmp_path / str(ID)).mkdir()
    for name in ("1.jpeg", "2.jpeg", "music.mp3"):
        (tmp_path / str(ID) / name).write_bytes(b"x")
    assert find_media(tmp_path)["path"].to_list() == [str(tmp_path / str(ID))]


def test_a_locked_subfolder_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path: object) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)  # type: ignore[call-overload]

    monkeypatch.setattr(downloads.os, "scandir", scandir)
    assert scan_media(tmp_path).unread == 1


def test_a_file_given_as_the_folder_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(EmptySource, match="cannot read the folder"):
        scan_media(tmp_path / "a.mp4")


def best(folder: Path) -> str:
    scan = scan_media(folder)
    assert scan.frame["id"].to_list() == [ID]
    return Path(scan.frame["path"].item()).name


def test_of_two_files_the_whole_one_wins_whatever_it_is_called(tmp_path: Path) -> None:
    whole = write_mp4(tmp_path / f"z [{ID}].mp4", 4.0)
    cut = tmp_path / f"{ID}.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 10])
    assert best(tmp_path) == whole.name
    cut.write_bytes(b"\0" * 3 * whole.stat().st_size)
    assert best(tmp_path) == whole.name
    cut.write_bytes(b"")
    assert best(tmp_path) == whole.name


def test_good_sound_beats_a_broken_video_and_a_video_beats_its_own_sound(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / f"{ID}.wav", tone(3))
    (tmp_path / f"{ID}.mp4").write_bytes(b"broken")
    assert best(tmp_path) == sound.name
    write_mp4(tmp_path / f"{ID}.mp4", 3.0, audio=False)
    assert best(tmp_path) == sound.name
    write_mp4(tmp_path / f"{ID}.mp4", 3.0)
    assert best(tmp_path) == f"{ID}.mp4"


def test_of_two_whole_files_the_longer_wins_and_a_file_beats_a_marker(tmp_path: Path) -> None:
    write_mp4(tmp_path / f"{ID}.mp4", 2.0)
    long = write_mp4(tmp_path / f"marcha [{ID}].mp4", 5.0)
    (tmp_path / f"{ID}.private").touch()
    assert best(tmp_path) == long.name
    assert scan_media(tmp_path).doubled == 2
