"""The actors of one stage on Ray: how many there are, who computes what, what a lost one costs.

An actor gets work once it is up, so one that the cluster has no room for keeps nobody waiting; that
it waits tells an autoscaler to add a node.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import polars as pl

from builder.errors import BuilderError, StageFailed
from builder.run.engines.apart import Apart
from builder.run.engines.options import EngineOptions
from builder.run.stage import Stage

# Batches an actor has: one it computes, one that waits.
QUEUED = 2
# Batches on their way for each actor, those among them that wait for an earlier one.
WINDOW = 4
# Actors in a row that may be lost with one batch, or before they are up.
LOST = 5
# Seconds without news after which is asked whether any node could hold an actor.
NEWS = 20.0


@dataclass(frozen=True)
class Needs:
    """What an actor takes of the cluster: cores, and GPUs (which may be a fraction)."""

    cpus: float
    gpus: float

    def times_in(self, resources: dict[str, float]) -> int:
        """How often that fits, at least once."""
        wanted = (("CPU", self.cpus), ("GPU", self.gpus))
        fits = [int(resources.get(name, 0.0) / amount) for name, amount in wanted if amount]
        return max(min(fits, default=1), 1)

    def fit_in(self, resources: dict[str, float]) -> bool:
        """Whether that fits."""
        return resources.get("CPU", 0.0) >= self.cpus and resources.get("GPU", 0.0) >= self.gpus

    def __str__(self) -> str:
        return f"{self.cpus:g} cores, {self.gpus:g} GPUs"


class Worker:
    """One Ray actor: a child process with the stage's model.

    Args:
        stage: what it computes.
        options: see there.
    """

    def __init__(self, stage: Stage, options: EngineOptions) -> None:
        threads = str(max(int(options.cpus), 1))
        os.environ |= {"OMP_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads}
        self._stage, self._apart = stage, Apart(options.tries, options.patience)

    def up(self) -> bool:
        """Answered when the actor is there."""
        return True

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame | BuilderError:
        """A batch's result; an error of the stage comes back as it is, not wrapped by Ray."""
        try:
            return self._apart.compute(self._stage, batch)
        except BuilderError as error:
            return error


@dataclass
class _Actor:
    handle: Any
    up: Any  # the reply that says so; None once it came
    has: int = 0


@dataclass
class Sent:
    """A batch on its way.

    Attributes:
        batch: kept, should its actor be lost.
        result: once it is there.
    """

    batch: pl.DataFrame
    actor: _Actor | None = None
    reply: Any = None
    result: Any = None
    lost: int = 0


class Pool:
    """The actors of one stage; they end with the `with` block.

    Args:
        ray: the module, connected.
        stage: what they compute.
        options: see there.
        needs: what one takes.
        least, most: how many there are.
    """

    def __init__(
        self, ray: Any, stage: Stage, options: EngineOptions, needs: Needs, least: int, most: int
    ) -> None:
        self._ray, self._stage, self._needs = ray, stage, needs
        self._least, self._most = least, max(least, most)
        kind = ray.remote(Worker).options(num_cpus=needs.cpus, num_gpus=needs.gpus)
        self._start: Callable[[], Any] = lambda: kind.remote(stage, options)
        self._actors: list[_Actor] = []
        self._stillborn = 0

    def send(self, batch: pl.DataFrame, sent: deque[Sent]) -> bool:
        """Give a batch to the actor with the least to do; False where none has time."""
        self._grow()
        free = [actor for actor in self._actors if actor.up is None and actor.has < QUEUED]
        up = sum(actor.up is None for actor in self._actors)
        if not free or len(sent) >= WINDOW * up:
            return False
        sent.append(Sent(batch))
        self._give(sent[-1], min(free, key=lambda actor: actor.has))
        return True

    def wait(self, sent: deque[Sent]) -> None:
        """Wait for news: a result, or an actor that is up.

        Raises:
            StageFailed: no node could ever hold an actor, or too many were lost.
            BuilderError: the stage did.
        """
        self._grow()
        homeless = [each for each in sent if each.result is None and each.actor is None]
        for each in homeless:
            up = [actor for actor in self._actors if actor.up is None]
            if up:
                self._give(each, min(up, key=lambda actor: actor.has))
        computed = {each.reply: each for each in sent if each.reply is not None}
        coming = {actor.up: actor for actor in self._actors if actor.up is not None}
        done, _ = self._ray.wait([*computed, *coming], num_returns=1, timeout=NEWS)
        if not done:
            self._check_room()
        for reply in done:
            if reply in computed:
                self._take(computed[reply])
            else:
                self._welcome(coming[reply])

    def _give(self, each: Sent, actor: _Actor) -> None:
        each.actor, each.reply = actor, actor.handle.compute.remote(each.batch)
        actor.has += 1

    def _grow(self) -> None:
        """Start the fewest there must be; one more when all that are there have enough to do."""
        busy = all(actor.up is None and actor.has >= QUEUED for actor in self._actors)
        wanted = len(self._actors) + 1 if busy else len(self._actors)
        while len(self._actors) < max(min(wanted, self._most), self._least):
            handle = self._start()
            self._actors.append(_Actor(handle, handle.up.remote()))

    def _welcome(self, actor: _Actor) -> None:
        try:
            self._ray.get(actor.up)
            actor.up, self._stillborn = None, 0
        except self._ray.exceptions.RayError as error:
            self._stillborn += 1
            self._drop(actor)
            if self._stillborn >= LOST:
                raise self._lost(error) from error

    def _take(self, each: Sent) -> None:
        try:
            result = self._ray.get(each.reply)
        except self._ray.exceptions.RayTaskError as error:
            raise StageFailed(
                f"a worker of the stage {self._stage.name} raised {type(error.cause).__name__}",
                way_out="see that every node has the same package; else report it",
            ) from error
        except self._ray.exceptions.RayError as error:
            each.lost += 1
            if each.lost >= LOST:
                raise self._lost(error) from error
            if each.actor is not None:
                self._drop(each.actor)
            each.actor = each.reply = None
            return
        if each.actor is not None:
            each.actor.has -= 1
        each.reply = None
        if isinstance(result, BuilderError):
            raise result
        each.result = result

    def _lost(self, error: Exception) -> StageFailed:
        return StageFailed(
            f"Ray lost the workers of the stage {self._stage.name} again and again "
            f"({type(error).__name__})",
            way_out="look at the cluster (`ray status`) and the memory of its nodes, then run "
            "again: what is computed stays",
        )

    def _check_room(self) -> None:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        up = any(actor.up is None for actor in self._actors)
        if not up and not any(self._needs.fit_in(node) for node in nodes):
            raise StageFailed(
                f"no node of the cluster can hold a worker of the stage {self._stage.name}: "
                f"it takes {self._needs}",
                way_out="ask for less with --cpus-per-worker and --gpus-per-worker, or add nodes",
            )

    def _drop(self, actor: _Actor) -> None:
        if actor in self._actors:
            self._actors.remove(actor)
        with suppress(Exception):  # it is gone, or will be
            self._ray.kill(actor.handle)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for actor in list(self._actors):
            self._drop(actor)
