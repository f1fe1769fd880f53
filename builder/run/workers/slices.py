"""Slices of parts of a campaign, each worked on by itself, in this process or in several.

The answers come in the order of the slices: what is made of them has the same bytes either way.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, TypeVar

from builder.run.workers.pool import Pool

# Each holds all of what it goes by (a million usernames are 300 MB): more cores are left idle.
MOST_PROCESSES = 8
T = TypeVar("T")


class Slices:
    """What makes something of slices.

    Args:
        make: makes the function that is called with each; called once, when the first slice is
            there. In several processes it is sent to each, and forgotten here.
        processes: in how many, `MOST_PROCESSES` at most; 1: in this one.
        what_for: said where none can be started: "to …".
    """

    def __init__(
        self, make: Callable[[], Callable[[Any], Any]], processes: int, what_for: str
    ) -> None:
        self._make, self._what_for = make, what_for
        self._processes = min(processes, MOST_PROCESSES)
        self._lock = threading.Lock()
        self._call: Callable[[Any], Any] | None = None
        self._pool: Pool | None = None
        self._ended = False
        self._stack = ExitStack()

    def __enter__(self) -> Slices:
        # one thread for each process waits for it; as many again read parts and write results
        self._callers = self._stack.enter_context(ThreadPoolExecutor(self._processes))
        self._readers = self._stack.enter_context(ThreadPoolExecutor(self._processes))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        if self._pool is not None:
            self._pool.end()  # first: threads that wait for a child are then told
        for threads in (self._readers, self._callers):
            threads.shutdown(wait=False, cancel_futures=True)
        self._stack.close()

    def map(self, slices: Iterable[Any]) -> Iterator[Any]:
        """What becomes of each slice, in order; few are held at once.

        Raises:
            StageFailed: a process died or could not be started.
            Exception: whatever the function raised.
        """
        if self._processes == 1:
            yield from map(self._function(), slices)
            return
        waiting: deque[Future[Any]] = deque()
        for piece in slices:
            waiting.append(self._callers.submit(self._function(), piece))
            if len(waiting) > self._processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def side_by_side(self, do: Callable[..., T], parts: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """What `do` makes of each part, in order; as many parts at a time as there are processes.

        Args:
            do: may call `map`.
            parts: its arguments.
        """
        if self._processes == 1:
            for part in parts:
                yield do(*part)
            return
        todo = [self._readers.submit(do, *part) for part in parts]
        todo.reverse()
        while todo:
            yield todo.pop().result()

    def ready(self) -> None:
        """Make the function now: a run that is stopped meanwhile stops at once."""
        self._function()

    def _function(self) -> Callable[[Any], Any]:
        with self._lock:
            if self._call is None:
                self._call = self._make()
                if self._processes > 1:
                    self._pool = Pool(self._call, self._processes, self._what_for)
                    self._call = self._pool.call
            if self._ended and self._pool is not None:
                self._pool.end()
            return self._call
