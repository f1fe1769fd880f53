"""The quota ledger: counted before, on disk, by several processes."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import UsageProblem
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.problems import QuotaReached
from builder.sources.research_api.quota import QuotaLedger

NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC).timestamp()


class Hands:
    """A clock set by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now
        self.clock = Clock(lambda: self.now, lambda seconds: None)


def test_a_request_is_counted_with_all_the_rows_it_may_bring(tmp_path: Path) -> None:
    ledger = QuotaLedger(tmp_path / "q.json", Hands().clock, requests=3, rows=250)
    day = ledger.spend(100)
    assert (ledger.used().requests, ledger.used().rows) == (1, 100)
    ledger.settle(day, 100, 30)
    assert ledger.used().rows == 30
    ledger.spend(100)
    ledger.spend(100)
    with pytest.raises(QuotaReached, match="3 of 3 requests, 230 of 250 rows"):
        ledger.spend(100)


def test_a_request_that_was_never_sent_is_given_back(tmp_path: Path) -> None:
    ledger = QuotaLedger(tmp_path / "q.json", Hands().clock)
    ledger.settle(ledger.spend(100), 100, 0, sent=False)
    assert (ledger.used().requests, ledger.used().rows) == (0, 0)


def test_it_survives_a_restart_and_starts_again_at_midnight(tmp_path: Path) -> None:
    hands = Hands()
    QuotaLedger(tmp_path / "q.json", hands.clock, requests=1).spend(100)
    again = QuotaLedger(tmp_path / "q.json", hands.clock, requests=1)
    with pytest.raises(QuotaReached) as caught:
        again.spend(100)
    assert caught.value.resume_at == NOON + 12 * 3600
    assert "2026-11-26 00:00 UTC" in str(caught.value)
    hands.now = caught.value.resume_at
    again.spend(100)


def test_a_file_that_is_no_ledger_is_not_overwritten(tmp_path: Path) -> None:
    for content in ("", "[]", '{"days": {"2026-11-25": {"requests": "many"}}}', '{"days": 3}'):
        (tmp_path / "q.json").write_text(content)
        with pytest.raises(UsageProblem, match="not a quota ledger"):
            QuotaLedger(tmp_path / "q.json", Hands().clock)
        assert (tmp_path / "q.json").read_text() == content


SPEND = """
import sys
from pathlib import Path
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.problems import QuotaReached
from builder.sources.research_api.quota import QuotaLedger
ledger = QuotaLedger(Path(sys.argv[1]), Clock(lambda: float(sys.argv[2])), 300, 10**9)
spent = 0
print("ready", flush=True)
sys.stdin.readline()
try:
    while True:
        ledger.spend(100)
        spent += 1
except QuotaReached:
    print(spent)
"""


def test_two_processes_never_spend_more_than_there_is(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPEND, str(tmp_path / "q.json"), str(NOON)]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in running:  # both have opened the ledger before either spends
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    spent = [int(process.communicate(timeout=60)[0]) for process in running]
    # how they share it is the scheduler's business; that neither sees less than was spent is ours
    assert sum(spent) == 300
    assert json.loads((tmp_path / "q.json").read_text())["days"]["2026-11-25"]["requests"] == 300


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100), st.integers(0, 50_000))),
    st.integers(1, 20),
    st.integers(50, 800),
)
def test_no_day_is_ever_over_its_quota(
    scratch: Path, steps: list[tuple[int, int, int]], requests: int, rows: int
) -> None:
    file = scratch / "q.json"
    file.unlink(missing_ok=True)
    hands = Hands()
    for asked, came, passes in steps:
        ledger = QuotaLedger(file, hands.clock, requests, rows)
        with suppress(QuotaReached):
            ledger.settle(ledger.spend(asked), asked, min(came, asked))
        used = ledger.used()
        assert used.requests <= requests and used.rows <= rows
        hands.now += passes
