"""MANIFEST.json itself: what it says is what the tables, the card and the report say.

Nothing lists the manifest's own digest but `validation.json`, which is written after it. What can
be counted is counted again, so that a release without a report is checked too. Whoever rewrites
all of them consistently is stopped by a signature only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import yaml

import ecuador_crisis_tiktok as schema
from builder.release.assemble import file_digest
from builder.release.manifest import MANIFEST
from builder.validate.contract.check import Check, Problem, shown
from builder.validate.release import Release

REPORT, DIGEST = "validation.json", "manifest_sha256"
_WAY_OUT = "build the release again with `ecuador-crisis regenerate`; do not edit released files"


def check_manifest(release: Release) -> Check:
    """Compare the manifest with everything it can be compared with."""
    check = Check("MANIFEST.json agrees with the tables, the card and validation.json")
    for key, value in _problems(release):
        check.fail(Problem(MANIFEST, "", key, value, _WAY_OUT))
    return check


def _problems(release: Release) -> Iterator[tuple[str, str]]:
    """(key, what is wrong)."""
    yield from _report(release)
    yield from _rows(release)
    yield from _flow(release)
    yield from _card(release)


def _report(release: Release) -> Iterator[tuple[str, str]]:
    path = release.folder / REPORT
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8")).get(DIGEST)
    except (OSError, ValueError, AttributeError, RecursionError):
        yield REPORT, "the report cannot be read"
        return
    if told not in (None, file_digest(release.folder / MANIFEST)):
        yield REPORT, "the report is about another manifest: one of them was changed"


def _rows(release: Release) -> Iterator[tuple[str, str]]:
    manifest = release.manifest
    for config in schema.FEATURES:
        there = sum(pq.read_metadata(path).num_rows for path in release.files(config))
        if config in manifest.rows and manifest.rows[config] != there:
            yield f"rows.{config}", f"{manifest.rows[config]:,} stated, {there:,} there"
    transcripts = release.scan("transcripts").filter(pl.col("status") == "ok")
    yield from _differ("usable_transcripts", manifest.usable_transcripts, transcripts, "source")
    videos = release.scan("videos")
    yield from _differ("excluded", manifest.excluded, videos, "exclusion_reason")


def _differ(
    key: str, stated: Mapping[str, int], rows: pl.LazyFrame, column: str
) -> Iterator[tuple[str, str]]:
    counted = rows.select(pl.col(column).drop_nulls().value_counts()).unnest(column).collect()
    there = {str(value): int(n) for value, n in counted.iter_rows()}
    for name in sorted({*stated, *there}):
        if stated.get(name, 0) != there.get(name, 0):
            value = f"{stated.get(name, 0):,} stated, {there.get(name, 0):,} there"
            yield f"{key}.{name}", shown(value)


def _flow(release: Release) -> Iterator[tuple[str, str]]:
    """Rows are neither lost nor made between the steps."""
    manifest = release.manifest
    steps = [name for name in ("ingest", "anonymize", "assemble") if name in manifest.counts]
    if len(steps) < 3:  # a release of an earlier version
        return
    ingest, anonymize, assemble = (manifest.counts[name] for name in steps)
    for key, one, other in (
        ("counts.anonymize.in", anonymize.get("in"), ingest.get("out")),
        ("counts.anonymize.out", anonymize.get("out"), anonymize.get("in")),
        ("counts.assemble.in", assemble.get("in"), anonymize.get("out")),
        ("counts.assemble.out", assemble.get("out"), manifest.rows.get(schema.DEFAULT_CONFIG)),
        ("sources", sum(manifest.sources.values()), ingest.get("in")),
    ):
        if one != other:
            yield key, f"{one}, not {other}"
    gone = ingest.get("in", 0) - ingest.get("merged", 0) - assemble.get("out", 0)
    if gone != sum(manifest.dropped.values()):
        yield "dropped", f"{sum(manifest.dropped.values()):,} stated, {gone:,} left out"
    for name, counts in manifest.counts.items():
        # a step that was stopped leaves rows without a status
        ended = sum(n for status, n in counts.items() if status != "in")
        if name not in steps and ended > counts.get("in", 0):
            yield f"counts.{name}", f"{counts.get('in')} rows in, {ended} accounted for"


def _card(release: Release) -> Iterator[tuple[str, str]]:
    manifest = release.manifest
    try:
        text = (release.folder / "README.md").read_text(encoding="utf-8")
        header: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
        tags, name = header["tags"], header["pretty_name"]
        versions = {str(entry["version"]) for entry in header["configs"]}
    except (OSError, IndexError, KeyError, TypeError, ValueError, yaml.YAMLError):
        return  # the rule about the card says so
    if ("synthetic" in tags) != manifest.synthetic:
        yield "synthetic", f"{manifest.synthetic}, and the card says otherwise"
    if versions != {manifest.version}:
        yield "version", f"{shown(manifest.version)}, and the card says {shown(sorted(versions))}"
    if name != manifest.name:
        yield "name", f"{shown(manifest.name)}, and the card says {shown(name)}"
    for step, counts in manifest.counts.items():
        line = f"| {step} | {counts.get('in', 0):,} | {counts.get('out', 0):,} |"
        if line not in text:
            yield f"counts.{step}", "the card's table says otherwise"
