"""Which days are asked for, and what is known about where a window ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from builder.config.campaign_tables import Window
from builder.errors import UsageProblem

INCOMPLETE_HOURS = 48  # TikTok: videos and counts of the newest two days are not all there
ONE_DAY = dt.timedelta(days=1)


def wanted_days(
    window: Window, first: dt.date | None, last: dt.date | None, now: float, *, recent: bool
) -> list[dt.date]:
    """The days of a collection, oldest first.

    Args:
        window: the campaign's.
        first, last: a part of it.
        now: Unix time at the service.
        recent: also take days that end within the last 48 hours.

    Raises:
        UsageProblem: no day is left, or one is too recent.
    """
    start, end = first or window.start, last or window.end
    if start > end:
        raise UsageProblem(f"--from {start} is after --to {end}", way_out="swap them")
    if start < window.start or end > window.end:
        raise UsageProblem(
            f"the campaign's window is {window.start} to {window.end}; {start} to {end} is not "
            "inside it",
            way_out="choose days of the window, or change the window in campaign.toml",
        )
    if not recent:
        ends = dt.datetime(end.year, end.month, end.day, tzinfo=dt.UTC) + ONE_DAY
        settled = dt.datetime.fromtimestamp(now, dt.UTC) - dt.timedelta(hours=INCOMPLETE_HOURS)
        if ends > settled:
            newest = settled.date() - ONE_DAY
            raise UsageProblem(
                f"{end} ended less than {INCOMPLETE_HOURS} hours ago (or has not ended): TikTok's "
                "newest days are not complete",
                way_out=f"end with --to {newest}, or ask for it all the same with --recent",
            )
    return [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]


def bounds(day: dt.date) -> tuple[int, int]:
    """First second of a UTC day and of the day after it, Unix time."""
    start = int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())
    return start, start + 86_400


@dataclass
class EndOfWindow:
    """Whether the service's end_date belongs to the window: learned, and never relied on.

    Asking for a day up to itself is right if it does; if it does not, that finds nothing (or the
    first second alone) and the day is asked again up to the next day. What lies outside of the day
    is filtered by creation time.
    """

    inclusive: bool | None = None

    def ends(self, day: dt.date) -> list[dt.date]:
        """End dates to try for a day, in this order, until one finds the day."""
        return [day + ONE_DAY] if self.inclusive is False else [day, day + ONE_DAY]

    def learn(self, day: dt.date, end: dt.date, times: list[int]) -> None:
        """Take note of the creation times a window from `day` to `end` brought."""
        start, following = bounds(day)
        beyond = any(time > following for time in times)
        inside = any(start < time < following for time in times)
        if end == day and inside:
            self.inclusive = True
        elif end > day and (inside or beyond):
            self.inclusive = beyond

    @staticmethod
    def found(day: dt.date, times: list[int]) -> bool:
        """Whether these times show that the whole day was inside the window."""
        start, following = bounds(day)
        return any(start < time < following for time in times)
