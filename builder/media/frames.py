"""Pictures out of a download, evenly over its length; runs in a child: `builder.media.workers`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from builder.media.formats import MediaProblem, is_encrypted, open_media, status_of_open

Picture = npt.NDArray[np.uint8]
_SEARCH = 400  # frames decoded after a seek before it is given up


def decode_frames(path: Path, count: int, size: int) -> Iterator[Picture]:
    """The frames in the middle of `count` equal pieces, shorter side to `size`, the middle square.

    Args:
        path: a download.
        count: frames wanted; a video with fewer gives fewer.
        size: of the square, pixels.

    Yields:
        Arrays (size, size, 3), RGB.

    Raises:
        MediaProblem: no picture: ``no_video``, ``encrypted``, ``corrupt`` and what opening gives.
    """
    found = 0
    try:
        with open_media(path) as container:
            if "mp4" in container.format.name and is_encrypted(path):
                raise MediaProblem("encrypted")
            if not container.streams.video:
                raise MediaProblem("no_video")
            stream = container.streams.video[0]
            length = _seconds(container, stream)
            last = -1.0
            for piece in range(count):
                at = length * (piece + 0.5) / count
                frame = _near(container, stream, at)
                if frame is None or (frame.time is not None and frame.time <= last):
                    continue
                last = frame.time if frame.time is not None else last
                found += 1
                yield _square(frame, size)
    except MediaProblem:
        raise
    except Exception as error:
        if not found:
            raise MediaProblem(status_of_open(error, path)) from error
        return
    if not found:
        raise MediaProblem("corrupt")


def _seconds(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float((container.duration or 0) / av.time_base)


def _near(container: Any, stream: Any, at: float) -> Any:
    """The first frame at a time or after it; the last one seen where there is none."""
    container.seek(int(at * av.time_base), backward=True, any_frame=False)
    seen = None
    for number, frame in enumerate(container.decode(stream)):
        seen = frame
        if frame.time is None or frame.time >= at or number > _SEARCH:
            break
    return seen


def _square(frame: Any, size: int) -> Picture:
    scale = size / min(frame.width, frame.height)
    width = max(size, min(8 * size, round(frame.width * scale)))
    height = max(size, min(8 * size, round(frame.height * scale)))
    whole = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    top, left = (height - size) // 2, (width - size) // 2
    return np.ascontiguousarray(whole[top : top + size, left : left + size])
