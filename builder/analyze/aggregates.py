"""What the tables and figures are drawn from: counts over a release, in one pass each.

Every function scans only the columns it needs and aggregates as it reads, so memory does not grow
with the number of videos.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from builder.sources.schema import COUNTS
from builder.validate.release import Tables

UNIDENTIFIED = "unidentified"  # a usable transcript whose language nobody told


def dates_of(first: dt.date, last: dt.date, resolution: str = "day") -> pl.Series:
    """The values that `date` can have in a release.

    Args:
        first, last: of its window, both inclusive.
        resolution: of its dates; `week` releases Mondays, `month` the first of the month.
    """
    if resolution == "week":
        first -= dt.timedelta(days=first.weekday())
    elif resolution == "month":
        first = first.replace(day=1)
    interval = {"week": "1w", "month": "1mo"}.get(resolution, "1d")
    return pl.date_range(first, last, interval, eager=True).alias("date")


def daily(tables: Tables, dates: pl.Series) -> pl.DataFrame:
    """Sums of every day.

    Args:
        tables: the release.
        dates: from `dates_of`.

    Returns:
        date, videos, and for each of `COUNTS` its sum (null on a day where no video has one) and
        `<count>_known`, the videos that have one. A day without videos has 0 everywhere.
    """
    found = (
        tables.scan("metadata")
        .select("date", *COUNTS)
        .group_by("date")
        .agg(
            pl.len().cast(pl.Int64).alias("videos"),
            *(pl.col(c).sum() for c in COUNTS),
            *(pl.col(c).count().cast(pl.Int64).alias(f"{c}_known") for c in COUNTS),
        )
        .collect(engine="streaming")
    )
    filled = dates.to_frame().join(found, on="date", how="left").sort("date").fill_null(0)
    nothing = [(pl.col(f"{c}_known") == 0) & (pl.col("videos") > 0) for c in COUNTS]
    return filled.with_columns(
        pl.when(~unknown).then(pl.col(c)) for c, unknown in zip(COUNTS, nothing, strict=True)
    )


def hashtags(tables: Tables, generic: Sequence[str]) -> pl.DataFrame:
    """Every released hashtag but the generic ones, most used first.

    Returns:
        hashtag, videos, mean_views (null where no video of it has a view count).
    """
    return (
        tables.scan("metadata")
        .select("view_count", hashtag="hashtags")
        .explode("hashtag")
        .filter(pl.col("hashtag").is_not_null() & ~pl.col("hashtag").is_in(list(generic)))
        .group_by("hashtag")
        .agg(
            pl.len().cast(pl.Int64).alias("videos"),
            (pl.col("view_count").sum() / pl.col("view_count").count()).alias("mean_views"),
        )
        .with_columns(pl.col("mean_views").fill_nan(None))
        .sort("videos", "hashtag", descending=[True, False])
        .collect(engine="streaming")
    )


def tagged_videos(tables: Tables) -> int:
    """Videos whose source says something about hashtags."""
    counted = tables.scan("metadata").select(pl.col("hashtags").count())
    return int(counted.collect(engine="streaming").item())


def hashtag_days(tables: Tables, tags: Sequence[str], dates: pl.Series) -> pl.DataFrame:
    """Videos a day with each of some hashtags: hashtag, date, videos; every day, in that order."""
    found = (
        tables.scan("metadata")
        .select("date", hashtag="hashtags")
        .explode("hashtag")
        .filter(pl.col("hashtag").is_in(list(tags)))
        .group_by("hashtag", "date")
        .agg(pl.len().cast(pl.Int64).alias("videos"))
        .collect(engine="streaming")
    )
    order = pl.DataFrame({"hashtag": list(tags)}, schema={"hashtag": pl.String})
    grid = order.with_row_index("place").join(dates.to_frame(), how="cross")
    return (
        grid.join(found, on=["hashtag", "date"], how="left")
        .sort("place", "date")
        .select("hashtag", "date", pl.col("videos").fill_null(0))
    )


def languages(tables: Tables) -> pl.DataFrame:
    """Languages of the usable transcripts that `videos` shows: language, videos, share.

    A transcript without a language counts as `UNIDENTIFIED`; the most frequent comes first.
    """
    found = (
        tables.scan("videos")
        .filter(pl.col("transcript_status") == "ok")
        .group_by(pl.col("language").fill_null(UNIDENTIFIED))
        .agg(pl.len().cast(pl.Int64).alias("videos"))
        .sort("videos", "language", descending=[True, False])
        .collect(engine="streaming")
    )
    return found.with_columns(share=pl.col("videos") / pl.col("videos").sum())
