"""From anonymised rows to a folder: sorted, counted, complete or absent."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from release_kit import Built, content, quiet, read_json
from wide_kit import found

from builder.config.campaign import Campaign
from builder.errors import EmptySource
from builder.release.anonymize import Anonymised, anonymize
from builder.release.assemble import (
    file_digest,
    manifest_of,
    optional_columns,
    write_tables,
)
from builder.release.manifest import BuildFacts
from builder.release.pseudonym import Key
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest

ECUADOR = Campaign.load()
DAY = dt.date(2024, 1, 9)


@pytest.fixture
def anonymised(small: Built, tmp_path: Path) -> Anonymised:
    store = Store(tmp_path / "work")
    ingested = ingest(ECUADOR, find_sources([small.pages]), store, quiet)
    return anonymize(ECUADOR, ingested, found(), Key(b"0" * 32), store, quiet)


def in_buckets(whole: Anonymised, folder: Path) -> Anonymised:
    """The same rows as a large input leaves them: a part for each day the *id* carries."""
    rows = pl.concat([pl.read_parquet(part) for part in whole.parts])
    rows = rows.with_columns(bucket=(pl.col("id") // 2**32) // 86_400)
    folder.mkdir()
    parts, days = [], []
    for (day,), frame in sorted(rows.partition_by("bucket", as_dict=True).items()):
        parts.append(folder / f"part-{day}.parquet")
        days.append(day)
        frame.drop("bucket").write_parquet(parts[-1])
    return Anonymised(parts=parts, bucket_days=days, rows=whole.rows)


def test_rows_are_sorted_whatever_the_buckets(anonymised: Anonymised, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    one = write_tables(ECUADOR, anonymised, tmp_path / "one")
    many = write_tables(ECUADOR, in_buckets(anonymised, tmp_path / "parts"), tmp_path / "many")
    frame = pl.read_parquet(tmp_path / "one" / "videos")
    assert frame.equals(frame.sort("date", "video_id"))
    for config in one.rows:
        mine, theirs = (pl.read_parquet(tmp_path / n / config) for n in ("one", "many"))
        assert mine.equals(theirs), config
    assert one.rows == many.rows and one.days == many.days and one.terms == many.terms


def test_a_video_published_a_minute_after_midnight_of_its_id(
    anonymised: Anonymised, tmp_path: Path
) -> None:
    """The id says one day, the publication date another: it is still in its place."""
    buckets = in_buckets(anonymised, tmp_path / "parts")
    moved = 0
    for part, day in zip(buckets.parts, buckets.bucket_days, strict=True):
        frame = pl.read_parquet(part)
        first = pl.int_range(pl.len()) == 0
        if day < buckets.bucket_days[-1]:
            later = dt.date(1970, 1, 1) + dt.timedelta(days=day + 1)
            frame = frame.with_columns(date=pl.when(first).then(later).otherwise("date"))
            moved += 1
            frame.write_parquet(part)
    assert moved > 10
    (tmp_path / "out").mkdir()
    done = write_tables(ECUADOR, buckets, tmp_path / "out")
    frame = pl.read_parquet(tmp_path / "out" / "videos")
    assert frame.equals(frame.sort("date", "video_id")) and frame.height == done.rows["videos"]


def test_what_it_counts(anonymised: Anonymised, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = write_tables(ECUADOR, anonymised, tmp_path / "out")
    videos = pl.read_parquet(tmp_path / "out" / "videos")
    transcripts = pl.read_parquet(tmp_path / "out" / "transcripts")
    assert done.rows["videos"] == videos.height == sum(done.days.values())
    assert done.rows["transcripts"] == transcripts.height
    usable = transcripts.filter(pl.col("status") == "ok")["source"].value_counts()
    assert done.transcripts == dict(usable.iter_rows())
    excluded = videos["exclusion_reason"].drop_nulls().value_counts()
    assert done.excluded == dict(excluded.iter_rows()) and videos["is_excluded"].sum() > 0
    terms = pl.read_parquet(tmp_path / "out" / "keywords").select("term", "n_videos")
    assert done.terms is not None
    assert dict(terms.iter_rows()) == {t: done.terms.get(t, 0) for t in terms["term"]}
    events = pl.read_parquet(tmp_path / "out" / "events").select("date", "n_videos")
    assert dict(events.iter_rows()) == {d: done.days.get(str(d), 0) for d in events["date"]}
    for name, rows in done.files.items():
        assert pq.read_metadata(tmp_path / "out" / name).num_rows == rows


def test_nothing_left_is_an_error(tmp_path: Path, anonymised: Anonymised) -> None:
    for part in anonymised.parts:
        frame = pl.read_parquet(part).with_columns(
            media_status=pl.lit("corrupt"),
            whisper_status=pl.lit(None, pl.String),
            api_status=pl.lit(None, pl.String),
        )
        frame.write_parquet(part)
    (tmp_path / "out").mkdir()
    with pytest.raises(EmptySource, match="no video is left"):
        write_tables(ECUADOR, anonymised, tmp_path / "out")


def test_the_manifest_lists_every_file_but_those_about_it(small: Built) -> None:
    manifest = small.manifest
    names = set(content(small.release))
    assert set(manifest["files"]) == names - {
        "MANIFEST.json", "validation.json", "validation.html",
    }  # fmt: skip
    for name, facts in manifest["files"].items():
        assert facts["sha256"] == file_digest(small.release / name)
        assert (facts["rows"] is not None) == name.endswith(".parquet")
    for key in ("version", "synthetic", "campaign", "counts", "dropped", "files", "models"):
        assert key in manifest
    assert manifest["synthetic"] is True and manifest["campaign"] == "ecuador_2024"


def test_rows_are_accounted_for_at_every_step(small: Built) -> None:
    manifest = small.manifest
    counts, planted = manifest["counts"], read_json(small.pages / "SIMULATION.json")["planted"]
    ingest = counts["ingest"]
    dropped = sum(manifest["dropped"].values())
    assert ingest["in"] == ingest["out"] + ingest["merged"] + dropped
    assert ingest["in"] == sum(manifest["sources"].values())
    assert ingest["out"] == counts["anonymize"]["in"] == counts["assemble"]["out"] == 308
    assert manifest["dropped"]["duplicate"] == planted["duplicate"]
    assert manifest["dropped"]["out_of_region"] == planted["out_of_region"]
    assert manifest["dropped"]["out_of_window"] == planted["out_of_window"]


def test_no_path_time_or_user_of_this_machine_is_in_the_release(small: Built) -> None:
    for name, data in content(small.release).items():
        if name != "ecuador_crisis_tiktok.py":
            for word in (b"/tmp/", b"/root", b"/home", str(small.release.parent).encode()):
                assert word not in data, name


def test_write_manifest_is_the_last_step(tmp_path: Path, anonymised: Anonymised) -> None:
    (tmp_path / "out").mkdir()
    done = write_tables(ECUADOR, anonymised, tmp_path / "out")
    assert not (tmp_path / "out" / "MANIFEST.json").exists()
    manifest = manifest_of(ECUADOR, done, tmp_path / "out", BuildFacts(synthetic=True))
    manifest.write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "MANIFEST.json").read_text()) == manifest.as_dict()


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [
        ({}, ()),
        ({"date_resolution": "hour"}, ("published_at",)),
        ({"author_pseudonym": True}, ("author_id",)),
        ({"date_resolution": "second", "author_pseudonym": True}, ("published_at", "author_id")),
    ],
)
def test_optional_columns(privacy: dict[str, Any], expected: tuple[str, ...]) -> None:
    changed = ECUADOR.privacy.model_copy(update=privacy)
    assert optional_columns(ECUADOR.model_copy(update={"privacy": changed})) == expected
