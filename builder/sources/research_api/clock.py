"""The service's clock: quotas and the newest 48 hours are counted by it, not by ours."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

NOTICE_SKEW = 300.0  # seconds


class Clock:
    """Our clock, corrected by the Date headers of the service.

    Args:
        now: Unix time of this machine.
        sleep: waits seconds.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._now, self._sleep = now, sleep
        self.skew = 0.0

    def heard(self, server: float | None) -> None:
        """Learn the service's time from a reply."""
        if server is not None:
            skew = server - self._now()
            # a Date has whole seconds and is as old as the answer: small differences say nothing
            self.skew = skew if abs(skew) > 5 else 0.0

    def now(self) -> float:
        """Unix time at the service."""
        return self._now() + self.skew

    def today(self) -> dt.date:
        """UTC day at the service."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC).date()

    def midnight(self) -> float:
        """Unix time of the next 00:00 UTC at the service, when quotas start again."""
        following = self.today() + dt.timedelta(days=1)
        return dt.datetime(
            following.year, following.month, following.day, tzinfo=dt.UTC
        ).timestamp()

    def sleep(self, seconds: float) -> None:
        """Wait, in pieces short enough to follow a clock that is set meanwhile."""
        until = self._now() + seconds
        while (left := until - self._now()) > 0:
            self._sleep(min(left, 60.0))


def moment(unix: float) -> str:
    """A time as people read it: 2026-11-25 00:00 UTC."""
    return f"{dt.datetime.fromtimestamp(unix, dt.UTC):%Y-%m-%d %H:%M} UTC"


def stamp(unix: float) -> str:
    """A time as files hold it: ISO 8601, whole seconds, UTC."""
    return f"{dt.datetime.fromtimestamp(unix, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
