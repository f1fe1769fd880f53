"""Time and peak memory of `ecuador-crisis figures`, for the paper's size and for millions.

usage: python scripts/bench_figures.py [--videos 51479 5000000] [--folder DIR]

Prints one JSON line. The paper's campaign is simulated and built without models once; a larger
release is the same shards again and again under other names, and so are its ingest parts. That
measures reading, counting and memory as they grow with rows; it does not add new hashtags or new
phrases, of which a real campaign of millions would have more. Labels and languages are invented, so
that every figure is drawn. Seconds are wall time of the whole command.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from bench_tabular import measure

BASE = 51_479
NO_MODELS = "probe,transcribe,language,sentiment,summarize,entailment"
_CLI = [sys.executable, "-c", "from builder.cli import main; main()"]


def build(folder: Path) -> None:
    """The paper's campaign in `folder/release` and `folder/work`, with invented labels."""
    pages = folder / "pages"
    measure([*_CLI, "simulate", "--videos", str(BASE), "--seed", "1", "--out", str(pages)])
    out = ["--work", str(folder / "work"), "--out", str(folder / "release")]
    measure([*_CLI, "regenerate", str(pages), *out, "--skip", NO_MODELS])
    for path in (folder / "release" / "videos").glob("*.parquet"):
        frame = pl.read_parquet(path).with_row_index("at")
        ok = pl.col("transcript_status") == "ok"
        labels = pl.Series(["negative", "neutral", "positive", "negative", "negative"])
        pick = pl.col("at") % 5
        language = pl.when(pl.col("at") % 20 == 0).then(pl.lit("en")).otherwise(pl.lit("es"))
        frame.with_columns(
            sentiment=pl.when(ok).then(pl.lit(labels).gather(pick)),
            low_confidence=pl.when(ok).then(pl.col("at") % 3 == 0),
            language=pl.when(ok).then(language),
        ).drop("at").write_parquet(path)


def repeat(source: Path, target: Path, times: int) -> None:
    """The same build `times` over: hard links under other names."""
    for name in ("release", "work"):
        shutil.copytree(source / name, target / name, copy_function=os.link)
    for pattern in (
        "release/videos/*.parquet",
        "release/metadata/*.parquet",
        "work/ingest/*/part-*.parquet",
    ):
        for path in sorted(target.glob(pattern)):
            for copy in range(1, times):
                os.link(path, path.with_name(f"{path.stem}-{copy:05d}.parquet"))


def bench(source: Path, folder: Path, videos: int) -> dict[str, Any]:
    """One size, with and without the captions."""
    times = max(1, round(videos / BASE))
    repeat(source, folder, times)
    command = ["figures", str(folder / "release"), "--out", str(folder / "out")]
    return {
        "videos": times * BASE,
        "release_alone": measure([*_CLI, *command]),
        "with_captions": measure([*_CLI, *command, "--work", str(folder / "work")]),
    }


def run(name: str, about: str, bench: Callable[[Path, Path, int], dict[str, Any]]) -> None:
    """Build once, measure every size asked for, and print one JSON line.

    Args:
        name: of the bench.
        about: for the help.
        bench: (the build, a folder of its own, videos) -> what was measured.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--videos", type=int, nargs="+", default=[BASE, 5_000_000])
    parser.add_argument("--folder", type=Path, help="where to work")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        folder = Path(place)
        build(folder)
        sizes = [bench(folder, folder / f"size-{n}", n) for n in arguments.videos]
    result = {
        "bench": name,
        "cpus": os.cpu_count(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "sizes": sizes,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    run("figures", __doc__.splitlines()[0], bench)
