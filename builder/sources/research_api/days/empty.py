"""Days without a video: complete only when something shows that the search was working.

Keyword queries have been seen to return nothing for days, without an error. An empty query over a
day, asked again at the end of the run and empty still, is believed when

* the same query finds videos on a day known to have some, and
* a query for the region alone brings videos of the day, none of which should have been found;

or when a second look at another time finds nothing as well, while the first of these holds and the
second shows nothing to the contrary.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from builder.sources.research_api.client import ResearchClient
from builder.sources.research_api.days.unit import Unit
from builder.sources.research_api.problems import CursorRefused, SearchUnknown
from builder.sources.research_api.query import MAX_DAYS, Request
from builder.sources.research_api.windows import ONE_DAY, bounds

SECOND_LOOK = 3600.0  # seconds after the first look
CANARY_ROWS = 20


@dataclass(frozen=True)
class Verdict:
    """Whether the empty queries of a day are believed, and why (or why not)."""

    believed: bool
    why: str


def look_for_proof(
    client: ResearchClient,
    day: dt.date,
    empty: Sequence[Unit],
    known: tuple[dt.date, Unit] | None,
    ends: Sequence[dt.date],
    first_look: float,
    second_look: float = SECOND_LOOK,
) -> Verdict:
    """Ask the canaries about an empty day. Their rows are not kept: they are not the campaign's.

    Args:
        client: asks the service.
        day: the day.
        empty: its queries that found nothing.
        known: a day on which one of the queries found videos, if there is one; the day itself
            where only some of its queries are empty.
        ends: end dates to try for a window of that day.
        first_look: Unix time at which the day was first found empty.
        second_look: seconds that must lie between two looks.

    Raises:
        QuotaReached, Unavailable and others: see `ResearchClient.page`.
    """
    if known is None:
        return Verdict(False, "no day with videos yet to check the search with")
    where, unit = known
    if where != day:
        # One window over both days: it must find the known one, and was never asked for before.
        near = abs((where - day).days) < MAX_DAYS
        first, last = (min(day, where), max(day, where)) if near else (where, where)
        canary = Request(unit.query, first, last + ONE_DAY, max_count=CANARY_ROWS)
        if not _ask(client, canary):
            return Verdict(False, "the search finds nothing on days that have videos: it is broken")
    rows: list[dict[str, object]] = []
    for end in ends:
        if not rows:
            rows = _ask(client, Request(replace(unit.query, terms=()), day, end), day)
    if any(one.query.matches(video) for one in empty for video in rows):
        return Verdict(False, "the region's videos of the day hold some that the search misses")
    if rows:
        return Verdict(True, "canary")
    if client.clock.now() - first_look >= second_look:
        return Verdict(True, "second look")
    return Verdict(False, "nothing at all on this day; it wants a second look at another time")


def _ask(
    client: ResearchClient, request: Request, day: dt.date | None = None
) -> list[dict[str, object]]:
    """Videos on the first page of a request, those of one day if it is given."""
    try:
        page = client.page(request)
    except (CursorRefused, SearchUnknown):
        return []
    start, following = bounds(day) if day else (0, 1 << 62)
    wanted = {str(video) for video, time in page.times.items() if start <= time < following}
    return [
        video
        for video in page.videos
        if isinstance(video, dict) and str(video.get("id")).strip() in wanted
    ]
