"""Nothing private in the bytes of a release: raw ids, usernames, handles, phone numbers, e-mails.

Every text cell of every config and every other file is read. With the work folder at hand the
campaign's own ids and usernames are looked for, each of them; without it anything shaped like a raw
id is. The text scrubber is run again: what it would still replace is a leak.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

import ecuador_crisis_tiktok as schema
from builder.campaign import Campaign
from builder.release.hashtags import distinctive_usernames, known_usernames, shared_usernames
from builder.release.scrub import Scrubber
from builder.sources.ids import EARLIEST, LATEST
from builder.sources.schema import id_time
from builder.validate.release import Release
from builder.validate.report import Check, Problem

# Whole numbers only: digests and pseudonyms are hex and hold long runs of digits by chance.
_DIGITS = r"\b[0-9]{17,19}\b"
_SCRUBBED = {"transcripts": ("text",), "summaries": ("summary",), "videos": ()}
_WAY_OUT = "do not publish; build the release again and report this as a bug of the package"


@dataclass
class Private:
    """What must not appear, from the work folder.

    Attributes:
        ids: every raw id (Int64, sorted).
        usernames: every username that is distinctive enough to be looked for as a bare word.
    """

    ids: pl.Series
    usernames: frozenset[str]

    @classmethod
    def of(cls, parts: Iterable[Path], campaign: Campaign) -> Private:
        """From the ingest parts."""
        paths = list(parts)
        ids = pl.concat([pl.read_parquet(path, columns=["id"])["id"] for path in paths])
        usernames = known_usernames(paths)
        shared = shared_usernames(paths, campaign, usernames)
        return cls(ids.sort(), distinctive_usernames(usernames, shared))


def check_leaks(
    release: Release, campaign: Campaign | None, private: Private | None
) -> Iterator[Check]:
    """Three checks: raw ids, usernames, and identifiers the scrubber knows."""
    yield _raw_ids(release, private)
    yield _usernames(release, private)
    yield _identifiers(release, campaign)


def _texts(release: Release) -> Iterator[tuple[str, str, pl.Series]]:
    """(file or config, column, distinct texts) of everything released."""
    for config in schema.FEATURES:
        if config == "videos":
            continue  # its cells are those of the other configs; the joins prove it
        for frame in release.batches(config):
            for column in frame.columns:
                values = frame[column]
                if isinstance(values.dtype, pl.List):
                    values = values.explode().drop_nulls()
                if isinstance(values.dtype, pl.Struct):
                    values = values.struct.field("text")
                if values.dtype == pl.String:
                    yield config, column, values.drop_nulls().unique()
                elif values.dtype == pl.Int64:
                    big = values.filter(values > 2**53).cast(pl.String)
                    yield config, column, big
    for path in sorted(release.folder.rglob("*")):
        name = path.relative_to(release.folder).as_posix()
        if path.is_file() and path.suffix != ".parquet":
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            yield name, "line", pl.Series("line", lines, dtype=pl.String)
        elif path.is_file():
            yield name, "metadata", pl.Series("metadata", _parquet_metadata(path), dtype=pl.String)


def _parquet_metadata(path: Path) -> list[str]:
    metadata = pq.read_metadata(path).metadata or {}
    return [value.decode("utf-8", errors="replace") for value in metadata.values()]


def _raw_ids(release: Release, private: Private | None) -> Check:
    how = "each of the campaign's ids" if private else "anything shaped like one"
    check = Check("no raw TikTok id anywhere in the release", note=f"looked for: {how}")
    if release.manifest.get("privacy", {}).get("id_policy") == "raw":
        check.verdict, check.note = "not applicable", "the campaign releases raw ids"
        return check
    for name, column, texts in _texts(release):
        hits = texts.filter(texts.str.contains(_DIGITS))
        if not hits.len():
            continue
        numbers = hits.str.extract_all(_DIGITS).explode().cast(pl.Int64, strict=False).drop_nulls()
        if private is not None:
            raw = numbers.is_in(private.ids.implode())
        else:
            time = pl.Series([id_time(n) for n in numbers.to_list()], dtype=pl.Int64)
            raw = time.is_between(EARLIEST, LATEST)
        if found := int(raw.sum()):
            check.fail(Problem(name, "", column, f"{found} raw id(s)", _WAY_OUT), found)
    return check


def _usernames(release: Release, private: Private | None) -> Check:
    check = Check("no username of the campaign anywhere in the release")
    if private is None:
        check.verdict = "not applicable"
        check.note = "needs the work folder (--work); handles are looked for below in any case"
        return check
    for name, column, texts in _texts(release):
        words = texts.str.to_lowercase().str.extract_all(r"[\p{L}\p{N}_.]+").explode().drop_nulls()
        words = pl.concat([words, words.str.strip_chars(".")]).unique()
        found = sum(1 for word in words.to_list() if word in private.usernames)
        if found:
            check.fail(Problem(name, "", column, f"{found} username(s)", _WAY_OUT), found)
    return check


def _identifiers(release: Release, campaign: Campaign | None) -> Check:
    check = Check("the scrubber finds nothing left to replace in released texts")
    scrubber = Scrubber(
        allowed_handles=campaign.allowed_handles if campaign else (),
        allowed_terms=campaign.allowed_terms if campaign else (),
        region=campaign.country_phone_region if campaign else "EC",
    )
    for config, columns in _SCRUBBED.items():
        for column in columns:
            for frame in release.batches(config, [column]):
                clean = scrubber.scrub_column(frame[column])
                touched = clean.filter(pl.col("kinds").list.len() > 0)
                for kinds in touched["kinds"].to_list():
                    check.fail(Problem(config, "", column, ", ".join(sorted(set(kinds))), _WAY_OUT))
    return check
