"""Measures the engines: what a process of its own costs, and what a second Ray worker is worth.

Blank texts go through the language stage in this process, apart, and on Ray; the clips of the
embedded sample through Whisper with one Ray worker and with two, each single-threaded. Both sides
in the same run, the fastest of `--rounds` each. Prints one JSON line.

usage: python scripts/bench_engines.py [--rows 20000] [--rounds 3] [--copies 2]
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from builder.annotate.language import Language
from builder.annotate.transcribe import Transcribe
from builder.config.profile import load_profile
from builder.media.downloads import find_media
from builder.pipeline.request import SAMPLE
from builder.run.engines.choose import engine_of
from builder.run.engines.options import EngineOptions
from builder.run.local import Engine, run_stage
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store


@contextmanager
def warm(options: EngineOptions, stage: Stage, frame: pl.DataFrame) -> Iterator[Engine]:
    """An engine that has computed something already."""
    with engine_of(options) as engine, tempfile.TemporaryDirectory() as folder:
        seconds(stage, frame, engine, Path(folder))
        yield engine


def seconds(stage: Stage, frame: pl.DataFrame, engine: Engine, folder: Path) -> float:
    """How long a stage takes from the first batch to the last, in a new work folder."""
    silent: Callable[[str, int], Progress] = functools.partial(Progress, stream=None)
    _, report = run_stage(stage, frame, Store(folder / "work"), silent, engine=engine)
    shutil.rmtree(folder / "work")
    return report.loading + report.computing


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=2)
    options = parser.parse_args()
    result: dict[str, Any] = {"rows": options.rows}
    texts = pl.DataFrame({"id": range(options.rows), "text": [""] * options.rows})
    engines = {
        "here": EngineOptions("here"),
        "apart": EngineOptions(),
        "ray": EngineOptions("ray", workers=(1, 1)),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, wanted in engines.items():
            light = Language(load_profile("offline").language)
            with warm(wanted, light, texts.head(1_000)) as engine:
                rounds = range(options.rounds)
                best = min(seconds(light, texts, engine, folder) for _ in rounds)
            result[f"ms_per_1000_rows_{label}"] = round(best / options.rows * 1e6, 1)
        videos = folder / "videos"
        videos.mkdir()
        clips = sorted(Path(str(SAMPLE / "videos")).glob("*.mp4"))
        for n in range(options.copies):
            for m, clip in enumerate(clips):
                shutil.copy(clip, videos / f"{7_300_000_000_000_000_000 + n * 1_000 + m}.mp4")
        table = load_profile("offline").asr.model_copy(update={"threads": 1, "batch_videos": 2})
        media, took = find_media(videos), {}
        for workers in (1, 2):
            two = EngineOptions("ray", workers=(workers, workers))
            with engine_of(two) as engine:
                stage = Transcribe(table)
                rounds = range(options.rounds)
                took[workers] = min(seconds(stage, media, engine, folder) for _ in rounds)
            result[f"transcribe_seconds_{workers}_workers"] = round(took[workers], 2)
        result["clips"] = media.height
        result["two_workers_are_worth"] = round(took[1] / took[2], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
