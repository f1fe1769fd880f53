"""Progress of long work on standard error: rate, remaining time, and outcomes by reason."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TextIO


class Progress:
    """A progress line; one line that rewrites itself on a terminal, a line each 10 s elsewhere.

    Args:
        what: name of the work.
        total: how many units there are; 0 when it is not known.
        stream: where to print; None is silent.
    """

    def __init__(self, what: str, total: int, stream: TextIO | None = sys.stderr) -> None:
        self.what, self.total, self.stream = what, total, stream
        self.done = 0
        self.outcomes: Counter[str] = Counter()
        self._started = self._printed = time.monotonic()
        self._live = bool(stream and stream.isatty())

    def resumed(self, rows: int) -> None:
        """Say how many of all rows an earlier run left; nothing where it left none."""
        there = rows - self.total
        if there > 0:
            left = "all" if there == rows else f"{there:,} of"
            self._write(f"{self.what}: {left} {rows:,} were there\n")

    def __enter__(self) -> Progress:
        return self

    def advance(self, units: int, outcomes: Counter[str] | None = None) -> None:
        """Count finished units and how they ended (status or reason -> units)."""
        self.done += units
        if outcomes:
            self.outcomes.update(outcomes)
        now = time.monotonic()
        if now - self._printed >= (0.2 if self._live else 10.0):
            self._printed = now
            self._print()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.done or error is None or not isinstance(error, Exception):
            self._print(last=True, interrupted=kind is not None)
        # else: nothing was begun, and the error says all there is to say

    def line(self) -> str:
        """The current state as one line of text."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / seconds
        text = f"{self.what}: {self.done:,}"
        if self.total:
            text += f" of {self.total:,}"
        text += f" ({rate:,.1f}/s"
        if self.total > self.done > 0:
            text += f", {_clock((self.total - self.done) / rate)} left"
        text += ")"
        if self.outcomes:
            text += "; " + ", ".join(f"{n:,} {what}" for what, n in self.outcomes.most_common(6))
        return text

    def _print(self, *, last: bool = False, interrupted: bool = False) -> None:
        text = self.line() + (" - interrupted; run again to continue" if interrupted else "")
        end = "\n" if last or not self._live else ""
        self._write(f"\r\x1b[K{text}{end}" if self._live else text + "\n")

    def _write(self, text: str) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # a full disk, a closed terminal: no reason to stop the work
            self.stream = None


def of_all(
    progress: Callable[[str, int], Progress], stages: Sequence[str]
) -> Callable[[str, int], Progress]:
    """A maker of progress displays that say which of all stages they are about.

    Args:
        progress: makes the displays.
        stages: the stages of the run, in order; other names stay as they are.
    """
    places = {name: f"stage {n} of {len(stages)}, " for n, name in enumerate(stages, 1)}
    return lambda what, total: progress(places.get(what.split(" ")[0], "") + what, total)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
