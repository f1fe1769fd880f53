"""What a downloaded file is: duration, frames, sound, and whether it can be read at all.

A folder of downloads, by convention:

* ``<id>.<ext>`` with an extension of `VIDEO_EXTENSIONS` or `AUDIO_EXTENSIONS` is the video;
* ``<id>.private``, ``<id>.missing``, ``<id>.slideshow`` are markers a downloader leaves (their
  content is not read) where there was no video to have: the post is private, gone, or pictures;
* a folder ``<id>/`` holds the pictures of a slideshow;
* of several entries with one id the best is used: video, then audio, then folder, then marker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import av
import polars as pl

from builder.errors import EmptySource
from builder.media.audio import MediaProblem, check_file, is_encrypted, status_of
from builder.media.counts import MediaCounts
from builder.run.stage import Stage
from builder.sources.schema import MAX_ID

VIDEO_EXTENSIONS = frozenset("3gp avi flv m4v mkv mov mp4 mpeg mpg ts webm wmv".split())
AUDIO_EXTENSIONS = frozenset("aac flac m4a mp3 oga ogg opus wav weba wma".split())
MARKERS = ("slideshow", "private", "missing")

# Every status a probe can end with. ok and no_video have sound; no_audio has pictures only;
# truncated has sound and ends before the duration it declares; the rest gave nothing.
STATUSES = (
    "ok",
    "no_audio",
    "no_video",
    "truncated",
    "corrupt",
    "empty",
    "encrypted",
    "missing",
    "not_a_file",
    "unreadable",
    "private",
    "slideshow",
)
# A container that declares this much more than its packets hold was cut off.
TRUNCATED_SHARE, TRUNCATED_SECONDS = 0.95, 1.0

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
        not_an_id: media files whose name is no TikTok id.
        doubled: entries left out because a better one has the same id.
    """

    frame: pl.DataFrame
    not_an_id: int
    doubled: int

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
    """List the downloads in a folder (see the module docstring for its layout).

    Raises:
        EmptySource: there is no such folder, or it cannot be read.
    """
    try:
        entries = sorted(videos_dir.resolve().iterdir())
    except OSError as error:
        raise EmptySource(
            "cannot read the folder of videos",
            file=videos_dir,
            way_out="give --videos-dir a folder that holds <id>.mp4 files",
        ) from error
    best: dict[int, tuple[int, Path]] = {}
    not_an_id = doubled = 0
    for entry in entries:
        rank = _rank(entry)
        if rank is None:
            continue
        video_id = _id_of(entry.stem if entry.suffix else entry.name)
        if video_id is None:
            not_an_id += 1
        elif video_id in best and best[video_id][0] <= rank:
            doubled += 1
        else:
            doubled += video_id in best
            best[video_id] = (rank, entry)
    rows = [(key, *_facts(entry)) for key, (_, entry) in sorted(best.items())]
    return MediaScan(pl.DataFrame(rows, schema=MEDIA_SCHEMA, orient="row"), not_an_id, doubled)


def _rank(entry: Path) -> int | None:
    extension = entry.suffix.lower().removeprefix(".")
    if extension in VIDEO_EXTENSIONS:
        return 0
    if extension in AUDIO_EXTENSIONS:
        return 1
    if not extension and _id_of(entry.name) is not None and entry.is_dir():
        return 2
    return 3 + MARKERS.index(extension) if extension in MARKERS else None


def _id_of(stem: str) -> int | None:
    if not (stem.isascii() and stem.isdigit() and len(stem) <= 19):
        return None
    number = int(stem)
    return number if 0 < number <= MAX_ID else None


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


@dataclass(frozen=True)
class Facts:
    """What probing one file found; fields as in `Probe.output_schema`."""

    status: str
    reason: str | None = None
    duration_seconds: float | None = None
    n_frames: int | None = None
    has_audio: bool | None = None
    width: int | None = None
    height: int | None = None
    container: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


def probe_file(path: Path) -> Facts:
    """Probe one file; whatever is wrong with it is in the status, nothing is raised.

    All packets are read (none but the first of each track is decoded): container headers lie
    about frames, and only the last packet tells a whole file from a truncated one.
    """
    marker = marker_of(path)
    if marker:
        return Facts(marker, "marker")
    try:
        check_file(path)
        return _probe(path)
    except (MediaProblem, av.FFmpegError, OSError, ValueError, OverflowError) as error:
        status = status_of(error)
        return Facts(status, None if isinstance(error, MediaProblem) else "cannot_open")


