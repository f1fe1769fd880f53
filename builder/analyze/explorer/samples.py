"""The sample rows of the page: some videos of every day, label, language, topic and hashtag."""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.analyze.explorer.cube import Cube, coded, tag_places
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material

ROWS = 600
_CANDIDATES = 60_000  # of a larger release only these are looked at
_LONGEST = 600  # characters of a transcript


def samples_of(material: Material, topics: Topics | None, cube: Cube) -> list[dict[str, Any]]:
    """Rows with a usable transcript, in the order of their days; none if texts are left out.

    Chosen by what their ids end with, which says nothing about the video: of every day, label,
    language, topic and listed hashtag the first, then of each the second, and so on. The choice
    leans to rare kinds; it is for reading, not for counting.

    Returns:
        Codes as in the cube (`day`, `class`, `language`, `source`, `topic`, `tag`) and
        `confidence`, `view_count`, `transcript`, `hashtags`. Ids are not among them.
    """
    languages = cube.languages if cube.exact else cube.languages[:-1]
    rows = coded(material, topics, languages).with_columns(
        tag_places(cube.tags).alias("tag"), order=pl.col("video_id").str.reverse()
    )
    usable = rows.filter(pl.col("language").is_not_null() & pl.col("has_text")).drop("hashtags")
    pool = usable.bottom_k(_CANDIDATES, by="order").collect(engine="streaming").sort("order")
    ids = _spread(pool)
    texts = (
        material.tables.scan("videos")
        .filter(pl.col("video_id").is_in(ids.implode()))
        .select(
            "video_id",
            "transcript",
            "hashtags",
            confidence="sentiment_confidence",
        )
        .collect(engine="streaming")
    )
    chosen = pool.filter(pl.col("video_id").is_in(ids.implode())).join(texts, on="video_id")
    chosen = chosen.sort("day", "order").select(
        *("day", "class", "language", "source", "topic", "tag", "view_count", "hashtags"),
        pl.col("confidence").cast(pl.Float64).round(3),
        "transcript",
    )
    return [{**row, "transcript": shortened(row["transcript"])} for row in chosen.to_dicts()]


def _spread(pool: pl.DataFrame) -> pl.Series:
    """Ids of `ROWS` videos: by their best rank within any group they belong to."""
    ranks = [
        pool.select("video_id", "order", rank=pl.int_range(pl.len()).over(key))
        for key in ("day", "class", "language", "topic")
    ]
    tagged = pool.select("video_id", "order", "tag").explode("tag").drop_nulls("tag")
    ranks.append(tagged.select("video_id", "order", rank=pl.int_range(pl.len()).over("tag")))
    best = pl.concat(ranks).group_by("video_id", "order").agg(pl.col("rank").min())
    return best.sort("rank", "order").head(ROWS)["video_id"]


def shortened(text: str | None, longest: int = _LONGEST) -> str:
    """A text of at most that many characters, cut at a space where there is one near."""
    if text is None or len(text) <= longest:
        return text or ""
    cut = text[: longest - 2]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > longest // 2 else cut) + " …"
