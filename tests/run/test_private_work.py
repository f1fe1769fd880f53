"""Nobody but its owner can look into a work folder, also when it was made by an earlier version."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.toy_stage import Toy, inputs, quiet
from release_kit import Built, build

from builder.errors import UsageProblem
from builder.run.local import run_stage
from builder.run.store import Store, write_atomic


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    previous = os.umask(0)
    yield
    os.umask(previous)


def loose(work: Path) -> list[str]:
    """What others have any right to."""
    return [
        str(path.relative_to(work))
        for path in (work, *work.rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()
    ]


def test_everything_a_stage_writes_is_private(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "work")
    with store.lock():
        run_stage(Toy(), inputs(10), store, quiet)
        assert loose(store.work) == []
    assert len(list(store.work.rglob("*"))) > 5


def test_a_whole_build_is_private_and_its_release_is_not(small: Built, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = build(tmp_path, small.pages)
    assert loose(made.work) == []
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.release.rglob("*")}
    assert modes <= {0o644, 0o666, 0o755, 0o777}, [oct(mode) for mode in modes]


def test_a_work_folder_that_was_open_is_closed_and_links_are_left(tmp_path: Path) -> None:
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    for folder in (work / "ingest" / "abc", work / "private", elsewhere):
        folder.mkdir(parents=True)
    for file in (work / "ingest" / "abc" / "part-0.parquet", work / "run.json", elsewhere / "x"):
        file.write_text("x")
    (work / "link").symlink_to(elsewhere)
    (work / "dangling").symlink_to(tmp_path / "nowhere")
    assert len(loose(work)) == 6
    with Store(work).lock():
        assert loose(work) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o777
    assert stat.S_IMODE((elsewhere / "x").stat().st_mode) == 0o666


def test_a_work_folder_behind_a_link_is_closed_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_text("x")
    (tmp_path / "work").symlink_to(tmp_path / "real")
    with Store(tmp_path / "work").lock():
        assert loose(tmp_path / "real") == []


def test_a_folder_of_somebody_else_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "work")
    (store.work / "x").write_text("x")

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(UsageProblem, match="others can read"), store.lock():
        pass


def test_leftovers_of_killed_runs_are_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    for name in (".run.json.123.tmp", ".run.json.9.tmp"):
        (store.work / name).write_text("half")
    (store.private / ".pseudonym.check.json.7.tmp").write_text("half")
    with store.lock():
        assert list(store.work.rglob("*.tmp")) == []


def test_a_file_is_as_open_as_its_folder(tmp_path: Path) -> None:
    for folder, mode in ((0o700, 0o600), (0o755, 0o644), (0o750, 0o640)):
        place = tmp_path / oct(folder)
        place.mkdir()
        place.chmod(folder)
        write_atomic(place / "x", b"x")
        assert stat.S_IMODE((place / "x").stat().st_mode) == mode


def test_brackets_in_the_name_of_a_work_folder_are_no_pattern(small: Built, tmp_path: Path) -> None:
    (tmp_path / "w1").mkdir()  # what the pattern would match
    folder = tmp_path / "w[1]*?"
    made = build(folder, small.pages)
    assert {p.name: p.read_bytes() for p in made.release.rglob("*.parquet")} == {
        p.name: p.read_bytes() for p in small.release.rglob("*.parquet")
    }
