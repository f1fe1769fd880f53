"""The process that stages are computed in: whatever a row does to a library, it does here.

Started by `builder.run.engines.apart` with the number of a socket. A message is a letter and what
follows it. Asked: ``S`` a pickled stage, to be loaded; ``B`` a batch (Arrow IPC). Answered: ``R``
ready, ``F`` the batch's result (Arrow IPC), ``E`` a pickled error, ``L`` a sign of life.
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl

from builder.errors import BuilderError, StageFailed
from builder.run.stage import Stage, listeners

STAGE, BATCH, READY, FRAME, ERROR, ALIVE = b"S", b"B", b"R", b"F", b"E", b"L"
NO_MEMORY = 99  # exit code
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_FIRST_TO_GO = "500"  # when memory runs out, of 1000


def packed(frame: pl.DataFrame) -> bytes:
    """A frame as bytes."""
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return buffer.getvalue()


def unpacked(content: bytes) -> pl.DataFrame:
    """The frame of `packed`."""
    return pl.read_ipc(io.BytesIO(content))


class _Answers:
    """The way back. Threads of a stage give signs of life, one a second at most."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock, self._last = connection, threading.Lock(), 0.0

    def send(self, kind: bytes, content: bytes = b"") -> None:
        with self._lock:
            self._connection.send_bytes(kind + content)

    def alive(self) -> None:
        now = time.monotonic()
        if now - self._last >= 1:
            self._last = now
            self.send(ALIVE)


def serve(connection: Connection) -> None:
    """Answer until the parent closes its end."""
    answers = _Answers(connection)
    listeners.append(answers.alive)
    stage: Stage | None = None
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        try:
            if message[:1] == STAGE:
                stage = pickle.loads(message[1:])
                stage.setup()
                answers.send(READY)
            elif stage is not None:
                answers.send(FRAME, packed(stage(unpacked(message[1:]))))
        except MemoryError:  # whatever is left of this process is not to be trusted
            os._exit(NO_MEMORY)
        except Exception as error:  # noqa: BLE001 - raised again by the parent
            answers.send(ERROR, _pickled(error))


def _pickled(error: Exception) -> bytes:
    """An error for the parent; one that cannot travel goes by its type, whose text may be private.

    Its traceback stays here.
    """
    if isinstance(error, BuilderError):
        with suppress(Exception):
            content = pickle.dumps(error)
            pickle.loads(content)
            return content
    return pickle.dumps(StageFailed(f"the stage raised {type(error).__name__}"))


def _be_a_good_child(parent: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be asked to tell us
        os._exit(0)


if __name__ == "__main__":
    _be_a_good_child(int(sys.argv[2]))
    with suppress(KeyboardInterrupt, BrokenPipeError, ConnectionResetError):
        serve(Connection(int(sys.argv[1])))
