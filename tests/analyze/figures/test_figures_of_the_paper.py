"""51,479 simulated videos give the paper's Tables 1 and 2 and the peaks of its Figure 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from release_kit import Built

from builder.commands.figures import run_figures

SCRIPT = Path(__file__).parents[3] / "scripts" / "check_figures.py"


@pytest.mark.long
def test_the_papers_numbers_come_out(full: Built, tmp_path: Path) -> None:
    run_figures(full.release, tmp_path / "figures", work=full.work)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--figures", str(tmp_path / "figures")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("same ") == 4 + 3 + 20 + 1 + 4
    # the mean of likes that the paper prints cannot be met
    assert done.stdout.count("contradiction ") == 1
    # and the check can fail
    table = tmp_path / "figures" / "table1.csv"
    table.write_text(table.read_text().replace("1258724739", "1258724738", 1))
    again = subprocess.run(
        [sys.executable, str(SCRIPT), "--figures", str(table.parent)], check=False
    )
    assert again.returncode == 1
