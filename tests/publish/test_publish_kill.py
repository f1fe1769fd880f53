"""Killed at random moments, 100 times: the old version or the new one, and the next run ends it."""

from __future__ import annotations

import copy
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import kill_kit
import pytest
from fakes.hub import FakeHub
from publish_kit import REPO, TOKEN, bumped
from publish_kit import kill_times as times
from release_kit import Built, content, rewrite

pytestmark = pytest.mark.long


def changed(small: Built, folder: Path) -> Path:
    """The next version: other rows in three tables, so that large and small files go up."""
    release = Path(shutil.copytree(small.release, folder / small.release.name))
    for config in ("keywords", "events"):
        rewrite(release, config, lambda frame: frame.reverse())
    return bumped(release, "1.1.0")


def test_killed_uploads_never_mix(
    hub: FakeHub, small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.publish.publish.validate", kill_kit.passed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kill_kit", "builder.publish.publish", "huggingface_hub"])
    after = changed(small, tmp_path)
    wanted = [content(small.release), content(after)]
    assert wanted[0] != wanted[1]

    def start(release: Path) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=kill_kit.run, args=(release, REPO, hub.endpoint, TOKEN))
        process.start()
        return process

    first = start(small.release)
    first.join(120)
    assert first.exitcode == 0
    repo, lfs = copy.deepcopy(hub.repo(REPO)), dict(hub.lfs)
    hub.log.clear()
    whole = start(after)
    whole.join(120)
    assert whole.exitcode == 0
    requests = len(hub.log)
    sending = next(at for at, (_, path) in enumerate(hub.log) if "/preupload/" in path)

    dice, seen = random.Random(20240109), {"old": 0, "new": 0, "untagged": 0}
    for _ in range(times()):
        hub.repos["dataset", REPO] = copy.deepcopy(repo)
        hub.lfs.clear()
        hub.lfs.update(lfs)
        hub.log.clear()
        process = start(after)
        moment, more = dice.randint(sending, requests), dice.random() * 0.02
        while len(hub.log) < moment and process.is_alive():
            time.sleep(0.001)
        time.sleep(more)
        assert process.pid is not None
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        with hub.lock:  # a request that had arrived is carried out, as a server does
            there = hub.bytes_of(REPO)
            now = hub.repo(REPO)
            tags, head = dict(now.tags), now.head
        del there[".gitattributes"]
        assert there in wanted, "a mix of two versions"
        new = there == wanted[1]
        assert tags["v1.0.0"] == repo.head
        assert tags.get("v1.1.0") in (None, head) and ("v1.1.0" not in tags or new)
        seen["new" if new else "old"] += 1
        seen["untagged"] += new and "v1.1.0" not in tags
        kill_kit.run(after, REPO, hub.endpoint, TOKEN)
        now = hub.repo(REPO)
        assert now.tags["v1.1.0"] == now.head and len(now.history()) == 3
        there = hub.bytes_of(REPO, "v1.1.0")
        del there[".gitattributes"]
        assert there == wanted[1]
    print(seen)
    assert seen["old"] and seen["new"], seen  # else the moments were badly chosen
