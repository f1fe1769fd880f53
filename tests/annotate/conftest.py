"""Fixtures of the annotate tests: tiny NLI models, made once, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nli_checkpoints import loaded


@pytest.fixture(scope="session")
def nli_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny checkpoints: `bert`, `xlm-roberta`, and `cache` of converted ones."""
    return tmp_path_factory.mktemp("nli")


@pytest.fixture(scope="session")
def bert_engine(nli_home: Path) -> Any:
    """A tiny random BERT, int8."""
    return loaded(nli_home / "bert", nli_home / "cache")


@pytest.fixture(scope="session")
def xlmr_engine(nli_home: Path) -> Any:
    """A tiny random XLM-R, int8."""
    return loaded(nli_home / "xlm-roberta", nli_home / "cache", "xlm-roberta")
