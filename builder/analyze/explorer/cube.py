"""What the page counts in: every video as a few numbers, or, of a large release, groups of videos.

Up to `MOST_ROWS` videos each is a row of its own, and every combination of filters is exact. Beyond
that a row is a group of videos that agree in day, sentiment, language and source of the transcript,
with their number and sums; the same groups are made again for each hashtag and each topic. Counts
stay exact, but hashtags and topics can no longer be combined. The number of groups does not grow
with the number of videos, and they are counted while the files are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from builder.analyze import aggregates
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material
from builder.errors import UsageProblem
from builder.sources.schema import COUNTS
from ecuador_crisis_tiktok import SENTIMENT_LABELS, TRANSCRIPT_SOURCES

MOST_ROWS = 150_000
TAGS = 300  # hashtags one can filter by
OTHER = "other"  # languages beyond those of a grouped cube
# (languages, hashtags) of a grouped cube: the first that stays under `MOST_ROWS` groups is taken
_SIZES = ((12, 30), (8, 12), (4, 5), (2, 0))
_KEYS = ("day", "class", "language", "source")


@dataclass(frozen=True)
class Cube:
    """The rows of the page.

    Attributes:
        exact: a row is a video; else it is a group.
        columns: whole numbers, all of one length but `tag` of an exact cube.
            day: place in the release's dates; null: none of them.
            class: 0 no label; 1 to 3 the labels of high confidence in the schema's order; 4 to 6
            those of low confidence.
            language: place in `languages`; null: no usable transcript.
            source: place in `TRANSCRIPT_SOURCES`; null: none.
            view_count and so on: sums; null: unknown.
            topic: place in the topics; null: none (of a grouped cube: not a group of a topic).
            tags: of an exact cube: how many of `tag` belong to the row, which are in order.
            tag: places in `tags`; of a grouped cube null: not a group of a hashtag.
            videos: of a grouped cube.
        languages, tags: the most frequent first.
    """

    exact: bool
    columns: dict[str, pl.Series]
    languages: tuple[str, ...]
    tags: tuple[str, ...]


def cube_of(material: Material, topics: Topics | None, most: int = MOST_ROWS) -> Cube:
    """The cube of a release.

    Args:
        material: the release.
        topics: topics of its videos.
        most: videos of an exact cube; more are counted in groups.

    Raises:
        UsageProblem: no topic belongs to a video of this release.
    """
    if topics is not None and material.videos:
        _check_topics(material, topics)
    if material.videos <= most:
        return _exact(material, topics)
    for size in _SIZES:
        cube = _grouped(material, topics, *size)
        if len(cube.columns["day"]) <= MOST_ROWS:
            break
    return cube


def coded(material: Material, topics: Topics | None, languages: Sequence[str]) -> pl.LazyFrame:
    """The videos with `_KEYS` and topic as codes, COUNTS, hashtags, video_id and has_text."""
    label = _place("sentiment", SENTIMENT_LABELS) + 1
    low = pl.when(pl.col("low_confidence")).then(len(SENTIMENT_LABELS)).otherwise(0)
    spoken = pl.col("language").fill_null(aggregates.UNIDENTIFIED)
    known = pl.when(spoken.is_in(list(languages))).then(spoken).otherwise(pl.lit(OTHER))
    rows = material.tables.scan("videos").select(
        "video_id",
        "hashtags",
        *COUNTS,
        _place("date", material.dates.to_list()).alias("day"),
        (label + low).fill_null(0).alias("class"),
        pl.when(pl.col("transcript_status") == "ok").then(known).alias("language"),
        _place("transcript_source", TRANSCRIPT_SOURCES).alias("source"),
        pl.col("transcript").is_not_null().alias("has_text"),
    )
    rows = rows.with_columns(_place("language", [*languages, OTHER]))
    if topics is None:
        return rows.with_columns(pl.lit(None, pl.Int64).alias("topic"))
    places = {topic.number: place for place, topic in enumerate(topics.names)}
    found = topics.assignments.group_by("video_id").agg(
        pl.col("topic").min().replace_strict(places, default=None, return_dtype=pl.Int64)
    )
    return rows.join(found, on="video_id", how="left")


def _exact(material: Material, topics: Topics | None) -> Cube:
    languages = tuple(aggregates.languages(material.tables)["language"])
    tags = tuple(material.hashtags["hashtag"].head(TAGS))
    frame = (
        coded(material, topics, languages)
        .select(*_KEYS, "topic", *COUNTS, tag_places(tags).alias("tag"))
        .with_columns(order=pl.col("tag").cast(pl.List(pl.String)).list.join(","))
        .collect(engine="streaming")
        # an order of its own: it packs well, and says nothing about the places in the release
        .sort(*_KEYS, "topic", *COUNTS, "order")
    )
    columns = {name: frame[name] for name in (*_KEYS, "topic", *COUNTS)}
    columns["tags"] = frame["tag"].list.len()
    columns["tag"] = frame["tag"].explode(empty_as_null=False)
    return Cube(True, columns, languages, tags)


def _grouped(material: Material, topics: Topics | None, languages: int, tags: int) -> Cube:
    spoken = tuple(aggregates.languages(material.tables)["language"].head(languages))
    used = tuple(material.hashtags["hashtag"].head(tags))
    rows = coded(material, topics, spoken)
    listed = tag_places(used).alias("tag")
    frames = [_groups(rows.drop("topic"))]
    if used:
        frames.append(_groups(rows.select(*_KEYS, *COUNTS, listed).explode("tag"), "tag"))
    if topics is not None:
        frames.append(_groups(rows, "topic"))
    whole = pl.concat(frames, how="diagonal_relaxed")
    missing = [pl.lit(None, pl.Int64).alias(n) for n in ("tag", "topic") if n not in whole.columns]
    columns = whole.with_columns(missing).to_dict()
    return Cube(False, columns, (*spoken, OTHER), used)


def _groups(rows: pl.LazyFrame, by: str | None = None) -> pl.DataFrame:
    keys = (*_KEYS, by) if by else _KEYS
    if by:
        rows = rows.drop_nulls(by)
    # a sum of nothing known is unknown
    sums = [pl.when(pl.col(c).count() > 0).then(pl.col(c).sum()).alias(c) for c in COUNTS]
    counted = rows.group_by(keys).agg(pl.len().cast(pl.Int64).alias("videos"), *sums)
    first = (by,) if by else ()
    return counted.collect(engine="streaming").sort(*first, *_KEYS)


def tag_places(tags: Sequence[str]) -> pl.Expr:
    """The places in `tags` of a video's hashtags, in order."""
    each = _place(pl.element(), tags).drop_nulls().unique().sort()
    return pl.col("hashtags").list.eval(each).fill_null([])


def _place(column: str | pl.Expr, values: Sequence[object]) -> pl.Expr:
    """The place of a value in a list; null: it is not there."""
    old = pl.col(column) if isinstance(column, str) else column
    places = list(range(len(values)))
    return old.replace_strict(list(values), places, default=None, return_dtype=pl.Int64)


def _check_topics(material: Material, topics: Topics) -> None:
    ours = material.tables.scan("videos").select("video_id")
    shared = ours.join(topics.assignments, on="video_id", how="semi").select(pl.len())
    assigned = topics.assignments.select(pl.len()).collect().item()
    if assigned and not shared.collect(engine="streaming").item():
        raise UsageProblem(
            "no video of the topics folder is in this release",
            way_out="make topics of this release: `ecuador-crisis topics RELEASE --out DIR`",
        )