def _probe(path: Path) -> Facts:
    with av.open(str(path), metadata_errors="ignore") as container:
        # Without the key FFmpeg hands out noise, and no error.
        if "mp4" in container.format.name and is_encrypted(path):
            return Facts("encrypted", container="mov")
        # A cover picture is a "video" track of one frame.
        videos = [s for s in container.streams.video if not _is_cover(s)]
        audios = list(container.streams.audio)
        if not videos and not audios:
            return Facts("corrupt", "no_tracks")
        video = videos[0] if videos else None
        audio = audios[0] if audios else None
        walk = _walk(container, [s for s in (video, audio) if s is not None])
        declared = container.duration / av.time_base if container.duration else 0.0
        known: dict[str, Any] = {
            "duration_seconds": round(max(declared, walk.end), 3) or None,
            "n_frames": walk.counts.get(video.index, 0) if video is not None else 0,
            "has_audio": audio is not None and walk.counts.get(audio.index, 0) > 0,
            "width": video.codec_context.width or None if video is not None else None,
            "height": video.codec_context.height or None if video is not None else None,
            "container": container.format.name.split(",")[0],
            "video_codec": video.codec_context.name if video is not None else None,
            "audio_codec": audio.codec_context.name if audio is not None else None,
        }
    if not walk.decodable:
        return Facts("corrupt", "no_frames")
    short = walk.end < min(declared * TRUNCATED_SHARE, declared - TRUNCATED_SECONDS)
    if walk.broken or short:
        # What can be read is what the video is: report the length that is there.
        known["duration_seconds"] = round(walk.end, 3) or None
        return Facts("truncated", "broken_packets" if walk.broken else "ends_early", **known)
    if not known["has_audio"]:
        return Facts("no_audio", None, **known)
    return Facts("ok" if video is not None else "no_video", None, **known)


@dataclass
class _Walk:
    counts: dict[int, int]
    end: float = 0.0
    broken: bool = False
    decodable: bool = False


def _walk(container: Any, streams: list[Any]) -> _Walk:
    """Read every packet of some tracks; decode until each track gave one frame."""
    walk = _Walk({})
    unseen = {stream.index for stream in streams}
    start = (container.start_time or 0) / av.time_base
    try:
        for packet in container.demux(streams):
            if packet.size == 0:
                continue
            index = packet.stream.index
            walk.counts[index] = walk.counts.get(index, 0) + 1
            walk.broken = walk.broken or packet.is_corrupt
            if packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start
                walk.end = max(walk.end, end)
            if index in unseen and _gives_frame(packet):
                unseen.discard(index)
    except (av.FFmpegError, ValueError):
        walk.broken = True
    walk.decodable = len(unseen) < len(streams) or _flush(streams)
    return walk


def _gives_frame(packet: Any) -> bool:
    try:
        return bool(packet.decode())
    except (av.FFmpegError, ValueError):
        return False


def _flush(streams: list[Any]) -> bool:
    # A file of very few frames hands them out only when the decoder is drained.
    for stream in streams:
        try:
            if stream.codec_context.decode(None):
                return True
        except (av.FFmpegError, ValueError):
            continue
    return False


def _is_cover(stream: Any) -> bool:
    return bool(getattr(stream, "disposition", 0) & av.stream.Disposition.attached_pic)


class Probe(Stage):
    """Opens every downloaded file; see `STATUSES` for how it can end."""

    name: ClassVar[str] = "probe"
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]] = ("path", "size", "mtime_ns")
    output_schema: ClassVar[dict[str, Any]] = {
        "status": pl.String,
        "reason": pl.String,
        "duration_seconds": pl.Float64,
        "n_frames": pl.Int64,
        "has_audio": pl.Boolean,
        "width": pl.Int32,
        "height": pl.Int32,
        "container": pl.String,
        "video_codec": pl.String,
        "audio_codec": pl.String,
    }
    batch_size = 256

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Probe one file; see `Stage.row`."""
        path = record["path"]
        return vars(probe_file(Path(path)) if path else Facts("missing", "no_file"))
