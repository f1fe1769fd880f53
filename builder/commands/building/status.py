"""What `ecuador-crisis status` prints: the steps of a build, or the calendar of a collection."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from builder.commands.collect import run_calendar
from builder.publish.looks import refresh_lines
from builder.run.ledger import LEDGER, status_lines
from builder.sources.research_api.days.pages import Pages


def run_status(folder: Path) -> list[str]:
    """Lines about a folder.

    Raises:
        UsageProblem: neither a work folder of a build nor a folder of collected pages.
    """
    if Pages(folder).is_collection and not (folder / LEDGER).exists():
        return run_calendar(folder, None)
    return [*status_lines(folder), *refresh_lines(folder, dt.datetime.now(dt.UTC).date())]
