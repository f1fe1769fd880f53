"""What Whisper's passes give, and how token sequences become timed text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from builder.annotate.transcripts.invented import compression_ratio

Array = npt.NDArray[np.float32]

FRAMES_PER_SECOND = 100
TIME_PRECISION = 0.02  # seconds a time-stamp token stands for
# Text that starts this close to the end of the window has no sound of its own, seconds.
END_SECONDS = 0.1
# A pass less sure of its words than this is tried again, as OpenAI's Whisper does.
FAILED_LOGPROB = -1.0


@dataclass(frozen=True)
class Encoded:
    """A window after the encoder: its spectrogram and its states (frames / 2, width)."""

    features: Array
    states: Array


@dataclass(frozen=True)
class Piece:
    """Text of a stretch of a window, seconds from the start of the window."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Decoded:
    """What one pass over a window gave.

    Attributes:
        pieces: timed text, in order.
        n_tokens: tokens of it.
        avg_logprob: mean log-probability of the tokens.
        no_speech_prob: the model's probability of no speech.
        compression_ratio: zlib ratio of the text.
    """

    pieces: tuple[Piece, ...]
    n_tokens: int
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float

    @property
    def text(self) -> str:
        """The whole text."""
        return " ".join(piece.text for piece in self.pieces)


def groups(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Indices of windows of equal length, `size` together; longest first, so that the workers
    finish together."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, length in enumerate(lengths):
        by_length[length].append(i)
    return [
        members[at : at + size]
        for _, members in sorted(by_length.items(), reverse=True)
        for at in range(0, len(members), size)
    ]


def padded(features: Array, frames: int) -> Array:
    """A spectrogram filled up to a length, or cut to it."""
    filled = np.zeros((features.shape[0], frames), np.float32)
    filled[:, : features.shape[1]] = features[:, :frames]
    return filled


def read(result: Any, tokenizer: Any, seconds: float) -> Decoded:
    """A CTranslate2 result as timed text.

    Args:
        result: a `WhisperGenerationResult` with scores.
        tokenizer: faster-whisper's.
        seconds: length of the window.
    """
    tokens = result.sequences_ids[0]
    pieces: list[Piece] = []
    start, held = 0.0, []
    for token in [*tokens, None]:
        if token is not None and token < tokenizer.timestamp_begin:
            held.append(token)
            continue
        at = seconds
        if token is not None:
            at = min((token - tokenizer.timestamp_begin) * TIME_PRECISION, seconds)
        if held:
            text = tokenizer.decode(held).strip()
            # Behind the end of the sound a lost decoder starts again from the beginning.
            if text and start < seconds - END_SECONDS:
                pieces.append(Piece(start, max(at, start), text))
            held = []
        start = at
    text = " ".join(piece.text for piece in pieces)
    return Decoded(
        pieces=tuple(pieces),
        n_tokens=len(tokens),
        avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
        no_speech_prob=result.no_speech_prob,
        compression_ratio=compression_ratio(text),
    )


def shifted(decoded: Decoded, offset: float) -> Decoded:
    """The same text, `offset` seconds later."""
    pieces = (replace(p, start=p.start + offset, end=p.end + offset) for p in decoded.pieces)
    return replace(decoded, pieces=tuple(pieces))


def looks_failed(decoded: Decoded, max_compression_ratio: float) -> bool:
    """True when a pass repeats itself (zlib shrinks it more than that) or is unsure of its words.

    Both are OpenAI Whisper's signs of a failed decoding.
    """
    return decoded.compression_ratio > max_compression_ratio or decoded.avg_logprob < FAILED_LOGPROB


def quality(decoded: Decoded, limit: float) -> tuple[bool, float]:
    """What the better of two passes has more of; `limit` is the highest compression ratio."""
    return decoded.compression_ratio <= limit, decoded.avg_logprob
