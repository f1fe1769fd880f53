"""Where a release may go: never over what it does not know, never from two builds at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.manifests import smallest

from builder.config.campaign import Campaign
from builder.errors import ReleaseConflict, UsageProblem, WorkLocked
from builder.pipeline.request import Request, check_request
from builder.release import target as module
from builder.release.manifest import Manifest
from builder.release.promote import claimed, promote, staging_folder
from builder.release.target import (
    QualityKept,
    check_target,
    is_mount_point,
    keep_the_good,
    lies_in,
    refuse_entangled,
    unknown_entries,
)

ECUADOR = Campaign.load()
FILES = ("README.md", "videos/a.parquet", "figures/b.svg")


def release(folder: Path, content: str = "1", verdict: str | None = None) -> Path:
    manifest = smallest() | {
        "name": ECUADOR.release_name,
        "campaign": ECUADOR.name,
        "version": ECUADOR.version,
        "files": {name: {"sha256": "0" * 64} for name in FILES},
    }
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    if verdict is not None:
        (folder / "validation.json").write_text(json.dumps({"verdict": verdict}))
        (folder / "validation.html").write_text("<p>")
    return folder


def test_a_release_and_nothing_else_may_be_replaced(tmp_path: Path) -> None:
    out = release(tmp_path / "out", verdict="pass")
    assert unknown_entries(out, Manifest.read(out)) == []
    check_target(out, ECUADOR, synthetic=True)


@pytest.mark.parametrize(
    "entry",
    ["notes.txt", ".git/HEAD", "work/run.json", "videos/mine.csv", "empty/", "figures/more/",
     ".gitattributes", "README.md~", "link", "dangling", "videos/7321111222333444555.mp4"],
)  # fmt: skip
def test_what_a_user_keeps_in_it_is_named_and_never_deleted(tmp_path: Path, entry: str) -> None:
    out = release(tmp_path / "out")
    path = out / entry
    if entry.endswith("/"):
        path.mkdir()
    elif entry in ("link", "dangling"):
        (tmp_path / "elsewhere").mkdir()
        path.symlink_to(tmp_path / ("elsewhere" if entry == "link" else "nowhere"))
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text("years of work")
    for replace in (False, True):
        with pytest.raises(ReleaseConflict, match="not part of the release") as caught:
            check_target(out, ECUADOR, synthetic=True, replace=replace)
    assert "732111" not in str(caught.value)
    assert "732111" in entry or entry.split("/")[0] in str(caught.value)
    staging = release(staging_folder(out), "new")
    with pytest.raises(ReleaseConflict):  # put there while the build was running
        promote(staging, out)
    assert (out / "README.md").read_text() == "1"
    assert os.path.lexists(path)


def test_many_foreign_files_are_counted(tmp_path: Path) -> None:
    out = release(tmp_path / "out")
    for number in range(2_000):
        (out / f"clip{number}.txt").write_text("x")
    with pytest.raises(ReleaseConflict, match="1,997 more"):
        check_target(out, ECUADOR)


def test_a_folder_filled_while_the_build_was_running(tmp_path: Path) -> None:
    out = tmp_path / "out"
    staging = release(staging_folder(out), "new")
    out.mkdir()
    (out / "thesis").write_text("x")
    with pytest.raises(ReleaseConflict, match="filled"):
        promote(staging, out)
    assert (out / "thesis").read_text() == "x"


@pytest.mark.parametrize("inner", ["out", "out/below", "out/../out/x", "link/x", "link"])
def test_what_a_run_reads_must_not_lie_in_what_it_replaces(tmp_path: Path, inner: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    path = Path(f"{tmp_path}/{inner}")
    for out in (tmp_path / "out", tmp_path / "link"):
        with pytest.raises(UsageProblem, match=r"--work lies inside --out"):
            refuse_entangled(out, [("--work", path)])
    refuse_entangled(tmp_path / "outer", [("--work", path)])


@pytest.mark.parametrize("what", ["work", "source", "clips", "key"])
def test_nothing_is_lost_when_folders_lie_in_each_other(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from builder.pipeline.regenerate import regenerate
    from builder.pipeline.request import Request

    out = tmp_path / "out"
    (out / "in").mkdir(parents=True)
    (out / "in" / "x").write_text("precious")
    given = {
        "work": {"work": out / "in"},
        "source": {"sources": (out / "in",)},
        "clips": {"videos_dir": out / "in"},
        "key": {"key_file": out / "in" / "x"},
    }[what]
    with pytest.raises(UsageProblem, match="lies inside --out"):
        regenerate(Request(**{"work": tmp_path / "w", "out": out, **given}))  # type: ignore[arg-type]
    assert (out / "in" / "x").read_text() == "precious"
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("kind", ["source", "clips"])
@pytest.mark.parametrize("written", ["work", "out"])
@pytest.mark.parametrize(
    "place", ["in", "in/below/deep", "other/../in/below", "link/below", "linked", "in/new"]
)
def test_nothing_is_written_into_what_is_read(
    tmp_path: Path, kind: str, written: str, place: str
) -> None:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "in" / "page.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "linked").symlink_to(tmp_path / "in" / "below")
    before = sorted(tmp_path.rglob("*"))
    read = {"source": {"sources": (tmp_path / "in",)}, "clips": {"videos_dir": tmp_path / "in"}}
    folders = {"work": tmp_path / "w", "out": tmp_path / "o"}
    folders[written] = Path(f"{tmp_path}/{place}")
    with pytest.raises(UsageProblem, match=r"lies inside (a SOURCE|--videos-dir|--out)"):
        check_request(Request(**folders, **read[kind]))  # type: ignore[arg-type]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("place", ["w/pages", "w/../w/pages", "link/pages"])
@pytest.mark.parametrize("kind", ["source", "clips"])
def test_nothing_is_read_out_of_the_work_folder(tmp_path: Path, kind: str, place: str) -> None:
    (tmp_path / "w" / "pages").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "w")
    path = Path(f"{tmp_path}/{place}")
    read = {"source": {"sources": (path,)}, "clips": {"videos_dir": path}}[kind]
    with pytest.raises(UsageProblem, match="lies inside --work"):
        check_request(Request(work=tmp_path / "w", out=tmp_path / "o", **read))  # type: ignore[arg-type]


def test_folders_beside_each_other_and_a_file_in_the_folder_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.csv").write_text("id\n")
    sources = (tmp_path / "in", tmp_path / "a.csv")
    check_request(Request(work=tmp_path / "in2", out=tmp_path / "in-release", sources=sources))
    check_request(Request(work=tmp_path / "w", out=tmp_path / "o", sources=(tmp_path / "a.csv",)))


@pytest.mark.parametrize("what", ["out", "work"])
@pytest.mark.parametrize(
    ("name", "told"), [("~/release", "begins with ~"), ("a\udcff", "not UTF-8")]
)
def test_names_that_only_look_like_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, name: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageProblem, match=told):
        check_request(Request(**{"work": Path("w"), "out": Path("o"), what: Path(name)}))
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_circle_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ReleaseConflict, match="leads to itself"), claimed(tmp_path / "loop"):
        pass


def test_two_names_of_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not tell capitals: `Pages` is `pages`."""
    (tmp_path / "pages").mkdir()
    whole = Path.stat

    def stat(self: Path, **options: Any) -> Any:
        return whole(Path(str(self).replace("Pages", "pages")), **options)

    monkeypatch.setattr(Path, "stat", stat)
    assert lies_in(tmp_path / "Pages" / "out", tmp_path / "pages")
    assert not lies_in(tmp_path / "Other" / "out", tmp_path / "pages")


