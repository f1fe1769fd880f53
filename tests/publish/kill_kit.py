"""A publisher to be killed: run in a process of its own, without the checks that take long."""

from __future__ import annotations

import os
import time
from pathlib import Path


def passed(*arguments: object) -> dict[str, object]:
    """What `validate` says of a release without a problem."""
    return {"verdict": "pass", "contract": {"verdict": "pass"}}


def run(release: Path, repo: str, endpoint: str, token: str) -> None:
    """Publish, as the command does."""
    os.environ.update(HF_ENDPOINT=endpoint, HF_TOKEN=token)
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = False
    from builder.publish import publish as room
    from builder.publish.hub.client import Hub

    room.validate = passed  # type: ignore[assignment]
    hub = Hub(repo, endpoint, timeout=20.0, sleep=lambda seconds: time.sleep(0.01))
    room.publish(room.Wish(release, repo, private=True, yes=True), hub)
