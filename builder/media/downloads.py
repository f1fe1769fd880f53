"""A folder of downloads: which file is which video.

Subfolders are looked into, linked ones too; names that begin with a dot are left out.

* A file with an extension of `VIDEO_EXTENSIONS` or `AUDIO_EXTENSIONS` belongs to the id its name
  holds: ``<id>.mp4``; ``@user_video_<id>.mp4`` (Pyktok); ``<title> [<id>].mp4`` (yt-dlp); or any
  name with one number of 17 to 19 digits in it that can be an id. A video whose name holds none
  takes the id of the folder it lies in.
* ``<id>.private``, ``<id>.missing``, ``<id>.slideshow`` are markers a downloader leaves (their
  content is not read) where there was no video to have: the post is private, gone, or pictures.
* A folder ``<id>/`` without a video holds the pictures of a slideshow.
* Of several files with one id the best is used: they are opened, and a whole one with sound goes
  before one that ends early, that before a silent one, that before a broken one; then the longer,
  video before audio, the larger, the name. Folders and markers come after every file.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builder.errors import EmptySource
from builder.media.counts import MediaCounts
from builder.media.facts import Facts
from builder.media.formats import MediaProblem, check_file
from builder.media.gone import MARKER
from builder.media.workers import facts_of
from builder.sources.ids import EARLIEST, LATEST
from builder.sources.schema import MAX_ID, id_time

VIDEO_EXTENSIONS = frozenset("3gp avi flv m4v mkv mov mp4 mpeg mpg ts webm wmv".split())
AUDIO_EXTENSIONS = frozenset("aac flac m4a mp3 oga ogg opus wav weba wma".split())
MARKERS = ("slideshow", "private", "missing")

_BRACKETED = re.compile(r"\[(\d{15,19})\][^\[\]]{0,40}$")  # yt-dlp may add the format
_PYKTOK = re.compile(r"_video_(\d{15,19})(?!\d)")
_LONG = re.compile(r"(?<!\d)\d{17,19}(?!\d)")
_SHAPES = 3
# What a probe found, best first.
_BEST = ("ok", "no_video", "truncated", "no_audio")

MEDIA_SCHEMA: dict[str, Any] = {
    "id": pl.Int64,
    "path": pl.String,
    "size": pl.Int64,
    "mtime_ns": pl.Int64,
}


@dataclass(frozen=True)
class MediaScan:
    """A folder of downloads.

    Attributes:
        frame: `id` (unique, sorted), `path` (absolute), `size`, `mtime_ns`.
        not_an_id: media files whose name holds no TikTok id.
        doubled: entries left out because a better one has the same id.
        shapes: how the names without an id are built, without what they say; at most `_SHAPES`.
        unread: subfolders that could not be read.
    """

    frame: pl.DataFrame
    not_an_id: int
    doubled: int
    shapes: tuple[str, ...] = ()
    unread: int = 0

    def counts(self, matched: int) -> MediaCounts:
        """What the run reports, once it is known how many belong to a video."""
        files = self.frame.height + self.not_an_id + self.doubled
        unmatched = self.frame.height - matched
        return MediaCounts(
            files=files,
            matched=matched,
            unmatched=unmatched,
            not_an_id=self.not_an_id,
            doubled=self.doubled,
        )


def find_media(videos_dir: Path) -> pl.DataFrame:
    """The downloads in a folder: `scan_media(videos_dir).frame`."""
    return scan_media(videos_dir).frame


def scan_media(videos_dir: Path) -> MediaScan:
    """List the downloads in a folder (see the module docstring).

    Raises:
        EmptySource: there is no such folder, or it cannot be read.
        StageFailed: files with one id cannot be opened to compare them.
    """
    try:
        top = videos_dir.resolve()
        next(top.iterdir(), None)
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError
        why = error.strerror if isinstance(error, OSError) else "links in a circle"
        raise EmptySource(
            f"cannot read the folder of videos ({why})",
            file=videos_dir,
            way_out="give --videos-dir a folder that holds <id>.mp4 files",
        ) from error
    found: dict[int, list[tuple[int, Path]]] = defaultdict(list)
    nameless: list[str] = []
    entries, unread = _entries(top)
    for entry, rank in entries:
        video_id = _id_in(entry, rank)
        if video_id is None:
            nameless.append(entry.name)
        else:
            found[video_id].append((rank, entry))
    rows = [(key, *_facts(_best(those))) for key, those in sorted(found.items())]
    return MediaScan(
        pl.DataFrame(rows, schema=MEDIA_SCHEMA, orient="row"),
        not_an_id=len(nameless),
        doubled=sum(len(those) - 1 for those in found.values()),
        shapes=tuple(sorted({_shape(name) for name in nameless})[:_SHAPES]),
        unread=unread,
    )


def entries_of(videos_dir: Path, ids: frozenset[int]) -> list[Path]:
    """Everything in a folder of downloads that belongs to one of these ids, doubles included.

    Raises:
        EmptySource: there is no such folder.
    """
    top = videos_dir.resolve()
    if not top.is_dir():
        raise EmptySource(
            "there is no such folder of videos", file=videos_dir, way_out="check --videos-dir"
        )
    return [path for path, rank in _entries(top)[0] if _id_in(path, rank) in ids]


def _entries(top: Path) -> tuple[list[tuple[Path, int]], int]:
    """(entry, rank) of all that a downloader may have left, sorted; folders that were locked."""
    entries: list[tuple[Path, int]] = []
    locked: list[OSError] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(top, followlinks=True, onerror=locked.append):
        seen.add(os.path.realpath(folder))
        here = Path(folder)
        inside = [(here / name, rank) for name in names if (rank := _rank(here / name)) is not None]
        for name in list(folders):
            path = here / name
            rank = _rank(path)
            like_a_file = rank is not None and rank < _FOLDER  # named like one, to be told so
            if like_a_file:
                inside.append((path, rank or 0))
            if like_a_file or name.startswith(".") or os.path.realpath(path) in seen:
                folders.remove(name)
        folders.sort()
        own = here != top and _exact_id(here.name) is not None
        if own and not any(rank == 0 for _, rank in inside):
            # the pictures of a slideshow, and perhaps its music
            inside = [(path, rank) for path, rank in inside if _id_in_name(path.stem) is not None]
            entries.append((here, _FOLDER))
        entries += inside
    return sorted(entries), len(locked)


_FOLDER = 2


def _rank(entry: Path) -> int | None:
    """0 video, 1 audio, from 3 markers; None for what is none of our business."""
    if entry.name.startswith("."):
        return None
    extension = entry.suffix.lower().removeprefix(".")
    if extension in VIDEO_EXTENSIONS:
        return 0
    if extension in AUDIO_EXTENSIONS:
        return 1
    return _FOLDER + 1 + MARKERS.index(extension) if extension in MARKERS else None


def _id_in(entry: Path, rank: int) -> int | None:
    if rank == _FOLDER:
        return _exact_id(entry.name)
    found = _id_in_name(entry.stem)
    # a video without an id of its own: named by its folder
    return _exact_id(entry.parent.name) if found is None and rank == 0 else found


def _id_in_name(stem: str) -> int | None:
    if (exact := _exact_id(stem)) is not None:
        return exact
    for pattern in (_BRACKETED, _PYKTOK):
        if (found := pattern.findall(stem)) and (video_id := _exact_id(found[-1])) is not None:
            return video_id
    possible = {
        number
        for text in _LONG.findall(stem)
        if (number := _exact_id(text)) is not None and EARLIEST <= id_time(number) <= LATEST
    }
    return possible.pop() if len(possible) == 1 else None


def _exact_id(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if 0 < number <= MAX_ID else None


def _shape(name: str) -> str:
    """How a name is built, without what it says: ``@…_…_<6 digits>.mp4``."""
    stem, dot, extension = name.rpartition(".")
    masked = re.sub(r"\d+", lambda run: f"<{len(run[0])} digits>", re.sub(r"[^\W\d_]+", "…", stem))
    masked = re.sub(r"…(?:[\s.,'’-]*…)+", "…", masked)
    return f"{masked[:40]}{dot}{extension.lower()}"


def _best(those: list[tuple[int, Path]]) -> Path:
    """The best of the entries with one id; files are opened when there are several."""
    files = [(rank, path) for rank, path in those if rank < _FOLDER]
    if len(files) < 2:
        return min(those)[1]

    def badness(item: tuple[int, Path]) -> tuple[int, float, int, int, str]:
        rank, path = item
        facts = probe_file(path)
        place = _BEST.index(facts.status) if facts.status in _BEST else len(_BEST)
        if facts.status in ("ok", "no_video"):
            place = 0  # both whole, with sound: the longer one
        # tenths of a second: containers of one sound differ by less
        length = round(facts.duration_seconds or 0.0, 1)
        return place, -length, rank, -_facts(path)[1], path.name

    return min(files, key=badness)[1]


def _facts(entry: Path) -> tuple[str, int, int]:
    try:
        stat = entry.stat()
    except OSError:  # a dangling link, or gone since it was listed: probing says which
        return str(entry), 0, 0
    return str(entry), stat.st_size, stat.st_mtime_ns


def marker_of(path: Path) -> str | None:
    """The status a marker or slideshow folder stands for; None for a media file."""
    extension = path.suffix.lower().removeprefix(".")
    if extension in MARKERS:
        return extension
    return "slideshow" if not extension and path.is_dir() else None


def probe_file(path: Path) -> Facts:
    """Probe one file in a child process; whatever is wrong with it is in the status.

    Raises:
        StageFailed: no child process can be started.
    """
    marker = marker_of(path)
    if marker:
        return Facts(marker, MARKER)
    try:
        check_file(path)
    except MediaProblem as problem:
        return Facts(problem.status)
    return facts_of(path)
