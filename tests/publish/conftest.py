"""A fake Hub, and a `huggingface_hub` that speaks to it and to nobody else."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from fakes.hub import FakeHub
from fakes.research_api import KEY, SECRET
from huggingface_hub import constants
from publish_kit import REPO, TOKEN
from refresh_kit import World, make_world, service
from release_kit import shared

from builder.publish import publish as publish_module
from builder.publish.hub.client import Hub
from builder.publish.publish import publish
from builder.publish.wish import Published, Wish
from builder.release.assemble import file_digest


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The Hub, with one token of `sim_lab` that may write."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with FakeHub() as server:
        server.token(TOKEN, name="sim_lab")
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server
    huggingface_hub.close_session()


_REPORTS: dict[tuple[Any, ...], dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes get the same report: it is made once for them, not for each publishing."""
    real = publish_module.validate

    def validate(folder: Path, campaign: Any, private: Any, **more: Any) -> dict[str, Any]:
        if private is not None or more:
            return real(folder, campaign, private, **more)
        digests = (
            (p.relative_to(folder), file_digest(p)) for p in folder.rglob("*") if p.is_file()
        )
        key = (repr(campaign), *sorted(digests))
        if key not in _REPORTS:
            _REPORTS[key] = real(folder, campaign, private)
        return copy.deepcopy(_REPORTS[key])

    monkeypatch.setattr(publish_module, "validate", validate)


@pytest.fixture
def ours(hub: FakeHub) -> Hub:
    """Our side of it, impatient."""
    return Hub(REPO, hub.endpoint, timeout=5.0, sleep=lambda seconds: None)


@pytest.fixture
def send(ours: Hub) -> Callable[..., Published]:
    """Publish a folder, privately unless told otherwise."""

    def sent(release: Path, **wish: Any) -> Published:
        return publish(Wish(**{"release": release, "repo": REPO, "private": True, "yes": True,
                               **wish}), ours)  # fmt: skip

    return sent


@pytest.fixture
def world(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world of which a release was built."""
    monkeypatch.setenv("TIKTOK_CLIENT_KEY", KEY)
    monkeypatch.setenv("TIKTOK_CLIENT_SECRET", SECRET)
    shutil.copytree(shared(tmp_path_factory, "world", make_world), tmp_path, dirs_exist_ok=True)
    with service() as api:
        yield World(tmp_path, api)
