"""What the child processes cost: probing and decoding with them, and in this process.

usage: python scripts/bench_media.py [--seconds 2,5,15,30,60] [--clips DIR] [--rounds 5]

Makes clips of these lengths (H.264 and AAC, as phones do) or takes those of DIR; prints one JSON
line: milliseconds a clip, both ways, by the wall clock and by the processor (this process and its
children), taken in turns in the same run; the best round of each, so that a busy machine distorts
neither side. `stage` is the probe stage as it runs, with a child a core. Files that only one of the
two could survive have no place in DIR.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from builder.media import workers
from builder.media.audio import SAMPLE_RATE, decode_blocks
from builder.media.downloads import find_media
from builder.media.facts import probe_here
from builder.media.formats import MediaProblem
from builder.media.probe import Probe
from builder.media.sound import decode_sound

FIRST_ID = 7_321_728_245_254_717_441
FRAMES = 24  # a second
CLIPS_SECONDS = 120  # of clips, for each length


def make_clip(path: Path, seconds: float) -> None:
    """A clip with noise in pictures and sound."""
    chance = np.random.default_rng(0)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        pictures: Any = out.add_stream("libx264", rate=FRAMES)
        pictures.width, pictures.height, pictures.pix_fmt = 288, 512, "yuv420p"
        pictures.options = {"preset": "ultrafast", "crf": "40"}
        voice: Any = out.add_stream("aac", rate=44_100, layout="stereo")
        for number in range(round(seconds * FRAMES)):
            grey = np.full((512, 288, 3), number % 255, np.uint8)
            grey[:64] = chance.integers(0, 255, (64, 288, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES)
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
        for start in range(0, round(seconds * 44_100), 1_024):
            noise = (chance.standard_normal((2, 1_024)) * 0.1).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(noise, "fltp", layout="stereo")
            sound.sample_rate, sound.pts = 44_100, start
            out.mux(voice.encode(sound))
        out.mux(voice.encode(None))


def children_seconds() -> float:
    """Processor time of the children that are up."""
    total = 0
    for child in workers._CHILDREN._idle:
        told = Path(f"/proc/{child.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(told[11]) + int(told[12])
    return total / os.sysconf("SC_CLK_TCK")


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processors."""
    busy, started = time.process_time() + children_seconds(), time.perf_counter()
    job()
    wall = time.perf_counter() - started
    return wall, time.process_time() + children_seconds() - busy


def decoded(paths: list[Path], decode: Callable[[Path], Any]) -> int:
    """Samples of all of them."""
    samples = 0
    for path in paths:
        try:
            samples += sum(map(len, decode(path)))
        except MediaProblem:
            continue
    return samples


def measured(folder: Path, rounds: int) -> dict[str, Any]:
    """Milliseconds a clip of a folder."""
    media = find_media(folder)
    paths = [Path(path) for path in media["path"].to_list()]
    times = max(1, int(CLIPS_SECONDS // max(1.0, decoded(paths, decode_sound) / SAMPLE_RATE)))
    many, stage = paths * times, Probe()
    jobs: dict[str, Callable[[], object]] = {
        "probe_here": lambda: [probe_here(path) for path in many],
        "probe_child": lambda: [workers.facts_of(path) for path in many],
        "probe_stage": lambda: [stage(media) for _ in range(times)],
        "decode_here": lambda: decoded(many, decode_sound),
        "decode_child": lambda: decoded(many, lambda path: decode_blocks(path, 120.0)),
    }
    for job in jobs.values():  # the children are up
        job()
    best = dict.fromkeys(jobs, (float("inf"), float("inf")))
    for _ in range(rounds):
        for name, job in jobs.items():
            wall, busy = timed(job)
            best[name] = min(best[name][0], wall), min(best[name][1], busy)
    told: dict[str, Any] = {"clips": len(many)}
    for index, clock in enumerate(("wall", "cpu")):
        told[f"{clock}_ms"] = {
            name: round(1000 * best[name][index] / len(many), 2) for name in jobs
        }
        told[f"{clock}_child_costs_percent"] = {
            what: round(100 * (best[f"{what}_child"][index] / best[f"{what}_here"][index] - 1), 1)
            for what in ("probe", "decode")
        }
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--seconds", default="2,5,15,30,60")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for length in [] if options.clips else [float(s) for s in options.seconds.split(",")]:
            folder = Path(scratch) / f"{length:g}"
            folder.mkdir()
            for number in range(4):
                make_clip(folder / f"{FIRST_ID + number}.mp4", length)
            results[f"{length:g} s"] = measured(folder, options.rounds)
    if options.clips:
        results[options.clips.name] = measured(options.clips, options.rounds)
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": platform.processor() or platform.machine(),
    }
    print(json.dumps({"benchmark": "media", **results, **machine}))


if __name__ == "__main__":
    main()
