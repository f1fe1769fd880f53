"""yt-dlp as a library: its options and its words, none of our own scraping."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from builder.errors import UsageProblem
from builder.media.download.outcome import Fetched, Outcome

RATE = 4 << 20  # bytes a second: polite
TIMEOUT = 30.0
_URL = "https://www.tiktok.com/@/video/{}"
# What yt-dlp says, in its own words (its TikTok extractor, 2026.10). Whatever is not here is the
# extractor's fault: nothing is called removed because a page could not be understood.
_SAYS: tuple[tuple[str, Outcome], ...] = (
    (r"HTTP Error (?:404|410)\b", Outcome.REMOVED),
    (r"HTTP Error 429\b|too many requests|rate.?limit", Outcome.RATE_LIMITED),
    (r"permission to view this post|private (?:post|account|video)", Outcome.PRIVATE),
    (r"IP address is blocked|HTTP Error 451\b|your (?:country|region)", Outcome.REGION_BLOCKED),
    (r"comfortable for some audiences|log ?in (?:for|to)", Outcome.LOGIN_REQUIRED),
    (r"Video not available, status code (?!0\b)\d+", Outcome.UNAVAILABLE),
    (
        r"timed? ?out|connection|resolve|unreachable|HTTP Error 5\d\d|SSL|network|IncompleteRead",
        Outcome.NETWORK,
    ),
)


def classify(message: str) -> Outcome:
    """What an error of yt-dlp means for the post."""
    return next(
        (outcome for said, outcome in _SAYS if re.search(said, message, re.IGNORECASE)),
        Outcome.EXTRACTOR_BROKEN,
    )


class YtDlp:
    """The back end of the service itself.

    Args:
        partial: folder for unfinished files; a stopped download goes on from there.

    Raises:
        UsageProblem: yt-dlp is not installed.
    """

    name = "yt-dlp"
    online = True

    def __init__(self, partial: Path) -> None:
        try:
            import yt_dlp
        except ImportError as error:
            raise UsageProblem(
                "yt-dlp is not installed",
                way_out='pip install -c constraints.txt ".[download]", or --backend folder',
            ) from error
        self._partial = partial
        self._errors: tuple[type[Exception], ...] = (yt_dlp.utils.YoutubeDLError,)
        self._downloader = yt_dlp.YoutubeDL(self.options())

    def options(self) -> dict[str, Any]:
        """Options of `yt_dlp.YoutubeDL`."""
        return {
            "logger": _Silent(),
            "quiet": True,
            "noprogress": True,
            "format": "b/bv*",
            "outtmpl": {"default": str(self._partial / "%(id)s.%(ext)s")},
            "continuedl": True,
            "retries": 3,
            "socket_timeout": TIMEOUT,
            "ratelimit": RATE,
            "noplaylist": True,
            "cachedir": False,
        }

    def fetch(self, video_id: int) -> Fetched:
        """Fetch one video into the folder of unfinished files."""
        try:
            info = self._downloader.extract_info(
                _URL.format(video_id), download=False, process=False
            )
            formats = (info or {}).get("formats") or []
            if formats and all(form.get("vcodec") == "none" for form in formats):
                return Fetched(Outcome.SLIDESHOW)  # pictures with music
            done = self._downloader.process_ie_result(info, download=True)
            files = (done or {}).get("requested_downloads") or []
            path = Path(files[0]["filepath"])
        except self._errors as error:
            return Fetched(classify(str(error)))
        except (OSError, TimeoutError) as error:
            if getattr(error, "errno", None) in (28, 122):  # a full disk is no fault of the net
                raise
            return Fetched(Outcome.NETWORK)
        except Exception:  # noqa: BLE001 - an answer of another form breaks an extractor anyhow
            return Fetched(Outcome.EXTRACTOR_BROKEN)
        return Fetched(Outcome.OK, path)


class _Silent:
    """yt-dlp's messages quote ids and names."""

    def debug(self, message: str) -> None: ...

    info = warning = error = debug
