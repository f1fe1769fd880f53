"""Sound of a media file as 16 kHz mono, block by block, so that length costs no memory.

PyAV (the FFmpeg libraries) reads whatever the downloader left; nothing here needs an `ffmpeg`
binary. It runs in a child process, since a damaged file can take the decoder's process with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from builder.media.formats import MediaProblem, check_file, status_of
from builder.media.sound import SAMPLE_RATE, Samples
from builder.media.workers import sound_of

__all__ = ["SAMPLE_RATE", "MediaProblem", "Samples", "decode_blocks", "status_of"]


def decode_blocks(path: Path, block_seconds: float) -> Iterator[Samples]:
    """The first audio track, resampled to 16 kHz mono; see `builder.media.sound`.

    Args:
        path: a media file.
        block_seconds: length of every block but the last.

    Yields:
        Samples in -1..1.

    Raises:
        MediaProblem: no sound can be had: any status of `check_file`, ``corrupt``, ``no_audio``.
            Also after some blocks, when the decoder died or hung in the middle.
    """
    check_file(path)
    block = int(block_seconds * SAMPLE_RATE)
    waiting: list[Samples] = []
    held = 0
    problem: MediaProblem | None = None
    stream = sound_of(path)
    while True:
        try:
            samples = next(stream, None)
        except MediaProblem as error:
            samples, problem = None, error
        if samples is None:
            break
        waiting.append(samples)
        held += len(samples)
        while held >= block:
            joined = np.concatenate(waiting)
            yield joined[:block]
            waiting, held = [joined[block:]], held - block
    if held:
        yield np.concatenate(waiting)
    if problem is not None:  # what was heard before it counts
        raise problem