# -- quality ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "new", "stays"),
    [("pass", "fail", True), ("pass", "pass", False), ("pass", "warn", False),
     ("fail", "fail", False), (None, "fail", False), ("broken", "fail", True),
     ("nothing", "fail", False)],
)  # fmt: skip
def test_failed_quality_does_not_replace_a_good_release(
    tmp_path: Path, there: str | None, new: str, stays: bool
) -> None:
    out = tmp_path / "out"
    if there != "nothing":
        release(out, verdict=None if there == "broken" else there)
    if there == "broken":
        (out / "validation.json").write_text("{")
    keep_the_good(out, new, accepted=True)
    if stays:
        with pytest.raises(QualityKept) as caught:
            keep_the_good(out, new, accepted=False)
        assert "--accept-quality" in caught.value.way_out
    else:
        keep_the_good(out, new, accepted=False)


# -- the place ----------------------------------------------------------------------------------


def test_a_place_is_claimed_once_and_nothing_is_left(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "down" / "out"
    with claimed(out) as place:
        assert place == out
        with pytest.raises(WorkLocked, match="another build"), claimed(out):
            pass
        with pytest.raises(WorkLocked), claimed(tmp_path / "deep" / "x" / ".." / "down" / "out"):
            pass
    assert list(tmp_path.iterdir()) == []  # nothing was built, nothing is there
    with claimed(out):
        promote(release(staging_folder(out)), out)
    assert [p.name for p in out.parent.iterdir()] == ["out"]


CLAIM = """
import sys, time
from pathlib import Path
from builder.release.promote import claimed, staging_folder
with claimed(Path(sys.argv[1])) as place:
    staging_folder(place)
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_builder_frees_the_place_and_its_leftovers_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / ".out.staging").mkdir()  # of an earlier version
    (tmp_path / ".out.other.staging").mkdir()  # of a release called `out.other`
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(out)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(WorkLocked), claimed(out):
            pass
        assert len(list(tmp_path.glob(".out.*.staging"))) == 2  # what it works on is left to it
        other.kill()
        other.wait()
    assert (tmp_path / ".out.lock").exists()
    with claimed(out):
        assert [p.name for p in tmp_path.glob(".out*staging")] == [".out.other.staging"]
    assert [p.name for p in tmp_path.iterdir()] == [".out.other.staging"]


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_leads_to_the_release(tmp_path: Path, dangling: bool) -> None:
    real, link = tmp_path / "disk" / "real", tmp_path / "out"
    link.symlink_to(real)
    if not dangling:
        release(real, "old")
    with claimed(link) as place:
        check_target(place, ECUADOR, synthetic=True)
        promote(release(staging_folder(place), "new"), place)
    assert link.is_symlink() and (link / "README.md").read_text() == "new"
    assert [p.name for p in real.parent.iterdir()] == ["real"]


def test_links_in_a_circle_are_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ReleaseConflict), claimed(tmp_path / "a" / "out"):
        pass


def test_a_mount_point_is_refused_at_once(tmp_path: Path) -> None:
    mount = Path("/dev/shm")
    if not mount.is_mount():
        pytest.skip("no tmpfs at /dev/shm")
    with pytest.raises(ReleaseConflict, match="mount point") as caught, claimed(mount):
        pass
    assert "/dev/shm/shm" in caught.value.way_out
    with pytest.raises(ReleaseConflict, match="mount point"), claimed(Path("/")):
        pass


def test_a_folder_mounted_from_the_same_disk_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "with space").mkdir()
    escaped = str(tmp_path / "with space").replace(" ", "\\040")
    (tmp_path / "mountinfo").write_text(f"36 35 98:0 /x {escaped} rw - ext4 /dev/a rw\n")
    monkeypatch.setattr(module, "MOUNTS", tmp_path / "mountinfo")
    assert is_mount_point(tmp_path / "with space") and not is_mount_point(tmp_path)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A place where nobody can write, not even root."""
    place = Path("/proc")
    if not place.is_dir():
        pytest.skip("no /proc")
    yield place


def test_a_place_that_cannot_be_written_to_is_noticed_before_anything_is_read(
    read_only: Path, tmp_path: Path
) -> None:
    from builder.pipeline.regenerate import regenerate
    from builder.pipeline.request import Request

    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.json").write_text("not a page: reading it would fail differently")
    with pytest.raises(ReleaseConflict, match="cannot be made"):
        regenerate(
            Request(work=tmp_path / "work", out=read_only / "here" / "out", sources=(pages,))
        )
    assert not (tmp_path / "work" / "ingest").exists()
