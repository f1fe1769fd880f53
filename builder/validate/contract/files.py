"""The contract of a release: everything a consumer may rely on, checked on the released bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import yaml

import ecuador_crisis_tiktok as schema
from builder.config.campaign import Campaign
from builder.release.assemble import file_digest, released_files
from builder.release.card import features_yaml
from builder.release.parquet import arrow_schema
from builder.release.pseudonym import HEX_DIGITS
from builder.validate.contract.check import Check, Problem, shown
from builder.validate.contract.hidden import check_hidden
from builder.validate.contract.joins import check_joins
from builder.validate.contract.labels import check_quality_rules
from builder.validate.contract.leaks import Private, check_leaks
from builder.validate.contract.manifest import check_manifest
from builder.validate.contract.values import check_values
from builder.validate.release import Release

REBUILD = "build the release again with `ecuador-crisis regenerate`; do not edit released files"
_PSEUDONYM = re.compile(rf"[0-9a-f]{{{HEX_DIGITS}}}")


def check_contract(
    release: Release, campaign: Campaign | None = None, private: Private | None = None
) -> list[Check]:
    """Run every rule.

    Args:
        release: the release folder.
        campaign: its public figures may appear; None if its file is not at hand.
        private: raw ids and usernames of the work folder, to look for exactly these; without it,
            anything shaped like one is looked for.

    Returns:
        One `Check` a rule.
    """
    files = [_files(release), _names(release), _schema(release)]
    if any(check.verdict == "fail" for check in files):
        return files  # the rows cannot be trusted or not even be read
    return [
        *files,
        *check_hidden(release, private.ids if private else None),
        _card(release),
        check_manifest(release),
        *_keys(release),
        *check_joins(release),
        *check_values(release),
        *check_quality_rules(release),
        *check_leaks(release, campaign, private),
    ]


def _files(release: Release) -> Check:
    check = Check("every file is listed in MANIFEST.json with its SHA-256 and rows")
    listed = release.manifest.files
    present = set(released_files(release.folder))
    for name in sorted(present - set(listed)):
        check.fail(Problem(name, "", "files", "not in the manifest", "remove it, or rebuild"))
    for name in sorted(set(listed) - present):
        check.fail(Problem(name, "", "files", "missing", REBUILD))
    for name in sorted(set(listed) & present):
        if file_digest(release.folder / name) != listed[name].sha256:
            check.fail(Problem(name, "", "sha256", "the bytes were changed", REBUILD))
        elif name.endswith(".parquet"):
            try:
                rows = pq.read_metadata(release.folder / name).num_rows
            except (OSError, ValueError) as error:
                check.fail(Problem(name, "", "", f"not Parquet: {shown(error)}", REBUILD))
                continue
            if rows != listed[name].rows:
                check.fail(Problem(name, "", "rows", str(rows), REBUILD))
    return check


def _names(release: Release) -> Check:
    check = Check("no file is named so that `datasets` would take it for a loading script")
    for forbidden in (f"{release.manifest.name}.py", f"{release.folder.name}.py"):
        if (release.folder / forbidden).exists():
            way_out = "rename or remove it: current `datasets` refuses such a folder"
            check.fail(Problem(forbidden, "", "name", forbidden, way_out))
    return check


def _schema(release: Release) -> Check:
    check = Check("every config has the columns and types of the schema")
    for config in schema.FEATURES:
        wanted = arrow_schema(config, release.optional, release.manifest.schema_version)
        paths = release.files(config)
        if not paths:
            check.fail(Problem(f"{config}/", "", "", "no Parquet file", REBUILD))
        for path in paths:
            name = f"{config}/{path.name}"
            try:
                found = pq.read_schema(path).remove_metadata()
            except (OSError, ValueError) as error:
                check.fail(Problem(name, "", "", shown(error), REBUILD))
                continue
            for column in wanted.names:
                if column not in found.names:
                    check.fail(Problem(name, "", column, "missing", REBUILD))
                elif not _same_type(found.field(column).type, wanted.field(column).type):
                    value = f"{found.field(column).type}, not {wanted.field(column).type}"
                    check.fail(Problem(name, "", column, value, REBUILD))
            for column in found.names:
                if column not in wanted.names:
                    check.fail(Problem(name, "", column, "not in the schema", REBUILD))
    return check


def _same_type(found: Any, wanted: Any) -> bool:
    # the name of a list's inner field is not part of the type
    return bool(
        re.sub(r"<(item|element): ", "<", str(found))
        == re.sub(r"<(item|element): ", "<", str(wanted))
    )


def _card(release: Release) -> Check:
    check = Check("the card's YAML states the configs, features and row counts as they are")
    try:
        text = (release.folder / "README.md").read_text(encoding="utf-8")
        header = yaml.safe_load(text.split("---\n")[1])
        infos = {info["config_name"]: info for info in header["dataset_info"]}
        configs = {entry["config_name"] for entry in header["configs"]}
    except (OSError, IndexError, KeyError, TypeError, yaml.YAMLError) as error:
        check.fail(Problem("README.md", "", "YAML", shown(error), REBUILD))
        return check
    if configs != set(schema.FEATURES):
        check.fail(Problem("README.md", "", "configs", shown(sorted(configs)), REBUILD))
    for config in schema.FEATURES:
        info = infos.get(config, {})
        rows = sum(pq.ParquetFile(path).metadata.num_rows for path in release.files(config))
        stated = [split.get("num_examples") for split in info.get("splits", [])]
        if stated != [rows]:
            value = f"{stated} stated, {rows} there"
            check.fail(Problem("README.md", "", f"{config}.num_examples", value, REBUILD))
        wanted = features_yaml(config, release.optional, release.manifest.schema_version)
        if info.get("features") != wanted:
            check.fail(Problem("README.md", "", f"{config}.features", "differ", REBUILD))
    return check


def _keys(release: Release) -> Iterator[Check]:
    for config, key in (
        ("videos", ["video_id"]),
        ("metadata", ["video_id"]),
        ("transcripts", ["video_id", "source"]),
        ("sentiment", ["video_id"]),
        ("summaries", ["video_id"]),
        ("keywords", ["term"]),
        ("events", ["key"]),
    ):
        check = Check(f"{' + '.join(key)} is unique in {config}")
        frame = release.columns(config, key).with_row_index("row")
        doubled = frame.filter(frame.select(key).is_duplicated())
        for row in doubled.sort(key).iter_rows(named=True):
            value = " ".join(shown(row[name]) for name in key)
            check.fail(Problem(config, str(row["row"]), key[0], value, REBUILD))
        if key[0] == "video_id" and _pseudonymous(release):
            _well_formed(frame, config, check)
        yield check


def _pseudonymous(release: Release) -> bool:
    return release.manifest.privacy.id_policy == "pseudonym"


def _well_formed(frame: pl.DataFrame, config: str, check: Check) -> None:
    pattern = rf"^{_PSEUDONYM.pattern}$"
    odd = frame.filter(~pl.col("video_id").fill_null("").str.contains(pattern))
    for row in odd.iter_rows(named=True):
        way_out = "ids are released as 32 hex digits (or change privacy.id_policy)"
        # what is no pseudonym may be a raw id: it is not repeated here
        check.fail(Problem(config, str(row["row"]), "video_id", "not a pseudonym", way_out))
