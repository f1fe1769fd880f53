"""The transcripts of a release as topics see them: distinct texts and the words that may be shown.

Texts are read in batches, several times, and never held together. A text that many videos share (a
TikTok sound) counts once where topics are learnt, and for every video where they are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from builder.analyze.text.tokens import STOP_LANGUAGES, folded, is_word, phrases, stop_words
from builder.analyze.topics.embedding import key_of
from builder.release.scrub.scrubber import Scrubber
from builder.validate.release import Tables

# A word is shown only where so many videos and so many different texts hold it: it is then
# nobody's own word, such as a username that the scrubber does not know.
MIN_VIDEOS, MIN_TEXTS = 10, 5
MAX_WORDS = 5_000
_TOO_COMMON = 0.5  # of all texts
_LANGUAGE_SHARE = 0.01
_TAG = r"\[[A-Z][A-Z_ ]*\]"  # what the scrubber leaves in place of an identifier
_WANTED = ("video_id", "date", "transcript", "transcript_status", "language")


@dataclass(frozen=True)
class Texts:
    """The usable transcripts of a release.

    Attributes:
        tables: the release.
        videos: video_id, date, key (of its text), by video_id.
        languages: ISO codes whose stop words are left out.
    """

    tables: Tables
    videos: pl.DataFrame
    languages: tuple[str, ...]

    @classmethod
    def of(cls, tables: Tables, languages: tuple[str, ...] = ()) -> Texts:
        """Read a release once.

        Args:
            tables: the release.
            languages: of the campaign; those of at least 1 % of the transcripts are added.
        """
        frames = [
            frame.select("video_id", "date", "language", key=_keys(frame["transcript"]))
            for frame in _usable(tables)
        ]
        schema = {
            "video_id": pl.String,
            "date": pl.Date,
            "language": pl.String,
            "key": pl.Int64,
        }
        rows = (pl.concat(frames) if frames else pl.DataFrame(schema=schema)).cast(schema)  # type: ignore[arg-type]
        shares = (
            rows.group_by("language").len().filter(pl.col("len") >= _LANGUAGE_SHARE * len(rows))
        )
        spoken = {*languages, *shares["language"].drop_nulls()} & set(STOP_LANGUAGES)
        return cls(
            tables,
            rows.drop("language").sort("video_id"),
            tuple(sorted(spoken)) or STOP_LANGUAGES,
        )

    @cached_property
    def keys(self) -> pl.DataFrame:
        """key, videos: the distinct texts and how many videos have each, by key."""
        return self.videos.group_by("key").agg(videos=pl.len().cast(pl.Int64)).sort("key")

    def slices(self) -> Iterator[Callable[[], pl.DataFrame]]:
        """Readers of the distinct texts (id, text), each text in one of them."""
        seen: set[int] = set()
        for number, frame in enumerate(_usable(self.tables)):
            keys = set(_keys(frame["transcript"]).to_list()) - seen
            seen |= keys
            if keys:
                yield _Reader(self.tables, number, frozenset(keys))

    def words(self, texts: pl.DataFrame) -> pl.DataFrame:
        """Words of texts (id, text): id, word (folded), token (as written); once a text."""
        stop = pl.Series(sorted(stop_words(self.languages)), dtype=pl.String).implode()
        return (
            texts.select("id", token=phrases(pl.col("text").str.replace_all(_TAG, " | ")))
            .explode("token")
            .drop_nulls("token")
            .filter(
                is_word(pl.col("token"))
                & ~pl.col("token").str.contains(r"\p{N}")
                & (pl.col("token").str.len_chars() > 2)
            )
            .with_columns(word=folded(pl.col("token")))
            .filter(~pl.col("word").is_in(stop))
            .unique(["id", "word"], keep="first", maintain_order=True)
        )

    def vocabulary(
        self, scrubber: Scrubber, read: list[Callable[[], pl.DataFrame]]
    ) -> pl.DataFrame:
        """The words that topics are made of and may be shown.

        Returns:
            word (folded), spelling (the commonest), texts; by word.
        """
        counted: list[pl.DataFrame] = []
        for make in read:
            found = self.words(make()).join(self.keys, left_on="id", right_on="key")
            counted.append(
                found.group_by("word", "token").agg(
                    texts=pl.len().cast(pl.Int64), videos=pl.col("videos").sum()
                )
            )
            counted = [_summed(counted)]
        if not counted:
            return pl.DataFrame(
                schema={"word": pl.String, "spelling": pl.String, "texts": pl.Int64}
            )
        words = (
            counted[0]
            .sort("texts", "token", descending=[True, False])
            .group_by("word", maintain_order=True)
            .agg(
                spelling=pl.col("token").first(),
                texts=pl.col("texts").sum(),
                videos=pl.col("videos").sum(),
            )
            .filter(
                (pl.col("texts") >= MIN_TEXTS)
                & (pl.col("videos") >= MIN_VIDEOS)
                & (pl.col("texts") <= _TOO_COMMON * self.keys.height)
            )
            .sort("texts", "word", descending=[True, False])
            .head(MAX_WORDS)
        )
        personal = scrubber.scrub_column(words["spelling"])["kinds"].list.len() > 0
        return words.filter(~personal).select("word", "spelling", "texts").sort("word")


@dataclass(frozen=True)
class _Reader:
    tables: Tables
    number: int
    keys: frozenset[int]

    def __call__(self) -> pl.DataFrame:
        for number, frame in enumerate(_usable(self.tables)):
            if number == self.number:
                texts = frame.select(id=_keys(frame["transcript"]), text="transcript")
                mine = pl.Series(sorted(self.keys), dtype=pl.Int64).implode()
                return texts.filter(pl.col("id").is_in(mine)).unique("id").sort("id")
        return pl.DataFrame(schema={"id": pl.Int64, "text": pl.String})


def _usable(tables: Tables) -> Iterator[pl.DataFrame]:
    import pyarrow.parquet as pq

    for path in tables.files("videos"):
        with pq.ParquetFile(path) as parquet:
            for batch in parquet.iter_batches(batch_size=50_000, columns=list(_WANTED)):
                frame = pl.DataFrame(batch)
                yield frame.filter(
                    (pl.col("transcript_status") == "ok") & pl.col("transcript").is_not_null()
                )


def _keys(texts: pl.Series) -> pl.Series:
    return pl.Series("key", [key_of(text) for text in texts.to_list()], dtype=pl.Int64)


def _summed(counts: list[pl.DataFrame]) -> pl.DataFrame:
    both = pl.concat(counts)
    return both.group_by("word", "token").agg(pl.col("texts").sum(), pl.col("videos").sum())
