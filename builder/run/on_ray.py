"""The engine past one machine: Ray Data runs the same stage objects on a cluster (or on all cores).

Needs the extra `ray`. Batches are the same as in `run.local`, so the results are too. Each worker
loads the model once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from builder.errors import StageFailed
from builder.run.local import Engine, in_process
from builder.run.stage import Stage


class _Worker:
    """One Ray actor: a stage with its model."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.setup()

    def __call__(self, block: Any) -> Any:
        return self.stage(pl.DataFrame(block)).to_arrow()


def engine_of(name: str) -> Engine:
    """The engine a command asks for: `local`, or `ray`.

    Raises:
        StageFailed: Ray is not installed.
    """
    return in_process if name == "local" else ray_engine()


def ray_engine(workers: int | None = None) -> Engine:
    """An engine on Ray Data.

    Args:
        workers: actors to start; default one for each GPU of the cluster, else one.

    Raises:
        StageFailed: Ray is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise StageFailed(
            "--engine ray needs Ray",
            way_out="pip install 'ecuador-crisis-tiktok[ray]', or use --engine local",
        ) from error

    def run(stage: Stage, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level="ERROR")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        gpus = int(ray.cluster_resources().get("GPU", 0))
        blocks = [batch.to_arrow(compat_level=pl.CompatLevel.oldest()) for batch in batches]
        computed = ray.data.from_arrow(blocks).map_batches(
            _Worker,
            fn_constructor_args=(stage,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=workers or max(gpus, 1)),
            num_gpus=1 if gpus else None,
        )
        for block in computed.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield pl.DataFrame(block)

    return run
