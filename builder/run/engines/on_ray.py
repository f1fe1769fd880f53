"""The engine past one machine: Ray runs the same stage objects on a cluster, or on all cores here.

Needs the extra `ray`. Batches are those of `run.local`, so the results are too. Each stage has a
pool of actors (`engines.ray_pool`), which load its model once; an actor computes in a child process
(`engines.apart`), so that a poisonous row costs the child and not the actor. Batches of a lost
actor, or a lost node, go to another. No more than a few batches an actor are on their way at a
time: neither this process nor the object store holds the campaign.

Ray Data is not used: it wants every batch before it computes the first, and computes what killed
its worker again for ever.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator

import polars as pl

from builder.errors import StageFailed, UsageProblem
from builder.run.engines.options import EngineOptions
from builder.run.engines.ray_pool import Needs, Pool, Sent
from builder.run.stage import Stage


class OnRay:
    """An engine (`builder.run.local.Engine`).

    Args:
        options: address, workers, and what one of them takes.

    Raises:
        StageFailed: Ray is not installed.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        try:
            import ray
        except ImportError as error:
            raise StageFailed(
                "--engine ray needs Ray",
                way_out="pip install 'ecuador-crisis-tiktok[ray]', or use --engine local",
            ) from error
        self._ray = ray

    def __call__(self, stage: Stage, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Compute batches; see `builder.run.local.Engine`.

        Raises:
            UsageProblem: no cluster at the address.
            StageFailed: no node is large enough for a worker, or workers are lost again and again.
            BuilderError: the stage did.
        """
        self._connect()
        needs = self._needs(stage)
        least, most = self._options.workers or (1, needs.times_in(self._ray.cluster_resources()))
        sent: deque[Sent] = deque()  # in the order of the batches; not yet handed back
        with Pool(self._ray, stage, self._options, needs, least, most) as pool:
            for batch in batches:
                while not pool.send(batch, sent):
                    pool.wait(sent)
                    yield from _finished(sent)
            while sent:
                pool.wait(sent)
                yield from _finished(sent)

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        address = self._options.address or os.environ.get("RAY_ADDRESS")
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UsageProblem(
                "no Ray cluster answers at this address",
                field=address,
                way_out="start one with `ray start --head`, or leave --ray-address out: then the "
                "cores of this machine are the cluster",
            ) from error

    def _needs(self, stage: Stage) -> Needs:
        gpus = self._options.gpus
        if gpus is None:
            gpus = 1.0 if self._ray.cluster_resources().get("GPU") else 0.0
        return Needs(self._options.cpus, gpus if stage.on_gpu else 0.0)


def _finished(sent: deque[Sent]) -> Iterator[pl.DataFrame]:
    """The results that are there, as far as none is missing before them."""
    while sent and sent[0].result is not None:
        yield sent.popleft().result
