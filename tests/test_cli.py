"""The command line: exit codes, one readable message, the earlier release untouched."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from release_kit import (
    KEY,
    NAME,
    OTHER_KEY,
    SKIP,
    Built,
    Result,
    beside,
    content,
    read_json,
    rewrite,
    run_cli,
    write_key,
)

Cli = Callable[..., Result]


# -- validate -----------------------------------------------------------------------------------


def test_validate_passes_with_0(small: Built, cli: Cli) -> None:
    done = cli("validate", small.release)
    assert done.code == 0
    assert "contract pass" in done.out and "(SYNTHETIC)" in done.out


def test_validate_fails_with_1_and_names_the_place(editable: Path, cli: Cli) -> None:
    import polars as pl

    rewrite(editable, "metadata", lambda f: f.with_columns(view_count=-pl.col("view_count") - 1))
    done = cli("validate", editable)
    assert done.code == 1
    assert "contract fail" in done.out
    assert "broken: counts are not negative (308 place(s))" in done.out
    assert re.search(r"metadata, row 0 \([0-9a-f]{32}\), view_count: -\d+", done.out)
    assert "way out:" in done.out


@pytest.mark.parametrize("what", ["nowhere", "empty", "file", "broken"])
def test_validate_says_with_2_that_it_is_no_release(tmp_path: Path, cli: Cli, what: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "MANIFEST.json").write_text('{"name": ')
    done = cli("validate", tmp_path / what)
    assert done.code == 2
    assert "not a release" in done.err and "Way out" in done.err and what in done.err


def test_validate_of_a_manifest_without_a_window_says_which_key_and_file(
    editable: Path, cli: Cli
) -> None:
    path = editable / "MANIFEST.json"
    manifest = read_json(path)
    del manifest["window"]
    path.write_text(json.dumps(manifest))
    done = cli("validate", editable)
    assert done.code == 1
    assert f"the manifest lacks a key [file {path}, field window]" in done.err
    assert "Way out: build the release again" in done.err


@pytest.mark.parametrize("manifest", ["{}", '{"name": "X", "files": {}}', '{"window": 3}'])
def test_validate_of_a_manifest_that_says_little_is_no_crash(
    editable: Path, cli: Cli, manifest: str
) -> None:
    (editable / "MANIFEST.json").write_text(manifest)
    done = cli("validate", editable)
    assert done.code in (1, 2), done
    assert "unexpected" not in done.err


def test_validate_writes_json_and_a_page_that_needs_no_network(
    small: Built, tmp_path: Path, cli: Cli
) -> None:
    done = cli("validate", small.release, "--json", tmp_path / "r.json", "--html",
               tmp_path / "r.html", "--work", small.work)  # fmt: skip
    assert done.code == 0
    report = read_json(tmp_path / "r.json")
    assert {"contract", "fidelity", "privacy", "quality"} <= set(report)
    assert report["verdict"] == "pass"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    # links to a neighbour (the figures) are fine; anything fetched is not
    fetched = (
        r"""(?i)\bsrc\s*=\s*(?!["']?data:)|\bhref\s*=\s*["']?(https?:|//)|url\(\s*(?!["']?data:)"""
        r"|@import|<script\s+src|<link"
    )
    assert not re.search(fetched, page)
    assert not re.search(r"https?://", re.sub(r"http://www\.w3\.org/\S+", "", page))
    for check in report["contract"]["checks"]:
        assert check["name"].replace("'", "&#39;") in page
    for row in report["fidelity"]:
        assert row["name"].replace("'", "&#39;") in page
    assert content(small.release)["validation.html"]  # the release itself was not written to


def test_the_page_of_a_broken_release_shows_the_place(
    editable: Path, tmp_path: Path, cli: Cli
) -> None:
    (editable / "extra<b>.txt").write_text("x")
    done = cli("validate", editable, "--html", tmp_path / "r.html", "--json", tmp_path / "r.json")
    assert done.code == 1
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "extra&lt;b&gt;.txt" in page and re.search(r'class="[^"]*\bfail\b', page)
    report = read_json(tmp_path / "r.json")
    assert report["fidelity"] is None and report["verdict"] == "fail"


def test_validate_with_a_work_folder_that_was_never_built_in(
    small: Built, tmp_path: Path, cli: Cli
) -> None:
    done = cli("validate", small.release, "--work", tmp_path)
    assert done.code == 2 and "no ingested rows" in done.err


# -- usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["regenerate", "--work", "w"], "--out"),
        (["regenerate", "--work", "w", "--out", "o", "--skip", "ingest"], "cannot be skipped"),
        (["regenerate", "--work", "w", "--out", "o", "--skip", "nap"], "unknown stage(s): nap"),
        (["regenerate", "--work", "w", "--out", "o", "--skip", "anonymize"], "anonymised"),
        (["regenerate", "--work", "w", "--out", "o", "--only", "probe", "--skip", "validate"],
         "exclude each other"),
        (["regenerate", "--work", "w", "--out", "w/o"], "private data"),
        (["regenerate", "--work", "w", "--out", "w"], "private data"),
        (["regenerate", "--work", "w", "--out", "w/../w/x/y"], "private data"),
        (["simulate", "--videos", "0", "--out", "o"], "--videos"),
        (["status", "--work", "nothing"], "nothing was built"),
        (["dance"], "dance"),
    ],
)  # fmt: skip
def test_usage_errors_exit_with_2(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert done.code == 2, done
    assert told in done.err and "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_campaign_lists_the_known_ones(cli: Cli, tmp_path: Path) -> None:
    done = cli("regenerate", "--work", tmp_path / "w", "--out", tmp_path / "o", "--campaign", "x")
    assert done.code == 1 and "ecuador_2024" in done.err and "Traceback" not in done.err


def test_status_after_a_build(small: Built, cli: Cli) -> None:
    done = cli("status", "--work", small.work)
    assert done.code == 0
    for stage in ("ingest", "anonymize", "assemble", "validate"):
        assert re.search(rf"^{stage}\s+done", done.out, flags=re.MULTILINE), stage
    assert "out_of_window" in done.out


# -- bad input ----------------------------------------------------------------------------------


def page(**more: Any) -> str:
    return json.dumps({"data": {"videos": [], "has_more": False, **more}, "error": {"code": "ok"}})


def truncated(pages: Path) -> tuple[str, ...]:
    path = sorted(pages.glob("2024-01-09*.jsonl"))[0]
    path.write_bytes(path.read_bytes()[:-150])
    return path.name, "line ", "cut short"


def truncated_gz(pages: Path) -> tuple[str, ...]:
    import gzip

    (pages / "late.jsonl.gz").write_bytes(gzip.compress(page().encode() * 50)[:-9])
    return "late.jsonl.gz", "cut short or damaged"


def error_page(pages: Path) -> tuple[str, ...]:
    error = {"error": {"code": "daily_quota_limit_exceeded", "message": "x", "log_id": "1"}}
    (pages / "2024-01-11b.json").write_text(json.dumps(error))
    return "2024-01-11b.json", "daily_quota_limit_exceeded", "error.code"


def not_a_page(pages: Path) -> tuple[str, ...]:
    (pages / "other.json").write_text('{"hello": "world"}')
    return "other.json", "data.videos"


def spreadsheet(pages: Path) -> tuple[str, ...]:
    lines = (pages / "ecuador.csv").read_text(encoding="utf-8").splitlines()
    damaged = [re.sub(r"^\d+", lambda m: f"{float(m.group()):.5E}", line) for line in lines]
    (pages / "ecuador.csv").write_text("\n".join(damaged), encoding="utf-8")
    return "ecuador.csv", "line 2", "field id", "spreadsheet"


def missing_column(pages: Path) -> tuple[str, ...]:
    text = (pages / "ecuador.csv").read_text(encoding="utf-8")
    (pages / "ecuador.csv").write_text(text.replace("id,", "number,", 1), encoding="utf-8")
    return "ecuador.csv", "field id", "'number'"


def cut_csv(pages: Path) -> tuple[str, ...]:
    with (pages / "ecuador.csv").open("a", encoding="utf-8") as handle:
        handle.write('7321111222333444555,"cut in the mid')
    return "ecuador.csv", "line ", "cut short"


def nothing(pages: Path) -> tuple[str, ...]:
    for path in pages.iterdir():
        path.unlink()
    return str(pages), "no Research API pages"


def elsewhere(pages: Path) -> tuple[str, ...]:
    for path in pages.iterdir():
        path.unlink()
    (pages / "a.json").write_text(page())
    return "a.json", "no video"


@pytest.mark.parametrize(
    "damage",
    [truncated, truncated_gz, error_page, not_a_page, spreadsheet, missing_column, cut_csv,
     nothing, elsewhere],
)  # fmt: skip
def test_bad_input(
    small: Built, tmp_path: Path, cli: Cli, damage: Callable[[Path], tuple[str, ...]]
) -> None:
    release = Path(shutil.copytree(small.release, tmp_path / NAME))
    before = content(release)
    pages = Path(shutil.copytree(small.pages, tmp_path / "input" / "pages"))
    told = damage(pages)
    arguments = ["regenerate", pages, "--work", tmp_path / "work", "--out", release, *SKIP]
    done = cli(*arguments)
    assert done.code == 1
    message = done.err[done.err.index("error: ") :]
    for word in (*told, "Way out: "):
        assert word in message, message
    assert message.count("error: ") == 1 and len(message.strip().splitlines()) == 2
    assert "Traceback" not in done.err
    assert content(release) == before
    assert beside(release) == {"input"}
    assert not (tmp_path / "work" / "private").exists()  # no key was made for nothing

    with_trace = cli(*arguments, "--debug")
    assert with_trace.code == 1 and "Traceback" in with_trace.err
    assert content(release) == before

    shutil.rmtree(pages)  # mended, the same command goes through
    shutil.copytree(small.pages, pages)
    key = write_key(tmp_path / "keys" / "key")
    mended = cli(*arguments, "--key-file", key)
    assert mended.code == 0, mended.err
    assert content(release) == before


def test_a_source_that_does_not_exist(cli: Cli, tmp_path: Path) -> None:
    done = cli("regenerate", tmp_path / "no", "--work", tmp_path / "w", "--out", tmp_path / "o")
    assert done.code == 1 and "does not exist" in done.err


# -- what is in the way -------------------------------------------------------------------------


def regenerate(cli: Cli, small: Built, tmp_path: Path, out: Path, *more: object) -> Result:
    key = write_key(tmp_path / "keys" / "key")
    return cli("regenerate", small.pages, "--work", tmp_path / "work", "--out", out,
               "--key-file", key, *SKIP, *more)  # fmt: skip


def test_out_holds_something_else(small: Built, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.txt").write_text("years of work")
    done = regenerate(cli, small, tmp_path, out)
    assert done.code == 1
    assert str(out) in done.err and "not a release" in done.err and "Way out" in done.err
    assert regenerate(cli, small, tmp_path, out, "--replace").code == 1  # not even then
    assert content(out) == {"chapter1.txt": b"years of work"}
    assert beside(out) == set()


def test_out_holds_another_version(small: Built, tmp_path: Path, cli: Cli, editable: Path) -> None:
    manifest = read_json(editable / "MANIFEST.json")
    manifest["version"] = "0.9.0"
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    before = content(editable)
    done = regenerate(cli, small, tmp_path, editable)
    assert done.code == 1
    assert "0.9.0" in done.err and "1.0.0" in done.err and "--replace" in done.err
    assert content(editable) == before and beside(editable) == set()
    assert regenerate(cli, small, tmp_path, editable, "--replace").code == 0
    assert content(editable) == content(small.release)


def test_out_holds_real_data_and_this_is_synthetic(
    small: Built, tmp_path: Path, cli: Cli, editable: Path
) -> None:
    manifest = read_json(editable / "MANIFEST.json")
    manifest["synthetic"] = False
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    done = regenerate(cli, small, tmp_path, editable)
    assert done.code == 1 and "(real data)" in done.err and "(synthetic data)" in done.err


def test_out_is_a_file(small: Built, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "out"
    out.write_text("precious")
    done = regenerate(cli, small, tmp_path, out)
    assert done.code == 1 and "is a file" in done.err
    assert out.read_text() == "precious"


def test_work_is_a_file(small: Built, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "work").write_text("precious")
    done = regenerate(cli, small, tmp_path, tmp_path / "out")
    assert done.code in (1, 2)
    assert "unexpected" not in done.err and str(tmp_path / "work") in done.err, done.err


def test_out_lies_below_a_file(small: Built, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "paper").write_text("precious")
    done = regenerate(cli, small, tmp_path, tmp_path / "paper" / "out")
    assert done.code == 1 and "cannot be made" in done.err
    assert (tmp_path / "paper").read_text() == "precious"


def test_out_is_an_empty_folder(small: Built, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "out").mkdir()
    assert regenerate(cli, small, tmp_path, tmp_path / "out").code == 0
    assert content(tmp_path / "out") == content(small.release)


# -- the key, from outside ----------------------------------------------------------------------


@pytest.mark.slow
def test_the_key_by_environment_and_lost_and_other(small: Built, tmp_path: Path) -> None:
    out = tmp_path / NAME
    common = ["regenerate", small.pages, "--out", out, *SKIP, "--work"]
    first = run_cli(*common, tmp_path / "w1", ECUADOR_CRISIS_KEY=KEY)
    assert first.returncode == 0, first.stderr
    assert content(out) == content(small.release)
    lost = run_cli(*common, tmp_path / "w2")  # another work folder: only the release remembers
    other = run_cli(*common, tmp_path / "w1", ECUADOR_CRISIS_KEY=OTHER_KEY)
    for refused, told in ((lost, "gone"), (other, "every id would change")):
        assert refused.returncode == 1
        assert told in refused.stderr and "Way out" in refused.stderr
        assert KEY not in refused.stderr and OTHER_KEY not in refused.stderr
        assert "Traceback" not in refused.stderr
    assert content(out) == content(small.release)
    traced = run_cli("--debug", *common, tmp_path / "w1", ECUADOR_CRISIS_KEY=OTHER_KEY)
    assert "Traceback" in traced.stderr and OTHER_KEY not in traced.stderr


def test_a_key_file_others_can_read(small: Built, tmp_path: Path, cli: Cli) -> None:
    key = write_key(tmp_path / "keys" / "key")
    key.chmod(0o644)
    done = cli("regenerate", small.pages, "--work", tmp_path / "work", "--out", tmp_path / "out",
               "--key-file", key, *SKIP)  # fmt: skip
    assert done.code == 1 and "chmod 600" in done.err and KEY not in done.err


# -- full disk ----------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system; only root may."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small file system is not allowed here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def kilobytes(folder: Path, share: float) -> str:
    """A part of the room a folder's files take."""
    return f"{int(share * sum(-(-len(data) // 4096) * 4 for data in content(folder).values()))}k"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.75, 0.95])
