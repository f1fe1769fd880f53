"""How many videos share what is released of them, and hiding what would single one out.

A class is the videos with the same released values of everything the API shows too; k is the size
of the smallest. Null counts as a value: that something was hidden can be seen.

Sweeney, "Achieving k-anonymity privacy protection using generalization and suppression" (2002).
Generalising is `coarsen`; this is the suppression of cells that comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from builder.sources.schema import ALL_COUNTS, LABELS

# What is hidden first, next, …; the date is never hidden.
STEPS: tuple[tuple[str, ...], ...] = (
    ("hashtags", "matched_terms"),
    LABELS,
    ("n_frames", "duration_seconds"),
    *((column,) for column in reversed(ALL_COUNTS)),
    ("region_code",),
)
QUASI_IDENTIFIERS = ("date", *(column for step in STEPS for column in step))
LEFT_OUT = "too_few_to_hide"
_OUT = len(STEPS) + 1


@dataclass(frozen=True)
class Hidden:
    """What has to be hidden so that every class has at least `min_k` videos.

    Attributes:
        min_k: asked for; k: of what is left; 0 without a row.
        steps: `video_id`, `steps` (Int8, how many of `STEPS` are hidden; `_OUT`: the video is left
            out); videos of which nothing is hidden have no row.
        rows: column -> videos of which a value is hidden.
        left_out: videos.
    """

    min_k: int
    k: int
    steps: pl.DataFrame
    rows: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with `video_id`, in its order, without the videos left out and values hidden."""
        found = frame.join(self.steps, on="video_id", how="left", maintain_order="left")
        found = found.with_columns(pl.col("steps").fill_null(0)).filter(pl.col("steps") < _OUT)
        return found.with_columns(_shown(list(frame.columns))).drop("steps")


def k_of(frame: pl.DataFrame | pl.LazyFrame, columns: tuple[str, ...] | list[str]) -> int:
    """Size of the smallest class; 0 without a row.

    Args:
        frame: the columns; lists count with their order.
        columns: the quasi-identifiers.
    """
    kinds = frame.lazy().collect_schema()
    keys = frame.lazy().select(comparable([c for c in columns if c in kinds], kinds))
    smallest = keys.group_by(pl.all()).len().select(pl.col("len").min())
    return int(smallest.collect(engine="streaming").item() or 0)


def comparable(columns: list[str], kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Columns as they can be grouped by: lists of texts as one text."""
    return [
        pl.col(c).list.join("\x1f") if isinstance(kinds[c], pl.List) else pl.col(c) for c in columns
    ]


def hide(frame: pl.DataFrame, min_k: int) -> Hidden:
    """Decide what to hide. The same rows in another order give the same answer.

    Rows in too small a class hide one step after the other until there are `min_k` like them. Who
    hid everything but the date and is still in too small a class is joined by the rows of that
    date that lose least by it; where the date has fewer than `min_k` videos they are left out.

    Args:
        frame: `video_id` and the `QUASI_IDENTIFIERS`, coarse, one row a video.
        min_k: at least 1.
    """
    present = [c for c in QUASI_IDENTIFIERS if c in frame.columns]
    keys = frame.select("video_id", *comparable(present, frame.schema)).sort("date", "video_id")
    # 64-bit hashes instead of texts: five million rows stay small in memory
    keys = keys.with_columns(
        pl.when(pl.col(c).is_not_null()).then(pl.col(c).hash(0)).alias(c)
        for c in present
        if keys.schema[c] == pl.String
    )
    rest, done = keys, []
    for level in range(len(STEPS) + 1):
        shown = ["date", *(c for step in STEPS[level:] for c in step if c in present)]
        sized = rest.with_columns(size=pl.len().over(shown), steps=pl.lit(level, pl.Int8))
        first = pl.col("video_id").min().over(shown).alias("class")
        kept = sized.with_columns(first).filter(pl.col("size") >= min_k)
        done.append(kept.select("video_id", "date", "steps", "size", "class"))
        rest = sized.filter(pl.col("size") < min_k).drop("size", "steps")
    settled = pl.concat(done)
    changed = [_joined(settled, alone, min_k) for _, alone in rest.group_by("date")]
    steps = pl.concat([settled.select("video_id", "steps"), *changed])
    # who joined others stands twice; more is hidden of it now
    steps = steps.group_by("video_id").agg(pl.col("steps").max()).filter(pl.col("steps") > 0)
    steps = steps.sort("video_id")
    left = Hidden(min_k, 0, steps).apply(keys)
    kept = keys.join(left.select("video_id"), on="video_id", how="semi")
    rows = {c: left[c].null_count() - kept[c].null_count() for c in present}
    return Hidden(
        min_k=min_k,
        k=k_of(left, present),
        steps=steps,
        rows={c: n for c, n in rows.items() if n},
        left_out=keys.height - left.height,
    )


def _joined(settled: pl.DataFrame, alone: pl.DataFrame, min_k: int) -> pl.DataFrame:
    """`video_id`, `steps` of the rows of one date that hid everything, and of who joins them."""
    need = min_k - alone.height
    others = settled.filter(pl.col("date") == alone["date"][0])
    everything = _OUT if others.is_empty() else len(STEPS)
    own = alone.select("video_id", steps=pl.lit(everything, pl.Int8))
    if others.is_empty():
        return own
    cost = pl.when(pl.col("size") >= min_k + need).then(need).otherwise("size")
    cheapest = others.with_columns(cost=cost).sort("cost", -pl.col("steps"), "class", "video_id")
    best = cheapest.row(0, named=True)
    joining = cheapest.filter(
        (pl.col("class") == best["class"]) & (pl.col("steps") == best["steps"])
    ).head(best["cost"])
    return pl.concat([own, joining.select("video_id", steps=pl.lit(everything, pl.Int8))])


def _shown(columns: list[str]) -> list[pl.Expr]:
    return [
        pl.when(pl.col("steps") <= number).then(pl.col(column)).alias(column)
        for number, step in enumerate(STEPS)
        for column in step
        if column in columns
    ]
