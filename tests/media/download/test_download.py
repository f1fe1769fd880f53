"""Downloads end in a closed list of ways; a broken tool is never a removed post."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from builder.errors import EmptySource, UsageProblem
from builder.media.download.folder import Folder
from builder.media.download.outcome import FINAL, MARKER_OF, STOPPING, Fetched, Outcome
from builder.media.download.run import (
    FOLDER,
    IN_A_ROW,
    LOG,
    PARTIAL,
    accept_terms,
    download,
    read_log,
)
from builder.media.download.ytdlp import YtDlp, classify
from builder.media.downloads import MARKERS, scan_media

START = 1_704_100_000 << 32
IDS = [START + n for n in range(8)]
CLIP = sorted(Path(str(resources.files("builder") / "sample" / "videos")).glob("*.mp4"))


class Scripted:
    """A back end that does what it is told, id by id."""

    name, online = "scripted", True

    def __init__(self, partial: Path, plan: Callable[[int], Outcome]) -> None:
        self.partial, self.plan, self.asked = partial, plan, list[int]()

    def fetch(self, video_id: int) -> Fetched:
        self.asked.append(video_id)
        outcome = self.plan(video_id)
        if outcome is Outcome.DAMAGED:  # what a service sends instead of a video
            path = self.partial / f"{video_id}.mp4"
            path.write_bytes(b"<html>")
            return Fetched(Outcome.OK, path)
        if outcome is not Outcome.OK:
            return Fetched(outcome)
        path = self.partial / f"{video_id}.mp4"
        shutil.copyfile(CLIP[0], path)
        return Fetched(outcome, path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def run(work: Path, plan: Callable[[int], Outcome], **options: int) -> tuple[Scripted, object]:
    videos = work.parent / "videos"
    backend = Scripted(videos / PARTIAL, plan)
    return backend, download(IDS, work, videos, backend, sleep=lambda s: None, **options)


needs_clip = pytest.mark.skipif(not CLIP, reason="the package's sample has no clip")


@needs_clip
def test_every_outcome_leaves_what_the_media_room_understands(work: Path) -> None:
    plan = dict(
        zip(IDS, [*MARKER_OF, Outcome.OK, Outcome.DAMAGED, Outcome.UNAVAILABLE], strict=False)
    )
    _, done = run(work, lambda video: plan.get(video, Outcome.OK))
    videos = work.parent / "videos"
    found = {int(Path(p).stem): Path(p).suffix for p in scan_media(videos).frame["path"].to_list()}
    for outcome, marker in MARKER_OF.items():
        (video,) = [v for v, o in plan.items() if o is outcome]
        assert found[video] == f".{marker}" and marker in MARKERS
    missing = {v for v, o in plan.items() if o in (Outcome.DAMAGED, Outcome.UNAVAILABLE)}
    assert set(IDS) - set(found) == missing
    assert not list((videos / PARTIAL).iterdir())
    log = read_log(work)
    whole = next(v for v in IDS if plan.get(v, Outcome.OK) is Outcome.OK)
    content = (videos / f"{whole}.mp4").read_bytes()
    assert log[whole]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (work / FOLDER / LOG).stat().st_mode & 0o077 == 0
    assert done.pending == len(missing)
    again, done = run(work, lambda video: Outcome.OK)
    assert set(again.asked) == missing  # only what is still to be had
    assert done.pending == 0


@pytest.mark.parametrize("fault", sorted(STOPPING))
def test_a_fault_that_is_not_the_posts_stops_the_run_and_marks_nothing(
    work: Path, fault: Outcome
) -> None:
    backend, done = run(work, lambda video: fault)
    assert len(backend.asked) == IN_A_ROW
    assert done.stopped and done.pending == len(IDS)
    assert not scan_media(work.parent / "videos").frame.height
    again, _ = run(work, lambda video: fault)
    assert not set(again.asked) & set(backend.asked)  # the untried go first


def test_single_faults_stop_nothing(work: Path) -> None:
    backend, done = run(work, lambda v: Outcome.EXTRACTOR_BROKEN if v % 2 else Outcome.UNAVAILABLE)
    assert backend.asked == IDS and not done.stopped


def test_the_limit_is_kept_and_a_torn_line_of_the_log_is_no_problem(work: Path) -> None:
    backend, done = run(work, lambda video: Outcome.REMOVED, limit=3)
    assert backend.asked == IDS[:3] and done.pending == 5
    with (work / FOLDER / LOG).open("a") as handle:
        handle.write('{"id": "73')
    backend, _ = run(work, lambda video: Outcome.REMOVED)
    assert backend.asked == IDS[3:]


@needs_clip
def test_the_folder_back_end_copies_what_it_knows(work: Path, tmp_path: Path) -> None:
    source, videos = tmp_path / "source", tmp_path / "videos"
    source.mkdir()
    shutil.copyfile(CLIP[0], source / f"@invented_video_{IDS[0]}.mp4")
    (source / f"{IDS[1]}.private").touch()
    done = download(IDS, work, videos, Folder(source, videos / PARTIAL))
    assert dict(done.outcomes) == {"ok": 1, "private": 1, "absent": 6}
    assert (videos / f"{IDS[0]}.mp4").read_bytes() == CLIP[0].read_bytes()
    with pytest.raises(EmptySource):
        Folder(tmp_path / "nowhere", videos)


def test_the_notice_comes_before_the_first_download_and_once(work: Path) -> None:
    day = dt.date(2026, 11, 25)
    with pytest.raises(UsageProblem, match="terms of service") as refusal:
        accept_terms(work, accepted=False, day=day)
    assert "--accept-terms" in refusal.value.way_out
    accept_terms(work, accepted=True, day=day)
    accept_terms(work, accepted=False, day=day)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Unable to extract universal data for rehydration", Outcome.EXTRACTOR_BROKEN),
        ("Unable to solve JS challenge", Outcome.EXTRACTOR_BROKEN),
        ("Unexpected response from webpage request", Outcome.EXTRACTOR_BROKEN),
        ("Video not available, status code 0", Outcome.EXTRACTOR_BROKEN),
        ("Video not available, status code 10231", Outcome.UNAVAILABLE),
        ("You do not have permission to view this post. Log into an account", Outcome.PRIVATE),
        ("Your IP address is blocked from accessing this post", Outcome.REGION_BLOCKED),
        ("This post may not be comfortable for some audiences. Log in", Outcome.LOGIN_REQUIRED),
        ("Unable to download webpage: HTTP Error 404: Not Found", Outcome.REMOVED),
        ("Unable to download webpage: HTTP Error 429: Too Many", Outcome.RATE_LIMITED),
        ("Unable to download webpage: HTTP Error 503: Busy", Outcome.NETWORK),
        ("Unable to download webpage: The read operation timed out", Outcome.NETWORK),
        ("something nobody has seen", Outcome.EXTRACTOR_BROKEN),
    ],
)
def test_what_yt_dlp_says(message: str, outcome: Outcome) -> None:
    assert classify(message) is outcome
    assert (outcome in MARKER_OF) <= (outcome in FINAL)


def test_yt_dlp_knows_our_links_and_options(tmp_path: Path) -> None:
    yt_dlp = pytest.importorskip("yt_dlp", reason="yt-dlp is not installed (extra download)")
    from yt_dlp.extractor.tiktok import TikTokIE

    assert TikTokIE.suitable(f"https://www.tiktok.com/@/video/{IDS[0]}")
    backend = YtDlp(tmp_path)
    known = yt_dlp.YoutubeDL.__doc__ or ""
    downloader = known + (yt_dlp.downloader.common.FileDownloader.__doc__ or "")
    for option in backend.options():
        assert f"{option}:" in downloader, option


def test_an_extractor_error_of_yt_dlp_is_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yt_dlp = pytest.importorskip("yt_dlp", reason="yt-dlp is not installed (extra download)")
    from yt_dlp.extractor.tiktok import TikTokIE

    backend = YtDlp(tmp_path)

    def says(error: Exception) -> Outcome:
        def extract(self: object, url: str) -> None:
            raise error

        monkeypatch.setattr(TikTokIE, "_real_extract", extract)
        return backend.fetch(IDS[0]).outcome

    failed = yt_dlp.utils.ExtractorError
    assert says(failed("Unable to extract universal data")) is Outcome.EXTRACTOR_BROKEN
    assert says(KeyError("itemStruct")) is Outcome.EXTRACTOR_BROKEN
    blocked = failed("Your IP address is blocked from accessing this post", expected=True)
    assert says(blocked) is Outcome.REGION_BLOCKED
    private = failed("You do not have permission to view this post", expected=True)
    assert says(private) is Outcome.PRIVATE


def test_pictures_with_music_are_a_slideshow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("yt_dlp", reason="yt-dlp is not installed (extra download)")
    from yt_dlp.extractor.tiktok import TikTokIE

    music = {"format_id": "audio", "url": "http://127.0.0.1:9/a.mp3", "vcodec": "none"}
    monkeypatch.setattr(
        TikTokIE, "_real_extract", lambda self, url: {"id": "1", "title": "x", "formats": [music]}
    )
    assert YtDlp(tmp_path).fetch(IDS[0]).outcome is Outcome.SLIDESHOW
