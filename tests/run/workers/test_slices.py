"""Slices in several processes: the same answers in the same order, and no process is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import DiskFull, StageFailed
from builder.run.workers import pool
from builder.run.workers.pool import Pool
from builder.run.workers.slices import Slices

# Functions that a child can import: it does not know the tests.
KIT = """
import os, signal, time
from builder.errors import DiskFull
from pathlib import Path
class Double:
    def __call__(self, number):
        if number == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 14:
            raise DiskFull("no space left", file=Path("work"), way_out="free some")
        if number == 15:
            print("whatever a library prints is no answer")
            time.sleep(600)
        return number * 2, os.getpid(), os.environ["POLARS_MAX_THREADS"]
def alone(number):
    return number * 2, 0, "1"
"""


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    (tmp_path / "kit_for_children.py").write_text(KIT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    import kit_for_children

    yield kit_for_children.Double()
    del sys.modules["kit_for_children"]


def runs(pid: int) -> bool:
    """Whether a process is there, and more than its name in the table."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: set[int]) -> bool:
    return not any(map(runs, pids))


def test_answers_come_in_order_from_as_many_processes(double: object) -> None:
    with Slices(lambda: double, 2, "to double") as slices:
        numbers = [found[0] for found in slices.map(range(12))]
        parts = slices.side_by_side(
            lambda start: [n for n, *_ in slices.map(range(start, start + 3))], [(0,), (20,), (40,)]
        )
        found = list(slices.map(range(12)))
        assert list(parts) == [[0, 2, 4], [40, 42, 44], [80, 82, 84]]
    pids = {pid for _, pid, _ in found}
    assert numbers == [2 * n for n in range(12)]
    assert {threads for *_, threads in found} == {"1"}
    assert os.getpid() not in pids and gone(pids)


def test_one_process_is_this_one(double: object) -> None:
    import kit_for_children

    with Slices(lambda: kit_for_children.alone, 1, "to double") as slices:
        each = slices.side_by_side(lambda n: list(slices.map([n])), [(1,), (2,)])
        assert list(each) == [[(2, 0, "1")], [(4, 0, "1")]]


def test_a_child_that_dies_is_an_error_with_a_way_out_and_no_hang(double: object) -> None:
    with (
        pytest.raises(StageFailed, match="started to double died") as error,
        Slices(lambda: double, 2, "to double") as slices,
    ):
        list(slices.side_by_side(lambda n: list(slices.map([n])), [(1,), (13,), (2,), (3,), (4,)]))
    assert "run the same command again" in str(error.value)


def test_an_error_of_the_function_comes_back_as_it_is(double: object) -> None:
    with Pool(double, 1, "to double") as children, pytest.raises(DiskFull) as error:
        children.call(14)
    assert error.value.problem == "no space left" and error.value.way_out == "free some"


def test_whoever_waits_when_all_ends_is_told(double: object) -> None:
    started = time.monotonic()
    with (
        pytest.raises(KeyboardInterrupt),
        Slices(lambda: double, 2, "to double") as slices,
    ):
        for _ in slices.side_by_side(lambda n: list(slices.map([n])), [(1,), (15,), (15,), (15,)]):
            pids = {child.process.pid for child in slices._pool._all}
            raise KeyboardInterrupt
    assert time.monotonic() - started < 30 and gone(pids)


def test_a_child_that_cannot_be_started_says_so(
    double: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "COMMAND", (str(tmp_path / "no-python"),))
    with pytest.raises(StageFailed, match="no process could be started to double"):
        Pool(double, 2, "to double")


def test_children_end_with_a_parent_that_was_killed(double: object, tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import kit_for_children\n"
        "from builder.run.workers.pool import Pool\n"
        "pool = Pool(kit_for_children.Double(), 1, 'to double')\n"
        "print(pool.call(1)[1], flush=True)\n"
        "pool.call(15)\n"
    )
    repo = str(Path(__file__).parents[3])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), repo])}
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, env=env
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert runs(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    for _ in range(100):
        if not runs(child):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a child outlived its parent")
