"""`refresh`: known videos are asked for again, in batches of one span of days each.

A service that finds nothing at all has been seen; a batch that comes back empty is a miss only when
the service finds a video of the same days that it found before.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builder.errors import UsageProblem
from builder.publish.looks import COUNTS, add_looks, read_looks, write_round
from builder.run.removals import read_removed
from builder.sources.ids import parse_id
from builder.sources.ingest import current_parts
from builder.sources.research_api.client import ResearchClient
from builder.sources.research_api.problems import (
    CursorRefused,
    SearchUnknown,
    ServiceStopped,
    Unavailable,
)
from builder.sources.research_api.query import FAVOURITES, Query, Request
from builder.sources.schema import ID_TIME_TOLERANCE, id_time

BATCH = 100
# A request may span 30 days; the ends of a batch need a day of their own on either side.
SPAN = dt.timedelta(days=27)
DAY = dt.timedelta(days=1)
RESTARTS = 3
# Batches without an answer in a row after which asking on only costs quota.
MOST_UNANSWERED = 3


@dataclass
class Refreshed:
    """What a refresh did.

    Attributes:
        known: videos of the work folder.
        asked: of these, asked for by this run.
        outcomes: found, missed, unconfirmed -> videos.
        gone, restored: videos that are gone now, and that were before and no longer are.
        pending: videos still to be asked for.
        stopped: what ended the run early.
        due: day of the next refresh; None while this one is not complete.
    """

    known: int
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    restored: int = 0
    pending: int = 0
    stopped: str = ""
    due: dt.date | None = None


def known_ids(work: Path) -> list[int]:
    """Ids of the videos of the last build of a work folder, without those removed on request.

    Raises:
        UsageProblem: nothing was ingested here.
    """
    parts = current_parts(work)
    if not parts:
        raise UsageProblem(
            "no videos are known in this work folder",
            file=work,
            way_out="run `ecuador-crisis regenerate` with it first",
        )
    frames = [pl.read_parquet(part, columns=["id"], glob=False) for part in parts]
    return sorted(set(pl.concat(frames)["id"].to_list()) - read_removed(work))


def batches(ids: Sequence[int], most: int = BATCH) -> Iterator[list[int]]:
    """Ids in the order of their time, at most `most` and `SPAN` days together."""
    batch: list[int] = []
    for video in sorted(ids):
        if batch and (len(batch) == most or _day(video) - _day(batch[0]) > SPAN):
            yield batch
            batch = []
        batch.append(video)
    if batch:
        yield batch


def refresh(
    work: Path,
    client: ResearchClient,
    *,
    notice: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, Counter[str]], None] = lambda n, outcomes: None,
) -> Refreshed:
    """Ask for every known video that this round has not asked for yet.

    Args:
        work: the work folder, locked by the caller.
        client: of the Research API.
        notice: called with lines a person should see.
        advance: called after each batch.

    Raises:
        UsageProblem: nothing is known here.
        CredentialsProblem, QueryRefused: nothing can be asked like this.
    """
    known = known_ids(work)
    looks = read_looks(work)
    before = looks.gone()
    started = looks.started or client.clock.today()
    if looks.started is None and looks.last == started:
        notice("every known video was asked for today already; asking again tells nothing new")
        return Refreshed(len(known), gone=len(before), due=looks.due)
    write_round(work, last=looks.last, started=started)
    todo = sorted(set(known) - looks.asked_since(started))
    done = Refreshed(len(known))
    alive = sorted(
        looks.frame.filter(pl.col("found") & (pl.col("day") >= started))["id"].unique().to_list()
    )
    empty: list[list[int]] = []
    unanswered = 0
    try:
        for batch in batches(todo):
            try:
                rows = _ask(client, batch)
                unanswered = 0
            except Unavailable:
                unanswered += 1
                if unanswered >= MOST_UNANSWERED:
                    raise
                continue
            if not rows:
                empty.append(batch)
                continue
            alive += sorted(rows)
            _keep(work, client, batch, rows, done, advance)
        for batch in empty:
            proved = _proved(client, batch, alive)
            _keep(work, client, batch, proved or {}, done, advance, confirmed=proved is not None)
    except (ServiceStopped, Unavailable) as stopped:
        done.stopped = stopped.problem
    after = read_looks(work)
    done.pending = len(set(known) - after.asked_since(started))
    gone = after.gone() & set(known)
    done.gone, done.restored = len(gone), len(before & set(known) - gone)
    if not done.pending:
        write_round(work, last=client.clock.today(), started=None)
        done.due = read_looks(work).due
    return done


def _keep(
    work: Path,
    client: ResearchClient,
    batch: list[int],
    rows: dict[int, dict[str, Any]],
    done: Refreshed,
    advance: Callable[[int, Counter[str]], None],
    *,
    confirmed: bool = True,
) -> None:
    looks = [
        {
            "id": video,
            "found": video in rows,
            "confirmed": confirmed or video in rows,
            **_counts(rows.get(video)),
        }
        for video in batch
    ]
    add_looks(work, client.clock.today(), looks)
    missed = "missed" if confirmed else "unconfirmed"
    outcomes = Counter("found" if look["found"] else missed for look in looks)
    done.asked += len(batch)
    done.outcomes += outcomes
    advance(len(batch), outcomes)


def _proved(
    client: ResearchClient, batch: list[int], alive: list[int]
) -> dict[int, dict[str, Any]] | None:
    """An empty batch once more, with a video that was found; None where nothing was proved.

    The nearest video of the same days goes into the same query. Where there is none, the nearest
    of all in a query of its own tells at least that the service answers.
    """
    near = min(alive, key=lambda video: abs(video - batch[0]), default=None)
    if near is None:
        return _ask(client, batch) or None
    if not _fits(near, batch):
        return _ask(client, batch) if near in _ask(client, [near]) else None
    rows = _ask(client, [*batch[: BATCH - 1], near])
    if near not in rows:
        return {video: row for video, row in rows.items() if video in batch} or None
    return rows | (_ask(client, batch[BATCH - 1 :]) if len(batch) == BATCH else {})


def _fits(video: int, batch: list[int]) -> bool:
    return abs(_day(video) - _day(batch[0])) <= SPAN and abs(_day(video) - _day(batch[-1])) <= SPAN


def _ask(client: ResearchClient, ids: list[int]) -> dict[int, dict[str, Any]]:
    """id -> row, of those of `ids` that the service finds."""
    for _ in range(RESTARTS):
        try:
            return _search(client, ids)
        except (SearchUnknown, CursorRefused):
            continue
    raise Unavailable(
        f"the service lost its own search {RESTARTS} times",
        way_out="run the same command again later: it goes on where it stopped",
    )


def _search(client: ResearchClient, ids: list[int]) -> dict[int, dict[str, Any]]:
    slack = dt.timedelta(seconds=ID_TIME_TOLERANCE)
    first, last = _moment(min(ids)) - slack, _moment(max(ids)) + slack
    # whether the end belongs to the window is not certain: a day more
    start, end = first.date(), last.date() + DAY
    wanted, found = set(ids), {}
    cursor, search_id = 0, None
    while True:
        request = Request(Query(()), start, end, cursor, search_id)
        page = client.videos(ids, request)
        for row in page.videos:
            video = parse_id(row.get("id"))[0] if isinstance(row, dict) else None
            if video in wanted and video is not None:
                found[video] = row
        if not page.has_more or page.cursor is None or page.cursor <= cursor:
            return found
        cursor, search_id = page.cursor, page.search_id or search_id


def _counts(row: dict[str, Any] | None) -> dict[str, int | None]:
    """The counts of a row; a count that the service leaves out is 0 in a row that it found."""
    if row is None:
        return dict.fromkeys(COUNTS)
    told = {name: row.get(name, 0) for name in COUNTS}
    told["favorites_count"] = row.get("favorites_count", row.get(FAVOURITES))
    return {
        name: value if type(value) is int and 0 <= value < 2**63 else None
        for name, value in told.items()
    }


def _moment(video: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(id_time(video), dt.UTC)


def _day(video: int) -> dt.date:
    return _moment(video).date()
