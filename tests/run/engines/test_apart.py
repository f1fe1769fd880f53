"""What a row does to the process it is computed in stays there: the rest completes."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from fakes.poison_stage import Poison, texts
from fakes.toy_stage import Toy, inputs, quiet

from builder.errors import StageFailed
from builder.run.engines.apart import MOST_IN_A_ROW, Apart
from builder.run.ledger import Entry, Ledger, status_lines
from builder.run.local import StageReport, run_stage
from builder.run.stage import QUARANTINED
from builder.run.store import Store


def run(
    stage: Poison, frame: pl.DataFrame, work: Path, **care: float
) -> tuple[pl.DataFrame, StageReport]:
    with Apart(**care) as apart:  # type: ignore[arg-type]
        return run_stage(stage, frame, Store(work), quiet, engine=apart)


def tried(log: Path, text: str) -> list[str]:
    """The processes that began a text."""
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    return [process for process, what in lines if what == text]


def test_a_row_that_kills_its_process_is_tried_again_alone_then_quarantined(tmp_path: Path) -> None:
    log, frame = tmp_path / "log", texts("a", "b", "segv", "c", "d", "e")
    output, report = run(Poison(log), frame, tmp_path / "work")
    assert output["shout"].to_list() == ["A", "B", None, "C", "D", "E"]
    assert output.row(2)[2:] == ("failed", f"{QUARANTINED}crashed_sigsegv")
    assert report.reasons == {f"{QUARANTINED}crashed_sigsegv": 1}
    processes = tried(log, "segv")
    assert len(processes) == 3  # with its batch, alone, and alone in a process of its own
    assert len(tried(log, "b")) == 2 and tried(log, "b")[1] == processes[1]
    assert tried(log, "c")[-1] not in processes

    again, report = run(Poison(log), frame, tmp_path / "work")
    assert report.computed == 0 and again.equals(output)
    cured = Poison(log, cured=True)
    cured.retry_quarantined = True
    healed, report = run(cured, frame, tmp_path / "work")
    assert report.computed == 1 and report.statuses == {"ok": 6}
    assert healed["shout"].to_list() == ["A", "B", "SEGV", "C", "D", "E"]


def test_status_lists_what_is_in_quarantine_without_naming_it(tmp_path: Path) -> None:
    stage, frame = Poison(tmp_path / "log"), texts("a", "exit")
    _, report = run(stage, frame, tmp_path / "work", tries=1)
    ledger = Ledger(Store(tmp_path / "work"), {}, ["poison"])
    entry = Entry("done", stage.fingerprint, 2, report.statuses, report.reasons)
    ledger.note("poison", entry)
    told = "\n".join(status_lines(tmp_path / "work"))
    digest = str(Store(tmp_path / "work").results(stage).filter(id=2)["input_digest"][0])
    assert "1 quarantined_exited_7" in told
    assert f"1 in quarantine, inputs {digest}; to try again: --retry quarantined" in told


@pytest.mark.slow
def test_hunger_and_silence_are_quarantined_with_their_reasons(tmp_path: Path) -> None:
    frame = texts("a", "eat", "b", "hang", "c")
    output, report = run(Poison(tmp_path / "log"), frame, tmp_path / "work", patience=2)
    assert output["shout"].to_list() == ["A", None, "B", None, "C"]
    assert report.reasons == {f"{QUARANTINED}hung_2s": 1, f"{QUARANTINED}out_of_memory": 1}
    assert len(set(tried(tmp_path / "log", "eat"))) >= 2


@pytest.mark.slow
def test_a_slow_batch_that_gives_signs_of_life_does_not_hang(tmp_path: Path) -> None:
    frame = texts("slow 1", "slow 2", "slow 3", "slow 4")
    _, report = run(Poison(tmp_path / "log"), frame, tmp_path / "work", patience=3)
    assert report.statuses == {"ok": 4}
    assert len(tried(tmp_path / "log", "slow 1")) == 1


def test_a_model_that_kills_its_process_is_no_poisonous_row(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"cannot be loaded.*crashed_sigsegv"):
        run(Poison(tmp_path / "log", dies_loading=True), texts("a"), tmp_path / "work")


@pytest.mark.slow
def test_when_every_row_dies_it_is_not_their_fault(tmp_path: Path) -> None:
    frame = texts(*(f"exit {n}" for n in range(MOST_IN_A_ROW + 2)))
    stage = Poison(tmp_path / "log")
    stage.batch_size = 100
    with pytest.raises(StageFailed, match="not the rows' fault"):
        run(stage, frame, tmp_path / "work", tries=1)
    assert Store(tmp_path / "work").results(stage).is_empty()


def test_an_error_of_the_stage_arrives_whole(tmp_path: Path) -> None:
    with pytest.raises(StageFailed) as caught:
        run(Poison(tmp_path / "log"), texts("a", "refuse"), tmp_path / "work")
    told = caught.value
    assert (told.problem, told.field, told.way_out) == ("no graphics card", "device", "buy one")


def test_the_results_are_those_of_this_process_and_the_child_is_gone(tmp_path: Path) -> None:
    ours, _ = run_stage(Toy(), inputs(20), Store(tmp_path / "ours"), quiet)
    with Apart() as apart:
        theirs, _ = run_stage(Toy(), inputs(20), Store(tmp_path / "theirs"), quiet, engine=apart)
        other, _ = run_stage(Toy("?"), inputs(4), Store(tmp_path / "theirs"), quiet, engine=apart)
        child = apart.pid
        assert child is not None
    assert theirs.equals(ours)
    assert other["shout"].to_list()[0] == "TEXT 0?"
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_worker_that_somebody_kills_costs_nothing(tmp_path: Path) -> None:
    stage = Toy(pause=0.02)
    with Apart() as apart:

        def kill() -> None:
            while len(list(tmp_path.rglob("part-*"))) < 3 or apart.pid is None:
                time.sleep(0.005)
            os.kill(apart.pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        output, report = run_stage(stage, inputs(40), Store(tmp_path), quiet, engine=apart)
        thread.join()
    assert report.statuses == {"ok": 40} and output.height == 40
