"""scripts/quality_table.py: prints the table and puts it into a README, leaving the rest alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "text"
START, END = "<!-- quality-table -->", "<!-- /quality-table -->"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data/text")
def test_the_table_goes_between_the_marks(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    command = [sys.executable, "scripts/quality_table.py", "--limit", "40", "--write", readme]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    text = readme.read_text()
    assert text.startswith(f"before\n{START}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "UMSAB-es val" in text
    assert "XNLI-es dev" in text
    assert text.count("| 40 |") == 2
    readme.write_text("no marks")
    refused = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert refused.returncode != 0
    assert START in refused.stderr
    assert readme.read_text() == "no marks"
