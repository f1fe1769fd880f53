"""What is known about the day a response was fetched on: the counts are of that day."""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

COLLECTED_MARK = "COLLECTED.json"  # beside the pages of a day: when they were fetched
# Where other collectors write it, at the top of a page or in a row.
_NAMES = ("fetched_on", "fetched_at", "requested_at", "retrieved_at", "collected_at")
_FIRST = dt.date(2016, 9, 1)  # TikTok began


def collected_on(path: Path) -> dt.date | None:
    """UTC day on which our collector asked for the page in a file; None for any other file."""
    mark = path.with_name(COLLECTED_MARK)
    try:
        days = _days(mark, mark.stat().st_mtime_ns)
    except OSError:
        return None
    return days.get(path.name)


@functools.lru_cache(maxsize=8)
def _days(mark: Path, changed: int) -> dict[str, dt.date]:
    try:
        pages = json.loads(mark.read_bytes())["pages"]
        told = {page["file"]: as_day(page["requested_at"]) for page in pages}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {file: day for file, day in told.items() if day is not None}


def told_by(holder: Any) -> dt.date | None:
    """The day a page or a row names itself; None if it does not."""
    if not isinstance(holder, dict):
        return None
    return next((day for name in _NAMES if (day := as_day(holder.get(name)))), None)


def as_day(value: Any) -> dt.date | None:
    """The UTC day of an ISO date or time, or of Unix seconds; None for what is neither."""
    try:
        if isinstance(value, str):
            moment = dt.datetime.fromisoformat(value.strip())
            moment = moment.replace(tzinfo=moment.tzinfo or dt.UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = dt.datetime.fromtimestamp(value, dt.UTC)
        else:
            return None
        day = moment.astimezone(dt.UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
    return day if day >= _FIRST else None
