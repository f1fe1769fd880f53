"""Opens downloads in child processes: whatever a file does to a decoder, it does there.

Damaged media crash decoders, hang them, and make bindings raise what nobody expects; one file must
never end a build. A child is kept for many files, so the price is the pipe (measured by
`scripts/bench_media.py`). A child that dies or falls silent is replaced.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import selectors
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from builder.errors import StageFailed
from builder.media.child import HEADER
from builder.media.facts import Facts
from builder.media.formats import MediaProblem
from builder.media.frames import Picture
from builder.media.sound import Samples
from builder.run.workers.start import start

COMMAND = (sys.executable, "-m", "builder.media.child")
# Seconds without a sign of life after which a child hangs.
PATIENCE = 60.0
# Seconds one file may take altogether, and bytes a second beyond: a demuxer can run in circles.
LONGEST, SLOWEST = 600.0, 200_000.0
# A file that killed a child is tried once more: the child may have been killed by somebody else.
TRIES = 2
# Decoders leak; a child is replaced after this many files.
_FILES_A_CHILD = 1_000
PIPE_BYTES = 1 << 20
CRASHED, HUNG = "decoder_crashed", "decoder_hung"


class _Died(Exception):
    """The child is gone or silent.

    Args:
        reason: `CRASHED` or `HUNG`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Child:
    """One child process and the pipes to it."""

    def __init__(self) -> None:
        self.process = start(COMMAND, "to open the downloads")
        self.files = 0
        self.given_up = False
        _widen(self._stdout)
        self._answers = selectors.DefaultSelector()
        self._answers.register(self._stdout, selectors.EVENT_READ)

    @property
    def _stdout(self) -> int:
        if self.process.stdout is None:  # it was asked for a pipe
            raise _Died(CRASHED)
        return self.process.stdout.fileno()

    def ask(self, what: str, path: Path, **more: int) -> None:
        """Send a request."""
        self.files += 1
        line = json.dumps({"ask": what, "path": str(path), **more}) + "\n"
        try:
            if self.process.stdin is not None:
                self.process.stdin.write(line.encode())
        except OSError as error:
            raise _Died(CRASHED) from error

    def answers(self, size: int) -> Iterator[tuple[bytes, memoryview]]:
        """Frames other than signs of life: kind, and a payload that is nobody else's.

        Args:
            size: bytes of the file, for the time it may take.

        Raises:
            _Died: see there.
        """
        left = [LONGEST + size / SLOWEST]
        while True:
            kind, length = HEADER.unpack(self._read(HEADER.size, left))
            payload = self._read(length, left) if length else memoryview(b"")
            if kind != b"B":
                yield kind, payload

    def _read(self, length: int, left: list[float]) -> memoryview:
        # straight into its place: sound is megabytes, and every copy costs
        found = np.empty(length, np.uint8).data
        at = 0
        while at < length:
            started = time.monotonic()
            ready = self._answers.select(min(PATIENCE, max(left[0], 0)))
            left[0] -= time.monotonic() - started
            if not ready:
                raise _Died(HUNG)
            came = os.readv(self._stdout, [found[at:]])
            if not came:
                raise _Died(CRASHED)
            at += came
        return found

    def end(self) -> None:
        """Kill it; a child has nothing to save."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self._answers.close()


class _Children:
    """The children that have nothing to do, for whichever thread needs one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._owner = os.getpid()
        atexit.register(self.end)

    @contextmanager
    def one(self, *, new: bool = False) -> Iterator[_Child]:
        """A child of one's own; kept for others only if it came to the end of its answer.

        Args:
            new: none of the idle ones: whatever killed the last may be killing them too.
        """
        child = (None if new else self._take()) or _Child()
        with self._lock:
            self._busy.add(child)
        try:
            yield child
        except BaseException as error:
            child.end()
            if child.given_up:
                raise StageFailed("the run was interrupted while a download was read") from error
            raise
        finally:
            with self._lock:
                self._busy.discard(child)
        if child.files >= _FILES_A_CHILD:
            child.end()
            return
        with self._lock:
            self._idle.append(child)

    def _take(self) -> _Child | None:
        with self._lock:
            if self._owner != os.getpid():  # forked: those are the parent's
                self._idle, self._owner = [], os.getpid()
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        return None

    def give_up(self) -> None:
        """End those at work: whoever waits for one gets a `StageFailed`."""
        with self._lock:
            for child in self._busy:
                child.given_up = True
                child.process.kill()

    def end(self) -> None:
        """End the idle ones."""
        if self._owner == os.getpid():
            with self._lock:
                idle, self._idle = self._idle, []
            for child in idle:
                child.end()


_CHILDREN = _Children()


def give_up() -> None:
    """Stop whatever threads of this process read right now: the run was interrupted."""
    _CHILDREN.give_up()


def facts_of(path: Path) -> Facts:
    """`builder.media.facts.probe_here` in a child; a crash or a hang is a fact too.

    Raises:
        StageFailed: no child can be started.
    """
    reason = CRASHED
    for attempt in range(1, TRIES + 1):
        try:
            with _CHILDREN.one(new=attempt > 1) as child:
                child.ask("probe", path)
                kind, payload = next(child.answers(_size(path)))
        except _Died as death:
            reason = death.reason
            if reason == HUNG:
                break
            continue
        if kind == b"F":
            return Facts(**json.loads(bytes(payload)))
        return Facts(bytes(payload).decode(), "decoder_failed")
    return Facts("corrupt", reason)


def sound_of(path: Path) -> Iterator[Samples]:
    """`builder.media.sound.decode_sound` in a child.

    Raises:
        MediaProblem: no sound; or, after some, the decoder died or hung (``corrupt``).
        StageFailed: no child can be started.
    """
    for attempt in range(1, TRIES + 1):
        begun = False
        try:
            with _CHILDREN.one(new=attempt > 1) as child:
                child.ask("sound", path)
                for kind, payload in child.answers(_size(path)):
                    if kind != b"S":
                        break
                    begun = True
                    yield np.frombuffer(payload, np.float32)
        except _Died as death:
            if begun or attempt == TRIES or death.reason == HUNG:
                raise MediaProblem("corrupt") from death
            continue
        if kind == b"P":
            raise MediaProblem(bytes(payload).decode())
        return


def _widen(pipe: int) -> None:
    """Let a pipe hold more, so that child and parent wait less often for each other."""
    with suppress(OSError, AttributeError):  # not Linux, or the user has many pipes
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def frames_of(path: Path, count: int, size: int) -> list[Picture]:
    """`builder.media.frames.decode_frames` in a child.

    Raises:
        MediaProblem: no picture; a decoder that died or hung is ``corrupt``.
        StageFailed: no child can be started.
    """
    for attempt in range(1, TRIES + 1):
        pictures: list[Picture] = []
        try:
            with _CHILDREN.one(new=attempt > 1) as child:
                child.ask("frames", path, count=count, size=size)
                for kind, payload in child.answers(_size(path)):
                    if kind != b"I":
                        break
                    pictures.append(np.frombuffer(payload, np.uint8).reshape(size, size, 3))
        except _Died as death:
            if attempt == TRIES or death.reason == HUNG:
                raise MediaProblem("corrupt") from death
            continue
        if kind == b"P":
            raise MediaProblem(bytes(payload).decode())
        return pictures
    raise MediaProblem("corrupt")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
