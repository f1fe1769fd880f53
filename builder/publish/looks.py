"""What refreshes found: `work/refresh/<UTC day>/part-*.parquet`, a second snapshot of the counts.

A post is gone when it was missed on two different UTC days, and not found on that or a later day.
A look that proved nothing (`confirmed` is false) is no miss.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from builder.run.store import write_frame, write_json

FOLDER = "refresh"
INTERVAL = dt.timedelta(days=15)  # TikTok's terms: at least every fifteen days
MISSES = 2
COUNTS = ("view_count", "like_count", "comment_count", "share_count", "favorites_count")
LOOK_SCHEMA: dict[str, Any] = {
    "id": pl.Int64,
    "found": pl.Boolean,
    "confirmed": pl.Boolean,
    **dict.fromkeys(COUNTS, pl.Int64),
}
_ROUND = "round.json"


@dataclass(frozen=True)
class Looks:
    """Everything refreshes found.

    Attributes:
        frame: `LOOK_SCHEMA` with `day`, one row an id and look.
        last: day on which the last round was completed; None: never.
        started: first day of a round that is under way.
    """

    frame: pl.DataFrame
    last: dt.date | None
    started: dt.date | None

    @property
    def due(self) -> dt.date | None:
        """Day on which the next refresh is due; None before the first."""
        return self.last + INTERVAL if self.last else None

    def gone(self, misses: int = MISSES) -> frozenset[int]:
        """Ids missed on at least so many days since they were last found."""
        seen = self.frame.filter("found").group_by("id").agg(seen=pl.col("day").max())
        missed = (
            self.frame.filter(~pl.col("found") & pl.col("confirmed"))
            .join(seen, on="id", how="left")
            .filter(pl.col("seen").is_null() | (pl.col("day") > pl.col("seen")))
            .group_by("id")
            .agg(pl.col("day").n_unique())
        )
        return frozenset(missed.filter(pl.col("day") >= misses)["id"].to_list())

    def asked_since(self, day: dt.date) -> frozenset[int]:
        """Ids looked at on or after a day, with a result."""
        since = self.frame.filter((pl.col("day") >= day) & pl.col("confirmed"))
        return frozenset(since["id"].unique().to_list())


def read_looks(work: Path) -> Looks:
    """What the refreshes of a work folder found."""
    folder = work / FOLDER
    frames = [pl.DataFrame(schema={**LOOK_SCHEMA, "day": pl.Date})]
    for part in sorted(folder.glob("????-??-??/part-*.parquet")):
        day = dt.date.fromisoformat(part.parent.name)
        frames.append(pl.read_parquet(part, glob=False).with_columns(day=pl.lit(day)))
    try:
        told = json.loads((folder / _ROUND).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    return Looks(pl.concat(frames), _day(told.get("last")), _day(told.get("started")))


def add_looks(work: Path, day: dt.date, rows: list[dict[str, Any]]) -> None:
    """Keep the looks of one batch."""
    folder = work / FOLDER / day.isoformat()
    for made in (folder.parent, folder):
        made.mkdir(mode=0o700, exist_ok=True)
    numbers = [int(part.stem.split("-")[1]) for part in folder.glob("part-*.parquet")]
    frame = pl.DataFrame(rows, schema=LOOK_SCHEMA, orient="row")
    write_frame(folder / f"part-{max(numbers, default=-1) + 1:06d}.parquet", frame)


def write_round(work: Path, *, last: dt.date | None, started: dt.date | None) -> None:
    """Remember when the last round ended and whether one is under way."""
    told = {"last": last, "started": started}
    (work / FOLDER).mkdir(mode=0o700, exist_ok=True)
    write_json(work / FOLDER / _ROUND, {key: d and d.isoformat() for key, d in told.items()})


def told_of(looks: Looks) -> dict[str, str]:
    """What the manifest says about refreshes; empty before the first is complete."""
    if looks.last is None or looks.due is None:
        return {}
    return {"last": looks.last.isoformat(), "due": looks.due.isoformat()}


def refresh_lines(work: Path, today: dt.date) -> list[str]:
    """What `status` says about refreshes."""
    looks = read_looks(work)
    if looks.last is None and looks.started is None:
        return ["refresh: never; TikTok asks for one every 15 days (ecuador-crisis refresh)"]
    gone, once = looks.gone(), looks.gone(1)
    due = looks.due
    if due is None:
        when = "the first is not complete"
    else:
        late = f" ({(today - due).days} days overdue)" if today > due else ""
        when = f"last {looks.last}, next due {due}{late}"
    if looks.started is not None:
        when += f"; one is under way since {looks.started}"
    return [f"refresh: {when}; {len(gone):,} gone, {len(once - gone):,} missed once"]


def _day(text: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
