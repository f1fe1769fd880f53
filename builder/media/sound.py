"""Decodes the sound of a file. Runs in a child process: see `builder.media.workers`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler

from builder.media.formats import (
    INDEXED,
    MediaProblem,
    is_encrypted,
    open_media,
    status_of_open,
    unread,
)

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
# Broken packets in a row after which the rest of the file is given up.
MAX_BAD_PACKETS = 200
# Sound that ends this much before its track does may have been cut off by a read error.
_WHOLE_SHARE, _WHOLE_SECONDS = 0.95, 1.0
# Channels are compared over this much sound at once.
_COMPARED = SAMPLE_RATE // 2
# Two channels that have nothing in common mix to a quarter of the louder one's energy. Less than
# this share is left only where one is the other upside down.
CANCELLED = 0.1


def decode_sound(path: Path) -> Iterator[Samples]:
    """The first audio track, resampled to 16 kHz mono, some half a second at a time.

    Broken packets are skipped, as a player does. A file that ends early, or breaks the decoder,
    gives what it has. Channels that cancel each other when mixed (a stereo recording with one
    channel upside down) are not mixed: the louder one is taken.

    Args:
        path: a media file.

    Yields:
        Samples in -1..1. An empty block says only that work goes on.

    Raises:
        MediaProblem: no sound can be had; or, after some, ``unreadable``: the file could not be
            read to its end, or only could be at the second attempt.
    """
    first = _Decoding()
    yield from _decode(path, first)
    if (first.doubtful or not first.indexed) and (status := unread(path)):
        raise MediaProblem(status)
    if not first.doubtful:
        return
    again = _Decoding()
    for _ in _decode(path, again):
        yield np.zeros(0, np.float32)
    if again.samples > first.samples:  # it was a passing fault: the whole is there now
        raise MediaProblem("unreadable")


@dataclass
class _Decoding:
    """How far one reading of a file came."""

    samples: int = 0
    indexed: bool = True
    doubtful: bool = False


def _decode(path: Path, done: _Decoding) -> Iterator[Samples]:
    declared = 0.0
    try:
        with open_media(path) as container:
            if "mp4" in container.format.name and is_encrypted(path):
                raise MediaProblem("encrypted")
            if not container.streams.audio:
                raise MediaProblem("no_audio" if container.streams.video else "corrupt")
            stream = container.streams.audio[0]
            if stream.duration and stream.time_base:
                declared = float(stream.duration * stream.time_base)
            done.indexed = container.format.name.split(",")[0] in INDEXED
            for samples in _tracks(container, done):
                done.samples += len(samples)
                yield samples
    except MediaProblem:
        raise
    except Exception as error:
        if not done.samples:
            raise MediaProblem(status_of_open(error, path)) from error
        done.doubtful = True
        return
    if not done.samples:
        raise MediaProblem(unread(path) or "corrupt")
    short = done.samples < SAMPLE_RATE * min(declared * _WHOLE_SHARE, declared - _WHOLE_SECONDS)
    done.doubtful = done.doubtful or short


def _tracks(container: Any, done: _Decoding) -> Iterator[Samples]:
    """The first track, nearly always the only one."""
    stream = container.streams.audio[0]
    mixer = _Mixer()
    bad = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except av.EOFError:
            break
        except Exception:  # noqa: BLE001 - a demuxer raised IndexError once
            done.doubtful = True
            bad += 1
            if bad > MAX_BAD_PACKETS:
                break
            continue
        if not frames:
            yield np.zeros(0, np.float32)
        for frame in frames:
            bad = 0
            frame.pts = None  # gaps in time stamps would make the resampler pad or drop
            yield from mixer.add(frame)
    yield from mixer.rest()


class _Mixer:
    """Resamples frames to 16 kHz mono; looks at the channels before it believes the mix."""

    def __init__(self) -> None:
        # 16-bit like faster-whisper's own decoder, so that transcripts can be compared.
        self._mono = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        self._pair = AudioResampler(format="s16p", layout="stereo", rate=SAMPLE_RATE)
        self._stereo: bool | None = None
        self._mixed: list[Samples] = []
        self._sides: list[Samples] = []
        self._held = 0

    def add(self, frame: Any) -> Iterator[Samples]:
        """Samples that are ready once this frame was taken."""
        if self._stereo is None:
            self._stereo = frame.layout.nb_channels > 1
        if self._stereo:
            # the resampler changes the frame's time stamp, nothing else
            self._keep(self._sides, self._pair.resample(frame))
            frame.pts = None
        self._held += self._keep(self._mixed, self._mono.resample(frame))
        if self._held >= _COMPARED:
            yield self._chosen()

    def rest(self) -> Iterator[Samples]:
        """What the resamplers still hold."""
        if self._stereo is None:
            return
        if self._stereo:
            self._keep(self._sides, self._pair.resample(None))
        self._held += self._keep(self._mixed, self._mono.resample(None))
        if self._held:
            yield self._chosen()

    @staticmethod
    def _keep(into: list[Samples], frames: list[Any]) -> int:
        held = 0
        for frame in frames:
            channels = frame.to_ndarray().reshape(-1, frame.samples).astype(np.float32) / 32768.0
            into.append(channels)
            held += frame.samples
        return held

    def _chosen(self) -> Samples:
        mixed: Samples = np.concatenate(self._mixed, axis=1)[0]
        self._mixed, self._held = [], 0
        if not self._sides:
            return mixed
        sides = np.concatenate(self._sides, axis=1)
        self._sides = [sides[:, len(mixed) :]]
        sides = sides[:, : len(mixed)]
        energy = np.square(sides).sum(axis=1)
        louder = int(energy.argmax())
        alone: Samples = sides[louder]
        # the last block may be a sample shorter on one side
        if np.square(mixed).sum() < CANCELLED * energy[louder] and len(alone) == len(mixed):
            return alone
        return mixed
