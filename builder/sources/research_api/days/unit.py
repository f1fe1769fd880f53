"""One query over one day: where it stands, kept on disk so that a kill loses one page at most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from builder.run.stage import fingerprint
from builder.sources.research_api.answers import Page
from builder.sources.research_api.clock import stamp
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.query import Query


@dataclass
class Unit:
    """One query over one day.

    Attributes:
        number: its place among the day's queries; names its pages.
        done: every window that had to be asked was read to its end.
        end: end_date of the window being read; None before the first.
        cursor, search_id: where that window stands.
        pages: kept pages: file, sha256, requested_at, rows, window (its end_date), and run, the
            number of the pass they belong to.
        run: number of the current pass; a restarted pass gives its pages up.
        older: id -> creation time of the kept pages of earlier passes.
        passed: id -> creation time of the current pass.
        low: lowest id of the current pass while its rows come in order; None before the first.
        in_order: no page of the current pass was out of order in itself.
        alarm: a page began above the end of the page before it.
        serial: pages ever written; names are not used twice.
        damaged: rows of the current pass that had no readable id however often they were asked for.
    """

    number: int
    query: Query
    done: bool = False
    end: dt.date | None = None
    cursor: int = 0
    search_id: str | None = None
    pages: list[dict[str, Any]] = field(default_factory=list)
    run: int = 0
    serial: int = 0
    older: dict[int, int] = field(default_factory=dict)
    passed: dict[int, int] = field(default_factory=dict)
    low: int | None = None
    in_order: bool = True
    alarm: bool = False
    damaged: int = 0

    @property
    def key(self) -> str:
        """Names the query."""
        return fingerprint(self.query.regions, self.query.terms)

    @property
    def times(self) -> dict[int, int]:
        """Id -> creation time of all kept pages."""
        return self.older | self.passed

    def begin(self, end: dt.date) -> None:
        """Start a window, or read it once more, from its first page."""
        self.older.update(self.passed)
        self.end, self.cursor, self.search_id = end, 0, None
        self.passed, self.low, self.in_order, self.alarm = {}, None, True, False
        self.damaged = 0
        self.run += 1

    def give_up(self) -> list[str]:
        """Forget the current pass; returns the files of its pages."""
        files = [page["file"] for page in self.pages if page["run"] == self.run]
        self.pages = [page for page in self.pages if page["run"] != self.run]
        self.passed = {}
        return files

    def take(self, page: Page, day: dt.date, pages: Pages, asked: float) -> None:
        """Keep a page."""
        self._watch_order(list(page.times), [v for v in page.times if v not in self.passed])
        name = f"q{self.number:02d}-p{self.serial:05d}.json.zst"
        digest = pages.save_page(day, name, page.body)
        self.serial += 1
        self.pages.append(
            {
                "file": name,
                "sha256": digest,
                "requested_at": stamp(asked),
                "rows": page.rows,
                "run": self.run,
            }
        )
        self.passed.update(page.times)

    def _watch_order(self, ids: list[int], fresh: list[int]) -> None:
        """Rows come in decreasing id; where they do not, a page may be missing.

        Ids of one moment may be shuffled: only what is more than five minutes off counts. A
        service that does not sort at all (a page is out of order in itself) tells nothing.
        """
        moments = [video >> 32 for video in ids]
        if any(later > earlier + 300 for earlier, later in pairwise(moments)):
            self.in_order = False
        if self.low is not None and fresh and (max(fresh) >> 32) > (self.low >> 32) + 300:
            self.alarm = True
        if ids:
            self.low = min(ids) if self.low is None else min(self.low, *ids)

    def state(self) -> dict[str, Any]:
        """What goes to disk."""
        return {
            "query": self.key,
            "number": self.number,
            "done": self.done,
            "end": self.end.isoformat() if self.end else None,
            "cursor": self.cursor,
            "search_id": self.search_id,
            "pages": self.pages,
            "run": self.run,
            "serial": self.serial,
            "damaged": self.damaged,
            "alarm": self.alarm,
        }

    def restore(self, state: dict[str, Any], bodies: dict[str, Page]) -> None:
        """Take up what `state` wrote; `bodies` are its pages, read again."""
        self.number = state["number"]
        self.done, self.run, self.serial = state["done"], state["run"], state["serial"]
        self.end = dt.date.fromisoformat(state["end"]) if state["end"] else None
        self.cursor, self.search_id = state["cursor"], state["search_id"]
        self.pages, self.damaged = list(state["pages"]), state["damaged"]
        for page in self.pages:
            found = bodies[page["file"]].times
            if page["run"] != self.run:
                self.older.update(found)
                continue
            self._watch_order(list(found), [v for v in found if v not in self.passed])
            self.passed.update(found)
        self.alarm = state["alarm"]
