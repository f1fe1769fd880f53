"""The ledger: what `ecuador-crisis status` can tell, also after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.toy_stage import Toy, inputs, quiet

from builder.errors import StageFailed, UsageProblem
from builder.pipeline.plan import PLAN
from builder.run.ledger import (
    LEDGER,
    Entry,
    Ledger,
    StageStatus,
    read_found,
    read_status,
    status_lines,
)
from builder.run.local import run_stage
from builder.run.store import Store

SETTINGS = {"campaign": "tiny", "out": "somewhere"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "work")


def status(store: Store, stage: str) -> StageStatus:
    return {line.stage: line for line in read_status(store.work)[1]}[stage]


def test_every_stage_has_a_line_in_the_order_of_the_pipeline(store: Store) -> None:
    Ledger(store, SETTINGS, PLAN.names).note("ingest", Entry("running"))
    settings, lines = read_status(store.work)
    assert settings == SETTINGS
    assert [line.stage for line in lines] == list(PLAN.names)
    assert {line.state for line in lines[1:]} == {"not started"}


def test_a_finished_stage_tells_rows_failures_and_reasons(store: Store) -> None:
    done = Entry(
        "done", rows=10, statuses={"ok": 7, "failed": 3}, reasons={"silence": 2, "no file": 1}
    )
    Ledger(store, SETTINGS, PLAN.names).note("transcribe", done)
    line = status(store, "transcribe")
    assert (line.state, line.rows, line.done, line.pending, line.failed) == ("done", 10, 10, 0, 3)
    assert line.reasons == {"silence": 2, "no file": 1}


def test_dropped_rows_of_ingest_are_told_and_nothing_is_pending(store: Store) -> None:
    done = Entry("done", rows=10, statuses={"ok": 8}, reasons={"duplicate": 2})
    Ledger(store, SETTINGS, PLAN.names).note("ingest", done)
    line = status(store, "ingest")
    assert (line.rows, line.done, line.pending, line.reasons) == (10, 8, 0, {"duplicate": 2})


def test_a_stage_that_died_is_counted_from_its_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Toy):
        name = "probe"

        def __call__(self, batch):  # type: ignore[no-untyped-def]
            if 6 in batch["id"]:
                raise StageFailed("gone")
            return super().__call__(batch)

    stage = Dying()
    Ledger(store, SETTINGS, PLAN.names).note("probe", Entry("running", stage.fingerprint, rows=10))
    assert status(store, "probe").pending == 10
    with pytest.raises(StageFailed):
        run_stage(stage, inputs(10), store, quiet)
    line = status(store, "probe")
    assert (line.state, line.done, line.pending) == ("interrupted or running", 6, 4)


def test_the_ledger_tells_of_the_last_run_only(store: Store) -> None:
    Ledger(store, SETTINGS, PLAN.names).note("validate", Entry("done"))
    Ledger(store, SETTINGS, PLAN.names).note("ingest", Entry("done"))
    assert status(store, "validate").state == "not started"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"settings": 1, "stages": {}}'])
def test_a_folder_without_a_readable_ledger_is_a_usage_problem(
    store: Store, content: str | None
) -> None:
    if content is not None:
        (store.work / LEDGER).write_text(content)
    told = "nothing was built" if content is None else "record of the last run is damaged"
    with pytest.raises(UsageProblem, match=told) as caught:
        read_status(store.work)
    assert caught.value.exit_code == 2
    assert "regenerate" in caught.value.way_out


def test_the_terminal_shows_settings_stages_and_reasons(store: Store) -> None:
    done = Entry("done", rows=12_345, statuses={"ok": 12_000}, reasons={"duplicate": 345})
    Ledger(store, SETTINGS, PLAN.names).note("ingest", done)
    text = "\n".join(status_lines(store.work))
    assert "campaign: tiny" in text
    assert "12,345" in text
    assert "345 duplicate" in text
    assert all(stage in text for stage in PLAN.names)


def test_a_step_is_running_inside_and_done_with_its_numbers_after(store: Store) -> None:
    ledger = Ledger(store, SETTINGS, PLAN.names)
    with ledger.step("anonymize", rows=5) as entry:
        line = status(store, "anonymize")
        assert (line.state, line.rows, line.pending) == ("interrupted or running", 5, 5)
        entry.statuses = {"ok": 5}
    line = status(store, "anonymize")
    assert (line.state, line.rows, line.done, line.pending) == ("done", 5, 5, 0)
    assert line.problem == ""


@pytest.mark.parametrize(
    ("error", "state", "problem"),
    [
        (
            StageFailed("the model is gone", file="secret/path", way_out="get it"),
            "failed",
            "StageFailed: the model is gone",
        ),
        # what other libraries say can quote a text or a name: only the kind is kept
        (ValueError("could not convert 'a private text'"), "failed", "ValueError"),
        (KeyboardInterrupt(), "interrupted", ""),
        (SystemExit(3), "interrupted", ""),
    ],
)
def test_a_step_that_does_not_end_well_says_how(
    store: Store, error: BaseException, state: str, problem: str
) -> None:
    ledger = Ledger(store, SETTINGS, PLAN.names)
    with pytest.raises(type(error)), ledger.step("assemble", rows=7):
        raise error
    line = status(store, "assemble")
    assert (line.state, line.rows, line.done, line.pending) == (state, 7, 0, 7)
    assert line.problem == problem
    shown = "\n".join(status_lines(store.work))
    assert state in shown and problem in shown
    assert "private" not in (store.work / LEDGER).read_text()


def test_a_step_over_a_full_disk_raises_the_first_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(store, SETTINGS, PLAN.names)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StageFailed), ledger.step("assemble"):
        monkeypatch.setattr("builder.run.ledger.write_json", full)
        raise StageFailed("gone")


def test_a_failed_row_stage_is_counted_from_its_parts(store: Store) -> None:
    class Dying(Toy):
        name = "probe"

        def __call__(self, batch):  # type: ignore[no-untyped-def]
            if 6 in batch["id"]:
                raise StageFailed("gone")
            return super().__call__(batch)

    stage = Dying()
    with (
        pytest.raises(StageFailed),
        Ledger(store, SETTINGS, PLAN.names).step("probe", stage.fingerprint, 10),
    ):
        run_stage(stage, inputs(10), store, quiet)
    line = status(store, "probe")
    assert (line.state, line.done, line.pending) == ("failed", 6, 4)


def test_status_tells_what_was_found_besides_the_stages(store: Store) -> None:
    ledger = Ledger(store, SETTINGS, PLAN.names)
    ledger.found("media", {"files": 1200, "unmatched": 2})
    ledger.note("probe", Entry("done"))  # what was found stays
    assert read_found(store.work) == {"media": {"files": 1200, "unmatched": 2}}
    assert "media: 1,200 files, 2 unmatched" in status_lines(store.work)


def test_a_ledger_of_an_earlier_version_is_read(store: Store) -> None:
    (store.work / LEDGER).write_text(
        '{"settings": {}, "stages": {"ingest": {"state": "done", "rows": 3}}}'
    )
    assert status(store, "ingest").rows == 3 and read_found(store.work) == {}
