"""`sample-transcripts`: draw transcripts of a work folder, and score the filled sheet."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from builder.commands.sample_transcripts import run_sample
from builder.errors import ReleaseConflict, UsageProblem
from builder.run.ledger import Entry, Ledger
from builder.run.store import Store, digest_of


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work folder in which three invented clips were transcribed."""
    store = Store(tmp_path / "work")
    folder = store.folder("transcribe", "abc")
    pl.DataFrame(
        {
            "id": [7321728245254717441, 7322183082291363842, 7322438203348746243],
            "input_digest": ["a", "b", "c"],
            "text": ["hola a todos", "la calle esta vacia", None],
            "status": ["ok", "ok", "no_speech"],
            "language": ["es", "es", None],
            "avg_logprob": [-0.2, -0.3, None],
            "n_words": [3, 4, 0],
        }
    ).write_parquet(folder / "part")
    whole = digest_of(folder / "part")
    (folder / "part").rename(folder / f"part-000000-{whole}.parquet")
    Ledger(store, {}, ("transcribe",)).note("transcribe", Entry("done", "abc", 3))
    return store.work


def fill(sheet: Path, references: dict[str, str]) -> None:
    with sheet.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row["reference"] = references.get(row["text"], "")
    with sheet.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_filled_sheet_is_scored_and_blank_rows_are_left_out(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_EVALUATE_OFFLINE", "1")
    lines = run_sample(work, tmp_path / "check", (), size=3)
    assert "3 of 3 transcripts" in lines[0]
    sheet = tmp_path / "check" / "transcript_review.csv"
    assert sheet.stat().st_mode & 0o077 == 0
    fill(sheet, {"hola a todos": "¡Hola a todos!", "la calle esta vacia": "La calle está vacía."})
    (line,) = run_sample(None, None, [sheet])
    assert "2 clips checked: word error rate 0.286" in line  # 2 of 7 words


def test_the_same_seed_draws_the_same_clips(work: Path, tmp_path: Path) -> None:
    sheets = []
    for name in ("one", "two"):
        run_sample(work, tmp_path / name, (), size=2, seed=5)
        sheets.append((tmp_path / name / "transcript_review.csv").read_bytes())
    assert sheets[0] == sheets[1]


def test_a_sheet_that_may_be_filled_is_not_overwritten(work: Path, tmp_path: Path) -> None:
    run_sample(work, tmp_path / "check", (), size=3)
    sheet = tmp_path / "check" / "transcript_review.csv"
    fill(sheet, {"hola a todos": "hola a todos"})
    before = sheet.read_bytes()
    with pytest.raises(ReleaseConflict, match="may hold answers") as refusal:
        run_sample(work, tmp_path / "check", (), size=3)
    assert "--replace" in refusal.value.way_out
    assert sheet.read_bytes() == before
    run_sample(work, tmp_path / "check", (), size=3, replace=True)
    assert sheet.read_bytes() != before
    with pytest.raises(UsageProblem, match="exclude each other"):
        run_sample(work, tmp_path / "check", [sheet])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_sheets_are_read_as_spreadsheets_save_them(
    work: Path, tmp_path: Path, separator: str, encoding: str
) -> None:
    filled = tmp_path / "filled.csv"
    rows = [["n", "text", "reference"], ["1", "la calle esta vacia", "La calle está vacía."]]
    with filled.open("w", encoding=encoding, newline="") as handle:
        csv.writer(handle, delimiter=separator).writerows(rows)
    (line,) = run_sample(None, None, [filled])
    assert "1 clips checked: word error rate 0.500" in line


def test_what_cannot_be_done_is_said(work: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="nothing to do"):
        run_sample(None, None, ())
    with pytest.raises(UsageProblem, match="nothing was built"):
        run_sample(tmp_path / "nowhere", tmp_path / "check", ())
    run_sample(work, tmp_path / "check", (), size=3)
    with pytest.raises(UsageProblem, match="no row has a reference yet"):
        run_sample(None, None, [tmp_path / "check" / "transcript_review.csv"])
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UsageProblem, match="lacks the columns"):
        run_sample(None, None, [other])
