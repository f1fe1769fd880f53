"""The ledger: what `ecuador-crisis status` can tell, also after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.toy_stage import Toy, inputs, quiet

from builder.errors import StageFailed, UsageProblem
from builder.run.ledger import LEDGER, Entry, Ledger, StageStatus, read_status, status_lines
from builder.run.local import run_stage
from builder.run.stage import STAGE_NAMES
from builder.run.store import Store

SETTINGS = {"campaign": "tiny", "out": "somewhere"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "work")


def status(store: Store, stage: str) -> StageStatus:
    return {line.stage: line for line in read_status(store.work)[1]}[stage]


def test_every_stage_has_a_line_in_the_order_of_the_pipeline(store: Store) -> None:
    Ledger(store, SETTINGS).note("ingest", Entry("running"))
    settings, lines = read_status(store.work)
    assert settings == SETTINGS
    assert [line.stage for line in lines] == list(STAGE_NAMES)
    assert {line.state for line in lines[1:]} == {"not started"}


def test_a_finished_stage_tells_rows_failures_and_reasons(store: Store) -> None:
    done = Entry(
        "done", rows=10, statuses={"ok": 7, "failed": 3}, reasons={"silence": 2, "no file": 1}
    )
    Ledger(store, SETTINGS).note("transcribe", done)
    line = status(store, "transcribe")
    assert (line.state, line.rows, line.done, line.pending, line.failed) == ("done", 10, 10, 0, 3)
    assert line.reasons == {"silence": 2, "no file": 1}


def test_dropped_rows_of_ingest_are_told_and_nothing_is_pending(store: Store) -> None:
    done = Entry("done", rows=10, statuses={"ok": 8}, reasons={"duplicate": 2})
    Ledger(store, SETTINGS).note("ingest", done)
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
    Ledger(store, SETTINGS).note("probe", Entry("running", stage.fingerprint, rows=10))
    assert status(store, "probe").pending == 10
    with pytest.raises(StageFailed):
        run_stage(stage, inputs(10), store, quiet)
    line = status(store, "probe")
    assert (line.state, line.done, line.pending) == ("interrupted or running", 6, 4)


def test_the_ledger_tells_of_the_last_run_only(store: Store) -> None:
    Ledger(store, SETTINGS).note("validate", Entry("done"))
    Ledger(store, SETTINGS).note("ingest", Entry("done"))
    assert status(store, "validate").state == "not started"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"settings": 1, "stages": {}}'])
def test_a_folder_without_a_readable_ledger_is_a_usage_problem(
    store: Store, content: str | None
) -> None:
    if content is not None:
        (store.work / LEDGER).write_text(content)
    with pytest.raises(UsageProblem, match="nothing was built") as caught:
        read_status(store.work)
    assert caught.value.exit_code == 2
    assert "regenerate" in caught.value.way_out


def test_the_terminal_shows_settings_stages_and_reasons(store: Store) -> None:
    done = Entry("done", rows=12_345, statuses={"ok": 12_000}, reasons={"duplicate": 345})
    Ledger(store, SETTINGS).note("ingest", done)
    text = "\n".join(status_lines(store.work))
    assert "campaign: tiny" in text
    assert "12,345" in text
    assert "345 duplicate" in text
    assert all(stage in text for stage in STAGE_NAMES)
