"""Top bigrams and trigrams of captions: read in the work folder, leaving it as counts only.

Captions are private. What leaves is a phrase, the number of videos and of authors that use it, and
only where both are large enough that it is nobody's sentence. A phrase is left out whole when a
word of it holds a figure or is the username of an author, when it holds the name of a private
person, or when the scrubber finds anything.

A bigram is two words side by side that both mean something; a trigram's middle word may be a stop
word ("toque de queda"). Words are those of `builder.analyze.text.tokens`. A phrase counts once a
video, and is shown in its commonest spelling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from builder.analyze.text.tokens import folded, is_word, phrases, stop_words
from builder.release.scrub.names.replace import Finder
from builder.release.scrub.scrubber import Scrubber

MIN_VIDEOS, MIN_AUTHORS = 10, 5
SIZES = (2, 3)
_BATCH = 50_000
_MERGE_AT = 4_000_000  # rows of counts kept apart before they are summed
_CANDIDATES = 400  # of each size: many are left out, few are shown

SCHEMA = {"n": pl.Int64, "ngram": pl.String, "videos": pl.Int64, "authors": pl.Int64}


@dataclass(frozen=True)
class Ngrams:
    """What may leave the work folder.

    Attributes:
        top: columns of `SCHEMA`; by `n`, then videos (most first), then phrase.
        captions: captions read.
        min_videos, min_authors: the limits they passed.
    """

    top: pl.DataFrame
    captions: int
    min_videos: int
    min_authors: int


def caption_ngrams(
    parts: Sequence[Path],
    ids: pl.Series | None,
    usernames: frozenset[str],
    scrubber: Scrubber,
    *,
    top: int = 20,
    min_videos: int = MIN_VIDEOS,
    min_authors: int = MIN_AUTHORS,
    names: Finder | None = None,
) -> Ngrams:
    """Count the phrases of captions, a batch of rows at a time.

    Args:
        parts: ingest parts (columns id, username, description).
        ids: the videos that count (Int64); None: all.
        usernames: authors whose name, as a word, takes a phrase out (lower case).
        scrubber: refuses phrases that hold an identifier.
        top: phrases of each size.
        min_videos, min_authors: fewer, and a phrase stays where it is.
        names: finds private persons' names, which take a phrase out; None: they stay.
    """
    captions = 0
    waiting: list[pl.DataFrame] = []
    for frame in _batches(parts, ids):
        captions += frame.height
        waiting.append(_spelled(frame).group_by("n", "key").agg(videos=pl.len().cast(pl.UInt32)))
        # as much as was summed before, or every batch of millions of phrases sums them all again
        if sum(one.height for one in waiting[1:]) > max(_MERGE_AT, waiting[0].height):
            waiting = [_summed(waiting)]
    if not waiting:
        return Ngrams(pl.DataFrame(schema=SCHEMA), captions, min_videos, min_authors)
    counted = _summed(waiting).filter(pl.col("videos") >= min_videos)
    candidates = (
        counted.sort("n", "videos", "key", descending=[False, True, False])
        .group_by("n", maintain_order=True)
        .head(_CANDIDATES)
        .select("n", "key")
    )
    exact = _exact(parts, ids, candidates)
    exact = exact.filter(pl.col("authors") >= min_authors)
    exact = exact.filter(~_personal(exact["ngram"], usernames, scrubber, names))
    shown = (
        exact.sort("n", "videos", "ngram", descending=[False, True, False])
        .group_by("n", maintain_order=True)
        .head(top)
        .select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    )
    return Ngrams(shown, captions, min_videos, min_authors)


def _batches(parts: Sequence[Path], ids: pl.Series | None) -> Iterator[pl.DataFrame]:
    mine = None if ids is None else ids.rename("id").to_frame()
    for part in parts:
        with pq.ParquetFile(part) as parquet:
            for batch in parquet.iter_batches(_BATCH, columns=["id", "username", "description"]):
                frame = pl.DataFrame(batch).filter(pl.col("description").str.len_chars() > 0)
                yield frame if mine is None else frame.join(mine, on="id", how="semi")


def _spelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Phrases of a batch, each once a video: n, key (hash of the folded words), text, id."""
    words = (
        frame.select("id", token=phrases(pl.col("description")))
        .explode("token")
        .drop_nulls("token")
        .with_columns(word=is_word(pl.col("token")), plain=folded(pl.col("token")))
    )
    stop = pl.Series(sorted(stop_words()), dtype=pl.String).implode()
    good = (
        pl.col("word")
        & ~pl.col("token").str.contains(r"\p{N}")
        & (pl.col("token").str.len_chars() > 1)
    )
    words = words.with_columns(
        edge=good & ~pl.col("plain").is_in(stop),
        inside=pl.col("word") & ~pl.col("token").str.contains(r"\p{N}"),
    )
    return pl.concat([_runs(words, size) for size in SIZES])


