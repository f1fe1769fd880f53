"""Whisper on CTranslate2, window by window.

What makes it fast, measured by ``scripts/bench_transcribe.py``:

* A window is encoded with a second of silence after it, not padded to 30 s. CTranslate2 accepts
  shorter spectrograms, and the word error rate does not suffer.
* Windows are encoded one at a time by single-threaded workers (a batch falls out of the CPU's
  caches), and decoded in batches (each step then reads the weights once for all).

What makes it deterministic: a window's padded length is a function of the window alone, workers
are single-threaded, and CTranslate2's int8 arithmetic does not mix the rows of a batch. So a text
depends on its window, not on what else was in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from builder.annotate.whisper.decoding import (
    FRAMES_PER_SECOND,
    Array,
    Decoded,
    Encoded,
    groups,
    looks_failed,
    padded,
    quality,
    read,
    shifted,
)
from builder.config.asr import AsrTable
from builder.errors import StageFailed
from builder.media.audio import Samples
from builder.run.cpu import cores
from builder.run.ct2 import library, made_with, open_whisper, whisper_library

R = TypeVar("R")

FULL_FRAMES = 3000  # Whisper's 30 s
# Padded lengths: few enough that windows share one, many enough that little is padded.
BUCKETS: tuple[int, ...] = (
    *range(200, 1000, 100),
    *range(1000, 2000, 200),
    *range(2000, 3001, 250),
)
# Speech left over behind the last time stamp that is worth another pass, seconds.
LEFT_OVER_SECONDS = 2.0
MAX_PASSES = 4


class WhisperEngine:
    """A loaded model.

    Args:
        folder: a CTranslate2 Whisper model.
        options: a profile's `[asr]`.

    Raises:
        StageFailed: the model cannot be loaded.
    """

    def __init__(self, folder: Path, options: AsrTable) -> None:
        self.options = options
        self.workers = options.threads or cores()
        try:
            whisper = open_whisper(
                folder,
                device=options.device,
                compute_type=_compute_type(options),
                cpu_threads=1,
                num_workers=self.workers,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise StageFailed(
                f"cannot load the Whisper model: {error}",
                file=folder,
                way_out="check [asr] model, device and compute_type in the profile",
            ) from error
        self.model: Any = whisper.model
        self.made_with = made_with(self.model)
        self._storage: Any = library().StorageView
        self._library: Any = whisper_library()
        self._extract: Callable[[Samples], Array] = whisper.feature_extractor
        self._hf_tokenizer = whisper.hf_tokenizer
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="whisper")
        self._tokenizers: dict[str, Any] = {}
        # A GPU wants batches in the encoder too.
        self._encode_batch = 1 if self.model.device == "cpu" else options.batch_size

    def features(self, samples: Samples) -> Array:
        """Log-mel spectrogram (mels, frames) of a window of at most 30 s."""
        return np.asarray(self._extract(samples)[..., :-1], np.float32)[:, :FULL_FRAMES]

    def encode(self, features: Sequence[Array], *, full: bool = False) -> list[Encoded]:
        """Run the encoder over windows.

        Args:
            features: spectrograms.
            full: pad to 30 s whatever the options say.
        """

        def run(group: list[int]) -> list[Array]:
            frames = self._frames(features[group[0]], full)
            batch = np.stack([padded(features[i], frames) for i in group])
            states = self.model.encode(self._storage.from_array(batch), to_cpu=True)
            return list(np.asarray(states))

        lengths = [self._frames(f, full) for f in features]
        split = groups(lengths, self._encode_batch)
        return [
            Encoded(features[i], states)
            for i, states in enumerate(self._scatter(run, split, len(features)))
        ]

    def languages(self, encoded: Sequence[Encoded]) -> list[dict[str, float]]:
        """Probability of every language Whisper knows, for each window."""

        def run(group: list[int]) -> list[dict[str, float]]:
            states = self._stack([encoded[i].states for i in group])
            return [
                {token[2:-2]: float(p) for token, p in found}
                for found in self.model.detect_language(states)
            ]

        if not self.model.is_multilingual:
            return [{"en": 1.0} for _ in encoded]
        split = groups([len(e.states) for e in encoded], self.options.batch_size)
        return self._scatter(run, split, len(encoded))

    def decode(self, encoded: Sequence[Encoded], languages: Sequence[str]) -> list[list[Decoded]]:
        """Text of windows.

        A pass whose last time stamp leaves speech behind is followed by a pass over the rest; one
        that looks failed (repeats itself, or is unsure) is tried again with 30 s of context and
        no repeated phrases, and the better one is kept.

        Args:
            encoded: windows.
            languages: the language to decode each in.

        Returns:
            The passes over each window, in order; times count from the start of the window.
        """
        results: list[list[Decoded]] = [[] for _ in encoded]
        waiting = [(i, 0.0, item) for i, item in enumerate(encoded)]
        for _ in range(MAX_PASSES):
            if not waiting:
                break
            decoded = self._decode_checked(
                [item for _, _, item in waiting], [languages[i] for i, _, _ in waiting]
            )
            rest: list[tuple[int, float, Array]] = []
            for (i, offset, item), result in zip(waiting, decoded, strict=True):
                results[i].append(shifted(result, offset))
                seconds = item.features.shape[1] / FRAMES_PER_SECOND
                end = result.pieces[-1].end if result.pieces else seconds
                if 0 < end < seconds - LEFT_OVER_SECONDS:
                    left = item.features[:, round(end * FRAMES_PER_SECOND) :]
                    rest.append((i, offset + end, left))
            again = self.encode([features for _, _, features in rest])
            waiting = [(i, at, item) for (i, at, _), item in zip(rest, again, strict=True)]
        return results

    def _decode_checked(self, encoded: list[Encoded], languages: list[str]) -> list[Decoded]:
        decoded = self.decode_once(encoded, languages)
        limit = self.options.rules.max_compression_ratio
        doubtful = [i for i, result in enumerate(decoded) if looks_failed(result, limit)]
        if doubtful:
            again = self.decode_once(
                self.encode([encoded[i].features for i in doubtful], full=True),
                [languages[i] for i in doubtful],
                no_repeat_ngram_size=4,
            )
            for i, result in zip(doubtful, again, strict=True):
                decoded[i] = max(decoded[i], result, key=partial(quality, limit=limit))
        return decoded

    def decode_once(
        self, encoded: Sequence[Encoded], languages: Sequence[str], **generation: Any
    ) -> list[Decoded]:
        """One pass over each window, as it comes; `generation` is handed to CTranslate2."""

        def run(group: list[int]) -> list[Decoded]:
            tokenizers = [self._tokenizer(languages[i]) for i in group]
            results = self.model.generate(
                self._stack([encoded[i].states for i in group]),
                [list(tokenizer.sot_sequence) for tokenizer in tokenizers],
                beam_size=self.options.beam_size,
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=self._library.transcribe.get_suppressed_tokens(tokenizers[0], [-1]),
                **generation,
            )
            return [
                read(result, tokenizer, encoded[i].features.shape[1] / FRAMES_PER_SECOND)
                for i, result, tokenizer in zip(group, results, tokenizers, strict=True)
            ]

        split = groups([len(e.states) for e in encoded], self.options.batch_size)
        return self._scatter(run, split, len(encoded))

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = self._library.tokenizer.Tokenizer(
                self._hf_tokenizer, self.model.is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _stack(self, states: Sequence[Array]) -> Any:
        return self._storage.from_array(np.stack(states))

    def _frames(self, features: Array, full: bool) -> int:
        if full:
            return FULL_FRAMES
        margin = round(self.options.context_margin_seconds * FRAMES_PER_SECOND)
        wanted = min(FULL_FRAMES, int(features.shape[1]) + margin)
        return min(bucket for bucket in BUCKETS if bucket >= wanted)

    def _scatter(
        self, run: Callable[[list[int]], list[R]], split: list[list[int]], total: int
    ) -> list[R]:
        found: dict[int, R] = {}
        for group, results in zip(split, self._pool.map(run, split), strict=True):
            found.update(zip(group, results, strict=True))
        return [found[i] for i in range(total)]


def _compute_type(options: AsrTable) -> str:
    if options.compute_type != "auto":
        return options.compute_type
    on_gpu = options.device != "cpu" and library().get_cuda_device_count() > 0
    return "float16" if on_gpu else "int8"
