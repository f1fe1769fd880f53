"""Do the tables and figures of a simulated campaign show the paper's numbers, and where it peaks?

usage: python scripts/check_figures.py [--figures DIR | --folder DIR]

Simulates the paper's 51,479 videos, builds a release without models, draws everything and compares
table1.csv, table2.csv and figure1.csv with the campaign's paper.toml. With --figures only compares
what `ecuador-crisis figures` wrote there. Prints one line a number; exit code 1 if one differs.

A mean is compared over the number of videos that the paper's Table 1 prints, as its own are. The
printed mean of likes does not follow from the printed total; it is shown and not counted.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from builder.config.campaign import Campaign

NO_MODELS = "probe,transcribe,language,sentiment,summarize,entailment"


def draw(folder: Path) -> Path:
    """Simulate, build and draw; the folder with the figures."""
    cli = [sys.executable, "-c", "from builder.cli import main; main()"]
    steps = [
        ["simulate", "--videos", "51479", "--seed", "1", "--out", "pages"],
        ["regenerate", "pages", "--work", "work", "--out", "release", "--skip", NO_MODELS],
        ["figures", "release", "--out", "figures", "--work", "work"],
    ]
    for step in steps:
        subprocess.run([*cli, *step], cwd=folder, check=True, stdout=sys.stderr)
    return folder / "figures"


def compared(figures: Path, paper: dict[str, Any]) -> Iterator[tuple[str, Any, Any, bool]]:
    """What is compared, the paper's value, ours, and whether the paper's can be met at all."""
    table1 = {row["metric"]: row for row in _rows(figures / "table1.csv")}
    for metric, total in paper["totals"].items():
        row = table1[metric]
        yield f"Table 1, total {metric}", total, int(row["total"]), True
        printed = paper["means"][metric]
        follows = round(total / paper["videos_in_table_1"], 2) == printed
        yield (
            f"Table 1, mean {metric}",
            printed,
            float(row["mean_over_paper_videos"]),
            follows,
        )
    table2 = [(row["hashtag"], int(row["videos"])) for row in _rows(figures / "table2.csv")]
    for rank, (printed, ours) in enumerate(
        zip(paper["hashtags"].items(), table2, strict=True), start=1
    ):
        yield f"Table 2, rank {rank}", printed, ours, True
    days = _rows(figures / "figure1.csv")
    yield "Figure 1, videos", paper["videos_in_text"], sum(int(d["videos"]) for d in days), True
    for metric, peak in paper["peaks"].items():
        top = max(days, key=lambda day: int(day[metric]))
        ours = (top["date"], int(top[metric]))
        yield f"Figure 1, peak {metric}", (str(peak["date"]), peak["value"]), ours, True


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def main() -> None:
    """See the module docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, help="compare only what is there")
    parser.add_argument("--folder", type=Path, help="where to work")
    arguments = parser.parse_args()
    paper = Campaign.load().paper
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = arguments.figures or draw(Path(folder))
        differ = 0
        for name, printed, ours, possible in compared(figures, paper):
            verdict = "same" if printed == ours else "differs" if possible else "contradiction"
            differ += verdict == "differs"
            print(f"{verdict:<14}{name:<34}paper {printed}   ours {ours}")
    print(f"{differ} differ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
