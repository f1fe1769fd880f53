"""Sound of a media file as 16 kHz mono, block by block, so that length costs no memory.

PyAV (the FFmpeg libraries) reads whatever the downloader left; nothing here needs an `ffmpeg`
binary.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
# Broken packets in a row after which the rest of the file is given up.
MAX_BAD_PACKETS = 200

av.logging.set_level(av.logging.PANIC)  # FFmpeg's own messages name files, and files are ids


class MediaProblem(Exception):
    """A file that gives no sound.

    Args:
        status: a member of `builder.media.probe.STATUSES`.
    """

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


def check_file(path: Path) -> None:
    """Reject what is no media file before FFmpeg sees it.

    Raises:
        MediaProblem: ``missing``, ``not_a_file``, ``unreadable``, ``empty`` or ``encrypted``.
    """
    try:
        if not path.is_file():
            raise MediaProblem("not_a_file" if path.exists() else "missing")
        with open(path, "rb") as handle:
            head = handle.read(8)
    except OSError as error:
        raise MediaProblem(status_of(error)) from error
    if not head:
        raise MediaProblem("empty")
    # A password-protected ZIP: bit 0 of its first entry's flags.
    if head[:4] == b"PK\x03\x04" and len(head) == 8 and head[6] & 1:
        raise MediaProblem("encrypted")


def status_of(error: BaseException) -> str:
    """The probe status an error of the operating system or of FFmpeg stands for."""
    if isinstance(error, MediaProblem):
        return error.status
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "missing"
    if isinstance(error, IsADirectoryError):
        return "not_a_file"
    # An FFmpeg error is also an OSError: only those the file system raises mean the file is there
    # but cannot be read.
    if isinstance(error, OSError) and error.errno in (
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ESTALE,
    ):
        return "unreadable"
    return "corrupt"


def is_encrypted(path: Path) -> bool:
    """True when an MP4 says its samples are encrypted (Common Encryption: encv, enca)."""
    with open(path, "rb") as handle:
        for tag in _sample_entries(handle.read(1 << 22)):
            if tag in (b"encv", b"enca"):
                return True
        handle.seek(0, 2)
        # The index may stand at the end of the file instead.
        handle.seek(max(0, handle.tell() - (1 << 20)))
        return any(tag in (b"encv", b"enca") for tag in _sample_entries(handle.read()))


def _sample_entries(data: bytes) -> Iterator[bytes]:
    # stsd: 4 bytes size, "stsd", 4 bytes version, 4 bytes count, 4 bytes size, type of the entry.
    at = data.find(b"stsd")
    while at != -1:
        yield data[at + 16 : at + 20]
        at = data.find(b"stsd", at + 4)


def decode_blocks(path: Path, block_seconds: float) -> Iterator[Samples]:
    """The first audio track, resampled to 16 kHz mono.

    Broken packets are skipped, as a player does. A file that ends early gives what it has.

    Args:
        path: a media file.
        block_seconds: length of every block but the last.

    Yields:
        Samples in -1..1.

    Raises:
        MediaProblem: no sound can be had: any status of `check_file`, ``corrupt``, ``no_audio``.
    """
    check_file(path)
    block = int(block_seconds * SAMPLE_RATE)
    waiting: list[Samples] = []
    held = 0
    for samples in _decode(path):
        waiting.append(samples)
        held += len(samples)
        while held >= block:
            joined = np.concatenate(waiting)
            yield joined[:block]
            waiting, held = [joined[block:]], held - block
    if held:
        yield np.concatenate(waiting)


def _decode(path: Path) -> Iterator[Samples]:
    decoded = bad = 0
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if "mp4" in container.format.name and is_encrypted(path):
                raise MediaProblem("encrypted")
            if not container.streams.audio:
                raise MediaProblem("no_audio" if container.streams.video else "corrupt")
            stream = container.streams.audio[0]
            # 16-bit like faster-whisper's own decoder, so that transcripts can be compared.
            resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets)
                    frames = packet.decode()
                except StopIteration:
                    break
                except (av.InvalidDataError, av.EOFError, ValueError) as error:
                    bad += 1
                    if bad > MAX_BAD_PACKETS or isinstance(error, av.EOFError):
                        break
                    continue
                for frame in frames:
                    bad = 0
                    frame.pts = None  # gaps in time stamps would make the resampler pad or drop
                    for out in resampler.resample(frame):
                        decoded += out.samples
                        yield out.to_ndarray().reshape(-1).astype(np.float32) / 32768.0
            if decoded:
                for out in resampler.resample(None):
                    yield out.to_ndarray().reshape(-1).astype(np.float32) / 32768.0
    except (av.FFmpegError, OSError, ValueError) as error:
        if not decoded:
            raise MediaProblem(status_of(error)) from error
    if not decoded:
        raise MediaProblem("corrupt")
