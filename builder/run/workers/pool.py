"""One function, called in several processes at once.

A child is a program of its own, not a copy of this one: nothing here is imported twice, whoever
calls, and no lock is inherited. A child that dies ends the run with a message; children end with
the run, whatever ends it.
"""

from __future__ import annotations

import io
import pickle
import queue
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from builder.errors import StageFailed
from builder.run.workers.start import start

COMMAND = (sys.executable, "-m", "builder.run.workers.child")
# One child is one core: what libraries would share among threads, children share.
_ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class Pool:
    """Children that know a function.

    Args:
        function: can be pickled; called with one argument.
        children: how many.
        what_for: said where none can be started: "to …".

    Raises:
        StageFailed: a child cannot be started.
    """

    def __init__(self, function: Callable[[Any], Any], children: int, what_for: str) -> None:
        self._what_for = what_for
        self._given = pickle.dumps(function, pickle.HIGHEST_PROTOCOL)
        self._untold = children
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[_Child] = queue.SimpleQueue()
        self._all: list[_Child] = []
        try:
            for _ in range(children):
                child = _Child(what_for)
                self._all.append(child)
                self._idle.put(child)
        except BaseException:
            self.end()
            raise

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def call(self, argument: Any) -> Any:
        """What the function makes of an argument, in a child that has nothing to do.

        Waits for one. May be called from several threads.

        Raises:
            StageFailed: the child died.
            Exception: whatever the function raised.
        """
        child = self._idle.get()
        try:
            if not child.told:
                child.send(self._given)
                child.told = True
                with self._lock:
                    self._untold -= 1
                    if not self._untold:
                        self._given = b""  # it can be large
            child.send(pickle.dumps(argument, pickle.HIGHEST_PROTOCOL))
            answer, error = child.answer()
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as died:
            raise StageFailed(
                f"a process that was started {self._what_for} died",
                way_out="it was killed, or memory ran out: close other programs and run the same "
                "command again, it continues where it stopped",
            ) from died
        finally:
            self._idle.put(child)
        if error is not None:
            raise error
        return answer

    def end(self) -> None:
        """End the children at once; whoever waits for one gets a `StageFailed`."""
        for child in self._all:
            child.process.kill()
        for child in self._all:
            child.process.wait()


class _Child:
    def __init__(self, what_for: str) -> None:
        self.process = start(COMMAND, what_for, _ONE_THREAD)
        self.told = False
        if self.process.stdin is None or self.process.stdout is None:
            raise OSError("no pipes")  # they were asked for
        self._in = self.process.stdin
        self._out = io.BufferedReader(io.FileIO(self.process.stdout.fileno(), closefd=False))

    def send(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[self._in.write(view) :]

    def answer(self) -> Any:
        return pickle.load(self._out)
