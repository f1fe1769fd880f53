"""A service, what was collected from it, a work folder and a release: made once, then copied."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from fakes.research_api import ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAYS, FastClock, collect
from release_kit import NO_MODELS, quiet, table, write_key

from builder.commands.refresh import RefreshOptions, run_refresh
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.release.manifest import Manifest

CONFIGS = ("videos", "metadata", "transcripts", "sentiment", "summaries")


class World:
    """The folders, and what is done with them."""

    def __init__(self, folder: Path, api: ResearchApi) -> None:
        self.folder, self.api = folder, api
        self.work, self.out, self.pages = folder / "work", folder / "Release", folder / "pages"

    @property
    def first(self) -> Manifest:
        """Of the release that is there."""
        return Manifest.read(self.out)

    def build(self) -> Manifest:
        request = Request(
            work=self.work,
            out=self.out,
            sources=(self.pages,),
            skip=frozenset(NO_MODELS),
            key_file=self.folder / "key",
            progress=quiet,
        )
        regenerate(request)
        return Manifest.read(self.out)

    def refresh(self, **options: int) -> tuple[int, str]:
        lines: list[str] = []
        wanted = RefreshOptions(self.work, base_url=self.api.url, **options)
        code = run_refresh(wanted, lines.append, FastClock(self.api))
        return code, "\n".join(lines)

    def next_day(self, days: int = 1) -> None:
        self.api.ahead += days * 86_400

    def released(self) -> dict[str, set[str]]:
        return {c: set(table(self.out, c)["video_id"].to_list()) for c in CONFIGS}

    def pseudonyms(self) -> dict[int, str]:
        parts = (self.work / "private" / "crosswalk").glob("part-*.parquet")
        pairs = pl.concat([pl.read_parquet(part) for part in parts])
        return dict(pairs.select("id", "video_id").iter_rows())


def service() -> ResearchApi:
    """48 videos on four days, and some that are not the campaign's."""
    return ResearchApi(make_corpus(CAMPAIGN, DAYS, seed=5, a_day=12, noise=1))


def make_world(folder: Path) -> None:
    """Collect and build."""
    write_key(folder / "key")
    with service() as api:
        made = World(folder, api)
        assert collect(api, made.pages).complete
        made.build()


def holds(folder: Path, ids: set[int]) -> list[Path]:
    """Parquet and text files under a folder that hold one of these ids."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            if "id" in frame.columns and set(frame["id"].to_list()) & ids:
                found.append(path)
        elif path.is_file() and any(str(video).encode() in path.read_bytes() for video in ids):
            found.append(path)
    return found
