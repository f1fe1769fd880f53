"""What one file is: read packet by packet. Runs in a child process: see `builder.media.workers`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from builder.media.formats import (
    INDEXED,
    MediaProblem,
    is_encrypted,
    open_media,
    status_of_open,
    unread,
)

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
# Time stamps are believed up to this many times the length of the sound itself, or to this many
# seconds a picture: beyond, the time scale of the track is broken.
STRETCHED, SECONDS_A_PICTURE = 3.0, 10.0
_BEAT_SECONDS = 1.0


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


def probe_here(path: Path, beat: Callable[[], None] = lambda: None) -> Facts:
    """Probe one file in this process; whatever is wrong with it is in the status.

    All packets are read (none but the first of each track is decoded): container headers lie
    about frames, and only the last packet tells a whole file from a truncated one. What looks
    damaged is read once more without FFmpeg: a passing read error is ``unreadable``, not damage.

    Args:
        path: a file that `check_file` let pass.
        beat: called now and then while work goes on.
    """
    facts = _guarded(path, beat)
    damaged = facts.status in ("truncated", "corrupt")
    if damaged or facts.container not in INDEXED:
        if status := unread(path, beat):
            return Facts(status, "read_error")
        if damaged:  # while it could not be read for a moment? Now it can
            facts = _guarded(path, beat)
    return facts


def _guarded(path: Path, beat: Callable[[], None]) -> Facts:
    try:
        return _probe(path, beat)
    except MediaProblem as problem:
        return Facts(problem.status)
    except Exception as error:  # noqa: BLE001 - whatever a demuxer raises is that file's problem
        return Facts(status_of_open(error, path), "cannot_open")


def _probe(path: Path, beat: Callable[[], None]) -> Facts:
    with open_media(path) as container:
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
        tracks = [s for s in (video, audio) if s is not None]
        walk = _walk(container, tracks, beat)
        declared = _declared(container, tracks)
        pictures = video.codec_context if video is not None else None
        sound = audio.codec_context if audio is not None else None
        ends = {stream.index: walk.ends.get(stream.index, 0.0) for stream in tracks}
        stretched = False
        if audio is not None:
            limit = _sound_seconds(sound, walk.counts.get(audio.index, 0))
            if limit is not None and ends[audio.index] > STRETCHED * limit + 2:
                ends[audio.index], stretched = limit, True
        if video is not None:
            shown = walk.counts.get(video.index, 0)
            limit = SECONDS_A_PICTURE * shown
            if audio is not None:  # a still picture may stand as long as the music plays
                limit = max(limit, STRETCHED * ends[audio.index] + 2)
            if ends[video.index] > limit:
                ends[video.index], stretched = _picture_seconds(pictures, shown), True
        end = max(ends.values())
        known: dict[str, Any] = {
            "duration_seconds": round(end if stretched else max(declared, end), 3) or None,
            "n_frames": walk.counts.get(video.index, 0) if video is not None else 0,
            "has_audio": audio is not None and walk.counts.get(audio.index, 0) > 0,
            "width": (pictures.width or None) if pictures is not None else None,
            "height": (pictures.height or None) if pictures is not None else None,
            "container": container.format.name.split(",")[0],
            "video_codec": _codec(video),
            "audio_codec": _codec(audio),
        }
    if not walk.decodable:
        unknown = all(stream.codec_context is None for stream in tracks)
        return Facts("corrupt", "unknown_codec" if unknown else "no_frames")
    short = end < min(declared * TRUNCATED_SHARE, declared - TRUNCATED_SECONDS) and not stretched
    if walk.broken or short:
        # What can be read is what the video is: report the length that is there.
        known["duration_seconds"] = round(end, 3) or None
        return Facts("truncated", "broken_packets" if walk.broken else "ends_early", **known)
    if not known["has_audio"]:
        return Facts("no_audio", None, **known)
    return Facts("ok" if video is not None else "no_video", None, **known)


def _declared(container: Any, tracks: list[Any]) -> float:
    """Seconds the file says it has. Its tracks are believed where its header says far more."""
    declared = container.duration / av.time_base if container.duration else 0.0
    told = [float(s.duration * s.time_base) for s in tracks if s.duration and s.time_base]
    if told and declared > STRETCHED * max(told) + 2:
        return max(told)
    return declared


def _sound_seconds(codec: Any, packets: int) -> float | None:
    """Length of the sound by its samples, whatever the time stamps say; None if unknown."""
    if codec is None or not codec.frame_size or not codec.sample_rate:
        return None
    return float(packets * codec.frame_size / codec.sample_rate)


def _picture_seconds(codec: Any, shown: int) -> float:
    """Length of the pictures by the rate their codec names; 0 where it names none."""
    rate = float(getattr(codec, "framerate", None) or 0)
    return shown / rate if 1 <= rate <= 240 else 0.0


def _codec(stream: Any) -> str | None:
    if stream is None:
        return None
    return stream.codec_context.name if stream.codec_context is not None else "unknown"


@dataclass
class _Walk:
    counts: dict[int, int]
    ends: dict[int, float]
    broken: bool = False
    decodable: bool = False


def _walk(container: Any, streams: list[Any], beat: Callable[[], None]) -> _Walk:
    """Read every packet of some tracks; decode until each track gave one frame."""
    walk = _Walk({}, {})
    # A codec FFmpeg does not know (TikTok's own bvc2) has no decoder; its packets still count.
    unseen = {stream.index for stream in streams if stream.codec_context is not None}
    to_see = len(unseen)
    start = (container.start_time or 0) / av.time_base
    told = time.monotonic()
    try:
        for packet in container.demux(streams):
            if (now := time.monotonic()) - told > _BEAT_SECONDS:
                told = now
                beat()
            if packet.size == 0:
                continue
            index = packet.stream.index
            walk.counts[index] = walk.counts.get(index, 0) + 1
            walk.broken = walk.broken or packet.is_corrupt
            if packet.pts is not None and packet.time_base:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start
                walk.ends[index] = max(walk.ends.get(index, 0.0), end)
            if index in unseen and _gives_frame(packet):
                unseen.discard(index)
    except Exception:  # noqa: BLE001 - a demuxer raised IndexError once; what was read counts
        walk.broken = True
    walk.decodable = len(unseen) < to_see or _flush(streams)
    return walk


def _gives_frame(packet: Any) -> bool:
    try:
        return bool(packet.decode())
    except Exception:  # noqa: BLE001 - no frame, then
        return False


def _flush(streams: list[Any]) -> bool:
    # A file of very few frames hands them out only when the decoder is drained.
    for stream in streams:
        try:
            if stream.codec_context is not None and stream.codec_context.decode(None):
                return True
        except Exception:  # noqa: BLE001 - no frame, then
            continue
    return False


def _is_cover(stream: Any) -> bool:
    return bool(getattr(stream, "disposition", 0) & av.stream.Disposition.attached_pic)
