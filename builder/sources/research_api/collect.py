"""Collects a campaign, day by day: what is complete is kept, what is not is named.

A period whose requests fail for good must not eat the quota: after three such days in a row the
collector goes on from the other end of the window, and after three there it stops.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from builder.errors import UsageProblem
from builder.sources.research_api.client import TRIES, ResearchClient
from builder.sources.research_api.clock import NOTICE_SKEW, moment, stamp
from builder.sources.research_api.days.empty import look_for_proof
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.days.reader import DayReader
from builder.sources.research_api.days.unit import Unit
from builder.sources.research_api.outcome import (
    COMPLETE,
    EMPTY,
    NOT_ASKED,
    PARTIAL,
    UNAVAILABLE,
    Collected,
    Wanted,
)
from builder.sources.research_api.problems import (
    Incomplete,
    QuotaReached,
    ServiceStopped,
    Unavailable,
)
from builder.sources.research_api.query import campaign_queries, plan_digest
from builder.sources.research_api.windows import bounds, wanted_days

DEAD_END = 3  # unavailable days in a row
# Tries of one request after a day that could not be read, until one can.
DISTRUST = 3
# Share of a day's rows that may be damaged for good.
FEW = 0.02


class Collector:
    """Collects into one folder.

    Args:
        client: asks the service.
        pages: the folder, locked by the caller.
        wanted: what to collect.
        notice: called with lines a person should see.
        advance: called with the state of each day as it is settled.
    """

    def __init__(
        self,
        client: ResearchClient,
        pages: Pages,
        wanted: Wanted,
        notice: Callable[[str], None] = lambda line: None,
        advance: Callable[[str], None] = lambda state: None,
    ) -> None:
        self.client, self.pages, self.wanted = client, pages, wanted
        self._notice, self._advance = notice, advance
        self._reader = DayReader(client, pages, campaign_queries(wanted.campaign, wanted.max_terms))

    def run(self, days: Sequence[dt.date] | None = None) -> Collected:
        """Bring every day as far as it can be brought now.

        Raises:
            CredentialsProblem, QueryRefused, UsageProblem, DiskFull: nothing can go on like this.
        """
        try:
            self._patiently(self.client.connect)
        except (Unavailable, ServiceStopped) as gone:
            return self.summary(self._window(days), _as_stop(gone))
        if abs(self.client.clock.skew) > NOTICE_SKEW:
            self._notice(
                f"this machine's clock is {-self.client.clock.skew:+,.0f} s off the service's; "
                "days and quotas go by the service's"
            )
        days = self._window(days)
        campaign = self.wanted.campaign
        self.pages.claim(
            plan_digest(campaign),
            {"campaign": campaign.name, "regions": list(campaign.region_codes)},
        )
        stop: ServiceStopped | None = None
        try:
            pending = [day for day in days if not self._is_complete(day)]
            self._read_all(pending)
            self._confirm_all([day for day in days if not self._is_complete(day)])
        except (QuotaReached, ServiceStopped) as reached:
            stop = reached
        except Unavailable as silent:
            stop = _as_stop(silent)
        return self.summary(days, stop)

    def _window(self, days: Sequence[dt.date] | None) -> list[dt.date]:
        w = self.wanted
        now = self.client.clock.now()
        return list(days or wanted_days(w.campaign.window, w.first, w.last, now, recent=w.recent))

    def _is_complete(self, day: dt.date) -> bool:
        if self.pages.complete(day) is not None:
            return True
        if (self.pages.root / day.isoformat()).exists():
            raise UsageProblem(
                "this folder is in the way of a day's pages and was not made by a collection",
                file=self.pages.root / day.isoformat(),
                way_out="move it away; pages of other origin can be a second source of regenerate",
            )
        if self.pages.ready(day):  # killed between the last two steps
            self.pages.finish(day)
            self.pages.note(day, None)
            return True
        return False

    def _read_all(self, pending: list[dt.date]) -> None:
        """Read from the front; from the back once the front is dead; stop when both are."""
        row = 0
        from_back = False
        queue = list(pending)
        while queue:
            day = queue.pop(-1 if from_back else 0)
            state = self._patiently(lambda day=day: self._read(day))  # type: ignore[misc]
            self._advance(state)
            row = row + 1 if state == UNAVAILABLE else 0
            self.client.patience = DISTRUST if row else TRIES["fault"]
            if row >= DEAD_END:
                if from_back or len(queue) <= 1:
                    break
                self._notice("three days in a row got no answer; going on from the other end")
                from_back, row = True, 0
        self.client.patience = TRIES["fault"]
        if queue:
            raise ServiceStopped(
                "the service answers for no day any more",
                way_out="run the same command again later: it goes on where it stopped",
            )

    def _read(self, day: dt.date) -> str:
        before = self.pages.notes().get(day.isoformat(), {})
        if before.get("state") == UNAVAILABLE:
            self.client.patience = min(self.client.patience, DISTRUST)
        if before.get("state") == EMPTY:
            self._look_again(day)
        try:
            units = self._reader.read(day)
        except Unavailable as gone:
            self._note(day, UNAVAILABLE, str(gone.problem), tries=before.get("tries", 0) + 1)
            return UNAVAILABLE
        except Incomplete as doubt:
            self._note(day, PARTIAL, str(doubt.problem))
            return PARTIAL
        except BaseException as stop:
            if before.get("state") != EMPTY and self.pages.partial(day).is_dir():
                reason = "the quota ended" if isinstance(stop, QuotaReached) else "interrupted"
                self._note(day, PARTIAL, reason)
            raise
        if self._doubts_rows(day, units, before):
            return PARTIAL
        if _empty_units(day, units):
            now = self.client.clock.now()
            self._note(
                day, EMPTY, "no videos, without an error", first_look=before.get("first_look", now)
            )
            return EMPTY
        self._commit(day, units, "")
        return COMPLETE

    def _doubts_rows(self, day: dt.date, units: Sequence[Unit], before: dict[str, Any]) -> bool:
        """Whether rows without a readable id keep a day from being complete.

        They are asked for again by a later run. Are they the same after a second look at another
        time, as for an empty day, a few of them are counted in the day's record.
        """
        rows, found = sum(u.damaged for u in units), sum(len(u.times) for u in units)
        now = self.client.clock.now()
        first_look = float(before.get("rows_doubted", now))
        looked_twice = now - first_look >= self.wanted.second_look
        if not rows or (looked_twice and rows <= found * FEW):
            return False
        for unit in units:
            unit.done = unit.done and not unit.damaged
        self._reader.save(day, units)
        why = f"{rows:,} row(s) came without a readable id; a later run asks for them again"
        self._note(day, PARTIAL, why, rows_doubted=first_look)
        return True

    def _look_again(self, day: dt.date) -> None:
        """Have the empty queries of a day asked once more."""
        units = self._reader.load(day)
        for unit in _empty_units(day, units):
            unit.done = False
        self._reader.save(day, units)

    def _confirm_all(self, days: Sequence[dt.date]) -> None:
        """Look for proof for the days that seem empty, once the other days are there to compare."""
        notes = self.pages.notes()
        for day in days:
            if notes.get(day.isoformat(), {}).get("state") == EMPTY:
                self._patiently(lambda day=day: self._confirm(day))  # type: ignore[misc]

    def _confirm(self, day: dt.date) -> None:
        note = self.pages.notes().get(day.isoformat(), {})
        first_look = float(note.get("first_look", self.client.clock.now()))
        try:
            units = self._reader.load(day)
            if len(_empty_units(day, units)) == len(units):  # else this search works on this day
                self._look_again(day)
                units = self._reader.read(day)
            empty = _empty_units(day, units)
            verdict = look_for_proof(
                self.client,
                day,
                empty,
                self._known_day(day, units),
                self._reader.end.ends(day),
                first_look,
                self.wanted.second_look,
            )
        except (Unavailable, Incomplete):
            return
        if empty and not verdict.believed:
            self._note(day, EMPTY, verdict.why, first_look=first_look)
            return
        self._commit(day, units, verdict.why if empty else "")

    def _known_day(self, day: dt.date, units: Sequence[Unit]) -> tuple[dt.date, Unit] | None:
        """Where one of these queries found videos: this day, or the nearest, if possible later."""
        empty = _empty_units(day, units)
        if found := [unit for unit in units if unit not in empty]:
            return day, found[0]
        places = [
            (other, unit)
            for other in self.pages.complete_days()
            for queries in [(self.pages.complete(other) or {}).get("queries", {})]
            for unit in units
            if queries.get(unit.key, 0)
        ]
        return min(places, key=lambda at: (at[0] < day, abs(at[0] - day)), default=None)

    def _commit(self, day: dt.date, units: Sequence[Unit], proof: str) -> None:
        start, following = bounds(day)
        found = [{v for v, t in u.times.items() if start <= t < following} for u in units]
        pages = [
            {key: page[key] for key in ("file", "requested_at", "rows", "sha256")}
            for unit in units
            for page in unit.pages
        ]
        record: dict[str, Any] = {
            "day": day.isoformat(),
            "state": COMPLETE,
            "campaign": self.wanted.campaign.name,
            "plan": plan_digest(self.wanted.campaign),
            "fetched_on": min(page["requested_at"] for page in pages)[:10],
            "completed_at": stamp(self.client.clock.now()),
            "videos": len(set().union(*found)),
            "rows": sum(page["rows"] for page in pages),
            "damaged_rows": sum(unit.damaged for unit in units),
            "empty_confirmed_by": proof,
            "fields": list(self.client.fields),
            "queries": {unit.key: len(ids) for unit, ids in zip(units, found, strict=True)},
            "pages": pages,
        }
        self.pages.commit(day, record)
        self.pages.note(day, None)

    def _note(self, day: dt.date, state: str, reason: str, **more: Any) -> None:
        at = stamp(self.client.clock.now())
        self.pages.note(day, {"state": state, "reason": reason, "at": at, **more})

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """Do something; with --wait, sleep whenever the quota is used up, and go on."""
        while True:
            try:
                return work()
            except QuotaReached as reached:
                if not self.wanted.wait:
                    raise
                until = max(reached.resume_at, self.client.clock.now()) + 5
                self._notice(f"{reached.problem}; waiting until {moment(until)}")
                self.client.clock.sleep(until - self.client.clock.now())

    def summary(self, days: Sequence[dt.date], stop: ServiceStopped | None) -> Collected:
        """The state of every day, from what is on disk."""
        result = Collected(stopped=stop)
        notes = self.pages.notes()
        for day in days:
            record = self.pages.complete(day)
            note = notes.get(day.isoformat(), {})
            result.days[day] = COMPLETE if record else note.get("state", NOT_ASKED)
            result.videos += record["videos"] if record else 0
            if not record:
                result.reasons[day] = note.get("reason", "not asked for yet")
        return result


def _empty_units(day: dt.date, units: Sequence[Unit]) -> list[Unit]:
    start, following = bounds(day)
    return [
        unit
        for unit in units
        if not unit.damaged and not any(start <= time < following for time in unit.times.values())
    ]


def _as_stop(error: Unavailable | ServiceStopped) -> ServiceStopped:
    if isinstance(error, ServiceStopped):
        return error
    return ServiceStopped(
        f"the service cannot be reached: {error.problem}",
        way_out="run the same command again later: it goes on where it stopped",
    )
