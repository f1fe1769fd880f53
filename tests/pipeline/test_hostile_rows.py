"""Ten thousand hostile rows in one build: none stops it, and every one is accounted for."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from fakes.hostile import hostile_row, mutants, write_hostile
from fakes.pages import NOON, START, api_pages, make_id, tiny_campaign
from release_kit import NO_MODELS, Built, build

from builder.config.campaign import Campaign
from builder.media.facts import STATUSES
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest
from builder.validate.contract.leaks import Private
from builder.validate.whole import validate


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_hostile_rows_are_all_accounted_for(tmp_path: Path, seed: int) -> None:
    written = write_hostile(tmp_path / "in", 10_000, seed)
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    found = find_sources([tmp_path / "in"])
    result = ingest(tiny_campaign(), found, Store(tmp_path / "work"), quiet)
    assert result.rows_in == written
    assert result.rows_in == result.videos + sum(result.dropped.values()) + result.merged
    assert result.videos > written // 10
    kept = pl.concat([pl.read_parquet(part) for part in result.parts])
    texts = kept.select(pl.selectors.string()).unpivot()["value"].drop_nulls()
    assert not texts.str.contains("\ufffd", literal=True).any()
    assert kept["id"].is_unique().all()


def attack(folder: Path, rows: int, clips: int, seed: int, skip: frozenset[str]) -> Built:
    """One build of hostile pages, hostile CSVs and damaged clips of the same videos."""
    dice = random.Random(seed)
    given = folder / "given"
    write_hostile(given / "mixed", rows // 2, seed)
    api_pages(given / "said", [hostile_row(dice, number) for number in range(rows // 2)])
    mixed = [make_id(NOON + n, n * 7_919 + 1) for n in range(clips // 2)]
    said = [((START + 3600 * (n % 1500) + n) << 32) + n + 7 for n in range(clips - clips // 2)]
    mutants(folder / "clips", [*mixed, *said], seed)
    return build(folder, given, videos_dir=folder / "clips", skip=skip)


def account(built: Built, rows: int, clips: int, stages: tuple[str, ...]) -> None:
    """Every row is in the release or dropped for a reason; every clip has a status."""
    manifest = built.manifest
    came = manifest["counts"]["ingest"]
    assert came["in"] == rows
    dropped = sum(manifest["dropped"].values())
    assert built.frame("videos").height + dropped + came.get("merged", 0) == rows
    media = manifest["media"]
    assert media["files"] == clips
    assert media["files"] == sum(n for what, n in media.items() if what != "files")
    assert media["matched"] > clips // 2
    for stage in stages:
        parts = sorted(built.work.glob(f"{stage}/*/part-*.parquet"))
        done = pl.concat(
            [pl.read_parquet(part, columns=["id", "status", "reason"]) for part in parts]
        )
        assert done["id"].is_unique().all()
        assert done.height == media["matched"]
        assert done["status"].null_count() == 0
        assert not done["reason"].str.starts_with("internal").fill_null(False).any()
    probed = pl.concat(
        [pl.read_parquet(part) for part in sorted(built.work.glob("probe/*/part-*.parquet"))]
    )
    assert set(probed["status"].unique()) <= set(STATUSES)
    assert built.report["contract"]["verdict"] == "pass"
    ecuador = Campaign.load()
    private = Private.of(sorted(built.work.glob("ingest/*/part-*.parquet")), ecuador)
    assert validate(built.release, ecuador, private)["contract"]["verdict"] == "pass"


@pytest.mark.slow
def test_hostile_rows_and_mutated_clips_in_one_build(tmp_path: Path) -> None:
    skip = frozenset(NO_MODELS) - {"probe"}
    account(attack(tmp_path, 200, 60, 7, skip), 200, 60, ("probe",))


@pytest.mark.long
def test_ten_thousand_hostile_rows_and_two_thousand_mutated_clips_in_one_build(
    tmp_path: Path,
) -> None:
    built = attack(tmp_path, 10_000, 2_000, 11, frozenset())
    account(built, 10_000, 2_000, ("probe", "transcribe"))
