"""The Ray engine gives what the local engine gives, whatever dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.poison_stage import Poison, texts
from fakes.toy_stage import Toy, inputs, quiet

from builder.errors import BuilderError, StageFailed, UsageProblem
from builder.run.engines.options import EngineOptions, workers_of
from builder.run.engines.ray_pool import Needs
from builder.run.local import run_stage
from builder.run.stage import QUARANTINED
from builder.run.store import Store

ROWS = 60


def options(**given: Any) -> EngineOptions:
    return EngineOptions("ray", **given)


def engine(**given: Any) -> Any:
    from builder.run.engines.on_ray import OnRay

    return OnRay(options(**given))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each, on this machine, and this process connected to them."""
    ray = pytest.importorskip("ray", reason="needs the extra `ray`")
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)
    paths = os.pathsep.join(filter(None, sys.path))
    ray.init(
        address=nodes.address,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    yield nodes
    ray.shutdown()
    nodes.shutdown()


@pytest.mark.slow
def test_the_same_rows_in_the_same_parts_as_locally(cluster: Any, tmp_path: Path) -> None:
    ours, _ = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "local"), quiet)
    both = engine(workers=(2, 2))
    theirs, report = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "ray"), quiet, engine=both)
    assert report.computed == ROWS
    assert theirs.equals(ours)
    parts = [sorted(p.name for p in (tmp_path / side).rglob("part-*")) for side in ("local", "ray")]
    assert parts[0] == parts[1]
    _, report = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "ray"), quiet, engine=both)
    assert report.computed == 0


@pytest.mark.slow
def test_few_batches_are_on_their_way_at_a_time(cluster: Any) -> None:
    given, most = 0, 0

    def batches() -> Iterable[pl.DataFrame]:
        nonlocal given
        for batch in inputs(300).sort("id").iter_slices(3):
            given += 1
            yield batch

    back = 0
    for _ in engine(workers=(1, 2))(Toy(), batches()):
        most = max(most, given - back)
        back += 1
    assert back == 100
    assert most <= 2 * 4 + 1  # two workers, four batches each, and the one in hand


@pytest.mark.slow
def test_poison_costs_the_row_and_not_the_worker(cluster: Any, tmp_path: Path) -> None:
    words = [f"text {n}" for n in range(20)]
    words[7] = "segv"
    output, report = run_stage(
        Poison(tmp_path / "log"), texts(*words), Store(tmp_path / "work"), quiet, engine=engine()
    )
    assert report.statuses == {"ok": 19, "failed": 1}
    assert output.row(7)[3] == f"{QUARANTINED}crashed_sigsegv"


@pytest.mark.slow
def test_an_error_of_the_stage_arrives_as_it_is(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(StageFailed) as caught:
        stage = Poison(tmp_path / "log")
        run_stage(stage, texts("refuse"), Store(tmp_path), quiet, engine=engine())
    assert (caught.value.problem, caught.value.way_out) == ("no graphics card", "buy one")


@pytest.mark.slow
def test_more_workers_than_the_cluster_holds_keep_nobody_waiting(
    cluster: Any, tmp_path: Path
) -> None:
    many = engine(workers=(5, 9))
    _, report = run_stage(Toy(), inputs(ROWS), Store(tmp_path), quiet, engine=many)
    assert report.statuses == {"ok": ROWS}


@pytest.mark.slow
def test_a_worker_no_node_can_hold_is_an_error(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.run.engines.ray_pool.NEWS", 0.5)
    with pytest.raises(StageFailed, match="no node of the cluster can hold"):
        run_stage(Toy(), inputs(3), Store(tmp_path), quiet, engine=engine(cpus=64))


@pytest.mark.slow
def test_a_killed_actor_and_a_lost_node_lose_nothing(cluster: Any, tmp_path: Path) -> None:
    """Last: the cluster has one node afterwards."""
    ours, _ = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "local"), quiet)
    there = tmp_path / "ray"

    def strike() -> None:
        while len(list(there.rglob("part-*"))) < 3:
            time.sleep(0.01)
        for actor in _actors():
            os.kill(actor, signal.SIGKILL)
        while len(list(there.rglob("part-*"))) < 8:
            time.sleep(0.01)
        cluster.remove_node(_last(cluster))

    thread = threading.Thread(target=strike)
    thread.start()
    both = engine(workers=(2, 2))
    theirs, report = run_stage(Toy(pause=0.1), inputs(ROWS), Store(there), quiet, engine=both)
    thread.join()
    assert report.statuses == {"ok": ROWS}
    assert theirs.equals(ours)


def _last(cluster: Any) -> Any:
    return sorted(cluster.worker_nodes, key=str)[-1]


def _actors() -> list[int]:
    """Processes of Ray workers that compute: their command line is their class."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            told = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if folder.name.isdecimal() and told.startswith(b"ray::Worker"):
            found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_no_cluster_at_the_address_is_a_usage_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="needs the extra `ray`")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_gcs_rpc_server_connect_timeout_s", "1")
    lost = engine(address="127.0.0.1:9")
    with pytest.raises(UsageProblem, match="no Ray cluster"):
        run_stage(Toy(), inputs(3), Store(tmp_path), quiet, engine=lost)


def test_workers_are_written_as_a_number_or_a_range() -> None:
    assert workers_of(None) is None
    assert workers_of("4") == (4, 4)
    assert workers_of("1:8") == (1, 8)
    for wrong in ("", "0", "8:1", "a", "1:2:3", "-1"):
        with pytest.raises(BuilderError):
            workers_of(wrong)


def test_a_fraction_of_a_gpu_fits_as_often_as_it_does() -> None:
    cluster = {"CPU": 16.0, "GPU": 2.0}
    assert Needs(1, 0.25).times_in(cluster) == 8
    assert Needs(4, 0).times_in(cluster) == 4
    assert Needs(1, 1).times_in({"CPU": 4.0}) == 1  # a node may come
    assert Needs(1, 0.5).fit_in(cluster)
    assert not Needs(1, 4).fit_in(cluster)
