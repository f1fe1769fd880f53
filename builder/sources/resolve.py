"""Which rows about a video count: the second pass of ingest, rules 2 to 6 of its docstring."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from builder.config.campaign import Campaign
from builder.run.resume import read_report
from builder.run.store import write_frame, write_json
from builder.sources.ids import ID_ROUNDED
from builder.sources.rounded import rounded_rows
from builder.sources.rows import Seen
from builder.sources.schema import RAW_SCHEMA, ROLE_API, ROLE_CSV
from builder.sources.searches import stopped_searches

OUT_OF_WINDOW, OUT_OF_REGION, DUPLICATE = "out_of_window", "out_of_region", "duplicate"


def resolve(campaign: Campaign, raw: Path, folder: Path) -> dict[str, Any]:
    """The second pass: one row a video, bucket by bucket, out of what the first pass left.

    Args:
        campaign: window and region.
        raw: folder of the first pass: reports (JSON) and parts, whose names end in their bucket.
        folder: where the parts of the result go, and `rejected.json`.

    Returns:
        Fields of `ingest.Ingested`, `parts` as paths.
    """
    reports = [read_report(path) for path in sorted(raw.glob("*.json"))]
    dropped: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for report in reports:
        dropped.update(report["dropped"])
        kinds.update(report["kinds"])
    named = [row for report in reports for row in report["named"]]
    spreadsheets = {index for report in reports for index in report["spreadsheets"]}
    names = {int(index): name for report in reports for index, name in report["files"].items()}
    buckets: dict[int, list[Path]] = {}
    for path in sorted(raw.glob("*.parquet")):
        buckets.setdefault(int(path.stem.rsplit("-", 1)[1]), []).append(path)
    parts, videos, merged = [], 0, 0
    for number, bucket in enumerate(sorted(buckets)):
        frame = pl.concat([pl.read_parquet(path, glob=False) for path in buckets[bucket]])
        rounded = rounded_rows(frame, spreadsheets)
        frame = frame.join(rounded, on="position", how="anti")
        dropped[ID_ROUNDED] += rounded.height
        named += [_named(position, names) for position in rounded["position"].sort().to_list()]
        kept, outcome, joined = _of_bucket(frame, campaign)
        dropped.update(outcome)
        merged += joined
        videos += kept.height
        part = folder / f"part-{number:06d}.parquet"
        write_frame(part, kept)
        parts.append(part)
    write_json(folder / "rejected.json", named)
    pages = [Seen(*page) for report in reports for page in report["seen"]]
    return {
        "parts": parts,
        "bucket_days": sorted(buckets),
        "rows_in": kinds.total(),
        "videos": videos,
        "merged": merged,
        "dropped": dict(sorted((why, n) for why, n in dropped.items() if n)),
        "sources": dict(sorted(kinds.items())),
        "notes": [
            *stopped_searches(pages),
            *(note for report in reports for note in report["notes"]),
        ],
        "synthetic": any(report["synthetic"] for report in reports),
    }


def _named(position: int, names: dict[int, str]) -> dict[str, str]:
    """A row of a CSV refused in the second pass, as `Block.reject` names those of the first."""
    row = f"data row {position % 2**32 + 1}"
    file = names.get(position // 2**32, "")
    return {"file": file, "row": row, "field": "id", "reason": ID_ROUNDED}


def _of_bucket(frame: pl.DataFrame, campaign: Campaign) -> tuple[pl.DataFrame, Counter[str], int]:
    """One bucket: (videos sorted by id, dropped rows by reason, rows merged into another)."""
    start, end = campaign.window.start_ts, campaign.window.end_ts
    by_api = pl.col("role") == ROLE_API
    foreign = pl.col("region_code").is_not_null() & ~pl.col("region_code").is_in(
        campaign.region_codes
    )
    judged = frame.with_columns(
        why=pl.when(by_api & ~pl.col("create_time").is_between(start, end - 1))
        .then(pl.lit(OUT_OF_WINDOW))
        .when(foreign)
        .then(pl.lit(OUT_OF_REGION))
    )
    home = judged.filter(pl.col("why").is_null()).drop("why")
    # A CSV row about a video that its API rows place elsewhere goes with them.
    banned = (
        judged.filter(by_api & pl.col("why").is_not_null())
        .join(home.filter(by_api), on="id", how="anti")
        .group_by("id")
        .agg(pl.col("why").min())
    )
    kept = home.join(banned, on="id", how="anti")
    outcome: Counter[str] = Counter(judged["why"].drop_nulls().to_list())
    outcome.update(home.join(banned, on="id", how="inner")["why"].to_list())
    values = [c for c in RAW_SCHEMA if c not in ("id", "role", "position")]
    ordered = kept.sort("position")
    api = ordered.filter(pl.col("role") == ROLE_API)
    csv = ordered.filter(pl.col("role") == ROLE_CSV)
    api_ids = api.unique("id", keep="last")
    # Two CSVs complete each other column by column; within a column the latest value wins.
    file = pl.col("position") // 2**32
    csv_rows = csv.with_columns(file=file).unique(["id", "file"], keep="last", maintain_order=True)
    csv_ids = csv_rows.group_by("id").agg(pl.col(c).drop_nulls().last() for c in values)
    outcome[DUPLICATE] = api.height - api_ids.height + csv.height - csv_rows.height
    if not csv_ids.height:
        videos = api_ids.select("id", *values)
    else:
        joined = api_ids.select("id", *values).join(csv_ids, on="id", how="full", suffix="_csv")
        videos = joined.select(
            pl.coalesce("id", "id_csv").alias("id"),
            *(pl.coalesce(c, f"{c}_csv").alias(c) for c in values),
        )
    merged = api_ids.height + csv_rows.height - videos.height
    # a CSV row's time may be two minutes outside: it belongs to the window's first or last day
    videos = videos.with_columns(pl.col("create_time").clip(start, end - 1))
    return videos.sort("id"), outcome, merged
