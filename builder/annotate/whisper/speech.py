"""Cuts the speech of a video into the windows Whisper is given.

Silero's voice detector (bundled with faster-whisper, MIT) runs first, so music and silence cost
next to nothing and Whisper never sees them. Speech is packed into windows of at most 29 s: spans
close to each other keep the pause between them, and a window that is long enough ends at a pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from builder.config.asr import SpeechOptions
from builder.media.audio import SAMPLE_RATE, Samples, decode_blocks
from builder.run.ct2 import whisper_library

Span = tuple[int, int]  # first sample, sample after the last


@dataclass(frozen=True)
class Window:
    """Sound for one pass of Whisper.

    Attributes:
        samples: the sound.
        pieces: (seconds into the window, seconds into the video) where each piece of it starts.
        voiced: where the detector hears speech, seconds into the window.
    """

    samples: Samples
    pieces: tuple[tuple[float, float], ...]
    voiced: tuple[tuple[float, float], ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return len(self.samples) / SAMPLE_RATE

    def in_video(self, seconds: float) -> float:
        """Time in the video of a time in the window."""
        at, start = next(
            (piece for piece in reversed(self.pieces) if piece[0] <= seconds), self.pieces[0]
        )
        return start + seconds - at

    def voiced_seconds(self, start: float, end: float) -> float:
        """Seconds of speech between two times of the window."""
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in self.voiced)


@lru_cache
def load_detector() -> Any:
    """The voice detector, loaded once for all threads: `faster_whisper.vad`."""
    vad = whisper_library().vad
    vad.get_vad_model()
    return vad


def speech_windows(path: Path, options: SpeechOptions) -> Iterator[Window]:
    """Windows of speech of one file, in order, decoded as they are taken.

    Args:
        path: a media file.
        options: see `SpeechOptions`.

    Yields:
        Windows; none when nobody speaks.

    Raises:
        MediaProblem: the file gives no sound.
    """
    start = 0  # sample of the video at which `block` starts
    block = np.zeros(0, np.float32)
    for following in decode_blocks(path, options.block_seconds):
        if len(block):  # is complete: something follows
            found = find_speech(block, options)
            open_from = _unfinished(found.spans, len(block), options)
            closed = [span for span in found.spans if span[1] <= open_from]
            yield from _pack(block, Speech(closed, found.voiced), start, options)
            block, start = block[open_from:], start + open_from
        block = np.concatenate([block, following]) if len(block) else following
    if len(block):
        yield from _pack(block, find_speech(block, options), start, options)


@dataclass(frozen=True)
class Speech:
    """Speech in a piece of sound: spans to transcribe (with the sound around), and the voice."""

    spans: list[Span]
    voiced: list[Span]


def find_speech(samples: Samples, options: SpeechOptions) -> Speech:
    """Find speech; no span is longer than a window."""
    if _is_silent(samples, options.silence_dbfs):
        return Speech([], [])
    pad = options.pad_ms * SAMPLE_RATE // 1000
    vad = load_detector()
    found = vad.get_speech_timestamps(
        samples,
        vad.VadOptions(
            threshold=options.threshold,
            min_speech_duration_ms=options.min_speech_ms,
            max_speech_duration_s=max(1.0, options.max_window_seconds - 2 * options.pad_ms / 1000),
            min_silence_duration_ms=options.min_silence_ms,
            speech_pad_ms=0,
        ),
    )
    spans = [(int(span["start"]), int(span["end"])) for span in found]
    spans = [span for span in spans if not _is_faint(samples, span, options)]
    heard = sum(last - first for first, last in spans)
    longest = int(options.max_window_seconds * SAMPLE_RATE)
    if spans and len(samples) <= longest and heard >= options.whole_share * len(samples):
        return Speech([(0, len(samples))], spans)
    return Speech(_widened(spans, len(samples), pad), spans)


def _is_faint(samples: Samples, span: Span, options: SpeechOptions) -> bool:
    # Music fools the detector for a moment, and not quite.
    first, last = span
    if last - first >= options.faint_seconds * SAMPLE_RATE:
        return False
    part = samples[first:last]
    probabilities = load_detector().get_vad_model()(np.pad(part, (0, 512 - len(part) % 512)))
    return float(probabilities.mean()) < options.faint_probability


def _widened(spans: list[Span], length: int, pad: int) -> list[Span]:
    """Spans with the sound around them; what lies between two is shared."""
    wide: list[Span] = []
    for i, (first, last) in enumerate(spans):
        before = spans[i - 1][1] if i else -first
        after = spans[i + 1][0] if i + 1 < len(spans) else 2 * length - last
        start = max(0, first - min(pad, (first - before) // 2))
        wide.append((start, min(length, last + min(pad, (after - last) // 2))))
    return wide


def _is_silent(samples: Samples, dbfs: float) -> bool:
    frame = SAMPLE_RATE // 32
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    loudest = np.square(whole).mean(axis=1).max() if len(whole) else np.square(samples).mean()
    return bool(loudest < 10 ** (dbfs / 10))


def _unfinished(spans: list[Span], length: int, options: SpeechOptions) -> int:
    # Speech that runs into the end of a block is searched again with what follows.
    if not spans or spans[-1][1] < length - SAMPLE_RATE:
        return length
    if length - spans[-1][0] > options.max_window_seconds * SAMPLE_RATE:
        return length
    return spans[-1][0]


def _pack(samples: Samples, speech: Speech, start: int, options: SpeechOptions) -> Iterator[Window]:
    longest = options.max_window_seconds * SAMPLE_RATE
    good = options.good_window_seconds * SAMPLE_RATE
    pause = options.max_pause_seconds * SAMPLE_RATE
    held: list[Span] = []
    length = 0
    for first, last in speech.spans:
        gap = first - held[-1][1] if held else 0
        near = bool(held) and gap <= pause
        grown = length + (last - held[-1][1] if near else last - first)
        if held and (grown > longest or (not near and length >= good)):
            yield _window(samples, held, speech.voiced, start)
            held, length, near = [], 0, False
        if near:  # one piece with the span before, pause included
            length += last - held[-1][1]
            held[-1] = (held[-1][0], last)
        else:
            held.append((first, last))
            length += last - first
    if held:
        yield _window(samples, held, speech.voiced, start)


def _window(samples: Samples, spans: list[Span], voiced: list[Span], start: int) -> Window:
    pieces, heard, at = [], [], 0
    for first, last in spans:
        pieces.append((at / SAMPLE_RATE, (start + first) / SAMPLE_RATE))
        for a, b in voiced:
            if a < last and b > first:
                a, b = max(a, first) - first + at, min(b, last) - first + at
                heard.append((a / SAMPLE_RATE, b / SAMPLE_RATE))
        at += last - first
    joined = np.concatenate([samples[a:b] for a, b in spans])
    return Window(joined, tuple(pieces), tuple(heard))
