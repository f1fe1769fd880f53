"""What helps a person who only has the installed package or one of its files."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from typer.testing import CliRunner

from builder.cli import app

ROOT = Path(__file__).parent.parent


def test_cards_prints_folders_that_hold_the_modules() -> None:
    result = CliRunner().invoke(app, ["cards"])
    folders = dict(line.split(": ", 1) for line in result.output.splitlines()[:3])
    assert sorted(folders) == ["nli_entailment", "sentiment_confidence", "transcript_wer"]
    for name, folder in folders.items():
        assert (Path(folder) / f"{name}.py").is_file()


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.output == f"ecuador-crisis {version('ecuador-crisis-tiktok')}\n"


def test_the_schema_file_says_what_it_is_for() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "ecuador_crisis_tiktok.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "load_dataset" in done.stdout and "Configs: videos, metadata" in done.stdout
