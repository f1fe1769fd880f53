"""Time and peak memory of the tabular path (no models), beside reading the same pages with pandas.

usage: python scripts/bench_tabular.py [--videos 51479 1000000] [--folder DIR] [--one-core-up-to N]

Prints one JSON line, and to stderr each size as soon as it is measured. For each size: wall and CPU
seconds and peak resident MiB (all processes together) of `ecuador-crisis regenerate` over a
simulated campaign (all stages, release and validation included), on every core and on one; of its
ingest alone; and of the authors' way: every page through `json.loads` and `pandas.DataFrame`,
`pandas.concat`, `drop_duplicates`, `to_csv`.
`same_bytes`: whether both builds gave the same release. `exponents` are those of wall and CPU time
from each size to the next: 1 is linear. Times on a machine that does other things too are told
beside its load.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from builder.release.assemble import file_digest
from builder.run.cpu import cores

KEY = "0123456789abcdef" * 4  # of nobody's ids: both builds shall give the same release

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


def measure(command: list[str], on_cores: int | None = None) -> dict[str, float]:
    """Run a command; wall seconds, CPU seconds and peak resident MiB of it and its children.

    Args:
        command: a program and its arguments.
        on_cores: how many it may use; None: all.
    """
    started = time.monotonic()
    usable = sorted(os.sched_getaffinity(0))[:on_cores]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, usable)), *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"ECUADOR_CRISIS_KEY": KEY},
        )
        peak = 0
        while not (done := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, resident(process.pid))
            time.sleep(0.2)
        _, status, usage = done
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{log.read().decode()[-2000:]}")
    return {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(max(peak, usage.ru_maxrss * 1024) / (1 << 20)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def resident(pid: int) -> int:
    """Resident bytes of a process and all below it; what they share is counted for each."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        below = [p.read_text().split() for p in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0
    return own + sum(resident(int(child)) for some in below for child in some)


def bench(videos: int, folder: Path, one_core_up_to: int) -> dict[str, Any]:
    """All sides for one size, one after the other."""
    pages = folder / "pages"
    cli = [str(Path(sys.executable).parent / "ecuador-crisis")]
    measure([*cli, "simulate", "--videos", str(videos), "--seed", "1", "--out", str(pages)])
    size = sum(path.stat().st_size for path in pages.iterdir())

    def build(name: str, *more: str) -> list[str]:
        out = folder / name / "EcuadorCrisisTikTok"
        out.parent.mkdir(exist_ok=True)
        work = ["--work", str(folder / "work"), "--out", str(out), "--profile", "offline"]
        return [*cli, "regenerate", str(pages), *work, *more]

    skipped = ["--skip", "probe,transcribe,language,sentiment,summarize,entailment"]
    found: dict[str, Any] = {"videos": videos, "input_mb": round(size / 1e6)}
    found["regenerate"] = whole = measure(build("all", *skipped))
    shutil.rmtree(folder / "work")
    if videos <= one_core_up_to:
        found["one_core"] = one = measure(build("one", *skipped), 1)
        shutil.rmtree(folder / "work")
        found["one_core_to_regenerate"] = round(one["seconds"] / whole["seconds"], 2)
        found["same_bytes"] = digests(folder / "all") == digests(folder / "one")
    found["ingest"] = alone = measure(build("none", "--only", "ingest"))
    authors = measure([sys.executable, "-c", _PANDAS, str(pages), str(folder / "pandas.csv")])
    shutil.rmtree(folder)
    return found | {
        "pandas_read": authors,
        "regenerate_to_pandas_read": round(whole["seconds"] / authors["seconds"], 2),
        "ingest_to_pandas_read": round(alone["seconds"] / authors["seconds"], 2),
    }


def digests(folder: Path) -> dict[str, str]:
    """Every file of a release: its name and what is in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): file_digest(path) for path in files}


def exponents(sizes: list[dict[str, Any]], what: str) -> list[float]:
    """Of the time from each size to the next."""
    return [
        round(
            math.log(more["regenerate"][what] / less["regenerate"][what])
            / math.log(more["videos"] / less["videos"]),
            2,
        )
        for less, more in pairwise(sizes)
    ]


def main() -> None:
    """See the module docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, nargs="+", default=[51_479, 1_000_000])
    parser.add_argument(
        "--one-core-up-to", type=int, default=1_000_000, help="larger sizes on all cores only"
    )
    parser.add_argument("--folder", type=Path, help="where to work (needs ~15 GB for 5 million)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        sizes = []
        for videos in sorted(arguments.videos):
            sizes.append(bench(videos, Path(folder) / str(videos), arguments.one_core_up_to))
            print(json.dumps(sizes[-1]), file=sys.stderr, flush=True)
    result = {
        "bench": "tabular",
        "cpus": cores(),
        "machine": platform.machine(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "sizes": sizes,
        "exponents": {what: exponents(sizes, what) for what in ("seconds", "cpu_seconds")},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
