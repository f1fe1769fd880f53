"""Stages: what is computed, what is kept, and what survives kills, full disks and buggy stages."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes import toy_stage
from fakes.toy_stage import Toy, inputs, quiet
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import DiskFull, StageFailed, WorkLocked
from builder.run import store as store_module
from builder.run.local import StageReport, input_digest, pending, run_stage
from builder.run.stage import fingerprint
from builder.run.store import Store, write_atomic, write_frame, write_json


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "work")


def run(stage: Toy, frame: pl.DataFrame, store: Store) -> tuple[pl.DataFrame, StageReport]:
    return run_stage(stage, frame, store, quiet)


def changed(frame: pl.DataFrame, row_id: int, text: str) -> pl.DataFrame:
    return frame.with_columns(
        text=pl.when(pl.col("id") == row_id).then(pl.lit(text)).otherwise(pl.col("text"))
    )


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.tmp")]


# what is computed


def test_every_row_comes_back_once_sorted_by_id_with_the_columns_of_the_stage(store: Store) -> None:
    output, report = run(Toy(), inputs(8), store)
    assert output.columns == ["id", "shout", "status", "reason"]
    assert output["id"].to_list() == list(range(8))
    assert output["shout"].to_list() == [f"TEXT {n}!" for n in range(8)]
    assert (report.rows, report.computed, report.statuses) == (8, 8, {"ok": 8})


def test_a_failed_row_is_a_row_with_a_status_and_a_reason(store: Store) -> None:
    output, report = run(Toy(), changed(inputs(5), 2, "bad luck"), store)
    assert output.filter(pl.col("id") == 2).row(0) == (2, None, "failed", "it_was_bad")
    assert report.statuses == {"ok": 4, "failed": 1}
    assert report.reasons == {"it_was_bad": 1}


def test_a_second_run_computes_nothing_and_loads_nothing(store: Store) -> None:
    first, _ = run(Toy(), inputs(8), store)
    again = Toy()
    second, report = run(again, inputs(8), store)
    assert (again.setups, again.seen, report.computed) == (0, [], 0)
    assert second.equals(first)


def test_what_a_stage_needs_is_loaded_once(store: Store) -> None:
    stage = Toy()
    run(stage, inputs(8), store)
    assert stage.setups == 1
    assert stage.seen == list(range(8))  # in the order of ids, whatever the order of the input


def test_only_new_rows_are_computed_when_the_input_grows(store: Store) -> None:
    run(Toy(), inputs(5), store)
    stage = Toy()
    output, report = run(stage, inputs(9), store)
    assert stage.seen == [5, 6, 7, 8]
    assert (output.height, report.computed, report.rows) == (9, 4, 9)


def test_a_changed_input_row_is_recomputed_alone_and_a_restored_one_not_at_all(
    store: Store,
) -> None:
    run(Toy(), inputs(8), store)
    stage = Toy()
    output, _ = run(stage, changed(inputs(8), 3, "new"), store)
    assert stage.seen == [3]
    assert output["shout"].to_list()[2:5] == ["TEXT 2!", "NEW!", "TEXT 4!"]
    stage = Toy()
    output, _ = run(stage, inputs(8), store)
    assert stage.seen == []
    assert output["shout"].to_list()[3] == "TEXT 3!"


def test_a_column_the_stage_does_not_read_changes_nothing(store: Store) -> None:
    run(Toy(), inputs(4), store)
    stage = Toy()
    run(stage, inputs(4).with_columns(other=pl.lit(7)), store)
    assert stage.seen == []


def test_rows_that_left_the_input_leave_the_output_and_stay_in_the_store(store: Store) -> None:
    run(Toy(), inputs(8), store)
    assert run(Toy(), inputs(3), store)[0]["id"].to_list() == [0, 1, 2]
    assert store.results(Toy()).height == 8


def test_another_parameter_is_another_fingerprint_and_another_folder(store: Store) -> None:
    run(Toy("!"), inputs(4), store)
    stage = Toy("?")
    output, _ = run(stage, inputs(4), store)
    assert stage.seen == [0, 1, 2, 3]
    assert output["shout"].to_list()[0] == "TEXT 0?"
    assert run(Toy("!"), inputs(4), store)[1].computed == 0
    assert len(list((store.work / "toy").iterdir())) == 2


def test_another_version_or_name_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Toy().fingerprint
    assert before == Toy().fingerprint
    monkeypatch.setattr(Toy, "version", "2")
    versioned = Toy().fingerprint
    monkeypatch.setattr(Toy, "name", "toyota")
    assert len({before, versioned, Toy().fingerprint}) == 3


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_passing_faults_are_computed_again_and_lasting_ones_are_not(store: Store) -> None:
    frame = inputs(6).with_columns(
        text=pl.col("id").replace_strict({1: "later", 4: "bad"}, default="text")
    )
    _, report = run(Toy(), frame, store)
    assert report.statuses == {"ok": 4, "failed": 1, "unreachable": 1}
    still, reachable = Toy(), Toy(reachable=True)
    run(still, frame, store)
    assert still.seen == [1]
    output, report = run(reachable, frame, store)
    assert reachable.seen == [1]
    assert report.statuses == {"ok": 5, "failed": 1}
    assert output["shout"].to_list()[1] == "LATER!"
    last = Toy()
    run(last, frame, store)
    assert last.seen == []


def test_without_computing_only_what_is_there_comes_back(store: Store) -> None:
    run(Toy(), inputs(3), store)
    stage = Toy()
    output, report = run_stage(stage, inputs(5), store, quiet, compute=False)
    assert (stage.setups, stage.seen) == (0, [])
    assert output["status"].to_list() == ["ok", "ok", "ok", None, None]
    assert (report.rows, report.computed, report.statuses) == (5, 0, {"ok": 3})


def test_no_rows_are_no_work(store: Store) -> None:
    stage = Toy()
    output, report = run(stage, inputs(0), store)
    assert (output.height, report.rows, stage.setups) == (0, 0, 0)


values = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"]))
)


@given(st.lists(st.tuples(values, values), min_size=2, max_size=6))
def test_two_rows_have_one_digest_exactly_when_their_inputs_are_equal(
    pairs: list[tuple[Any, Any]],
) -> None:
    def digest(pair: tuple[Any, Any]) -> str:
        frame = pl.DataFrame([pl.Series("a", [pair[0]]), pl.Series("b", [pair[1]])])
        return str(input_digest(frame, ("a", "b"))[0])

    for one in pairs:
        for two in pairs:
            assert (digest(one) == digest(two)) is (one == two)


def test_digests_are_the_same_on_every_machine() -> None:
    frame = pl.DataFrame({"id": [1, 2], "text": ["á", None], "tags": [["x"], []]})
    known = ["2392a085c269d710", "b7fbb409806a3000"]
    assert input_digest(frame, ("text", "tags")).to_list() == known


def test_a_stage_that_reads_only_the_id_works(store: Store) -> None:
    class OnlyId(Toy):
        name = "only_id"
        input_columns = ()

        def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
            return super().__call__(batch.with_columns(text=pl.lit("x")))

    output, _ = run(OnlyId(), inputs(4), store)
    assert output["shout"].to_list() == ["X!"] * 4
    assert pending(OnlyId(), inputs(4), store).height == 0


# stages with bugs


def lose_a_row(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(frame.height - 1)


BUGS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a row lost": lose_a_row,
    "a row twice": lambda f: pl.concat([f, f.head(1)]),
    "one row lost, another twice": lambda f: pl.concat([lose_a_row(f), f.head(1)]),
    "another id": lambda f: f.with_columns(pl.col("id") + 1),
    "no id": lambda f: f.drop("id"),
    "no status": lambda f: f.drop("status"),
    "a null status": lambda f: f.with_columns(status=pl.lit(None, pl.String)),
    "no output column": lambda f: f.drop("shout"),
    "text for a number": lambda f: f.with_columns(id=pl.lit("secret")),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
def test_a_stage_that_returns_something_else_fails_by_name_and_keeps_nothing_of_the_batch(
    store: Store, bug: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    class Buggy(Toy):
        def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
            good = super().__call__(batch)
            return bug(good) if 4 in batch["id"] else good

    with pytest.raises(StageFailed, match="toy") as caught:
        run(Buggy(), inputs(8), store)
    assert "secret" not in str(caught.value)
    assert store.results(Toy())["id"].to_list() == [0, 1, 2]
    assert run(Toy(), inputs(8), store)[1].computed == 5


def test_rows_may_come_back_in_any_order_and_with_further_columns(store: Store) -> None:
    class Shuffled(Toy):
        def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
            return super().__call__(batch).reverse().with_columns(extra=pl.lit(1))

    output, _ = run(Shuffled(), inputs(8), store)
    assert output["shout"].to_list() == [f"TEXT {n}!" for n in range(8)]
    assert "extra" not in output.columns


def test_an_exception_of_a_stage_keeps_the_batches_before_it(store: Store) -> None:
    class Breaking(Toy):
        def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
            if 7 in batch["id"]:
                raise StageFailed("no graphics card")
            return super().__call__(batch)

    with pytest.raises(StageFailed, match="graphics"):
        run(Breaking(), inputs(9), store)
    stage = Toy()
    run(stage, inputs(9), store)
    assert stage.seen == [6, 7, 8]


# parts


def test_a_part_is_named_by_its_number_and_its_content(store: Store) -> None:
    run(Toy(), inputs(7), store)
    names = [part.name for part in store.parts(Toy())]
    assert [name.split("-")[1] for name in names] == ["000000", "000001", "000002"]
    other = Store(store.work.parent / "other")
    run(Toy(), inputs(7), other)
    assert [part.name for part in other.parts(Toy())] == names


def test_the_latest_part_wins_also_when_an_earlier_one_was_removed(store: Store) -> None:
    frame = inputs(9).with_columns(
        text=pl.when(pl.col("id") == 8).then(pl.lit("later")).otherwise(pl.lit("text"))
    )
    run(Toy(), frame, store)
    store.parts(Toy())[0].unlink()
    run(Toy(reachable=True), frame, store)
    numbers = [part.name.split("-")[1] for part in store.parts(Toy())]
    assert numbers == ["000001", "000002", "000003", "000004"]
    assert run(Toy(), frame, store)[0]["status"].to_list() == ["ok"] * 9


def test_keeping_a_part_does_not_list_the_parts_before_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[Path] = []
    glob = Path.glob

    def counting(self: Path, pattern: str) -> Iterator[Path]:
        listed.append(self)
        return glob(self, pattern)

    monkeypatch.setattr(Path, "glob", counting)
    run(Toy(), inputs(6), store)
    few = len(listed)
    run(Toy("?"), inputs(60), store)
    assert len(listed) - few == few


def test_temporaries_of_killed_runs_are_removed(store: Store) -> None:
    folder = store.folder("toy", Toy().fingerprint)
    (folder / ".part-000000-abc.parquet.4242.tmp").write_bytes(b"half")
    (folder / ".staging.tmp").mkdir()
    run(Toy(), inputs(3), store)
    assert leftovers(store.work) == []


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "a.bin"
    write_atomic(path, b"old", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def broken(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module.os, "fsync", broken)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_json_is_written_readably_and_takes_any_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"z": "ñ", "a": "\udce1"})
    content = (tmp_path / "a.json").read_bytes()
    assert content.startswith(b'{\n  "z": "\xc3\xb1"')
    assert content.endswith(b"}\n")
    assert json.loads(content) == {"z": "ñ", "a": "\udce1"}


def test_the_private_folder_is_closed_to_others(store: Store) -> None:
    assert stat.S_IMODE(store.private.stat().st_mode) == 0o700


# kill -9


def start(work: Path, rows: int, pause: float) -> subprocess.Popen[str]:
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests.parent), str(tests)])
    return subprocess.Popen(
        [sys.executable, toy_stage.__file__, str(work), str(rows), str(pause)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the process ended before the test could kill it"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_killed_stage_leaves_whole_parts_and_the_next_run_computes_only_the_rest(
    tmp_path: Path,
) -> None:
    work, rows = tmp_path / "work", 240
    killed_at = []
    for more in (3, 9):  # killed twice, a little later the second time
        process = start(work, rows, pause=0.05)
        before = len(list(work.rglob("part-*")))
        wait_for(lambda n=before + more: len(list(work.rglob("part-*"))) >= n, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        for part in work.rglob("part-*.parquet"):
            assert pl.read_parquet(part).height == 3
        killed_at.append(3 * len(list(work.rglob("part-*"))))
    store, stage = Store(work), Toy()
    assert 0 < killed_at[0] < killed_at[1] < rows
    output, report = run(stage, inputs(rows), store)
    assert report.computed == len(stage.seen) == rows - killed_at[1]
    assert leftovers(work) == []
    undisturbed, _ = run(Toy(), inputs(rows), Store(tmp_path / "other"))
    assert output.equals(undisturbed)


def test_a_second_process_is_refused_while_the_first_one_lives_and_not_after_it_was_killed(
    tmp_path: Path,
) -> None:
    process = start(tmp_path, 3_000, pause=0.05)
    wait_for(lambda: bool(list(tmp_path.rglob("part-*"))), process)
    with pytest.raises(WorkLocked, match="another build") as caught, Store(tmp_path).lock():
        pass
    assert caught.value.file == str(tmp_path)
    process.kill()
    process.wait()
    process.communicate()
    with Store(tmp_path).lock():
        pass


def test_the_lock_is_free_again_after_an_error(store: Store) -> None:
    with pytest.raises(ValueError, match="x"), store.lock():
        raise ValueError("x")
    with store.lock(), pytest.raises(WorkLocked), Store(store.work).lock():
        pass


# full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small tmpfs: " + mounted.stderr.decode().strip())
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def incompressible(rows: int) -> pl.DataFrame:
    return pl.DataFrame({"id": range(rows), "text": [os.urandom(8_000).hex() for _ in range(rows)]})


def test_a_full_disk_is_told_and_leaves_only_whole_parts(small_disk: Path) -> None:
    store, frame = Store(small_disk / "work"), incompressible(60)
    with pytest.raises(DiskFull, match="no space left") as caught:
        run(Toy(), frame, store)
    assert "run the same command again" in caught.value.way_out
    assert leftovers(small_disk) == []
    kept = store.results(Toy())
    assert 0 < kept.height < 60
    assert kept.height % 3 == 0


def test_after_making_room_the_run_goes_on_where_it_stopped(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(180 << 10))
    store, frame = Store(small_disk / "work"), incompressible(12)
    with pytest.raises(DiskFull):
        run(Toy(), frame, store)
    kept = store.results(Toy()).height
    ballast.unlink()
    output, report = run(Toy(), frame, store)
    assert report.computed == 12 - kept
    assert output["status"].to_list() == ["ok"] * 12


def test_an_old_file_survives_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(DiskFull) as caught:
        write_atomic(path, bytes(1 << 20))
    assert caught.value.file == str(small_disk)
    assert [p.name for p in small_disk.iterdir()] == ["a.json"]
    assert json.loads(path.read_bytes()) == {"old": 1}


def test_a_full_disk_is_told_when_even_a_folder_does_not_fit(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:

        def full(self: Path, *_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(Path, "mkdir", full)
        with pytest.raises(DiskFull):
            write_atomic(tmp_path / "new" / "a", b"")


LIMITED = """
import resource, sys
from pathlib import Path
from builder.errors import DiskFull
from builder.run.store import write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path(sys.argv[1]) / "a", bytes(5000))
except DiskFull as error:
    print(type(error).__name__, sorted(p.name for p in Path(sys.argv[1]).iterdir()))
"""


def test_a_limit_on_file_sizes_is_told_like_a_full_disk(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "DiskFull []"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_noticed_only_by_fsync_or_rename_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(store_module.os, function, full)
            with pytest.raises(DiskFull):
                write_frame(tmp_path / "a.parquet", inputs(3))
        assert list(tmp_path.iterdir()) == []


# any history of inputs


@settings(max_examples=15)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 9), st.sampled_from(["a", "b", "bad", "later"])),
        min_size=1,
        max_size=4,
    )
)
def test_after_any_history_the_output_is_that_of_a_fresh_run(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[int, str]]
) -> None:
    root = tmp_path_factory.mktemp("history")
    schema = {"id": pl.Int64, "text": pl.String}
    store = Store(root / "old")
    for texts in history:
        frame = pl.DataFrame(list(texts.items()), schema=schema, orient="row")
        output, _ = run(Toy(), frame, store)
    fresh, _ = run(Toy(), frame, Store(root / "new"))
    assert output.equals(fresh)
