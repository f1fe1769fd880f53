"""The transcribe stage: downloaded videos to Whisper transcripts.

Sound is decoded and searched for speech in threads, a bounded distance ahead of Whisper; windows
of many videos are encoded and decoded together. Videos go longest file first, so the last batch is
not one long straggler. Text that `transcripts.invented` knows to be invented is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from builder.annotate.transcripts.invented import clean_text, judge_segment
from builder.annotate.transcripts.rules import near_empty, words
from builder.annotate.whisper.decoding import Array, Decoded, Piece
from builder.annotate.whisper.engine import WhisperEngine
from builder.annotate.whisper.speech import Window, load_detector, speech_windows
from builder.annotate.whisper.spoken_language import LANGUAGE_WINDOWS, LanguageChoice
from builder.annotate.whisper.weights import WHEEL_MODEL, local_folder, model_label, resolve
from builder.config.asr import AsrTable
from builder.media.audio import MediaProblem, status_of
from builder.media.downloads import marker_of
from builder.media.gone import MARKED, PASSING
from builder.run.cpu import cores
from builder.run.read_ahead import read_ahead
from builder.run.stage import Stage, alive

# Windows encoded and decoded together; their encoder states are in memory (base: 3 MB each).
POOL_WINDOWS = 48
LOOKAHEAD_VIDEOS, LOOKAHEAD_WINDOWS = 8, 8

# Settings that no text depends on.
NOT_OUTPUT = {"threads", "batch_size", "batch_videos"}

_SEGMENT = pl.Struct({"start": pl.Float32, "end": pl.Float32, "text": pl.String})


@dataclass
class _Video:
    """A video on its way: what Whisper said about it so far."""

    path: Path
    language: str | None = None
    confidence: float | None = None
    heard: list[tuple[Window, list[Decoded]]] = field(default_factory=list)
    speech_seconds: float = 0.0
    problem: str | None = None


# A window waiting for Whisper. Its sound is dropped once it has become a spectrogram.
_Waiting = tuple[_Video, Window, Array]


class Transcribe(Stage):
    """Transcribes the downloaded videos with Whisper.

    Args:
        table: a profile's ``[asr]``.
    """

    name: ClassVar[str] = "transcribe"
    version: ClassVar[str] = "3"
    # a pool of windows is 24 minutes of sound: a large model on a slow CPU hears them in an hour
    patience = 3_600.0
    input_columns: ClassVar[tuple[str, ...]] = ("path", "size", "mtime_ns")
    output_schema: ClassVar[dict[str, Any]] = {
        "text": pl.String,
        "status": pl.String,
        "reason": pl.String,
        "language": pl.String,
        "language_confidence": pl.Float32,
        "avg_logprob": pl.Float32,
        "no_speech_prob": pl.Float32,
        "compression_ratio": pl.Float32,
        "n_words": pl.Int64,
        "speech_seconds": pl.Float32,
        "segments": pl.List(_SEGMENT),
        "model": pl.String,
    }

    def __init__(self, table: AsrTable | None = None) -> None:
        self.table = table or AsrTable()
        self.choice = LanguageChoice(
            tuple(sorted(self.table.languages)), self.table.language_weights
        )
        self.batch_size = self.table.batch_videos
        self.on_gpu = self.table.device != "cpu"
        self.rules = self.table.rules
        self._label: str | None = None

    @property
    def label(self) -> str:
        """The model with its revision."""
        if self._label is None:
            self._label = model_label(self.table.model, self.table.revision)
        return self._label

    @property
    def params(self) -> dict[str, Any]:
        """What changes the text. What only changes how fast it comes is left out."""
        table = self.table.model_dump(mode="json", exclude=NOT_OUTPUT)
        return table | {"model": self.label, "languages": self.choice.allowed}

    def check(self) -> None:
        """Is there such a model folder? Raises `ModelUnavailable`."""
        if self.table.model != WHEEL_MODEL:
            local_folder(self.table.model)

    def load(self) -> WhisperEngine:
        """Load the model and the voice detector.

        Raises:
            ModelUnavailable, ModelDamaged: see `whisper.weights.resolve`.
            StageFailed: the model cannot be loaded.
        """
        files = resolve(self.table.model, self.table.revision)
        load_detector()
        return WhisperEngine(files.path, self.table)

    @property
    def engine(self) -> WhisperEngine:
        """The loaded model."""
        engine: WhisperEngine = self.loaded
        return engine

    def passing(self, done: pl.DataFrame) -> pl.Series:
        """A file that was not there or could not be read; see `Stage.passing`."""
        marked = done["path"].str.contains(MARKED).fill_null(False)
        return super().passing(done) | (done["reason"].is_in(PASSING).fill_null(False) & ~marked)

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """Longest file first; the size stands in for the length, which nobody knows yet."""
        return pending.sort("size", "id", descending=[True, False], nulls_last=True)

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """Transcribe the videos of a batch; see `Stage.rows`."""
        videos = [_Video(Path(path or "")) for path in batch["path"].to_list()]
        self._hear(videos)
        model = f"{self.label} ({self.engine.made_with})"
        return [{"model": model, **self._row(video)} for video in videos]

    def _hear(self, videos: list[_Video]) -> None:
        """Fill `heard`, `language` and `problem` of each video."""
        jobs: list[Callable[[], Iterator[tuple[Window, Array]]]] = [
            partial(self._windows, video.path) for video in videos
        ]
        workers = max(2, cores() // 2)
        pool: list[_Waiting] = []
        streams = read_ahead(jobs, workers, LOOKAHEAD_VIDEOS, LOOKAHEAD_WINDOWS)
        for video, stream in zip(videos, streams, strict=True):
            windows = 0
            try:
                for window, features in stream:
                    alive()
                    pool.append((video, window, features))
                    windows += 1
                    # A video's language needs its first windows together.
                    if len(pool) >= POOL_WINDOWS and windows >= LANGUAGE_WINDOWS:
                        self._flush(pool)
            except MediaProblem as problem:
                video.problem = problem.status
            alive()
            if len(pool) >= POOL_WINDOWS:
                self._flush(pool)
        self._flush(pool)

    def _windows(self, path: Path) -> Iterator[tuple[Window, Array]]:
        # Runs in a reader thread. Whatever a file does to the decoder is that file's problem.
        engine = self.engine
        marker = marker_of(path)
        if marker:
            raise MediaProblem(marker)
        try:
            for window in speech_windows(path, self.table.vad):
                yield replace(window, samples=window.samples[:0]), engine.features(window.samples)
        except MediaProblem:
            raise
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            raise MediaProblem(status_of(error)) from error

    def _flush(self, pool: list[_Waiting]) -> None:
        if not pool:
            return
        engine = self.engine
        encoded = engine.encode([features for _, _, features in pool])
        spoken = engine.languages(encoded)
        mine: dict[int, list[int]] = {}
        for i, (video, _, _) in enumerate(pool):
            mine.setdefault(id(video), []).append(i)
        for members in mine.values():
            video = pool[members[0]][0]
            if video.language is None:
                first = members[:LANGUAGE_WINDOWS]
                video.language, video.confidence = self.choice.of_video(
                    engine, [encoded[i] for i in first], [spoken[i] for i in first]
                )
        languages = [
            self.choice.of_window(video.language, item, found)
            for (video, _, _), item, found in zip(pool, encoded, spoken, strict=True)
        ]
        for (video, window, features), passes in zip(
            pool, engine.decode(encoded, languages), strict=True
        ):
            video.speech_seconds += features.shape[1] / 100
            video.heard.append((window, passes))
        pool.clear()

    def _row(self, video: _Video) -> dict[str, Any]:
        if video.problem and not video.heard:
            return {"status": "failed", "reason": video.problem}
        row = self._judged_row(video)
        # what was heard counts; that more may come the next time counts more than why it is little
        return row | {"reason": video.problem} if video.problem in PASSING else row

    def _judged_row(self, video: _Video) -> dict[str, Any]:
        row: dict[str, Any] = {"speech_seconds": round(video.speech_seconds, 2)}
        if not video.heard:
            return row | {"status": "no_speech", "reason": "no_voice", "n_words": 0}
        kept, segments, reasons = self._judge(video)
        text = " ".join(segment["text"] for segment in segments)
        row |= {
            "language": video.language,
            "language_confidence": _rounded(video.confidence),
            "n_words": len(words(text)),
            **_measures(kept or [d for _, passes in video.heard for d in passes]),
        }
        if not row["n_words"]:
            return row | {"status": "no_speech", "reason": (reasons or ["no_text"])[0]}
        row |= {"text": text, "segments": segments}
        if near_empty(text, self.rules):
            return row | {"status": "near_empty", "reason": (reasons or ["few_words"])[0]}
        return row | {"status": "ok", "reason": video.problem}

    def _is_voiced(self, window: Window, piece: Piece) -> bool:
        # Time stamps are off by a second here and there, and the detector misses faint words:
        # only a text with no voice near it was invented.
        slack = self.rules.voice_slack_seconds
        heard = window.voiced_seconds(piece.start - slack, piece.end + slack)
        return heard >= self.rules.min_voiced_seconds

    def _judge(self, video: _Video) -> tuple[list[Decoded], list[dict[str, Any]], list[str]]:
        """The passes that stand, their segments in time of the video, and what was removed."""
        kept: list[Decoded] = []
        segments: list[dict[str, Any]] = []
        reasons: list[str] = []
        for window, passes in video.heard:
            for decoded in passes:
                if not decoded.pieces:
                    continue
                seconds = decoded.pieces[-1].end - decoded.pieces[0].start
                text, reason = judge_segment(
                    decoded.text,
                    decoded.avg_logprob,
                    decoded.no_speech_prob,
                    seconds,
                    self.rules,
                )
                if reason:
                    reasons.append(reason)
                if not text:
                    continue
                kept.append(decoded)
                # A loop that runs over several pieces leaves one text and one stretch of time.
                cut = reason == "repetition"
                pieces = [replace(decoded.pieces[0], end=decoded.pieces[-1].end, text=text)]
                for piece in pieces if cut else decoded.pieces:
                    if not self._is_voiced(window, piece):
                        reasons.append("silence")
                        continue
                    cleaned = clean_text(piece.text, self.rules).text
                    if cleaned:
                        segments.append(
                            {
                                "start": round(window.in_video(piece.start), 2),
                                "end": round(window.in_video(piece.end), 2),
                                "text": cleaned,
                            }
                        )
        return kept, segments, reasons


def _measures(decoded: list[Decoded]) -> dict[str, Any]:
    tokens = sum(d.n_tokens for d in decoded)
    if not tokens:
        return {}
    return {
        "avg_logprob": _rounded(sum(d.avg_logprob * d.n_tokens for d in decoded) / tokens),
        "no_speech_prob": _rounded(max(d.no_speech_prob for d in decoded)),
        "compression_ratio": _rounded(max(d.compression_ratio for d in decoded)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
