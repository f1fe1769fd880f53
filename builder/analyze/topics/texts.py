"""The transcripts of a release as topics see them: distinct texts and the words that may be shown.

A slice of the rows is read at a time; the last few are kept, so that a release of usual size is
read once. A text that many videos share (a
TikTok sound) counts once where topics are learnt, and for every video where they are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl

from builder.analyze.text.tokens import STOP_LANGUAGES, folded, is_word, phrases, stop_words
from builder.analyze.topics.embedding import key_of
from builder.release.scrub.names.tokens import PERSON
from builder.release.scrub.scrubber import Scrubber
from builder.validate.release import Tables

# A word is shown only where so many videos and so many different texts hold it: it is then
# nobody's own word, such as a username that the scrubber does not know.
MIN_VIDEOS, MIN_TEXTS = 10, 5
MAX_WORDS = 5_000
_TOO_COMMON = 0.5  # of all texts
_LANGUAGE_SHARE = 0.01
# What the scrubber leaves in place of an identifier or a name.
_TAG = rf"\[[A-Z][A-Z_ ]*\]|{PERSON.pattern}"
_SLICE_ROWS, _KEPT = 50_000, 4  # rows read together, and how many of these are kept
_WANTED = ("video_id", "date", "transcript", "transcript_status", "language")


@dataclass(frozen=True)
class Texts:
    """The usable transcripts of a release.

    Attributes:
        videos: video_id, date, key (of its text), by video_id.
        languages: ISO codes whose stop words are left out.
        slices: readers of the distinct texts (id, text; by id), each text in one of them.
    """

    videos: pl.DataFrame
    languages: tuple[str, ...]
    slices: tuple[Callable[[], pl.DataFrame], ...]

    @classmethod
    def of(cls, tables: Tables, languages: tuple[str, ...] = ()) -> Texts:
        """Read a release once.

        Args:
            tables: the release.
            languages: of the campaign; those of at least 1 % of the transcripts are added.
        """
        spans = list(_spans(tables))
        frames = [
            span.read().select(
                "video_id",
                "date",
                "language",
                "key",
                span=pl.lit(number, pl.Int64),
            )
            for number, span in enumerate(spans)
        ]
        schema = {
            "video_id": pl.String,
            "date": pl.Date,
            "language": pl.String,
            "key": pl.Int64,
            "span": pl.Int64,
        }
        rows = (pl.concat(frames) if frames else pl.DataFrame(schema=schema)).cast(schema)  # type: ignore[arg-type]
        shares = (
            rows.group_by("language").len().filter(pl.col("len") >= _LANGUAGE_SHARE * len(rows))
        )
        spoken = {*languages, *shares["language"].drop_nulls()} & set(STOP_LANGUAGES)
        first = rows.unique("key", keep="first", maintain_order=True)
        return cls(
            rows.select("video_id", "date", "key").sort("video_id"),
            tuple(sorted(spoken)) or STOP_LANGUAGES,
            tuple(
                _Reader(spans[number], mine["key"].sort())
                for (number,), mine in first.partition_by("span", as_dict=True).items()
            ),
        )

    @cached_property
    def keys(self) -> pl.DataFrame:
        """key, videos: the distinct texts and how many videos have each, by key."""
        return self.videos.group_by("key").agg(videos=pl.len().cast(pl.Int64)).sort("key")

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

    def vocabulary(self, scrubber: Scrubber) -> pl.DataFrame:
        """The words that topics are made of and may be shown.

        Returns:
            word (folded), spelling (the commonest), texts; by word.
        """
        counted: list[pl.DataFrame] = []
        for make in self.slices:
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
class _Span:
    """Some rows of a file of the release."""

    path: Path
    start: int

    def read(self) -> pl.DataFrame:
        """Its usable transcripts and their keys, in the order of the file."""
        return _read(self)


@lru_cache(maxsize=_KEPT)
def _read(span: _Span) -> pl.DataFrame:
    rows = pl.scan_parquet(span.path, glob=False).slice(span.start, _SLICE_ROWS).select(_WANTED)
    usable = (pl.col("transcript_status") == "ok") & pl.col("transcript").is_not_null()
    frame = rows.collect().filter(usable)
    keys = [key_of(text) for text in frame["transcript"].to_list()]
    return frame.with_columns(pl.Series("key", keys, dtype=pl.Int64))


def _spans(tables: Tables) -> Iterator[_Span]:
    import pyarrow.parquet as pq

    _read.cache_clear()  # the file of a path may be another one than before
    for path in tables.files("videos"):
        with pq.ParquetFile(path) as parquet:
            rows = parquet.metadata.num_rows
        yield from (_Span(path, start) for start in range(0, rows, _SLICE_ROWS))


@dataclass(frozen=True)
class _Reader:
    """Reads the texts of a span that stand in no span before it."""

    span: _Span
    keys: pl.Series

    def __call__(self) -> pl.DataFrame:
        texts = self.span.read().select(id="key", text="transcript")
        return texts.filter(pl.col("id").is_in(self.keys.implode())).unique("id").sort("id")


def _summed(counts: list[pl.DataFrame]) -> pl.DataFrame:
    both = pl.concat(counts)
    return both.group_by("word", "token").agg(pl.col("texts").sum(), pl.col("videos").sum())
