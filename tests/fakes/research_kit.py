"""Runs the collector against the local Research API, in this process and as a program."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fakes.research_api import KEY, SECRET, ResearchApi
from fakes.research_corpus import day_start

from builder.config.campaign import Campaign
from builder.sources.files import find_sources
from builder.sources.readers.api_pages import read_pages
from builder.sources.research_api.client import ResearchClient
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.collect import Collector
from builder.sources.research_api.credentials import Credentials
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.outcome import Collected, Wanted
from builder.sources.research_api.quota import QuotaLedger

CAMPAIGN = Campaign.load("ecuador_2024")
DAY = dt.date(2024, 1, 9)
DAYS = [DAY + dt.timedelta(days=n) for n in range(4)]


class FastClock(Clock):
    """Never sleeps; a long sleep moves the service's clock instead."""

    def __init__(self, api: ResearchApi) -> None:
        super().__init__()
        self.api, self.slept = api, 0.0

    def now(self) -> float:
        return self.api.now()

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if seconds > 600:
            self.api.ahead += seconds


def collect(
    api: ResearchApi,
    out: Path,
    days: list[dt.date] = DAYS,
    *,
    requests: int = 1_000,
    rows: int = 100_000,
    campaign: Campaign = CAMPAIGN,
    deadline: float = 5.0,
    notices: list[str] | None = None,
    **wanted: Any,
) -> Collected:
    """One run of the collector in this process."""
    clock = FastClock(api)
    notices = [] if notices is None else notices
    pages = Pages(out)
    with pages.lock():
        ledger = QuotaLedger(out / ".collect" / "quota.json", clock, requests, rows)
        client = ResearchClient(
            Credentials(KEY, SECRET),
            ledger,
            base_url=api.url,
            clock=clock,
            deadline=deadline,
            notice=notices.append,
        )
        try:
            asked_for = Wanted(campaign, days[0], days[-1], **wanted)
            return Collector(client, pages, asked_for, notice=notices.append).run()
        finally:
            client.close()


def expected(api: ResearchApi, days: list[dt.date] = DAYS) -> set[int]:
    """Ids the campaign must find, worked out without the code under test."""
    terms = [keyword.term.casefold() for keyword in CAMPAIGN.keywords]
    first, last = day_start(days[0]), day_start(days[-1]) + 86_400
    return {
        video["id"]
        for video in api.corpus
        if first <= video["create_time"] < last
        and video["region_code"] in CAMPAIGN.region_codes
        and any(
            term in " ".join([video["video_description"], *video["hashtag_names"]]).casefold()
            for term in terms
        )
    }


def ids_of(out: Path, *, strange: bool = False) -> set[int]:
    """Ids that `regenerate` would read from a folder of pages; `strange`: rows may be refused."""
    found: set[int] = set()
    if not any(path for path in out.glob("*/*.zst")):
        return found
    for number, file in enumerate(find_sources([out])):
        for block in read_pages(file, number << 32):
            assert strange or not block.rejected
            found |= set(block.frame()["id"].to_list())
    return found


def of_days(ids: set[int], days: set[dt.date]) -> set[int]:
    """The ids of these days (the local service's ids carry their time exactly)."""
    return {video for video in ids if dt.datetime.fromtimestamp(video >> 32, dt.UTC).date() in days}


def check(
    api: ResearchApi,
    out: Path,
    result: Collected,
    days: list[dt.date] = DAYS,
    *,
    strange: bool = False,
) -> None:
    """The promise: complete days hold the service's set exactly; the others are named.

    `strange`: the service also sends rows that nobody asked for, or that cannot be read.
    """
    complete = {day for day, state in result.days.items() if state == "complete"}
    assert set(result.days) == set(days)
    assert set(result.reasons) == set(days) - complete
    got = ids_of(out, strange=strange)
    assert of_days(got, complete) == of_days(expected(api, days), complete)
    assert strange or got <= expected(api, days) | {video["id"] for video in api.corpus}
    folders = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert folders == {day.isoformat() for day in complete}


def environment(**more: str) -> dict[str, str]:
    """Environment of a program run: the client's credentials, no proxies of this machine."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {"TIKTOK_CLIENT_KEY": KEY, "TIKTOK_CLIENT_SECRET": SECRET} | more


def command(api_url: str, out: Path, *more: str) -> list[str]:
    """The program's command line for the four days."""
    return [
        *(sys.executable, "-c", "import builder.cli; builder.cli.main()"),
        *("collect", "--out", str(out), "--base-url", api_url),
        *("--from", DAYS[0].isoformat(), "--to", DAYS[-1].isoformat(), *more),
    ]


def program(
    api: ResearchApi, out: Path, *more: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        command(api.url, out, *more),
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