def test_a_full_disk_under_out(
    small: Built, tmp_path: Path, cli: Cli, disk: Callable[[str], Path], share: float
) -> None:
    out = disk(kilobytes(small.release, share)) / NAME
    done = regenerate(cli, small, tmp_path, out)
    assert done.code == 1, done
    assert "no space left" in done.err and str(out.parent) in done.err and "Way out" in done.err
    assert "Traceback" not in done.err and done.err.count("error: ") == 1
    assert list(out.parent.iterdir()) == []  # nothing half-written
    elsewhere = tmp_path / "roomy" / NAME
    assert regenerate(cli, small, tmp_path, elsewhere).code == 0
    assert content(elsewhere) == content(small.release)


def test_a_full_disk_leaves_the_earlier_release(
    small: Built, tmp_path: Path, cli: Cli, disk: Callable[[str], Path]
) -> None:
    out = disk(kilobytes(small.release, 1.6)) / NAME
    shutil.copytree(small.release, out)
    before = content(out)
    pages = Path(shutil.copytree(small.pages, tmp_path / "pages"))
    (pages / "planted.jsonl").unlink()
    key = write_key(tmp_path / "keys" / "key")
    done = cli("regenerate", pages, "--work", tmp_path / "work", "--out", out, "--key-file", key,
               *SKIP)  # fmt: skip
    assert done.code == 1 and "no space left" in done.err
    assert content(out) == before
    assert beside(out) == set()


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.85])
def test_a_full_disk_under_work(
    small: Built, tmp_path: Path, cli: Cli, disk: Callable[[str], Path], share: float
) -> None:
    release = Path(shutil.copytree(small.release, tmp_path / "out" / NAME))
    work = disk(kilobytes(small.work, share)) / "work"
    key = write_key(tmp_path / "keys" / "key")
    arguments = ["regenerate", small.pages, "--work", work, "--out", release, "--key-file", key]
    done = cli(*arguments, *SKIP)
    assert done.code == 1, done
    assert "no space left" in done.err and "Way out" in done.err
    assert str(work) in done.err
    assert "Traceback" not in done.err and done.err.count("error: ") == 1
    assert content(release) == content(small.release)
    assert beside(release) == set()
    subprocess.run(["mount", "-o", "remount,size=8m", str(work.parent)], check=True)
    assert cli(*arguments, *SKIP).code == 0  # with space it goes on from there
    assert content(release) == content(small.release)


def test_replace_lets_another_release_go_but_not_the_key_of_the_same_one(
    small: Built, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / NAME
    build = ("regenerate", small.pages, "--out", out, *SKIP)
    assert cli(*build, "--work", tmp_path / "one").code == 0
    refused = cli(*build, "--work", tmp_path / "two", "--replace")
    assert refused.code == 1
    assert "the key that made the earlier ids is gone" in refused.err
    manifest = read_json(out / "MANIFEST.json") | {"campaign": "another_crisis"}
    (out / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert cli(*build, "--work", tmp_path / "two").code == 1
    assert cli(*build, "--work", tmp_path / "two", "--replace").code == 0
