"""Time and peak memory of the tabular path (no models), beside reading the same pages with pandas.

usage: python scripts/bench_tabular.py [--videos 51479 5000000] [--folder DIR]

Prints one JSON line. For each size: wall seconds and peak resident MiB of
`ecuador-crisis regenerate` over a simulated campaign (all stages, release and validation
included), of its ingest alone, and of the authors' way: every page through `json.loads` and
`pandas.DataFrame`, `pandas.concat`, `drop_duplicates`, `to_csv`. `linear` compares the seconds per
video of the largest size with those of the smallest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_PANDAS = """
import json, sys
from pathlib import Path
import pandas as pd
frames = []
for path in sorted(Path(sys.argv[1]).glob("*.jsonl")):
    for line in path.open(encoding="utf-8"):
        videos = json.loads(line)["data"]["videos"]
        if videos:
            frames.append(pd.DataFrame(videos))
table = pd.concat(frames, ignore_index=True).drop_duplicates(subset="id", keep="last")
table.to_csv(sys.argv[2], index=False)
"""


def measure(command: list[str]) -> dict[str, float]:
    """Run a command; wall seconds, CPU seconds and peak resident MiB of that process."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{log.read().decode()[-2000:]}")
    return {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


def bench(videos: int, folder: Path) -> dict[str, Any]:
    """All sides for one size, one after the other."""
    pages = folder / "pages"
    cli = [str(Path(sys.executable).parent / "ecuador-crisis")]
    measure([*cli, "simulate", "--videos", str(videos), "--seed", "1", "--out", str(pages)])
    size = sum(path.stat().st_size for path in pages.iterdir())
    build = [*cli, "regenerate", str(pages), "--work", str(folder / "work")]
    build += ["--out", str(folder / "EcuadorCrisisTikTok"), "--profile", "offline"]
    build += ["--skip", "probe,transcribe,language,sentiment,summarize,entailment"]
    whole = measure(build)
    shutil.rmtree(folder / "work")
    ingest = [*cli, "regenerate", str(pages), "--work", str(folder / "work")]
    alone = measure([*ingest, "--out", str(folder / "none"), "--only", "ingest"])
    authors = measure([sys.executable, "-c", _PANDAS, str(pages), str(folder / "pandas.csv")])
    shutil.rmtree(folder)
    return {
        "videos": videos,
        "input_mb": round(size / 1e6),
        "regenerate": whole,
        "ingest": alone,
        "pandas_read": authors,
        "regenerate_to_pandas_read": round(whole["seconds"] / authors["seconds"], 2),
        "ingest_to_pandas_read": round(alone["seconds"] / authors["seconds"], 2),
    }


def main() -> None:
    """See the module docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, nargs="+", default=[51_479, 5_000_000])
    parser.add_argument("--folder", type=Path, help="where to work (needs ~15 GB for 5 million)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        sizes = [bench(n, Path(folder) / str(n)) for n in arguments.videos]
    rates = [size["regenerate"]["seconds"] / size["videos"] for size in sizes]
    result = {
        "bench": "tabular",
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "sizes": sizes,
        "linear": round(rates[-1] / rates[0], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
