"""A release appears whole, replaces only what it may, and a kill in between is undone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes.manifests import smallest

from builder.config.campaign import Campaign
from builder.errors import ContractBroken, ReleaseConflict
from builder.release import promote as module
from builder.release.manifest import Manifest, ManifestProblem
from builder.release.promote import (
    claimed,
    promote,
    recover,
    same_content,
    staged,
    staging_folder,
)
from builder.release.target import check_target

ECUADOR = Campaign.load()


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


def release(folder: Path, content: str = "1", **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    files = {"videos/a.parquet": {"sha256": "0" * 64, "rows": 1}}
    manifest = smallest() | {"name": ECUADOR.release_name, "campaign": ECUADOR.name, "files": files,
                             "version": ECUADOR.version, **changes}  # fmt: skip
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    (folder / "videos").mkdir(exist_ok=True)
    (folder / "videos" / "a.parquet").write_text(content)
    return folder


def read(folder: Path) -> str:
    return (folder / "videos" / "a.parquet").read_text()


def check(out: Path, *, synthetic: bool = True, replace: bool = False) -> None:
    check_target(out, ECUADOR, synthetic=synthetic, replace=replace)


def test_a_new_place_an_empty_folder_and_the_same_release_are_fine(tmp_path: Path) -> None:
    check(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check(tmp_path / "empty")
    check(release(tmp_path / "same"))


@pytest.mark.parametrize(
    "changes",
    [{"version": "0.9.0"}, {"name": "Other"}, {"campaign": "other"}, {"synthetic": False}],
)
def test_another_release_is_refused_unless_it_may_go(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    out = release(tmp_path / "out", **changes)
    with pytest.raises(ReleaseConflict) as caught:
        check(out)
    assert str(out) in str(caught.value) and "--replace" in caught.value.way_out
    check(out, replace=True)
    assert read(out) == "1"


@pytest.mark.parametrize("manifest", [None, "{", "[]", "\udcff"])
def test_what_is_no_release_is_refused_always(tmp_path: Path, manifest: str | None) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.docx").write_text("x")
    if manifest is not None:
        (out / "MANIFEST.json").write_bytes(manifest.encode(errors="surrogateescape"))
    for replace in (False, True):
        with pytest.raises(ReleaseConflict, match="not a release"):
            check(out, replace=replace)
    assert Manifest.find(out) is None


def test_a_release_whose_manifest_was_damaged_is_named_and_left_alone(tmp_path: Path) -> None:
    out = release(tmp_path / "out", window=None)
    for replace in (False, True):
        with pytest.raises(ManifestProblem) as caught:
            check(out, replace=replace)
        assert caught.value.field == "window" and "MANIFEST.json" in str(caught.value.file)
    assert read(out) == "1"


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(ReleaseConflict, match="is a file"):
        check(tmp_path / "out", replace=True)


def test_promote_to_a_new_place(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down" / "out"
    promote(release(staging_folder(out), "new"), out)
    assert read(out) == "new" and [p.name for p in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("exchange", [True, False])
def test_promote_over_an_earlier_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    out = release(tmp_path / "out", "old")
    if not exchange:
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    promote(release(staging_folder(out), "new"), out)
    assert read(out) == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_same_bytes_are_left_where_they_are(tmp_path: Path) -> None:
    out = release(tmp_path / "out", "same")
    before = out.stat().st_ino
    staging = release(staging_folder(out), "same")
    assert same_content(staging, out)
    promote(staging, out)
    assert out.stat().st_ino == before and [p.name for p in tmp_path.iterdir()] == ["out"]
    assert not same_content(release(tmp_path / "other", "else"), out)


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("step", range(6))
def test_killed_at_any_step_of_a_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool, step: int
) -> None:
    """Before every rename and removal there is an old or a new release, and a re-run finishes."""
    out = release(tmp_path / "out", "old")
    staging = release(staging_folder(out), "new")
    calls = 0

    def guarded(name: str, original: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal calls
            if calls == step:
                raise Killed(name)
            calls += 1
            return original(*arguments, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", guarded("rename", os.rename))
        patch.setattr(shutil, "rmtree", guarded("rmtree", shutil.rmtree))
        swap = module._exchange if exchange else (lambda one, other: False)
        patch.setattr(module, "_exchange", guarded("exchange", swap))
        patch.setattr(module, "fsync_folder", guarded("fsync", module.fsync_folder))
        with contextlib.suppress(Killed):
            promote(staging, out)
    recover(out)  # what the next run does first
    assert read(out) in ("old", "new")
    promote(release(staging_folder(out), "new"), out)
    assert read(out) == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_half_written_staging_folder_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (staging_folder(out) / "half").write_text("x")
    assert list(staging_folder(out).iterdir()) == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, OSError, RuntimeError, ContractBroken, ReleaseConflict]
)
def test_a_failed_run_leaves_nothing_beside_the_release(
    tmp_path: Path, error: type[BaseException]
) -> None:
    out = release(tmp_path / "out", "old")
    with pytest.raises(error), staged(out, tmp_path / "no") as staging:
        (staging / "half").write_text("x")
        raise error("x")
    assert [p.name for p in tmp_path.iterdir()] == ["out"] and read(out) == "old"


def test_a_finished_release_that_is_refused_can_be_read(tmp_path: Path) -> None:
    rejected = tmp_path / "work" / "rejected" / "name"
    (tmp_path / "work").mkdir()
    for reason in ("first", "second"):
        with pytest.raises(ContractBroken), staged(tmp_path / "out", rejected) as staging:
            release(staging, reason)
            (staging / "validation.html").write_text(reason)
            raise ContractBroken("x")
        assert read(rejected) == (rejected / "validation.html").read_text() == reason
        assert [p.name for p in tmp_path.iterdir()] == ["work"]


def test_a_place_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReleaseConflict, match="cannot be made"):
        staging_folder(tmp_path / "file" / "out")
    with pytest.raises(ReleaseConflict, match="cannot be made"), claimed(tmp_path / "file" / "o"):
        pass
