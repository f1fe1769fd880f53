"""The paper's Table 1 and Table 2 of a release."""

from __future__ import annotations

from typing import Any

import polars as pl

TOP = 20
# The order of the paper's Table 1.
METRICS = ("view_count", "comment_count", "share_count", "like_count")


def table1(daily: pl.DataFrame, paper: dict[str, Any]) -> pl.DataFrame:
    """Totals and means of the engagement counts.

    Args:
        daily: `aggregates.daily`.
        paper: the campaign's paper numbers; empty without a paper.

    Returns:
        metric; videos (with that count); total; mean (total / videos, two decimals);
        mean_over_paper_videos (total / the number of videos Table 1 printed, which is what its
        means divide by; only where the release is of that size, to 1 %); paper_total; paper_mean.
        Null: unknown, never zero.
    """
    divisor = paper.get("videos_in_table_1") or paper.get("videos_in_text") or 0
    if abs(int(daily["videos"].sum()) - divisor) > 0.01 * divisor:
        divisor = 0
    rows = []
    for metric in METRICS:
        known = int(daily[f"{metric}_known"].sum())
        total = int(daily[metric].sum()) if known else None
        rows.append(
            {
                "metric": metric,
                "videos": known,
                "total": total,
                "mean": None if total is None else round(total / known, 2),
                "mean_over_paper_videos": (
                    None if total is None or not divisor else round(total / divisor, 2)
                ),
                "paper_total": paper.get("totals", {}).get(metric),
                "paper_mean": paper.get("means", {}).get(metric),
            }
        )
    kinds: dict[str, Any] = dict.fromkeys(("videos", "total", "paper_total"), pl.Int64)
    kinds |= dict.fromkeys(("mean", "mean_over_paper_videos", "paper_mean"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=kinds)


def table2(
    hashtags: pl.DataFrame, videos: int, paper: dict[str, Any], top: int = TOP
) -> pl.DataFrame:
    """The most used hashtags.

    Args:
        hashtags: `aggregates.hashtags`, the generic ones already out.
        videos: videos of the release.
        paper: the campaign's paper numbers.
        top: how many.

    Returns:
        rank, hashtag, videos, share (of all videos), paper_videos (null: not in the paper's table).
    """
    printed = {str(tag).casefold(): int(n) for tag, n in paper.get("hashtags", {}).items()}
    rows = hashtags.head(top)
    return rows.select(
        pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("rank"),
        "hashtag",
        "videos",
        (pl.col("videos") / max(videos, 1)).round(4).alias("share"),
        pl.col("hashtag")
        .replace_strict(printed, default=None, return_dtype=pl.Int64)
        .alias("paper_videos"),
    )
