"""Flipped bits in a work folder: found, set aside, computed again; never believed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.toy_stage import Toy, inputs, quiet

from builder.errors import BuilderError, StageFailed
from builder.run.ledger import LEDGER, Entry, Ledger, latest_results, status_lines
from builder.run.local import run_stage
from builder.run.resume import once
from builder.run.store import Store, digest_of, is_whole

ROWS = 20


def flip(path: Path, dice: random.Random) -> None:
    """One bit of one byte."""
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def spoil(path: Path, how: str, dice: random.Random) -> None:
    if how == "flipped":
        flip(path, dice)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: dice.randrange(path.stat().st_size)])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(dice.randbytes(path.stat().st_size))


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "noise"])
@pytest.mark.parametrize("seed", range(6))
def test_damaged_parts_of_a_stage_are_set_aside_and_computed_again(
    tmp_path: Path, how: str, seed: int
) -> None:
    dice = random.Random(seed)
    whole, _ = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "work"), quiet)
    parts = sorted((tmp_path / "work").glob("toy/*/part-*"))
    bad = dice.sample(parts, 2)
    for part in bad:
        spoil(part, how, dice)
    store = Store(tmp_path / "work")
    again, report = run_stage(Toy(), inputs(ROWS), store, quiet)
    assert again.equals(whole)
    assert 0 < report.computed <= 2 * Toy.batch_size
    assert sorted(store.damaged) == sorted(bad)
    assert {path.name for path in bad[0].parent.glob("damaged/*")} == {p.name for p in bad}
    assert all(is_whole(part) for part in store.parts(Toy()))
    _, third = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "work"), quiet)
    assert third.computed == 0


def test_a_part_is_hashed_once_in_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_stage(Toy(), inputs(ROWS), Store(tmp_path / "work"), quiet)
    store, asked = Store(tmp_path / "work"), []

    def counting(part: Path, columns: Iterable[str]) -> bool:
        asked.append(part)
        return is_whole(part, columns)

    monkeypatch.setattr("builder.run.store.is_whole", counting)
    for _ in range(3):
        run_stage(Toy(), inputs(ROWS), store, quiet)
    assert len(asked) == len(set(asked)) == len(store.parts(Toy()))


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "noise"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("which", ["report.json", "a.parquet"])
def test_what_was_done_once_is_done_again_when_any_bit_of_it_changed(
    tmp_path: Path, which: str, how: str, seed: int
) -> None:
    part, calls = tmp_path / "a.parquet", 0

    def make() -> dict[str, Any]:
        nonlocal calls
        calls += 1
        part.write_bytes(b"rows" * 50)
        return {"rows": 1_234, "dropped": {"duplicate": 56}, "odd": "\udcff", "pair": (1, 2)}

    first = once(tmp_path / "report.json", make, [part])
    assert once(tmp_path / "report.json", make, [part]) == first and calls == 1
    before = (tmp_path / which).read_bytes()
    spoil(tmp_path / which, how, random.Random(seed))
    assert (tmp_path / which).read_bytes() != before
    assert once(tmp_path / "report.json", make, [part]) == first
    assert part.read_bytes() == b"rows" * 50
    assert calls == 2 or which == "report.json"  # a bit in a blank says the same
    assert once(tmp_path / "report.json", make, [part]) == first and calls <= 2


def test_a_report_of_an_earlier_version_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"rows": 1}')
    assert once(tmp_path / "report.json", lambda: {"rows": 2}) == {"rows": 2}


def test_results_that_are_damaged_are_not_handed_out(tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    run_stage(Toy(), inputs(ROWS), store, quiet)
    Ledger(store, {}, ["toy"]).note("toy", Entry("failed", Toy().fingerprint, ROWS))
    assert latest_results(store.work, "toy", ["shout"]).height == ROWS
    flip(store.parts(Toy())[2], random.Random(1))
    with pytest.raises(StageFailed, match="1 of the 7 stored results") as caught:
        latest_results(store.work, "toy", ["shout"])
    assert "again" in caught.value.way_out
    told = "\n".join(status_lines(store.work))  # the damaged rows are pending
    assert f"{ROWS}" in told and f"{ROWS - Toy.batch_size}" in told


@pytest.mark.parametrize("name", ["part-000001-{}", "part-zzz-{}", "part-{}", "part-1-2-{}"])
def test_what_was_never_ours_is_set_aside_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    """Whole, and with the digest of its own bytes: only its name or its columns tell."""
    whole, _ = run_stage(Toy(), inputs(ROWS), Store(tmp_path / "work"), quiet)
    folder = next((tmp_path / "work" / "toy").iterdir())
    foreign = folder / "foreign.parquet"
    pl.DataFrame({"id": [1], "other": ["x"]}).write_parquet(foreign)
    foreign = foreign.rename(folder / f"{name.format(digest_of(foreign))}.parquet")
    (folder / "part-000002-000000000000.parquet").mkdir()
    ledger = Ledger(Store(tmp_path / "work"), {}, ["toy"])
    ledger.note("toy", Entry("failed", Toy().fingerprint, ROWS))
    assert f"{ROWS}" in "\n".join(status_lines(tmp_path / "work"))
    store = Store(tmp_path / "work")
    again, report = run_stage(Toy(), inputs(ROWS), store, quiet)
    assert again.equals(whole) and report.computed == 0
    assert foreign in store.damaged and len(store.damaged) == 2


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_ledger_is_read_or_a_typed_error(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    store = Store(tmp_path / "work")
    run_stage(Toy(), inputs(ROWS), store, quiet)
    ledger = Ledger(store, {"campaign": "x"}, ["toy"])
    ledger.note("toy", Entry("failed", Toy().fingerprint, ROWS, {"ok": 3}, {"why": 2}, "no"))
    ledger.found("media", {"files": 3})
    for _ in range(1 + seed % 3):
        flip(store.work / LEDGER, dice)
    try:
        assert status_lines(store.work)
    except BuilderError as error:
        assert error.way_out
