"""Do Whisper and the Research API hear the same? Word error rate where both transcribed a video."""

from __future__ import annotations

from dataclasses import dataclass

import jiwer
import polars as pl

from builder.annotate.transcripts.rules import DEFAULT_RULES, near_empty, normalise
from builder.config.asr import TranscriptRules

PER_VIDEO_SCHEMA = {"id": pl.Int64, "wer": pl.Float64, "n_words_api": pl.Int64}


@dataclass(frozen=True)
class Agreement:
    """Agreement of two transcribers. Neither is the truth; the API's text is the reference.

    Attributes:
        videos: videos with a usable transcript from both.
        wer: pooled: all edits over all words of the API's transcripts; None without videos.
        median_wer: median over videos.
        share_identical: share of videos whose normalised texts are equal.
        per_video: `id`, `wer`, `n_words_api`, sorted by id.
    """

    videos: int
    wer: float | None
    median_wer: float | None
    share_identical: float | None
    per_video: pl.DataFrame

    def summary(self) -> dict[str, float | int | None]:
        """The numbers for the manifest or a report."""
        return {
            "videos": self.videos,
            "wer": self.wer,
            "median_wer": self.median_wer,
            "share_identical": self.share_identical,
        }


def agreement(
    whisper: pl.DataFrame, api: pl.DataFrame, rules: TranscriptRules = DEFAULT_RULES
) -> Agreement:
    """Compare transcripts of the same videos.

    Args:
        whisper: `id` and `text` (Whisper's).
        api: `id` and `text` (the Research API's `voice_to_text`).
        rules: near-empty texts (by these rules, on either side) are not compared.

    Returns:
        The agreement; texts are compared as `rules.normalise` leaves them.
    """
    both = (
        api.select("id", pl.col("text").alias("api"))
        .join(whisper.select("id", pl.col("text").alias("whisper")), on="id")
        .drop_nulls()
        .sort("id")
    )
    rows: list[tuple[int, float, int]] = []
    edits = words = same = 0
    for video_id, api_text, whisper_text in both.iter_rows():
        if near_empty(api_text, rules) or near_empty(whisper_text, rules):
            continue
        reference, heard = normalise(api_text), normalise(whisper_text)
        found = jiwer.process_words(reference, heard)
        wrong = found.substitutions + found.deletions + found.insertions
        length = found.hits + found.substitutions + found.deletions
        edits, words, same = edits + wrong, words + length, same + (reference == heard)
        rows.append((video_id, round(wrong / length, 4), length))
    per_video = pl.DataFrame(rows, schema=PER_VIDEO_SCHEMA, orient="row")
    if not rows:
        return Agreement(0, None, None, None, per_video)
    ranked = sorted(wer for _, wer, _ in rows)
    middle = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
    return Agreement(
        videos=len(rows),
        wer=round(edits / words, 4),
        median_wer=round(middle, 4),
        share_identical=round(same / len(rows), 4),
        per_video=per_video,
    )
