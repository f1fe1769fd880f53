"""The assemble stage: anonymised rows -> a release folder, built aside and complete or absent."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.annotate.joined import SYNTHETIC_MODEL, UPSTREAM_MODEL
from builder.config.campaign import Campaign
from builder.config.privacy import Privacy
from builder.errors import EmptySource, disk_full_guard
from builder.release.anonymize import SLICE_ROWS, Anonymised
from builder.release.coarsen import coarse_day, coarsen
from builder.release.k_anonymity import LEFT_OUT, QUASI_IDENTIFIERS, Hidden, hide
from builder.release.manifest import (
    AFTERWARDS,
    DEFAULT_THRESHOLD,
    Anonymity,
    BuildFacts,
    Manifest,
    ReleasedFile,
    ReleasedPrivacy,
    ReleasedWindow,
)
from builder.release.parquet import ConfigWriter
from builder.release.tables import events_table, keywords_table, split_dropped, tables_of

EPOCH = dt.date(1970, 1, 1)
SCRIPT = Path(schema.__file__)
PER_VIDEO = ("videos", "metadata", "transcripts", "sentiment", "summaries")
_STATUSES = ("media_status", "whisper_status", "api_status")  # what `split_dropped` reads


@dataclass
class Assembled:
    """What assemble wrote.

    Attributes:
        files: released path -> rows (Parquet files only, at this point).
        rows: config -> rows; `bytes`: config -> Arrow bytes.
        dropped: reason -> rows dropped by the exclusion rule.
        excluded: reason -> rows kept and flagged.
        transcripts: source -> usable transcripts.
        days: ISO date -> videos.
        terms: campaign term -> videos; None where the source cannot tell.
        published: what the source itself gave, not we: transcripts, labels, summaries -> rows.
        filled: columns of `videos` that are not null everywhere.
        hidden: what was hidden so that no video stands alone; None: the campaign asks for nothing.
        optional: the optional columns of the schema that it has.
        fetched: first and last day the counts are of, where the sources say (ISO); else empty.
    """

    files: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    transcripts: dict[str, int] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] | None = None
    published: dict[str, int] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    hidden: Hidden | None = None
    optional: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ()


def optional_columns(campaign: Campaign, *, second_opinion: bool = False) -> tuple[str, ...]:
    """The optional columns of a release.

    Args:
        campaign: its privacy settings.
        second_opinion: whether the profile asked for one.
    """
    wanted = {
        "published_at": campaign.privacy.date_resolution in ("hour", "second"),
        "author_id": campaign.privacy.author_pseudonym,
        **dict.fromkeys(schema.SECOND_OPINION, second_opinion),
    }
    return tuple(name for name in schema.OPTIONAL_COLUMNS if wanted[name])


def write_tables(
    campaign: Campaign,
    anonymised: Anonymised,
    folder: Path,
    threshold: float = DEFAULT_THRESHOLD,
    *,
    second_opinion: bool = False,
) -> Assembled:
    """Write all seven configs as Parquet.

    Args:
        campaign: keywords, events, optional columns.
        anonymised: the anonymize stage's result.
        folder: an empty folder.
        threshold: a sentiment confidence under it is flagged.
        second_opinion: whether the profile asked for one: its columns are then released.

    Raises:
        EmptySource: the exclusion rule left no video.
        DiskFull: no space left.
    """
    optional = optional_columns(campaign, second_opinion=second_opinion)
    hidden = _hidden(anonymised, campaign.privacy)
    totals = _totals(anonymised, hidden)
    if not totals["videos"]:
        raise EmptySource(
            "no video is left: audio extraction and transcript failed for all of them",
            way_out="check the folder given with --videos-dir",
        )
    done = Assembled(hidden=hidden, optional=optional)
    days: Counter[str] = Counter()
    terms: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    usable: Counter[str] = Counter()
    published: Counter[str] = Counter()
    with disk_full_guard(folder), ExitStack() as stack:
        writers = {
            config: stack.enter_context(ConfigWriter(folder, config, optional, totals[config]))
            for config in PER_VIDEO
        }
        for wide in _in_order(anonymised, campaign.privacy):
            kept, gone = split_dropped(wide)
            dropped.update(gone)
            kept = kept if hidden is None else hidden.apply(kept)
            tables = tables_of(kept, threshold)
            for config, writer in writers.items():
                writer.write(tables[config])
            published.update(_published(tables))
            videos = tables["videos"]
            days.update(_counted(videos["date"].cast(pl.String)))
            terms.update(_counted(videos["matched_terms"].explode()))
            excluded.update(_counted(videos["exclusion_reason"]))
            ok = tables["transcripts"].filter(pl.col("status") == "ok")
            usable.update(_counted(ok["source"]))
            days_of = (*done.fetched, *videos["fetched_on"].drop_nulls().unique().cast(pl.String))
            done.fetched = (min(days_of), max(days_of)) if days_of else ()
            done.filled |= {c for c in videos.columns if videos[c].null_count() < videos.height}
        done.terms = dict(terms) if "matched_terms" in done.filled else None
        small = {
            "keywords": keywords_table(campaign, done.terms),
            "events": events_table(campaign, days),
        }
        for config, frame in small.items():
            writers[config] = stack.enter_context(
                ConfigWriter(folder, config, optional, frame.height)
            )
            writers[config].write(frame)
    for config, writer in writers.items():
        done.files |= writer.files
        done.rows[config] = sum(writer.files.values())
        done.bytes[config] = writer.uncompressed
    done.published = {what: n for what, n in published.items() if n}
    if hidden is not None and hidden.left_out:
        dropped[LEFT_OUT] = hidden.left_out
    done.days, done.dropped = dict(sorted(days.items())), dict(sorted(dropped.items()))
    done.excluded, done.transcripts = dict(sorted(excluded.items())), dict(sorted(usable.items()))
    shutil.copyfile(SCRIPT, folder / SCRIPT.name)
    return done


def manifest_of(
    campaign: Campaign, assembled: Assembled, folder: Path, facts: BuildFacts
) -> Manifest:
    """The manifest of everything in `folder` so far.

    Args:
        campaign: the campaign.
        assembled: from `write_tables`.
        folder: the release folder, card included.
        facts: what the run knows.
    """
    files = {
        name: ReleasedFile(sha256=file_digest(folder / name), rows=assembled.files.get(name))
        for name in sorted(released_files(folder))
    }
    return Manifest(
        name=campaign.release_name,
        version=campaign.version,
        schema_version=schema.SCHEMA_VERSION,
        campaign=campaign.name,
        window=ReleasedWindow(start=campaign.window.start, end=campaign.window.end),
        privacy=ReleasedPrivacy(**campaign.privacy.model_dump(exclude={"public_tier"})),
        anonymity=anonymity_of(assembled.hidden),
        optional_columns=list(assembled.optional),
        rows=assembled.rows,
        usable_transcripts=assembled.transcripts,
        excluded=assembled.excluded,
        files=files,
        **facts.as_dict(),
    )


def released_files(folder: Path) -> Iterator[str]:
    """Relative paths of all files a manifest lists."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in AFTERWARDS:
            yield name


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _hidden(anonymised: Anonymised, privacy: Privacy) -> Hidden | None:
    """What to hide; read from all parts, because a class can lie in several."""
    if privacy.min_k == 1:
        return None
    read = ["video_id", *QUASI_IDENTIFIERS, *_STATUSES]
    frames = []
    for part in anonymised.parts:
        there = pl.read_parquet_schema(part)
        frame = pl.read_parquet(part, columns=[c for c in read if c in there], glob=False)
        frames.append(coarsen(split_dropped(frame)[0], privacy).drop(_STATUSES))
    return hide(pl.concat(frames), privacy.min_k)


