"""The engine of one machine: stages are computed in a child process, which a row may kill.

A batch that kills the child, or on which it falls silent, is computed again a row at a time. A row
that does so alone, as often as `tries` says and the last time in a process of its own, is
quarantined: a row like any other failed one, whose reason tells what happened (`QUARANTINED`). The
rest completes. The same happens inside each worker of `on_ray`.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import polars as pl

from builder.errors import StageFailed
from builder.run.engines.child import ALIVE, BATCH, ERROR, NO_MEMORY, STAGE, packed, unpacked
from builder.run.stage import FAILED, INTERNAL, QUARANTINED, Stage
from builder.run.workers.start import start

log = logging.getLogger(__name__)

TRIES = 2
# Rows in a row that kill the child are no longer the rows' fault.
MOST_IN_A_ROW = 10
OUT_OF_MEMORY = "out_of_memory"
_OUT_OF_MEMORY_ROW = f"{INTERNAL}{MemoryError.__name__}"
_COMMAND = (sys.executable, "-P", "-m", "builder.run.engines.child")


class _Died(Exception):
    """The child is gone or silent.

    Args:
        reason: ``crashed_<signal>``, ``exited_<code>``, ``hung_<seconds>s`` or ``out_of_memory``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Child:
    """One child process and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._kills = _memory_kills()
        self.stage: Stage | None = None
        try:
            self.process = start(
                [*_COMMAND, str(theirs.fileno()), str(os.getpid())],
                "to compute in",
                # a stage can come from wherever this program found it
                {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
                socket=theirs.fileno(),
            )
        except StageFailed:
            ours.close()
            raise
        finally:
            theirs.close()
        self._connection = Connection(ours.detach())

    def ask(self, kind: bytes, content: bytes, patience: float | None) -> bytes:
        """Send a message and wait for the answer.

        Args:
            kind: `STAGE` or `BATCH`.
            content: what follows.
            patience: seconds without a sign of life after which it hangs; None: never.

        Raises:
            _Died: see there.
            BuilderError: the stage did.
        """
        try:
            self._connection.send_bytes(kind + content)
            while True:
                if not self._connection.poll(patience):
                    self.end()
                    raise _Died(f"hung_{patience or 0:.0f}s")
                answer = self._connection.recv_bytes()
                if answer[:1] == ERROR:
                    raise pickle.loads(answer[1:])
                if answer[:1] != ALIVE:
                    return answer[1:]
        except (EOFError, OSError) as error:
            raise _Died(self._how_it_died()) from error

    def _how_it_died(self) -> str:
        self.end(kill=False)
        code = self.process.returncode
        if code == NO_MEMORY or (code == -signal.SIGKILL and _memory_kills() > self._kills):
            return OUT_OF_MEMORY
        if code >= 0:
            return f"exited_{code}"
        known = -code in {*signal.Signals}
        return f"crashed_{signal.Signals(-code).name.lower() if known else -code}"

    def end(self, *, kill: bool = True) -> None:
        """End it: a child has nothing to save. Without `kill` it is given a second to be gone."""
        self._connection.close()
        try:
            self.process.wait(0 if kill else 1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Apart:
    """An engine (`builder.run.local.Engine`); close it, or use it in `with`.

    Args:
        tries: how often a row may kill its process when it is alone.
        patience: seconds without a sign of life after which a stage hangs; None: what the stage
            says itself (`Stage.patience`).
    """

    def __init__(self, tries: int = TRIES, patience: float | None = None) -> None:
        self._tries, self._patience = tries, patience
        self._child: _Child | None = None
        self._in_a_row = 0

    def __call__(self, stage: Stage, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Compute batches; see `builder.run.local.Engine`."""
        self.load(stage)
        for batch in batches:
            yield self.compute(stage, batch)

    def load(self, stage: Stage) -> None:
        """Let a child load the stage, unless it has. What stages share it loads once.

        Raises:
            StageFailed: it cannot be loaded, or kills the child while it loads.
            BuilderError: as `Stage.setup`.
        """
        died = ""
        for _ in range(2):  # somebody else may have killed the first
            child = self._child = self._child or _Child()
            if child.stage is stage:
                return
            try:
                child.ask(STAGE, pickle.dumps(stage), None)
                child.stage = stage
                return
            except _Died as death:
                died, self._child = death.reason, None
        raise StageFailed(
            f"the stage {stage.name} cannot be loaded: its process died ({died})",
            way_out="too little memory, or a broken library; run again with --only "
            f"{stage.name} and look at what it prints",
        )

    def compute(self, stage: Stage, batch: pl.DataFrame) -> pl.DataFrame:
        """One batch, whatever its rows do.

        Raises:
            StageFailed: so many rows in a row died that it is not their fault.
            BuilderError: the stage did.
        """
        try:
            result = self._ask(stage, batch)
        except _Died as death:
            log.warning("stage %s: a process died (%s); its rows alone", stage.name, death.reason)
            return pl.concat([self._alone(stage, row) for row in batch.iter_slices(1)])
        choked = _choked(result)
        if not choked.any():
            self._in_a_row = 0
            return result
        rows = [
            self._alone(stage, batch[n : n + 1]) if bad else result[n : n + 1]
            for n, bad in enumerate(choked)
        ]
        return pl.concat(rows)

    def _alone(self, stage: Stage, row: pl.DataFrame) -> pl.DataFrame:
        reason = OUT_OF_MEMORY
        for attempt in range(self._tries):
            try:
                result = self._ask(stage, row)
            except _Died as death:
                reason = death.reason
                continue
            if not _choked(result).any():
                self._in_a_row = 0
                return result
            reason = OUT_OF_MEMORY
            if attempt + 1 < self._tries:
                self.close()  # what filled the memory may have been the rows before it
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW:
            raise StageFailed(
                f"{self._in_a_row} rows in a row of the stage {stage.name} ended its process "
                f"({reason}): that is not the rows' fault",
                way_out="look for too little memory or a broken library, then run again with "
                "--retry quarantined",
            )
        told = [{"status": FAILED, "reason": f"{QUARANTINED}{reason}"}]
        return stage.frame(row["id"], told)

    def _ask(self, stage: Stage, batch: pl.DataFrame) -> pl.DataFrame:
        self.load(stage)
        if self._child is None:
            raise StageFailed(f"the stage {stage.name} was not loaded")
        patience = stage.patience if self._patience is None else self._patience
        try:
            return unpacked(self._child.ask(BATCH, packed(batch), patience))
        except _Died:
            self._child = None
            raise

    @property
    def pid(self) -> int | None:
        """The child's process, if there is one."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _choked(result: pl.DataFrame) -> pl.Series:
    """Rows for which there was not enough memory."""
    if "reason" not in result.columns:
        return pl.repeat(False, result.height, eager=True)
    return (result["reason"] == _OUT_OF_MEMORY_ROW).fill_null(False)


def _memory_kills() -> int:
    """How often the kernel has killed a process for its memory: here, or in our container."""
    count = 0
    for place in (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")):
        try:
            lines = place.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        count += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return count
