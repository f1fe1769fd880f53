"""The progress line: rate, remaining time, outcomes; quiet where nobody looks."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from builder.run import progress as module
from builder.run.progress import Progress, of_all


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_line_tells_rate_remaining_time_and_outcomes(clock: list[float]) -> None:
    bar = Progress("transcribe", 10_000, stream=None)
    clock[0] += 10
    bar.advance(1_000, Counter(ok=990, failed=10))
    assert bar.line() == ("transcribe: 1,000 of 10,000 (100.0/s, 1:30 left); 990 ok, 10 failed")
    clock[0] += 90
    bar.advance(9_000, Counter(ok=9_000))
    assert bar.line() == "transcribe: 10,000 of 10,000 (100.0/s); 9,990 ok, 10 failed"


def test_long_remaining_times_are_told_in_hours(clock: list[float]) -> None:
    bar = Progress("x", 3_602, stream=None)
    clock[0] += 2
    bar.advance(1)
    assert "2:00:02 left" in bar.line()


def test_an_unknown_total_and_an_unstarted_work_are_no_problem(clock: list[float]) -> None:
    bar = Progress("read", 0, stream=None)
    assert bar.line() == "read: 0 (0.0/s)"
    bar.advance(5)
    assert bar.line().startswith("read: 5 (")


def test_only_the_six_most_frequent_outcomes_are_shown() -> None:
    bar = Progress("x", 0, stream=None)
    bar.advance(36, Counter({f"reason_{n}": n for n in range(1, 9)}))
    assert "8 reason_8" in bar.line()
    assert "reason_2" not in bar.line()


def test_a_log_file_gets_a_line_each_ten_seconds_and_the_last_one(clock: list[float]) -> None:
    log = io.StringIO()
    with Progress("x", 100, stream=log) as bar:
        for _ in range(100):
            clock[0] += 0.25
            bar.advance(1)
    lines = log.getvalue().splitlines()
    assert len(lines) == 3  # after 10 s, 20 s, and at the end
    assert lines[-1].startswith("x: 100 of 100")
    assert "\r" not in log.getvalue()


def test_a_terminal_gets_one_line_that_rewrites_itself(clock: list[float]) -> None:
    terminal = Terminal()
    with Progress("x", 10, stream=terminal) as bar:
        for _ in range(10):
            clock[0] += 0.25
            bar.advance(1)
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().endswith("\n")
    assert terminal.getvalue().count("\r\x1b[K") == 11


def test_an_interrupted_work_says_how_to_continue_and_does_not_hide_the_error() -> None:
    log = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Progress("x", 10, stream=log):
        raise KeyboardInterrupt
    assert "interrupted; run again to continue" in log.getvalue()


def test_without_a_stream_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("x", 10, stream=None) as bar:
        bar.advance(10)
    assert capsys.readouterr() == ("", "")


def test_the_line_says_which_of_all_stages_it_is_about() -> None:
    make = of_all(lambda what, total: Progress(what, total, stream=None), ["ingest", "language"])
    assert make("ingest (files)", 3).line().startswith("stage 1 of 2, ingest (files): 0 of 3")
    assert make("language", 3).line().startswith("stage 2 of 2, language: 0 of 3")
    assert make("simulate", 3).line().startswith("simulate: 0 of 3")


@pytest.mark.parametrize(
    ("todo", "rows", "said"),
    [
        (10_000, 50_000, "language: 40,000 of 50,000 were there\n"),
        (0, 50_000, "language: all 50,000 were there\n"),
        (50_000, 50_000, ""),
        (0, 0, ""),
    ],
)
def test_what_an_earlier_run_left_is_said(todo: int, rows: int, said: str) -> None:
    stream = io.StringIO()
    Progress("language", todo, stream=stream).resumed(rows)
    assert stream.getvalue() == said
