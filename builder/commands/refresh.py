"""What `ecuador-crisis refresh` and `ecuador-crisis remove` do and print."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.commands.collect import terminated_is_interrupted
from builder.errors import UsageProblem, disk_full_guard
from builder.publish.looks import FOLDER
from builder.publish.refresh import Refreshed, known_ids, refresh
from builder.publish.remove import read_requests, remove
from builder.run.ledger import LEDGER
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.research_api.client import BASE_URL, ResearchClient, service_url
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.credentials import load_credentials
from builder.sources.research_api.quota import QuotaLedger


@dataclass(frozen=True)
class RefreshOptions:
    """The options of the command; see its help."""

    work: Path
    base_url: str = BASE_URL
    credentials: Path | None = None
    requests_a_day: int = 1_000
    rows_a_day: int = 100_000
    ledger: Path | None = None
    retry_wait: float = 0.5
    timeout: float = 30.0


def run_refresh(
    options: RefreshOptions, echo: Callable[[str], None], clock: Clock | None = None
) -> int:
    """Ask for every known video again.

    Returns:
        Exit code: 0 every video was asked for, 3 stopped with the rest counted.

    Raises:
        BuilderError: nothing can be asked like this.
    """
    service_url(options.base_url)
    credentials = load_credentials(options.credentials)
    clock = clock or Clock()
    store = opened(options.work)
    with terminated_is_interrupted(), store.lock(), disk_full_guard(store.work):
        total = len(known_ids(store.work))
        client = ResearchClient(
            credentials,
            QuotaLedger(
                _ledger(options, credentials.digest),
                clock,
                options.requests_a_day,
                options.rows_a_day,
            ),
            base_url=options.base_url,
            clock=clock,
            retry_wait=options.retry_wait,
            deadline=options.timeout,
            notice=echo,
        )
        try:
            with Progress("refresh", total) as bar:
                done = refresh(store.work, client, notice=echo, advance=bar.advance)
        finally:
            client.close()
    for line in refreshed_lines(done):
        echo(line)
    return 3 if done.pending else 0


def refreshed_lines(done: Refreshed) -> list[str]:
    """What a refresh found, for the terminal."""
    outcomes = ", ".join(f"{n:,} {what}" for what, n in sorted(done.outcomes.items())) or "none"
    lines = [
        f"{done.asked:,} of {done.known:,} known videos asked for: {outcomes}",
        f"{done.gone:,} are gone (missed on two days or more) and leave the next release; "
        f"{done.restored:,} came back",
    ]
    if done.outcomes["unconfirmed"]:
        lines.append(
            "unconfirmed: the service found nothing, and no known video proved that it looked; "
            "these are no misses and are asked for again"
        )
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    if done.pending:
        lines.append(
            f"{done.pending:,} are still to be asked for: run the same command again, it asks "
            "for these only"
        )
    elif done.due is not None:
        lines.append(f"the next refresh is due on {done.due}; now run regenerate again")
    return lines


def run_remove(work: Path, ids: Path, videos_dir: Path | None = None) -> list[str]:
    """Remove posts at once, and from every next release.

    Raises:
        UsageProblem: see `read_requests`; or no build was ever made in this folder.
        WorkLocked: a build is running.
    """
    store = opened(work)
    with store.lock(), disk_full_guard(work):
        wanted = read_requests(ids, work)
        receipt = remove(store, wanted, dt.datetime.now(dt.UTC).date(), videos_dir)
    where = ", ".join(f"{n:,} {place}" for place, n in sorted(receipt.rows.items()))
    media = "" if videos_dir else "; downloads were not looked at (give --videos-dir)"
    return [
        f"{receipt.asked:,} posts asked for, {receipt.known:,} of them were in this work folder",
        f"  rows removed: {where or 'none'}{media}",
        "  they are on the private list: no later build brings them back",
        "  what is left to do: run regenerate, publish the new version, and delete the rows from "
        "the pages or CSVs you keep elsewhere",
    ]


def opened(work: Path) -> Store:
    """The work folder of a build.

    Raises:
        UsageProblem: nothing was built in it.
    """
    if not (work / LEDGER).is_file():
        raise UsageProblem(
            "nothing was built in this work folder yet",
            file=work,
            way_out="give the folder that `ecuador-crisis regenerate --work` used",
        )
    return Store(work)


def _ledger(options: RefreshOptions, digest: str) -> Path:
    """As for `collect`: one quota a client; a service elsewhere has one of its own."""
    if options.ledger is not None:
        return options.ledger
    if service_url(options.base_url) != BASE_URL:
        return options.work / FOLDER / "quota.json"
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "ecuador-crisis" / f"quota-{digest}.json"
