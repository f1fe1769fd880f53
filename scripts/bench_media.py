"""What the child processes cost: probing and decoding with them, and in this process.

usage: python scripts/bench_media.py [--clips DIR] [--rounds 5]

Prints one JSON line: files probed a second and seconds of sound decoded a second, both ways, taken
in turns in the same run (the best round of each, so that a busy machine distorts neither side).
Files that only one of the two could survive have no place in DIR.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from builder.media.audio import SAMPLE_RATE, decode_blocks
from builder.media.downloads import find_media
from builder.media.facts import probe_here
from builder.media.formats import MediaProblem
from builder.media.sound import decode_sound
from builder.media.workers import facts_of

SAMPLE = Path(__file__).parents[1] / "builder" / "sample" / "videos"


def probed(paths: list[Path], probe: Callable[[Path], object]) -> float:
    """Files a second."""
    started = time.perf_counter()
    for path in paths:
        probe(path)
    return len(paths) / (time.perf_counter() - started)


def decoded(paths: list[Path], inside: bool) -> float:
    """Seconds of sound a second."""
    started, samples = time.perf_counter(), 0
    for path in paths:
        try:
            blocks = decode_sound(path) if inside else decode_blocks(path, 120.0)
            samples += sum(map(len, blocks))
        except MediaProblem:
            continue
    return samples / SAMPLE_RATE / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=SAMPLE)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    paths = [Path(path) for path in find_media(options.clips)["path"].to_list()]
    facts_of(paths[0])  # a child is up
    rounds = [
        (
            probed(paths, probe_here),
            probed(paths, facts_of),
            decoded(paths, inside=True),
            decoded(paths, inside=False),
        )
        for _ in range(options.rounds)
    ]
    best = [round(max(column), 1) for column in zip(*rounds, strict=True)]
    names = ("here", "child")
    print(
        json.dumps(
            {
                "files": len(paths),
                "probe_files_per_s": dict(zip(names, best[:2], strict=True)),
                "decode_audio_s_per_s": dict(zip(names, best[2:], strict=True)),
                "cores": len(os.sched_getaffinity(0)),
                "cpu": platform.processor() or platform.machine(),
            }
        )
    )


if __name__ == "__main__":
    main()
