"""Runs generators in threads, a bounded distance ahead of whoever consumes them, in order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


class _Stopped(Exception):
    """The consumer went away."""


def read_ahead(
    jobs: Sequence[Callable[[], Iterator[T]]], workers: int, lookahead: int, depth: int
) -> Iterator[Iterator[T]]:
    """Run generators in threads and hand their items out in the order of the jobs.

    What is in memory is bounded by `lookahead` * `depth` items, however many jobs there are and
    however long they are; the order of the items does not depend on the threads.

    Args:
        jobs: each makes a generator.
        workers: threads.
        lookahead: jobs started beyond the one being consumed.
        depth: items a job may be ahead of its consumer.

    Yields:
        One iterator per job, to be exhausted before the next is taken. It raises what the job
        raised, after the items the job made before.
    """
    stop = threading.Event()
    started: deque[queue.Queue[Any]] = deque()
    todo = iter(jobs)
    with ThreadPoolExecutor(workers, thread_name_prefix="read-ahead") as pool:

        def start_next() -> None:
            job = next(todo, None)
            if job is not None:
                channel: queue.Queue[Any] = queue.Queue(depth)
                started.append(channel)
                pool.submit(_produce, job, channel, stop)

        try:
            for _ in range(lookahead + 1):
                start_next()
            while started:
                yield _consume(started.popleft())
                start_next()
        finally:
            stop.set()


def _produce(
    job: Callable[[], Iterator[T]], channel: queue.Queue[Any], stop: threading.Event
) -> None:
    try:
        try:
            for item in job():
                _put(channel, item, stop)
        except _Stopped:
            raise
        except BaseException as error:  # noqa: BLE001 - raised again where it can be handled
            _put(channel, error, stop)
        _put(channel, _END, stop)
    except _Stopped:
        return


def _put(channel: queue.Queue[Any], item: Any, stop: threading.Event) -> None:
    while True:
        if stop.is_set():
            raise _Stopped
        try:
            return channel.put(item, timeout=0.2)
        except queue.Full:
            continue


def _consume(channel: queue.Queue[Any]) -> Iterator[Any]:
    while (item := channel.get()) is not _END:
        if isinstance(item, BaseException):
            raise item
        yield item
