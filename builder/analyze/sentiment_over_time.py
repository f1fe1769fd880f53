"""Sentiment by day, phase, language and hashtag, with bootstrap intervals.

A share is that of a label among the labelled videos of a group. Its interval is the percentile
bootstrap over the videos of the group (Efron 1979): drawing n videos with replacement and counting
labels is one draw of Multinomial(n, shares), so the bootstrap costs the same for ten videos as for
a million. It says how much the share would move with other videos of the same kind; it says
nothing about wrong labels, and videos of one author count as independent. Where no video (or every
video) has a label, resampling can only say 0 (or 1): there the other end is the rule of three,
3/n (Hanley and Lippman-Hand 1983). Groups under `MIN_VIDEOS` get no interval: a bootstrap of a
handful of videos promises far too much.

Rows of low confidence (see the schema) are counted apart and never mixed with the others.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from builder.validate.release import Tables
from ecuador_crisis_tiktok import SENTIMENT_LABELS

DRAWS, SEED, LEVEL = 2_000, 0, 0.95
MIN_VIDEOS = 10
HIGH, LOW = "high", "low"
SCHEMA = {
    "group": pl.String,
    "confidence": pl.String,
    "label": pl.String,
    "videos": pl.Int64,
    "of": pl.Int64,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


@dataclass(frozen=True)
class Phase:
    """The days from one event to the next.

    Attributes:
        key: of the event it begins with; empty before the first.
        first, last: its days, both inclusive.
    """

    key: str
    first: dt.date
    last: dt.date


def phases(events: Sequence[tuple[str, dt.date]], first: dt.date, last: dt.date) -> list[Phase]:
    """The window cut at its events; an event's day begins its phase. Events of one day share it."""
    starts: dict[dt.date, str] = {first: ""}
    for key, day in sorted(events, key=lambda event: (event[1], event[0])):
        if first <= day <= last:
            starts[day] = f"{starts[day]}+{key}" if starts.get(day) else key
    days = [*sorted(starts), last + dt.timedelta(days=1)]
    return [Phase(starts[a], a, b - dt.timedelta(days=1)) for a, b in pairwise(days)]


def by_day(tables: Tables) -> pl.DataFrame:
    """Shares by day; `group` is the ISO date. Columns: `SCHEMA`."""
    return _shares(tables, pl.col("date").cast(pl.String))


def by_phase(tables: Tables, cut: Sequence[Phase]) -> pl.DataFrame:
    """Shares by phase; `group` is the first day of the phase."""
    group = pl.lit(None, pl.String)
    for phase in cut:
        inside = pl.col("date").is_between(phase.first, phase.last)
        group = pl.when(inside).then(pl.lit(phase.first.isoformat())).otherwise(group)
    return _shares(tables, group)


def by_language(tables: Tables) -> pl.DataFrame:
    """Shares by the language of the transcript."""
    return _shares(tables, pl.col("language"))


def by_hashtag(tables: Tables, tags: Sequence[str]) -> pl.DataFrame:
    """Shares by hashtag; a video counts for each of its tags."""
    shares = _shares(tables, pl.col("hashtags"), explode=True, only=tags)
    order = pl.DataFrame({"group": list(tags)}, schema={"group": pl.String}).with_row_index("place")
    return shares.join(order, on="group").sort("place", "confidence", "label").drop("place")


def _shares(
    tables: Tables, group: pl.Expr, *, explode: bool = False, only: Sequence[str] | None = None
) -> pl.DataFrame:
    rows = (
        tables.scan("videos")
        .filter(pl.col("sentiment").is_in(list(SENTIMENT_LABELS)))
        .select(group.alias("group"), "sentiment", "low_confidence")
    )
    if explode:
        rows = rows.explode("group")
    if only is not None:
        rows = rows.filter(pl.col("group").is_in(list(only)))
    counts = (
        rows.drop_nulls("group")
        .group_by(
            "group",
            pl.when(pl.col("low_confidence"))
            .then(pl.lit(LOW))
            .otherwise(pl.lit(HIGH))
            .alias("confidence"),
            "sentiment",
        )
        .agg(pl.len().cast(pl.Int64).alias("videos"))
        .collect(engine="streaming")
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for name, confidence, label, n in counts.iter_rows():
        found.setdefault((name, confidence), {})[label] = n
    return pl.DataFrame(
        [
            row
            for (name, confidence), labels in sorted(found.items())
            for row in _rows(name, confidence, [labels.get(one, 0) for one in SENTIMENT_LABELS])
        ],
        schema=SCHEMA,
    )


def _rows(name: str, confidence: str, counts: list[int]) -> list[dict[str, Any]]:
    total = sum(counts)
    low: Sequence[float | None] = [None] * len(counts)
    high: Sequence[float | None] = [None] * len(counts)
    if total >= MIN_VIDEOS:
        low, high = interval(counts, f"{name}/{confidence}")
    return [
        {
            "group": name,
            "confidence": confidence,
            "label": label,
            "videos": n,
            "of": total,
            "share": n / total,
            "low": low[place],
            "high": high[place],
        }
        for place, (label, n) in enumerate(zip(SENTIMENT_LABELS, counts, strict=True))
    ]


def interval(
    counts: Sequence[int], name: str, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[list[float], list[float]]:
    """Percentile bootstrap interval of each label's share.

    Args:
        counts: videos of each label; at least one.
        name: of the group; it seeds the group's own stream, so that its interval does not depend
            on which other groups there are.
        draws: bootstrap samples.
        seed: another one gives another, equally good interval.

    Returns:
        Lower and upper ends, 0 to 1.
    """
    total = sum(counts)
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    stream = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "big")))
    sampled = stream.multinomial(total, np.asarray(counts) / total, size=draws) / total
    tail = (1 - LEVEL) / 2
    ends = np.quantile(sampled, [tail, 1 - tail], axis=0)
    low, high = [float(x) for x in ends[0]], [float(x) for x in ends[1]]
    for place, n in enumerate(counts):
        if n == 0:
            high[place] = min(1.0, 3 / total)
        if n == total:
            low[place] = max(0.0, 1 - 3 / total)
    return low, high
