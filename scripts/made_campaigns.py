"""What scripts need to build SYNTHETIC campaigns with downloads: ids, and a clip to copy."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import polars as pl

from builder.config.campaign import Campaign
from builder.pipeline.request import SAMPLE
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest


def ids_of(pages: Path) -> list[int]:
    """The ids of a simulated campaign, sorted."""
    silent = functools.partial(Progress, stream=None)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "ids")
        found = ingest(Campaign.load("ecuador_2024"), find_sources([pages]), store, silent)
        return [int(each) for each in pl.read_parquet(found.parts)["id"].sort()]


def smallest_clip() -> Path:
    """A small MP4 with speech, of the embedded sample."""
    clips = Path(str(SAMPLE / "videos")).glob("*.mp4")
    return min(clips, key=lambda path: path.stat().st_size)
