"""Word and character error rate, and the agreement of two transcribers by it.

`cards/transcript_wer` gives the same numbers; it has its own copy, since a metric on the Hub is one
file that stands alone. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
import polars as pl

from builder.annotate.transcripts.rules import DEFAULT_RULES, near_empty, normalise
from builder.config.asr import TranscriptRules

PER_VIDEO_SCHEMA = {"id": pl.Int64, "wer": pl.Float64, "n_words_api": pl.Int64}


@dataclass(frozen=True)
class Edits:
    """What turns a reference into what was heard (both as `normalise` leaves them).

    Attributes:
        words: substituted, deleted and inserted words.
        of_words: words of the reference.
        characters: the same edits counted in characters.
        of_characters: characters of the reference.
    """

    words: int
    of_words: int
    characters: int
    of_characters: int


def edits(reference: str, heard: str) -> Edits:
    """Edits between two texts, which are normalised first.

    Args:
        reference: what was said; "" where nobody speaks: all that was heard is inserted.
        heard: the transcript.
    """
    reference, heard = normalise(reference), normalise(heard)
    if not reference:
        return Edits(len(heard.split()), 0, len(heard), 0)
    by_word = jiwer.process_words(reference, heard)
    by_character = jiwer.process_characters(reference, heard)
    return Edits(
        by_word.substitutions + by_word.deletions + by_word.insertions,
        by_word.hits + by_word.substitutions + by_word.deletions,
        by_character.substitutions + by_character.deletions + by_character.insertions,
        by_character.hits + by_character.substitutions + by_character.deletions,
    )


def error_rates(
    predictions: Sequence[str], references: Sequence[str]
) -> tuple[float | None, float | None]:
    """Pooled error rates: all edits over all words, and over all characters, of the references.

    Args:
        predictions: transcripts.
        references: what was said, one for each.

    Returns:
        (WER, CER), 0 is perfect, above 1 is possible; None when no reference has a word.
    """
    found = [edits(said, heard) for said, heard in zip(references, predictions, strict=True)]
    words, characters = sum(e.of_words for e in found), sum(e.of_characters for e in found)
    return (
        sum(e.words for e in found) / words if words else None,
        sum(e.characters for e in found) / characters if characters else None,
    )


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
    rows = [
        (video_id, round(found.words / found.of_words, 4), found.of_words, found.words)
        for video_id, api_text, whisper_text in both.iter_rows()
        if not near_empty(api_text, rules) and not near_empty(whisper_text, rules)
        if (found := edits(api_text, whisper_text)).of_words
    ]
    per_video = pl.DataFrame([row[:3] for row in rows], schema=PER_VIDEO_SCHEMA, orient="row")
    if not rows:
        return Agreement(0, None, None, None, per_video)
    ranked = sorted(wer for _, wer, _, _ in rows)
    middle = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
    return Agreement(
        videos=len(rows),
        wer=round(sum(changed for *_, changed in rows) / sum(n for _, _, n, _ in rows), 4),
        median_wer=round(middle, 4),
        share_identical=round(sum(changed == 0 for *_, changed in rows) / len(rows), 4),
        per_video=per_video,
    )
