"""`kill -9` in refresh, remove and download: run again, the end is the same and nothing is half.

The program kills itself at its n-th change of the disk, before or after it: no moment depends on
how busy the machine is.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from fakes.research_kit import environment
from refresh_kit import World, holds

from builder.commands.download import DownloadOptions, run_download
from builder.commands.refresh import run_remove
from builder.media.download.run import PARTIAL, read_log
from builder.publish.looks import read_looks
from builder.publish.refresh import known_ids

MORTAL = """
import os, signal, sys
left = int(sys.argv.pop(1))
before = left % 2
def mortal(real):
    def call(*given, **named):
        global left
        left -= 1
        if left == 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*given, **named)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return call
import builder.cli, builder.commands.download, builder.commands.refresh
builder.publish.refresh.batches.__defaults__ = (8,)
for name in ("replace", "rename", "unlink", "rmdir", "fsync", "mkdir"):
    setattr(os, name, mortal(getattr(os, name)))
builder.cli.main()
"""
CLIPS = sorted(Path(str(resources.files("builder") / "sample" / "videos")).glob("*.mp4"))
needs_clip = pytest.mark.skipif(not CLIPS, reason="the package's sample has no clip")


def killed_at(moment: int, *arguments: object) -> bool:
    """Whether the program was killed; else it came to its end before that moment."""
    done = subprocess.run(
        [sys.executable, "-c", MORTAL, str(moment), *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def moments(*quick: int, last: int) -> list[object]:
    """Every moment once: a few in the first step of CI, one in four in the second, all by hand."""
    rest = [
        pytest.param(n, marks=pytest.mark.long if n % 4 else pytest.mark.slow)
        for n in range(1, last)
        if n not in quick
    ]
    return [*quick, *rest]


def asked(world: World) -> list[list[int]]:
    """The ids of every query that came for known videos."""
    return [
        sorted(map(int, condition["field_values"]))
        for body in world.api.queries
        for condition in body["query"].get("and", [])
        if condition["field_name"] == "video_id"
    ]


@pytest.mark.parametrize("moment", moments(6, 19, last=40))
def test_refresh(world: World, moment: int) -> None:
    known = known_ids(world.work)
    gone = {known[3], known[30]}
    world.api.corpus = [v for v in world.api.corpus if v["id"] not in gone]
    was_killed = killed_at(moment, "refresh", "--work", world.work, "--base-url", world.api.url)
    frame = read_looks(world.work).frame
    kept, before = set(frame["id"].to_list()), len(asked(world))
    if was_killed:
        code, told = world.refresh()
        assert code == 0, told
    again = [video for ids in asked(world)[before:] for video in ids]
    assert not set(again) & kept  # what was answered is not asked for again
    looks = read_looks(world.work)
    assert sorted(looks.frame["id"].to_list()) == known  # each once
    missed = looks.frame.filter(~looks.frame["found"])["id"].to_list()
    assert set(missed) == gone and looks.started is None and looks.due is not None


@pytest.mark.parametrize("moment", moments(2, 9, last=40))
def test_remove(world: World, moment: int) -> None:
    known = known_ids(world.work)
    wanted = {known[2], known[40]}
    requests = world.folder / "requests.txt"
    requests.write_text("".join(f"{video}\n" for video in sorted(wanted)))
    if killed_at(moment, "remove", "--work", world.work, "--ids", requests):
        listed = world.work / "private" / "removed.json"
        if not listed.exists():  # nothing was begun: nothing may be missing
            assert known_ids(world.work) == known
        run_remove(world.work, requests)
    assert [path.name for path in holds(world.work, wanted)] == ["removed.json"]
    assert known_ids(world.work) == sorted(set(known) - wanted)
    built = world.build()
    assert built.rows["videos"] == len(known) - 2
    assert built.tombstones == {"removed_on_request": 2}
    assert not list(world.work.glob("**/*.tmp"))


@needs_clip
@pytest.mark.parametrize("moment", moments(4, 11, last=30))
def test_download(world: World, moment: int) -> None:
    source, videos = world.folder / "source", world.folder / "videos"
    source.mkdir()
    mine = known_ids(world.work)[:4]
    for video, clip in zip(mine, _endless(CLIPS), strict=False):
        shutil.copyfile(clip, source / f"{video}.mp4")
    options = ("--videos-dir", videos, "--backend", "folder", "--from", source)
    was_killed = killed_at(moment, "download", "--work", world.work, *options)
    there = {p.name: p.stat().st_ino for p in videos.glob("*.mp4")}
    wanted = DownloadOptions(world.work, videos, "folder", source)
    if was_killed:
        assert run_download(wanted, lambda line: None) == 0
    files = {p.name: p.stat().st_ino for p in videos.glob("*.mp4")}
    assert set(files) == {f"{video}.mp4" for video in mine}
    assert {name: files[name] for name in there} == there  # what was there is not fetched again
    log = read_log(world.work)
    assert {v for v, line in log.items() if line["outcome"] == "ok" and line["sha256"]} == set(mine)
    assert not list((videos / PARTIAL).iterdir())


def _endless(clips: list[Path]) -> Iterator[Path]:
    while True:
        yield from clips
