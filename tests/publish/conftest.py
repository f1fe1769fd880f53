"""A fake Hub, and a `huggingface_hub` that speaks to it and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from fakes.hub import FakeHub
from huggingface_hub import constants
from publish_kit import REPO, TOKEN

from builder.publish.hub.client import Hub
from builder.publish.publish import publish
from builder.publish.wish import Published, Wish


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
