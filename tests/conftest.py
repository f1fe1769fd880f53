"""Fixtures shared by all tests. Helpers that build invented data are in tests/fakes/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from effort import examples
from hypothesis import HealthCheck, settings

pytest_plugins = ["release_kit", "old_kit"]

# Two busy cores: how long one example takes says nothing.
settings.register_profile(
    "builder",
    deadline=None,
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("builder")


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts() -> Iterator[None]:
    """fsync waits for the disk, and guards against what no test here does: a power cut.

    `kill -9` loses nothing that was written. Programs that tests start keep theirs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for property tests, whose examples overwrite each other's files."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def fakes() -> Path:
    """The folder tests/fakes."""
    return Path(__file__).parent / "fakes"
