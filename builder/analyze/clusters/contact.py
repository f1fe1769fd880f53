"""Contact sheets: a few frames of each cluster, for the eyes of those who may see the videos."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from builder.media.formats import MediaProblem, check_file
from builder.media.frames import Picture
from builder.media.workers import frames_of
from builder.run.store import write_atomic

SIDE, COLUMNS, VIDEOS = 160, 6, 24


def write_sheet(path: Path, videos: Sequence[Path]) -> int:
    """Write a PNG (mode 0600) of the middle frames of some videos; returns how many are on it."""
    tiles: list[Picture] = []
    for video in videos[:VIDEOS]:
        try:
            check_file(video)
            tiles += frames_of(video, 1, SIDE)[:1]
        except MediaProblem:
            continue
    if not tiles:
        return 0
    rows = -(-len(tiles) // COLUMNS)
    whole = np.zeros((rows * SIDE, min(len(tiles), COLUMNS) * SIDE, 3), np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // COLUMNS * SIDE, place % COLUMNS * SIDE
        whole[top : top + SIDE, left : left + SIDE] = tile
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height = whole.shape[1], whole.shape[0]
    encoder.pix_fmt, encoder.time_base = "rgb24", Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(whole, format="rgb24")
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    write_atomic(path, b"".join(bytes(packet) for packet in packets), mode=0o600)
    return len(tiles)
