"""Forecasts a campaign from the rates of a smaller one, builds it, prints both as one JSON line.

usage: python scripts/check_plan.py [--small 300] [--large 1500] [--clips 8]

Both campaigns are SYNTHETIC; the downloads are copies of an embedded clip, `--clips` in the
smaller one and in proportion in the larger. Exit code 1: forecast and run are more than 20 % apart.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from made_campaigns import ids_of, smallest_clip

from builder.config.campaign import Campaign
from builder.config.profile import load_profile
from builder.pipeline.cost import HOUR, cost_of
from builder.pipeline.plan import PLAN
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.run.progress import Progress
from builder.run.rates import read_rates
from builder.sources.simulate.simulate import simulate

MOST_APART = 0.2


def build(folder: Path, videos: int, downloads: int) -> tuple[float, int]:
    """Simulate a campaign and build it; seconds of the build, and its videos."""
    pages, clips = folder / "pages", folder / "videos"
    simulate(Campaign.load("ecuador_2024"), videos=videos, seed=videos, out=pages)
    clips.mkdir()
    silent = functools.partial(Progress, stream=None)
    ids = ids_of(pages)
    for row in ids[:downloads]:
        shutil.copy(smallest_clip(), clips / f"{row}.mp4")
    work, out = folder / "work", folder / "out"
    started = time.monotonic()
    regenerate(Request(work, out, (pages,), videos_dir=clips, progress=silent))
    return time.monotonic() - started, len(ids)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=300)
    parser.add_argument("--large", type=int, default=1_500)
    parser.add_argument("--clips", type=int, default=8)
    options = parser.parse_args()
    times = options.large // options.small
    with tempfile.TemporaryDirectory(prefix="check-plan-") as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        small.mkdir()
        large.mkdir()
        took, _ = build(small, options.small, options.clips)
        rates = read_rates(small / "work")
        real, videos = build(large, options.large, options.clips * times)
    cost = cost_of(PLAN, load_profile("offline"), rates, videos=videos)
    forecast = cost.hours * HOUR
    print(
        json.dumps(
            {
                "synthetic": True,
                "small_videos": options.small,
                "small_seconds": round(took, 1),
                "large_videos": videos,
                "forecast_seconds": round(forecast, 1),
                "real_seconds": round(real, 1),
                "forecast_by_step": {s.step: round(s.hours * HOUR, 1) for s in cost.steps},
                "apart": round(forecast / real - 1, 3),
            }
        )
    )
    sys.exit(abs(forecast / real - 1) > MOST_APART)


if __name__ == "__main__":
    main()
