"""Size of the explorer's page, time and memory to make it, and time until it answers.

usage: python scripts/bench_explorer.py [--videos 51479 5000000] [--folder DIR]

Prints one JSON line. Releases are those of `bench_figures.py`: the paper's campaign simulated and
labelled, and for more videos the same shards again and again. `ready_ms` is what the page itself
says, from the start of its loading until every control answers; `filter_ms` the time of one change
of a filter with all that follows from it; `cpu_ms` the page's main thread until it answers, which a
busy machine does not stretch. Medians of several, and null without Chromium and playwright.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from bench_figures import BASE, repeat, run
from bench_tabular import measure

_CLI = [sys.executable, "-c", "from builder.cli import main; main()"]
_LOADS = 5
_FILTER = """() => {
  const tag = document.querySelector('#tag'), took = [];
  for (const value of ['1', '', '2', '', '3', '']) {
    const start = performance.now();
    tag.value = value;
    tag.dispatchEvent(new Event('change'));
    tag.getBoundingClientRect();
    took.push(performance.now() - start);
  }
  return took;
}"""


def opened(page: Path) -> dict[str, float | None]:
    """Milliseconds until the page answers, and for a filter."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        return dict.fromkeys(("ready_ms", "cpu_ms", "filter_ms"))
    ready, busy, took = [], [], []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(_LOADS):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            inside = tab.context.new_cdp_session(tab)
            inside.send("Performance.enable", {"timeDomain": "threadTicks"})
            tab.goto(page.resolve().as_uri())
            tab.wait_for_selector("html[data-ready]")
            spent = inside.send("Performance.getMetrics")["metrics"]
            busy += [1000 * one["value"] for one in spent if one["name"] == "TaskDuration"]
            ready.append(float(tab.evaluate("document.documentElement.dataset.ready")))
            took += tab.evaluate(_FILTER)
            tab.close()
        browser.close()
    return {
        "ready_ms": round(statistics.median(ready)),
        "cpu_ms": round(statistics.median(busy)),
        "filter_ms": round(statistics.median(took)),
    }


def bench(source: Path, folder: Path, videos: int) -> dict[str, Any]:
    """One size."""
    times = max(1, round(videos / BASE))
    repeat(source, folder, times)
    out = folder / "explorer"
    made = measure([*_CLI, "explore", str(folder / "release"), "--out", str(out)])
    page = out / "index.html"
    size = round(page.stat().st_size / 1e6, 2)
    return {"videos": times * BASE, **made, "page_mb": size, **opened(page)}


if __name__ == "__main__":
    run("explorer", __doc__.splitlines()[0], bench)
