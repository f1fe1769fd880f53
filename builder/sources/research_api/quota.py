"""The quota ledger: requests and rows of each UTC day, on disk, shared by processes.

A request is counted before it is sent, together with the rows it may bring: a kill, a 500 or a cut
answer can only make the count too high, never too low. TikTok gives a client 1,000 requests and
100,000 rows a day and starts again at 00:00 UTC.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.errors import UsageProblem, disk_full_guard
from builder.sources.research_api.clock import Clock, moment
from builder.sources.research_api.problems import QuotaReached

REQUESTS_A_DAY, ROWS_A_DAY = 1_000, 100_000
_KEEP_DAYS = 60
_BYTES = 8_192  # room for 60 days


@dataclass(frozen=True)
class Used:
    """What a UTC day has cost so far."""

    requests: int
    rows: int


class QuotaLedger:
    """Counts what is asked of the service.

    Args:
        path: the ledger; one for each client and service.
        clock: tells the UTC day.
        requests: requests a day, at most.
        rows: rows a day, at most.

    Raises:
        UsageProblem: the file is not a ledger (it is not overwritten).
    """

    def __init__(
        self, path: Path, clock: Clock, requests: int = REQUESTS_A_DAY, rows: int = ROWS_A_DAY
    ) -> None:
        self.path, self._clock, self.requests, self.rows = path, clock, requests, rows
        with disk_full_guard(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._late: list[tuple[str, int, int]] = []  # corrections not written yet
        self._read()

    def spend(self, rows: int) -> str:
        """Count one request and the rows it may bring, before it is sent.

        Args:
            rows: the page size asked for.

        Returns:
            The day it was counted for, for `settle`.

        Raises:
            QuotaReached: it does not fit into today; nothing was counted.
        """
        with self._locked() as days:
            self._correct(days)
            day = self._clock.today().isoformat()
            used = days.setdefault(day, {"requests": 0, "rows": 0})
            if used["requests"] + 1 > self.requests or used["rows"] + rows > self.rows:
                self._write(days)
                raise self.reached(used["requests"], used["rows"])
            used["requests"] += 1
            used["rows"] += rows
            self._write(days)
        return day

    def settle(self, day: str, reserved: int, came: int, *, sent: bool = True) -> None:
        """Correct a day once it is known how many rows came, and whether a request left us."""
        if reserved == came and sent:
            return
        self._late.append((day, came - reserved, 0 if sent else -1))
        if not sent or came > reserved:  # the others can wait: the count is too high until then
            self.flush()

    def flush(self) -> None:
        """Write the corrections that wait for the next request."""
        if self._late:
            with self._locked() as days:
                self._correct(days)
                self._write(days)

    def _correct(self, days: dict[str, dict[str, int]]) -> None:
        for day, rows, requests in self._late:
            used = days.setdefault(day, {"requests": 0, "rows": 0})
            used["rows"] = max(used["rows"] + rows, 0)
            used["requests"] = max(used["requests"] + requests, 0)
        self._late.clear()

    def used(self) -> Used:
        """What today has cost so far."""
        self.flush()
        today = self._read().get(self._clock.today().isoformat(), {})
        return Used(int(today.get("requests", 0)), int(today.get("rows", 0)))

    def reached(self, requests: int, rows: int) -> QuotaReached:
        """The error that says when to go on."""
        at = self._clock.midnight()
        error = QuotaReached(
            f"today's quota is used up: {requests:,} of {self.requests:,} requests, {rows:,} of "
            f"{self.rows:,} rows (a page can bring 100)",
            way_out=f"run the same command after {moment(at)}, or with --wait",
        )
        error.resume_at = at
        return error

    @contextmanager
    def _locked(self) -> Iterator[dict[str, dict[str, int]]]:
        with open(self.path.with_name(self.path.name + ".lock"), "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self._read()

    def _read(self) -> dict[str, dict[str, int]]:
        try:
            content: Any = json.loads(self.path.read_bytes())
            return {
                str(day): {key: int(used[key]) for key in ("requests", "rows")}
                for day, used in content["days"].items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageProblem(
                f"this is not a quota ledger ({type(error).__name__})",
                file=self.path,
                way_out="move the file away; today's requests are then counted from zero",
            ) from None

    def _write(self, days: dict[str, dict[str, int]]) -> None:
        """In place, in one write of constant length: whole after a kill, and cheap.

        A rename over the old file makes some file systems wait for the disk, each time.
        """
        kept = dict(sorted(days.items())[-_KEEP_DAYS:])
        content = (json.dumps({"days": kept}).encode()).ljust(_BYTES - 1) + b"\n"
        with disk_full_guard(self.path.parent):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(descriptor, content, 0)
            finally:
                os.close(descriptor)
