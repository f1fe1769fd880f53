"""Our own time of a collection, beside the time the service takes for the same requests.

usage: python scripts/bench_collect.py [--days 4] [--videos-a-day 2500] [--server-ms 300]

Runs `ecuador-crisis collect` against the local service of the tests, which answers each request
after --server-ms (TikTok takes longer), and then sends the same bodies again with nothing but an
HTTP client that keeps its connection and throws the answers away. Prints one JSON line; `overhead`
is what the collector takes longer than that. On a busy machine waiting for a turn counts as well:
`own_cpu` is the processor time of the collector's own thread.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fakes.research_api import KEY, SECRET, ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAY

from builder.commands.collect import CollectOptions, run_collect


def again(api: ResearchApi, bodies: list[dict[str, Any]], fields: str) -> float:
    """Seconds the same requests take when nothing is done with the answers."""
    token = next(reversed(api.tokens))
    headers = {"Authorization": f"Bearer {token}"}
    started = time.monotonic()
    with httpx2.Client(timeout=60) as client:
        for body in bodies:
            url = api.url + "/v2/research/video/query/"
            client.post(url, json=body, headers=headers, params={"fields": fields})
    return time.monotonic() - started


def main() -> None:
    """See the module docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--videos-a-day", type=int, default=2_500)
    parser.add_argument("--server-ms", type=float, default=300)
    arguments = parser.parse_args()
    days = [DAY + dt.timedelta(days=n) for n in range(arguments.days)]
    os.environ |= {"TIKTOK_CLIENT_KEY": KEY, "TIKTOK_CLIENT_SECRET": SECRET}
    corpus = make_corpus(CAMPAIGN, days, a_day=arguments.videos_a_day)
    with ResearchApi(corpus) as api, tempfile.TemporaryDirectory() as folder:
        api.delay = arguments.server_ms / 1000
        options = CollectOptions(
            out=Path(folder) / "pages",
            campaign=CAMPAIGN.name,
            base_url=api.url,
            first=days[0].isoformat(),
            last=days[-1].isoformat(),
        )
        processor, started = time.thread_time(), time.monotonic()
        code = run_collect(options, lambda line: None)
        seconds = time.monotonic() - started
        processor = time.thread_time() - processor
        bodies, fields = api.queries, api.field_lists[0]
        bare = again(api, bodies, fields)
    result = {
        "bench": "collect",
        "cpus": os.cpu_count(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "exit_code": code,
        "videos": len(days) * arguments.videos_a_day,
        "requests": len(bodies),
        "server_ms": arguments.server_ms,
        "collect_seconds": round(seconds, 2),
        "same_requests_seconds": round(bare, 2),
        "own_ms_a_request": round((seconds - bare) / len(bodies) * 1000, 1),
        "overhead_percent": round((seconds / bare - 1) * 100, 1),
        "own_cpu_ms_a_request": round(processor / len(bodies) * 1000, 1),
        "own_cpu_percent": round(processor / bare * 100, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
