"""How many videos stand alone on what is released, and on less: what coarsening would buy.

A video is at risk when nobody shares its facts: somebody with access to the same API, or to a file
of ids with transcripts, lists all videos and looks for that combination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from builder.release.coarsen import EXACT, OMIT, TIMES, coarse
from builder.release.hashtags import without_accents
from builder.sources.schema import ALL_COUNTS, COUNTS
from builder.validate.release import Release

SMALL_GROUP = 5
_WHEN = {"second": "publication second", "hour": "publication hour", "day": "date"}
_FINEST_FIRST = ("second", "hour", "day", "week", "month")
_TEXTS = {"whisper": "Whisper", "api": "Research API"}


@dataclass(frozen=True)
class Coarser:
    """A `coarsen.Policy`, coarser than the release or the same."""

    date_resolution: str
    round_counts: str | int
    round_duration: str | int
    author_pseudonym: bool
    texts: bool = True
    min_k: int = 1


def uniqueness(release: Release) -> list[dict[str, Any]]:
    """How many videos nobody shares these facts with.

    Returns:
        Never empty. One entry a set of facts: ``facts`` (in words), ``kind`` (metadata | text |
        hashtags), ``rows`` (videos that have them), ``unique`` (videos alone with theirs),
        ``share`` (of `rows`), ``small_share`` (share in groups under SMALL_GROUP). The first is
        everything that is released; then one step coarser each; then steps together; then texts.
    """
    return [*_metadata(release), *_texts(release), *_hashtags(release)]


def _metadata(release: Release) -> Iterator[dict[str, Any]]:
    columns = ["date", *ALL_COUNTS, "duration_seconds", "n_frames", *release.optional]
    there = release.scan("metadata")
    known = there.collect_schema().names()  # an older release has fewer counts
    columns = [column for column in columns if column in known]
    lazy = there.select(columns)
    filled = lazy.select(pl.all().count()).collect().row(0, named=True)
    present = [c for c in columns if filled[c] or c == "date"]
    told: set[str] = set()
    for policy in _policies(release):
        facts = _facts(present, policy)
        words = _words(facts, policy)
        if words not in told:
            told.add(words)
            dtypes = dict(lazy.collect_schema())
            changed = lazy.select(facts).with_columns(coarse(facts, policy, dtypes))
            # 64-bit hashes instead of the values: five million rows stay small in memory
            yield _counted(changed.select(pl.struct(facts).hash(0).alias("key")), words, "metadata")


def _policies(release: Release) -> Iterator[Coarser]:
    told = release.manifest.privacy
    here = Coarser(
        told.date_resolution, told.round_counts, told.round_duration, told.author_pseudonym
    )
    day = _coarser_date(here, "day")
    yield here
    yield replace(here, author_pseudonym=False)
    yield replace(day, author_pseudonym=False)
    here = replace(day, author_pseudonym=False)
    yield _coarser_counts(here, 2)
    yield _coarser_counts(here, 1)
    yield _coarser_counts(here, OMIT)
    yield _coarser_duration(here, 1)
    yield _coarser_duration(here, 10)
    yield _coarser_duration(here, OMIT)
    yield _coarser_date(here, "week")
    yield _coarser_date(here, "month")
    for unit, counts, duration in (
        ("week", 2, 1),
        ("week", 1, 10),
        ("week", 1, OMIT),
        ("month", 1, 10),
        ("month", 1, OMIT),
        ("month", OMIT, 10),
        ("month", OMIT, OMIT),
    ):
        yield _coarser_duration(_coarser_counts(_coarser_date(here, unit), counts), duration)


def _coarser_date(policy: Coarser, unit: str) -> Coarser:
    coarsest = max(policy.date_resolution, unit, key=_FINEST_FIRST.index)
    return replace(policy, date_resolution=coarsest)


def _coarser_counts(policy: Coarser, digits: str | int) -> Coarser:
    here = policy.round_counts
    if here == OMIT or (isinstance(here, int) and isinstance(digits, int) and here <= digits):
        return policy
    return replace(policy, round_counts=digits)


def _coarser_duration(policy: Coarser, unit: str | int) -> Coarser:
    here = policy.round_duration
    if here == OMIT or (isinstance(here, int) and isinstance(unit, int) and here >= unit):
        return policy
    return replace(policy, round_duration=unit)


def _facts(present: list[str], policy: Coarser) -> list[str]:
    """The columns somebody could compare under a policy."""
    gone = set()
    if policy.date_resolution not in TIMES:
        gone.add("published_at")
    if not policy.author_pseudonym:
        gone.add("author_id")
    if policy.round_counts == OMIT:
        gone |= set(ALL_COUNTS)
    if policy.round_duration == OMIT:
        gone.add("duration_seconds")
    if policy.round_duration != EXACT:
        gone.add("n_frames")
    return [column for column in present if column not in gone]


def _words(facts: list[str], policy: Coarser) -> str:
    counts = [column for column in ALL_COUNTS if column in facts]
    exact = ["all counts"] if set(COUNTS) <= set(counts) else counts
    digits = policy.round_counts
    plural = "s" if digits != 1 else ""
    rounded = [f"counts to {digits} significant digit{plural}"] if counts else []
    duration = "duration"
    if isinstance(policy.round_duration, int):
        duration += f" to {policy.round_duration} s"
    words = [
        _WHEN.get(policy.date_resolution, policy.date_resolution),
        *(exact if digits == EXACT else rounded),
        *([duration] if "duration_seconds" in facts else []),
        *(["number of frames"] if "n_frames" in facts else []),
        *(["author_id"] if "author_id" in facts else []),
    ]
    return " + ".join(words)


def _texts(release: Release) -> Iterator[dict[str, Any]]:
    lazy = release.scan("transcripts")
    for source, name in _TEXTS.items():
        mine = lazy.filter((pl.col("source") == source) & pl.col("text").is_not_null())
        keys = mine.select(_plain(pl.col("text")).alias("plain")).filter(pl.col("plain") != "")
        words = f"{name} transcript, whole text without case, accents and punctuation"
        yield _counted(keys.select(pl.col("plain").hash(0).alias("key")), words, "text")
    segments = (
        lazy.filter(pl.col("segments").list.len() > 0)
        .select("video_id", text=pl.col("segments").list.eval(pl.element().struct.field("text")))
        .explode("text")
        .select("video_id", key=_plain(pl.col("text")).hash(0), words=_plain(pl.col("text")))
        .filter(pl.col("words") != "")
        .select("video_id", "key")
    )
    videos = pl.col("video_id").n_unique().over("key")
    grouped = segments.with_columns(shared=videos).group_by("video_id").agg(pl.col("shared").min())
    words = "one timed segment's text (at least one that no other video has)"
    yield _sized(grouped.select(size="shared"), words, "text")


def _hashtags(release: Release) -> Iterator[dict[str, Any]]:
    tags = release.scan("metadata").filter(pl.col("hashtags").list.len() > 0)
    key = pl.col("hashtags").list.sort().list.join(" ").hash(0).alias("key")
    yield _counted(tags.select(key), "set of hashtags", "hashtags")


def _plain(text: pl.Expr) -> pl.Expr:
    """What is left of a text when two people write it down: letters and figures."""
    return without_accents(text).str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def _counted(keys: pl.LazyFrame, words: str, kind: str) -> dict[str, Any]:
    """One entry from a frame with one `key` a video."""
    sizes = keys.group_by("key").len().select(size=pl.col("len"), videos=pl.col("len"))
    return _entry(sizes, words, kind)


def _sized(sizes: pl.LazyFrame, words: str, kind: str) -> dict[str, Any]:
    """One entry from a frame with the `size` of its group for each video."""
    return _entry(sizes.with_columns(videos=pl.lit(1)), words, kind)


def _entry(groups: pl.LazyFrame, words: str, kind: str) -> dict[str, Any]:
    def of(rule: pl.Expr) -> pl.Expr:
        return pl.col("videos").filter(rule).sum()

    size = pl.col("size")
    found = groups.select(
        rows=pl.col("videos").sum(), unique=of(size == 1), small=of(size < SMALL_GROUP)
    )
    rows, unique, small = found.collect(engine="streaming").row(0)
    return {
        "facts": words,
        "kind": kind,
        "rows": int(rows),
        "unique": int(unique),
        "share": round(unique / rows, 4) if rows else None,
        "small_share": round(small / rows, 4) if rows else None,
    }
