"""What `ecuador-crisis collect` does and prints."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from builder.config.campaign import Campaign
from builder.errors import UsageProblem, disk_full_guard
from builder.run.progress import Progress
from builder.sources.research_api.calendar import (
    calendar_lines,
    estimate,
    estimate_lines,
    outcome_lines,
)
from builder.sources.research_api.client import BASE_URL, ResearchClient, service_url
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.collect import Collector
from builder.sources.research_api.credentials import Credentials, load_credentials
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.outcome import Wanted
from builder.sources.research_api.quota import QuotaLedger
from builder.sources.research_api.windows import wanted_days


@dataclass(frozen=True)
class CollectOptions:
    """The options of the command; see its help."""

    out: Path
    campaign: str
    base_url: str = BASE_URL
    credentials: Path | None = None
    first: str | None = None
    last: str | None = None
    recent: bool = False
    wait: bool = False
    expect: int | None = None
    requests_a_day: int = 1_000
    rows_a_day: int = 100_000
    ledger: Path | None = None
    max_terms: int = 100
    second_look_hours: float = 1.0
    retry_wait: float = 0.5
    timeout: float = 30.0


def run_collect(options: CollectOptions, echo: Callable[[str], None]) -> int:
    """Collect; returns the exit code: 0 every day complete, 3 stopped with the rest named.

    Raises:
        BuilderError: nothing can be collected like this.
    """
    campaign = Campaign.load(options.campaign)
    first, last = parse_day(options.first, "--from"), parse_day(options.last, "--to")
    service_url(options.base_url)
    credentials = load_credentials(options.credentials)
    pages = Pages(options.out)
    clock = Clock()
    with terminated_is_interrupted(), disk_full_guard(options.out), pages.lock():
        ledger = QuotaLedger(
            ledger_path(options, credentials), clock, options.requests_a_day, options.rows_a_day
        )
        client = ResearchClient(
            credentials,
            ledger,
            base_url=options.base_url,
            clock=clock,
            retry_wait=options.retry_wait,
            deadline=options.timeout,
            notice=echo,
        )
        wanted = Wanted(
            campaign,
            first,
            last,
            recent=options.recent,
            wait=options.wait,
            max_terms=options.max_terms,
            second_look=options.second_look_hours * 3600,
        )
        days = ((last or campaign.window.end) - (first or campaign.window.start)).days + 1
        with Progress("collect (days)", max(days, 0)) as bar:
            collector = Collector(
                client,
                pages,
                wanted,
                notice=echo,
                advance=lambda state: bar.advance(1, Counter([state])),
            )
            try:
                result = collector.run()
            finally:
                client.close()
    for line in outcome_lines(result):
        echo(line)
    used = ledger.used()
    echo(
        f"today's quota: {used.requests:,} of {ledger.requests:,} requests, {used.rows:,} of "
        f"{ledger.rows:,} rows"
    )
    if result.complete:
        return 0
    if result.stopped is not None:
        echo(f"stopped: {result.stopped}")
    else:
        echo("not every day is complete: run the same command again later, it asks for these only")
    return 3


def run_estimate(options: CollectOptions) -> list[str]:
    """Lines of `--estimate`. Sends nothing and needs no credentials."""
    campaign = Campaign.load(options.campaign)
    days = wanted_days(
        campaign.window,
        parse_day(options.first, "--from"),
        parse_day(options.last, "--to"),
        Clock().now(),
        recent=True,
    )
    cost = estimate(
        campaign,
        Pages(options.out),
        days,
        expected=options.expect,
        requests_a_day=options.requests_a_day,
        rows_a_day=options.rows_a_day,
        max_terms=options.max_terms,
    )
    return estimate_lines(cost)


def run_calendar(out: Path, campaign: str | None) -> list[str]:
    """Lines of `--status`.

    Raises:
        UsageProblem: nothing was ever collected into this folder.
    """
    pages = Pages(out)
    if not pages.is_collection:
        raise UsageProblem(
            "nothing was collected into this folder yet",
            file=out,
            way_out="run: ecuador-crisis collect --out DIR",
        )
    return calendar_lines(pages, Campaign.load(campaign).window.days if campaign else ())


def ledger_path(options: CollectOptions, credentials: Credentials) -> Path:
    """Where the quota is counted: by client, since all its folders share TikTok's quota.

    A service at another address (a test server) has a quota of its own, counted in the folder.
    """
    if options.ledger is not None:
        return options.ledger
    if service_url(options.base_url) != BASE_URL:
        return options.out / ".collect" / "quota.json"
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "ecuador-crisis" / f"quota-{credentials.digest}.json"


def parse_day(text: str | None, option: str) -> dt.date | None:
    """A day as 2024-01-09 or 20240109.

    Raises:
        UsageProblem: it is neither.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageProblem(f"{option} wants a day such as 2024-01-09") from None


@contextmanager
def terminated_is_interrupted() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does: what was fetched is kept, the folder is released."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: nobody can be interrupted here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
