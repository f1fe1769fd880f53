"""`kill -9` and Ctrl-C at any moment: running the command again gives the undisturbed bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from release_kit import NAME, SKIP, Built, beside, build, content, environment, shared, write_key

# Ready is printed after everything heavy is imported, so that the delays fall into the run itself.
RUN = """
import sys
import builder.cli, builder.pipeline.regenerate, builder.release.scrub.presidio
sys.argv[0] = "ecuador-crisis"
print("ready", flush=True)
builder.cli.main()
"""
MOMENTS = 14
QUICK = (5, 11)  # in the first step: early to late, in turn new and replacing
SEED = 20_240_109


def start(built: Path, pages: Path) -> subprocess.Popen[str]:
    """A build in `built`, as a process, at the moment it is ready to begin."""
    key = write_key(built / "keys" / "key")
    arguments = ["regenerate", pages, "--work", built / "work", "--out", built / NAME]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, arguments), "--key-file", str(key), *SKIP],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error."""
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


@pytest.fixture(scope="module")
def earlier(small: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build from fewer pages: what a killed run is about to replace."""

    def make(folder: Path) -> None:
        pages = Path(shutil.copytree(small.pages, folder / "pages"))
        (pages / "planted.jsonl").unlink()
        build(folder, pages)

    return shared(tmp_path_factory, "earlier", make)


@pytest.fixture(scope="module")
def duration(small: Built, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds an undisturbed run takes once everything is imported."""
    process = start(tmp_path_factory.mktemp("timed"), small.pages)
    began = time.monotonic()
    assert process.stdout is not None
    assert "release" in process.stdout.readline()  # printed when everything is done
    seconds = time.monotonic() - began
    code, errors = finish(process)
    assert code == 0, errors
    return seconds


def assert_whole(release: Path, *expected: dict[str, bytes]) -> None:
    """The release is one of `expected` or not there."""
    if release.exists():
        assert content(release) in expected


def leftovers(work: Path) -> list[str]:
    """Temporary files in the folders of stages."""
    return [str(path) for path in work.glob("*/*/**/*.tmp")]


@pytest.mark.parametrize(
    "moment",
    [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in range(MOMENTS)],
)
def test_kill_9_at_a_random_moment(
    small: Built, earlier: Path, duration: float, tmp_path: Path, moment: int
) -> None:
    dice = random.Random(SEED + moment)
    # One delay in each of MOMENTS equal spans of the run.
    delay = duration * (moment + dice.random()) / MOMENTS
    replacing = bool(moment % 2)
    undisturbed = content(small.release)
    before = content(earlier / NAME)
    if replacing:
        shutil.copytree(earlier / NAME, tmp_path / NAME)
        shutil.copytree(earlier / "work", tmp_path / "work")
    process = start(tmp_path, small.pages)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    code, _ = finish(process)
    assert code in (-signal.SIGKILL, 0)
    assert_whole(tmp_path / NAME, undisturbed, *([before] if replacing else []))
    if replacing:
        assert (tmp_path / NAME).is_dir()

    again = build(tmp_path, small.pages)
    assert content(again.release) == undisturbed
    assert beside(again.release) == set()
    assert leftovers(again.work) == []


@pytest.mark.slow
def test_killed_again_and_again_it_still_arrives(
    small: Built, duration: float, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    for _ in range(3):
        process = start(tmp_path, small.pages)
        time.sleep(dice.random() * duration)
        process.kill()
        finish(process)
    again = build(tmp_path, small.pages)
    assert content(again.release) == content(small.release)
    assert beside(again.release) == set()


@pytest.mark.parametrize(
    "sign",
    ["work/ingest/*/raw/*", "work/anonymize/*/*.parquet", ".*.staging/videos", ".*.staging/*.json"],
)
def test_ctrl_c_stops_with_130_and_one_line(
    small: Built, earlier: Path, tmp_path: Path, sign: str
) -> None:
    """Interrupted as soon as the first file of a stage appears."""
    shutil.copytree(earlier / NAME, tmp_path / NAME)
    process = start(tmp_path, small.pages)
    while not any(tmp_path.glob(sign)) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code == 130, errors
    told = [line for line in errors.splitlines() if "run the same command again" in line]
    assert len(told) == 1, errors
    assert "Traceback" not in errors and "Aborted" not in errors
    assert content(tmp_path / NAME) == content(earlier / NAME)
    assert beside(tmp_path / NAME) == set()  # a run that could tidy up did

    again = build(tmp_path, small.pages)
    assert content(again.release) == content(small.release)


@pytest.fixture(autouse=True)
def _default_sigint() -> Iterator[None]:
    """A runner in the background ignores SIGINT, and children inherit that."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.slow
def test_two_builds_in_one_work_folder_do_not_mix(small: Built, tmp_path: Path) -> None:
    first = start(tmp_path, small.pages)
    os.set_blocking(first.stderr.fileno(), True)  # type: ignore[union-attr]
    second = start(tmp_path, small.pages)
    outcomes = [finish(process) for process in (first, second)]
    assert sorted(code for code, _ in outcomes) in ([0, 0], [0, 1])
    for code, errors in outcomes:
        if code:
            assert "another build is running in this work folder" in errors
    assert content(tmp_path / NAME) == content(small.release)
