"""A hundred thousand rows pass through in flat memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fakes.research_api import ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAYS, command, environment

# What wait4 tells of a child begins with the memory of its parent, which holds the corpus.
RUN = """
import atexit, pathlib, builder.cli
atexit.register(lambda: print(pathlib.Path("/proc/self/status").read_text()))
builder.cli.main()
"""


def peak_mib(api: ResearchApi, out: Path) -> float:
    """Peak resident memory of one run of the program."""
    arguments = command(api.url, out, "--rows-a-day", "1000000", "--requests-a-day", "10000")[3:]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for rows in (2_000, 100_000):
        with ResearchApi(make_corpus(CAMPAIGN, DAYS, a_day=rows // 4)) as api:
            api.requests_a_day, api.rows_a_day = 10_000, 1_000_000
            peaks.append(peak_mib(api, tmp_path / str(rows)))
            assert len(list((tmp_path / str(rows)).glob("*/*.zst"))) >= rows // 100
    print(peaks)
    # ids and times of one day (25,000 rows), not the rows
    assert peaks[1] < peaks[0] + 25, peaks
