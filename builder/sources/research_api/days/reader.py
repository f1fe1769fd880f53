"""Reads one day to a provable end, through everything the service has been seen to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from builder.sources.research_api.answers import Page, read_page
from builder.sources.research_api.client import ResearchClient
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.days.unit import Unit
from builder.sources.research_api.problems import (
    CursorRefused,
    Incomplete,
    QueryRefused,
    SearchUnknown,
    Transient,
    Unavailable,
)
from builder.sources.research_api.query import Query, Request
from builder.sources.research_api.transport import Reply
from builder.sources.research_api.windows import EndOfWindow, bounds

MAX_RESTARTS = 4  # of one window in one run of the program
MAX_PASSES = 4  # readings of a window whose rows come in a strange order
MAX_EMPTY_PAGES = 20  # in a row, each saying that more follows
STRANGE_TRIES = 3


class Doubtful(Incomplete):
    """Something suggests that rows are missing: the window is read again from its beginning."""


class DayReader:
    """Reads days, one after the other.

    Args:
        client: asks the service.
        pages: keeps what it says.
        queries: of the campaign; replaced by halves where the service takes fewer terms.
    """

    def __init__(self, client: ResearchClient, pages: Pages, queries: Sequence[Query]) -> None:
        self.client, self.pages = client, pages
        self.queries = list(queries)
        self.end = EndOfWindow()
        self._taken: set[Query] = set()  # queries the service has answered

    def read(self, day: dt.date) -> list[Unit]:
        """Read every query of a day to its end.

        Returns:
            The units, all done; some may be empty, which is not yet a proof.

        Raises:
            Incomplete, Unavailable: the day cannot be read to a provable end now.
            QuotaReached, ServiceStopped and others: see `ResearchClient.page`.
        """
        units = self.load(day)
        while pending := [unit for unit in units if not unit.done]:
            try:
                self.read_unit(day, pending[0], units)
            except QueryRefused:
                most = len(pending[0].query.terms) // 2
                if pending[0].query in self._taken or (not most and self._taken):
                    why = "the service refuses a query that it has taken before (HTTP 400)"
                    raise Unavailable(why) from None
                if not most:
                    raise
                # Fewer terms may be taken. Later days begin with these queries.
                units = _split(units, most)
                self.queries = [unit.query for unit in units]
                self.save(day, units)
        return units

    def load(self, day: dt.date) -> list[Unit]:
        """The units of a day as an earlier run left them, or new ones."""
        units = [Unit(number, query) for number, query in enumerate(self.queries)]
        saved = self.pages.load_state(day).get("units", [])
        try:
            if [state["query"] for state in saved] == [unit.key for unit in units]:
                for unit, state in zip(units, saved, strict=True):
                    unit.restore(state, {p["file"]: self._reread(day, p) for p in state["pages"]})
                return units
        except (KeyError, TypeError, ValueError, Transient):
            units = [Unit(number, query) for number, query in enumerate(self.queries)]
        self.pages.drop_partial(day)
        return units

    def _reread(self, day: dt.date, page: dict[str, str]) -> Page:
        body = self.pages.load_page(day, page["file"], page["sha256"])
        if body is None:
            raise ValueError("a saved page is not what was written")
        return read_page(Reply(200, {}, body, 0.0))

    def save(self, day: dt.date, units: Sequence[Unit]) -> None:
        """Write where the day stands."""
        self.pages.save_state(day, {"units": [unit.state() for unit in units]})

    def read_unit(self, day: dt.date, unit: Unit, units: Sequence[Unit]) -> None:
        """Read one query over one day, window by window, until one surely holds the day."""
        ends = self.end.ends(day)
        ends = [*ends, ends[-1]] if len(ends) == 1 else ends  # nothing found is asked about twice
        if unit.end in ends:  # an earlier run was in the middle of this window
            ends = ends[ends.index(unit.end) :]
        for end in ends:
            try:
                self._until_stable(day, unit, end, units)
            except QueryRefused as refused:
                if end == ends[-1] or not (refused.dates or len(unit.query.terms) < 2):
                    raise
                self.end.inclusive = False  # it does not take a window of one day
                continue
            self.end.learn(day, end, list(unit.passed.values()))
            if EndOfWindow.found(day, list(unit.times.values())):
                break
            unit.end = None
        unit.done, unit.end = True, None
        self.save(day, units)

    def _until_stable(self, day: dt.date, unit: Unit, end: dt.date, units: Sequence[Unit]) -> None:
        """Read one window, again if need be, until nothing suggests that rows are missing."""
        before: set[int] | None = None
        restarts = passes = 0
        dead = False
        if unit.end == end and unit.search_id is None:
            self._give_up(day, unit)
        if unit.end != end or unit.search_id is None:
            unit.begin(end)
        while True:
            try:
                self._read_window(day, unit, end, units)
            except (SearchUnknown, CursorRefused, Doubtful, Unavailable) as why:
                if isinstance(why, Unavailable):
                    # A search can be dead while the service lives: once more with a new one.
                    if dead or not unit.cursor:
                        raise
                    dead = True
                restarts += 1
                if restarts > MAX_RESTARTS:
                    raise Incomplete(f"read {restarts} times in vain: {why.problem}") from None
                self.client.clock.sleep(min(0.1 * 2**restarts, 2.0))
                self._give_up(day, unit)
                unit.begin(end)
                continue
            if not (unit.alarm and unit.in_order) or before == set(unit.passed):
                return
            # Rows jumped back in time: a page may have been skipped. Two readings must agree.
            passes += 1
            if passes >= MAX_PASSES:
                raise Incomplete("its rows come in another order each time")
            before = set(unit.passed)
            unit.begin(end)

    def _give_up(self, day: dt.date, unit: Unit) -> None:
        for file in unit.give_up():
            (self.pages.partial(day) / file).unlink(missing_ok=True)

    def _read_window(self, day: dt.date, unit: Unit, end: dt.date, units: Sequence[Unit]) -> None:
        empty = 0
        while True:
            request = Request(unit.query, day, end, unit.cursor, unit.search_id)
            page = self._take(day, unit, request)
            unit.search_id = page.search_id or unit.search_id
            more = page.has_more if page.has_more is not None else page.rows > 0
            empty = 0 if page.rows else empty + 1
            if empty > MAX_EMPTY_PAGES:
                raise Doubtful("page after page is empty, and more is said to follow")
            following = next_cursor(request, page)
            if not more:
                if self._is_end(unit, request, page, following):
                    return
                following = following if page.rows else request.cursor
            unit.cursor = following
            self.save(day, units)

    def _take(self, day: dt.date, unit: Unit, request: Request) -> Page:
        """Ask for a page and keep it. A strange one is asked for again: faults pass, facts stay."""
        lead: Page | None = None
        mine: dict[int, int] = {}
        got = 0
        unread: list[tuple[int, int]] = []
        for attempt in range(STRANGE_TRIES):
            asked = self.client.clock.now()
            page = self.client.page(request)
            self._taken.add(request.query)
            if _elsewhere(request, page):
                continue
            unread.append((-page.rows, page.damaged))
            repeated = any(v in unit.passed and v not in mine for v in page.times)
            fresh = sum(v not in unit.passed for v in page.times)
            if fresh or (lead is None and (not page.rows or page.damaged == page.rows)):
                unit.take(page, day, self.pages, asked)
            got += fresh
            mine |= page.times
            if lead is None or (page.has_more is True, page.rows) > (
                lead.has_more is True,
                lead.rows,
            ):
                lead = page
            strange = (
                page.damaged > 0
                or (page.rows > 0 and not got)  # nothing but videos of earlier pages
                or (repeated and got < request.max_count)  # in the place of others?
                or (not page.rows and page.has_more is True)
            )
            patient = attempt > 0 and (got or not page.rows)
            if not strange or patient:
                break
        if lead is None:
            raise Doubtful("a page brings only videos of other days")
        if lead.rows and not got and lead.damaged < lead.rows:
            raise Doubtful("a page brings only videos of earlier pages")
        unit.damaged += min(unread)[1]  # of the attempt that brought the most
        return lead

    def _is_end(self, unit: Unit, request: Request, page: Page, following: int) -> bool:
        """Whether a window ends where the service says so: what follows is asked for once.

        An empty window is believed for now; the day is looked at again as a whole.
        """
        if not page.rows and not unit.passed:
            return True
        cursor = following if page.rows else request.cursor
        patience, self.client.patience = self.client.patience, 2
        try:
            further = self.client.page(replace(request, cursor=cursor, search_id=unit.search_id))
        except (CursorRefused, SearchUnknown, QueryRefused, Unavailable):
            if page.has_more is False:
                return True  # it does not answer beyond the end
            raise
        finally:
            self.client.patience = patience
        known = all(video in unit.passed for video in further.times)
        return not further.has_more and known and not further.damaged


def _split(units: Sequence[Unit], most: int) -> list[Unit]:
    """The units, those with too many terms replaced by new ones; what was read stays."""
    number = max(unit.number for unit in units)
    result: list[Unit] = []
    for unit in units:
        if unit.done or len(unit.query.terms) <= most:
            result.append(unit)
            continue
        for part in unit.query.parts(most):
            number += 1
            result.append(Unit(number, part))
    return result


def _elsewhere(request: Request, page: Page) -> bool:
    """Whether all rows belong to other days than those asked for (by more than a day)."""
    first, _ = bounds(request.start)
    _, last = bounds(request.end)
    outside = [not first - 86_400 <= time < last + 86_400 for time in page.times.values()]
    return bool(outside) and all(outside)


def next_cursor(request: Request, page: Page) -> int:
    """Where the next page begins.

    Never further than the rows asked for: that would be a gap. A cursor that is missing or stands
    still is replaced by the rows that came; an empty page without a cursor is asked for again.
    """
    if page.cursor is not None and page.cursor > request.cursor:
        return min(page.cursor, request.cursor + max(request.max_count, page.rows))
    return request.cursor + page.rows