def _runs(words: pl.DataFrame, size: int) -> pl.DataFrame:
    steps = range(size)
    plain = [pl.col("plain").shift(-step) for step in steps]
    valid = pl.col("edge") & pl.col("edge").shift(-(size - 1))
    valid &= pl.col("id") == pl.col("id").shift(-(size - 1))
    for step in steps[1:-1]:
        valid &= pl.col("inside").shift(-step)
    valid &= plain[0] != plain[-1]  # laughter and chants are no phrase
    return (
        words.select(
            pl.lit(size, pl.Int8).alias("n"),
            pl.concat_str(plain, separator=" ").hash().alias("key"),
            pl.concat_str([pl.col("token").shift(-step) for step in steps], separator=" ").alias(
                "text"
            ),
            "id",
            valid.fill_null(False).alias("valid"),
        )
        .filter("valid")
        .drop("valid")
        .unique(["key", "id"], keep="first", maintain_order=True)
    )


def _summed(counts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counts).group_by("n", "key").agg(pl.col("videos").sum())


def _exact(parts: Sequence[Path], ids: pl.Series | None, candidates: pl.DataFrame) -> pl.DataFrame:
    """Second reading, of the candidates only: commonest spelling, videos and authors."""
    spelled: list[pl.DataFrame] = []
    authors: list[pl.DataFrame] = []
    for frame in _batches(parts, ids):
        found = _spelled(frame).join(candidates, on=["n", "key"], how="semi")
        spelled.append(found.group_by("n", "key", "text").agg(videos=pl.len().cast(pl.Int64)))
        named = found.join(frame.select("id", "username"), on="id").drop_nulls("username")
        authors.append(named.select("n", "key", pl.col("username").hash()).unique())
        if len(spelled) >= 20:
            texts = pl.concat(spelled).group_by("n", "key", "text").agg(pl.col("videos").sum())
            spelled, authors = [texts], [pl.concat(authors).unique()]
    texts = pl.concat(spelled).group_by("n", "key", "text").agg(pl.col("videos").sum())
    phrase = (
        texts.sort("videos", "text", descending=[True, False])
        .group_by("n", "key", maintain_order=True)
        .agg(pl.col("text").first().alias("ngram"), pl.col("videos").sum())
    )
    people = pl.concat(authors).unique().group_by("n", "key").agg(authors=pl.len())
    return phrase.join(people, on=["n", "key"], how="inner")


def _personal(
    texts: pl.Series, usernames: frozenset[str], scrubber: Scrubber, names: Finder | None
) -> pl.Series:
    """Which phrases hold a username, a private person's name, or what the scrubber takes out."""
    scrubbed = scrubber.scrub_column(texts)["kinds"].list.len() > 0
    named = [
        any(word in usernames for word in text.split()) or bool(names and names.find(text))
        for text in texts.to_list()
    ]
    return scrubbed | pl.Series(named, dtype=pl.Boolean)
