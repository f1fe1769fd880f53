"""Fixtures shared by all tests. Helpers that build invented data are in tests/fakes/."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["release_kit", "old_kit"]

# Two busy cores: how long one example takes says nothing.
settings.register_profile("builder", deadline=None, max_examples=60)
settings.load_profile("builder")


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for property tests, whose examples overwrite each other's files."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def fakes() -> Path:
    """The folder tests/fakes."""
    return Path(__file__).parent / "fakes"
