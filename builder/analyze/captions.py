"""From a release and the work folder it was built in to the aggregates of its captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from builder.analyze.ngrams import Ngrams, caption_ngrams
from builder.config.campaign import Campaign
from builder.errors import UsageProblem
from builder.release.anonymize import crosswalk_parts
from builder.release.hashtags import distinctive_usernames, known_usernames, shared_usernames
from builder.release.scrub.names.choose import offline_finder
from builder.release.scrub.scrubber import Scrubber
from builder.validate.release import Tables


def released_ngrams(
    tables: Tables, work: Path, campaign: Campaign, parts: Sequence[Path] | None = None
) -> Ngrams:
    """Top phrases of the captions of exactly the released videos.

    Args:
        tables: the release.
        work: the work folder it was built in.
        campaign: its campaign: who may be named, and what the scrubber leaves.
        parts: its ingest parts, where they are known; None: they are looked for.

    Raises:
        UsageProblem: the folder holds no build, or that of another release.
    """
    pairs = crosswalk_parts(work)
    found = sorted((work / "ingest").glob("*/part-*.parquet")) if parts is None else parts
    if not pairs or not found:
        raise UsageProblem(
            "this work folder holds no finished build",
            file=work,
            way_out="give the --work folder the release was built with",
        )
    released = tables.scan("metadata").select("video_id")
    ids = (
        pl.scan_parquet(pairs, glob=False)
        .join(released, on="video_id", how="semi")
        .select("id")
        .collect(engine="streaming")["id"]
    )
    if ids.is_empty():
        raise UsageProblem(
            "this work folder was not used to build this release: no video of it is in both",
            file=work,
            way_out="give the --work folder the release was built with",
        )
    return ngrams_of(_build_of(found, ids) if parts is None else found, ids, campaign)


def ngrams_of(parts: Sequence[Path], ids: pl.Series | None, campaign: Campaign) -> Ngrams:
    """Top phrases of the captions in ingest parts; `ids`: the videos that count, None: all."""
    usernames = known_usernames(parts)
    shared = shared_usernames(parts, campaign, usernames)
    distinctive = distinctive_usernames(usernames, shared)
    scrubber = Scrubber.of(campaign, distinctive)
    mine = distinctive - campaign.allowed_handles
    return caption_ngrams(parts, ids, mine, scrubber, names=offline_finder(campaign))


def _build_of(parts: Sequence[Path], ids: pl.Series) -> list[Path]:
    """The parts of that ingest which holds most of these videos: a work folder keeps older ones."""
    builds: dict[Path, list[Path]] = {}
    for part in parts:
        builds.setdefault(part.parent, []).append(part)
    mine = ids.rename("id").to_frame().lazy()

    def held(folder: Path) -> int:
        found = (
            pl.scan_parquet(builds[folder], glob=False).select("id").join(mine, on="id", how="semi")
        )
        return int(found.select(pl.len()).collect(engine="streaming").item())

    return builds[max(sorted(builds), key=held)]