def anonymity_of(hidden: Hidden | None) -> Anonymity | None:
    """What manifest and card say about it."""
    if hidden is None:
        return None
    return Anonymity(
        min_k=hidden.min_k, k=hidden.k, columns=list(QUASI_IDENTIFIERS), hidden=hidden.rows
    )


def _totals(anonymised: Anonymised, hidden: Hidden | None) -> dict[str, int]:
    """Rows each per-video config will have; known before writing because shards are numbered."""
    totals: Counter[str] = Counter(dict.fromkeys(PER_VIDEO, 0))
    for part in anonymised.parts:
        frame = pl.read_parquet(part, columns=["video_id", *_STATUSES], glob=False)
        kept, _ = split_dropped(frame)
        kept = kept if hidden is None else hidden.apply(kept)
        for config in PER_VIDEO:
            totals[config] += kept.height
        both = pl.col("whisper_status").is_not_null() & pl.col("api_status").is_not_null()
        totals["transcripts"] += kept.filter(both).height
    return dict(totals)


def _in_order(anonymised: Anonymised, privacy: Privacy) -> Iterator[pl.DataFrame]:
    """Coarsened rows sorted by (date, video_id) over all parts, a bucket of days at a time.

    A bucket holds the videos whose *id* carries its days; the publication date can be a day off
    around midnight, so rows of the last day wait for the next bucket; rows of the last week or
    month do where dates are that coarse.
    """
    waiting: pl.DataFrame | None = None
    for part, day in zip(anonymised.parts, anonymised.bucket_days, strict=True):
        frame = coarsen(pl.read_parquet(part, glob=False), privacy)
        if waiting is not None:
            frame = pl.concat([waiting, frame])
        first = coarse_day(EPOCH + dt.timedelta(days=day), privacy.date_resolution)
        final = pl.col("date") < first
        yield from _sorted_slices(frame.filter(final))
        waiting = frame.filter(~final)
    if waiting is not None:
        yield from _sorted_slices(waiting)


def _sorted_slices(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if frame.height:
        yield from frame.drop("id").sort("date", "video_id").iter_slices(SLICE_ROWS)


def _published(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """Rows that the source published, by what they are."""
    return {
        what: int(tables[config]["model"].is_in([UPSTREAM_MODEL, SYNTHETIC_MODEL]).sum())
        for config, what in (
            ("transcripts", "Whisper transcripts"),
            ("sentiment", "sentiment labels"),
            ("summaries", "summaries"),
        )
    }


def _counted(values: pl.Series) -> dict[str, int]:
    counted = values.drop_nulls().value_counts()
    return {str(value): int(count) for value, count in counted.iter_rows()}
