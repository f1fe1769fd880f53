"""The engine a command asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from builder.run.engines.apart import Apart
from builder.run.engines.on_ray import OnRay
from builder.run.engines.options import HERE, RAY, EngineOptions
from builder.run.local import Engine, in_process


@contextmanager
def engine_of(options: EngineOptions) -> Iterator[Engine]:
    """An engine, closed at the end: its processes are gone then.

    Raises:
        StageFailed: Ray is not installed.
    """
    if options.name == RAY:
        yield OnRay(options)
        return
    if options.name == HERE:
        yield in_process
        return
    with Apart(options.tries, options.patience) as apart:
        yield apart
