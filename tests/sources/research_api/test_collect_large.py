"""A hundred thousand rows pass through in flat memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from fakes.research_api import ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAYS, command, environment


def peak_mib(api: ResearchApi, out: Path) -> float:
    """Peak resident memory of one run of the program."""
    process = subprocess.Popen(
        command(api.url, out, "--rows-a-day", "1000000", "--requests-a-day", "10000"),
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for rows in (2_000, 100_000):
        with ResearchApi(make_corpus(CAMPAIGN, DAYS, a_day=rows // 4)) as api:
            api.requests_a_day, api.rows_a_day = 10_000, 1_000_000
            peaks.append(peak_mib(api, tmp_path / str(rows)))
            found = len(list((tmp_path / str(rows)).glob("*/*.zst")))
            assert found >= rows // 100
    # ids and times of one day (25,000 rows), not the rows
    assert peaks[1] < peaks[0] + 40, peaks
