"""scripts/jobs/stage.py: the GPU stages elsewhere, here on this machine with the small models."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from release_kit import environment, quiet

from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import SAMPLE, Request

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "jobs" / "stage.py"
HEADER = re.compile(r"(?m)^# /// script$\s(?P<content>(?:^#(?:| .*)$\s)+)^# ///$")


@pytest.fixture(scope="module")
def jobs() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("jobs_stage", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def header() -> dict[str, object]:
    """The PEP 723 block, read as PEP 723 says."""
    found = HEADER.search(SCRIPT.read_text(encoding="utf-8"))
    assert found is not None
    lines = found["content"].splitlines()
    return tomllib.loads("\n".join(line[2:] if line.startswith("# ") else "" for line in lines))


def named(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ]", requirement)[0].lower().replace("_", "-")


def test_the_header_pins_what_the_package_needs_as_we_test_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {named(line): line for line in lines if "==" in line}
    wanted = {named(each) for each in project["dependencies"]} | {"fsspec"}
    assert header()["requires-python"] == project["requires-python"]
    assert header()["dependencies"] == [pins[name] for name in sorted(wanted)]


def test_parts_travel_as_a_difference_and_nothing_else_does(
    jobs: ModuleType, tmp_path: Path
) -> None:
    place, work = jobs.Place(str(tmp_path / "place")), tmp_path / "work"
    for number, data in enumerate([b"one", b"two", b"three"]):
        part = f"part-{number:06d}-{hashlib.sha256(data).hexdigest()[:12]}.parquet"
        path = work / "sentiment" / "abc123" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for private in ("private/key", "anonymize/abc/part-000000-000000000000.parquet", "ledger.json"):
        (work / private).parent.mkdir(parents=True, exist_ok=True)
        (work / private).write_bytes(b"secret")
    assert jobs.push_parts(place, work) == 3 and jobs.push_parts(place, work) == 0
    there = sorted((tmp_path / "place").rglob("*.*"))
    assert len(there) == 3 and all("sentiment" in str(path) for path in there)
    there[0].write_bytes(b"on")  # cut off on the way up
    there[1].write_bytes(b"TWO")  # damaged at rest
    elsewhere = tmp_path / "elsewhere"
    assert jobs.pull_parts(place, elsewhere) == (1, 2)
    assert jobs.push_parts(place, work) == 1  # another size: sent again
    assert jobs.pull_parts(place, elsewhere) == (1, 1)
    assert {p.read_bytes() for p in elsewhere.rglob("*.parquet")} == {b"one", b"three"}
    assert all(p.stat().st_mode & 0o077 == 0 for p in elsewhere.rglob("*.parquet"))


def test_a_repository_with_a_history_is_refused(jobs: ModuleType) -> None:
    for url in ("hf://datasets/sim_lab/parts", "hf://sim_lab/parts", "hf://buckets/sim_lab"):
        with pytest.raises(SystemExit, match="history"):
            jobs.Place(url)


def test_a_public_bucket_is_refused(jobs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Info:
        private = False

    monkeypatch.setattr("huggingface_hub.HfApi.bucket_info", lambda self, name: Info())
    with pytest.raises(SystemExit, match="public"):
        jobs.Place("hf://buckets/sim_lab/parts")


def test_a_video_of_somebody_else_is_not_overwritten(jobs: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "7321728245254717441.mp4"
    path.write_bytes(b"theirs" * 1000)
    video = {"name": "videos/x.mp4", "path": str(path), "size": 9, "mtime_ns": 1, "id": 1}
    with pytest.raises(SystemExit, match="not overwritten"):
        jobs._lay_out(video, None, bytes_too=True)
    assert path.read_bytes() == b"theirs" * 1000


def test_the_time_that_is_up_is_no_failed_row(jobs: ModuleType) -> None:
    assert not issubclass(jobs.Stop, Exception)
    with pytest.raises(jobs.Stop):
        jobs._stop(signal.SIGALRM, None)


def script(*arguments: object, code: int = 0) -> str:
    """Run the script: by uv where there is one, else by this interpreter, which has the pins."""
    uv = shutil.which("uv")
    start = [uv, "run", "--script"] if uv else [sys.executable]
    done = subprocess.run(
        [*start, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=""),
        cwd=SCRIPT.parent,
        check=False,
        timeout=600,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_the_stages_run_elsewhere_and_come_home(tmp_path: Path) -> None:
    """Pushed, stopped by the time limit, continued, pulled: at home nothing is left to compute."""
    home, place = tmp_path / "home", tmp_path / "place"
    videos = Path(shutil.copytree(str(SAMPLE / "videos"), home / "videos"))
    for extra in sorted(videos.iterdir())[3:]:
        extra.unlink()
    work, pages = home / "work", Path(str(SAMPLE / "pages"))

    def at_home(*stages: str) -> dict[str, int]:
        computed: dict[str, int] = {}

        def progress(stage: str, rows: int) -> object:
            name = stage.rpartition(", ")[2]  # "stage 2 of 2, probe"
            computed[name] = computed.get(name, 0) + rows
            return quiet(stage, rows)

        regenerate(
            Request(
                work=work,
                out=home / "never",
                sources=(pages,),
                videos_dir=videos,
                only=frozenset(stages),
                progress=progress,  # type: ignore[arg-type]
            )
        )
        return {stage: computed.get(stage, 0) for stage in stages}

    assert at_home("probe")["probe"] == 3
    told = script("push", place, pages, "--work", work, "--videos-dir", videos)
    assert "3 videos and 1 parts are up" in told
    away = shutil.move(videos, home / "switched-off")
    offline = ("--profile", "offline")
    script("run", place, "--stage", "transcribe", *offline, "--minutes", "0.001", code=3)
    script("run", place, "--stage", "transcribe", *offline)
    assert "0 new parts" in script("run", place, "--stage", "transcribe", *offline)
    for stage in ("sentiment", "summarize", "entailment"):
        script("run", place, "--stage", stage, *offline)
    shutil.rmtree(videos)
    shutil.move(away, videos)
    script("pull", place, "--work", work)
    done = at_home("transcribe", "sentiment", "summarize", "entailment")
    assert done == {"transcribe": 0, "sentiment": 0, "summarize": 0, "entailment": 0}
    assert not [p for p in place.rglob("*") if "private" in p.parts or "key" in p.name]
