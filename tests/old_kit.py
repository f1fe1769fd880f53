"""Interpreters with an old `datasets`, made once for every test that wants one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PINS = (
    "pyarrow<19",
    "numpy<2",
    "pandas<2.3",
    "huggingface_hub<0.26",
    "fsspec<=2024.6.1",
    "setuptools<80",
)
VERSIONS = ("2.21.0", "3.6.0")


@pytest.fixture(scope="session", params=VERSIONS)
def old_python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with an old `datasets`."""
    version = request.param
    folder = tmp_path_factory.mktemp(f"datasets-{version}")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*install, f"datasets=={version}", *PINS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return python
