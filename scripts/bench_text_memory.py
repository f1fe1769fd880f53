"""Peak memory of the text stages at two sizes: it must not grow with the number of transcripts.

usage: python scripts/bench_text_memory.py [--videos 50000 200000] [--stages language,summarize]

Prints one JSON line. For each size a simulated campaign is ingested; then the stages run over all
its transcripts in a process of their own, and once more with nothing left to compute. `grows` is
the peak of the largest size over that of the smallest.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench_tabular import measure

_TOOL = [sys.executable, "-c", "from builder.cli import main; main()"]


def bench(videos: int, stages: str, folder: Path) -> dict[str, Any]:
    """One size: peak MiB and seconds of the stages, cold and resumed."""
    pages, work = folder / "pages", folder / "work"
    measure([*_TOOL, "simulate", "--videos", str(videos), "--seed", "1", "--out", str(pages)])
    common = [*_TOOL, "regenerate", str(pages), "--work", str(work), "--out", str(folder / "out")]
    measure([*common, "--only", "ingest"])
    run = [*common, "--only", stages]
    return {"videos": videos, "cold": measure(run), "resumed": measure(run)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--stages", default="language,summarize")
    options = parser.parse_args()
    sizes = []
    for videos in sorted(options.videos):
        with tempfile.TemporaryDirectory() as folder:
            sizes.append(bench(videos, options.stages, Path(folder)))
    grows = {
        kind: round(sizes[-1][kind]["peak_mib"] / sizes[0][kind]["peak_mib"], 2)
        for kind in ("cold", "resumed")
    }
    machine = {"cpu": platform.processor() or platform.machine()}
    print(json.dumps({"stages": options.stages, "sizes": sizes, "grows": grows, **machine}))


if __name__ == "__main__":
    main()
