"""The ingest stage: source files -> one row a video, every dropped row counted under a reason.

Two passes in bounded memory. The first streams every file into small raw parts, split by day once
the input is large; the second takes one bucket of days at a time and resolves duplicates there.

Rules, in the order they are applied:

0. a row about a post whose removal was asked for is dropped: `removed_on_request`;
1. a damaged row is rejected (`builder.sources.ids`), named by file and position; so is a CSV row
   whose id was rounded by a spreadsheet (`builder.sources.rounded`);
2. a row outside the window (UTC days) is dropped: `out_of_window`;
3. a row whose region is known and not the campaign's is dropped: `out_of_region`;
4. a CSV row goes, under the same reason, with the API rows about its id when all of these were
   dropped by rule 2 or 3;
5. of several rows about one id from API pages, or from the same CSV, the latest fetch wins as a
   whole, that is the one read last (files by path, then line, then position); the others are
   `duplicate`;
6. rows about one id from different CSVs, and from API pages and CSVs, complete each other; the
   API's values come first, then those of the CSV read last.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from builder.config.campaign import Campaign
from builder.errors import BuilderError, EmptySource
from builder.run.progress import Progress
from builder.run.removals import digest_of_removed, read_removed
from builder.run.resume import once, read_report
from builder.run.stage import fingerprint
from builder.run.store import Store, write_frame, write_json
from builder.sources.files import SourceFile, Sources
from builder.sources.readers.by_kind import READERS
from builder.sources.resolve import OUT_OF_WINDOW, resolve
from builder.sources.rows import Seen
from builder.sources.schema import ID_TIME_TOLERANCE, ROLE_CSV
from builder.sources.unchanged import SourceChanged, Watch

VERSION = "4"
DAY = 86_400
# Above this many bytes of expanded input the second pass goes day by day.
SPLIT_ABOVE = 256 << 20
CHUNK_BYTES = 64 << 20
RAW_ROWS = 50_000
TRIES = 3  # for sources that are written to while they are read
SUMMARY, CURRENT, RAW = "summary.json", "current.json", "raw"
REMOVED = "removed_on_request"


@dataclass
class Ingested:
    """What ingest leaves behind.

    Attributes:
        fingerprint: digest of the input files and the rules.
        parts: one Parquet file of `RAW_SCHEMA` (without role and position) a bucket of days,
            sorted by id; buckets are in time order.
        bucket_days: first UTC day number (days since 1970) of each part.
        rows_in: rows read; `videos`: rows kept; `merged`: rows that completed another row.
        dropped: reason -> rows.
        sources: kind of source -> rows read.
        notes: what was matched and skipped in CSVs, odd encodings, searches that stopped, and
            what `find_sources` did not read.
        synthetic: any row comes from a simulation.
    """

    fingerprint: str
    parts: list[Path] = field(default_factory=list)
    bucket_days: list[int] = field(default_factory=list)
    rows_in: int = 0
    videos: int = 0
    merged: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    synthetic: bool = False
    inputs: dict[str, str] = field(default_factory=dict)


def ingest(
    campaign: Campaign,
    files: Sequence[SourceFile],
    store: Store,
    progress: Callable[[str, int], Progress] = Progress,
) -> Ingested:
    """Bring `work/ingest/` up to date with the source files.

    Args:
        campaign: window, region and name.
        files: from `find_sources`, in reading order.
        store: the work folder.
        progress: makes the progress display.

    Raises:
        UnreadablePage, ErrorPage, MissingColumn, SpreadsheetDamage: a file must not be used.
        SourceChanged: a file is written to all the time.
        EmptySource: no row survived.
        DiskFull: no space in the work folder.
    """
    for _ in range(TRIES - 1):
        with suppress(SourceChanged):
            return _ingest(campaign, files, store, progress)
    return _ingest(campaign, files, store, progress)


def _ingest(
    campaign: Campaign,
    files: Sequence[SourceFile],
    store: Store,
    progress: Callable[[str, int], Progress],
) -> Ingested:
    watch = Watch(files)
    inputs = watch.digests
    digests = [
        (file.name, inputs[file.name], file.synthetic, str(file.fetched_on)) for file in files
    ]
    rules = (VERSION, campaign.window.model_dump(), campaign.region_codes)
    key = fingerprint("ingest", rules, digests)
    folder = store.folder("ingest", key)

    removed = read_removed(store.work)

    def read() -> dict[str, Any]:
        _first_pass(campaign, files, watch, folder / RAW, progress, removed)
        done = resolve(campaign, folder / RAW, folder)
        result = Ingested(key, inputs=inputs, **done)
        if not result.videos:
            raise EmptySource(
                f"no video of {result.rows_in:,} rows is left "
                f"({', '.join(f'{n:,} {why}' for why, n in result.dropped.items()) or 'no rows'})",
                file=files[0].name,
                way_out="check that the sources belong to this campaign's window and region",
            )
        return asdict(result) | {"parts": [part.name for part in result.parts]}

    saved: dict[str, Any] = once(
        folder / SUMMARY, read, lambda known: [folder / name for name in known["parts"]]
    )
    write_json(store.work / "ingest" / CURRENT, {"fingerprint": key})
    shutil.rmtree(folder / RAW, ignore_errors=True)
    # What was not read is told as it is now: it is no part of the result.
    unread = files.notes if isinstance(files, Sources) else []
    told: dict[str, Any] = {"notes": [*unread, *saved["notes"]]}
    if removed:  # what was taken out since is another result
        told["fingerprint"] = fingerprint(key, digest_of_removed(removed))
    return Ingested(**(saved | told | {"parts": [folder / name for name in saved["parts"]]}))


def current_parts(work: Path) -> list[Path]:
    """The parts of the last ingest of a work folder; empty where there is none."""
    try:
        key = json.loads((work / "ingest" / CURRENT).read_text(encoding="utf-8"))["fingerprint"]
        folder = work / "ingest" / str(key)
        return [folder / name for name in read_report(folder / SUMMARY)["parts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def current_is_synthetic(work: Path) -> bool:
    """Whether the last ingest of a work folder holds invented posts; True where nobody knows."""
    try:
        key = json.loads((work / "ingest" / CURRENT).read_text(encoding="utf-8"))["fingerprint"]
        return bool(read_report(work / "ingest" / str(key) / SUMMARY)["synthetic"])
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _chunks(files: Sequence[SourceFile]) -> list[list[tuple[int, SourceFile]]]:
    chunks: list[list[tuple[int, SourceFile]]] = []
    size = CHUNK_BYTES
    for index, file in enumerate(files):
        if size >= CHUNK_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append((index, file))
        size += file.expanded_size
    return chunks


def _first_pass(
    campaign: Campaign,
    files: Sequence[SourceFile],
    watch: Watch,
    raw: Path,
    progress: Callable[[str, int], Progress],
    removed: frozenset[int],
) -> None:
    raw.mkdir(exist_ok=True)
    split = sum(file.expanded_size for file in files) > SPLIT_ABOVE
    with progress("ingest (files)", len(files)) as bar:
        for number, chunk in enumerate(_chunks(files)):
            make = partial(_read_unchanged, campaign, chunk, watch, raw, number, split, removed)
            once(raw / f"{number:06d}.json", make, lambda known: [raw / n for n in known["parts"]])
            bar.advance(len(chunk))


def _read_unchanged(
    campaign: Campaign,
    chunk: list[tuple[int, SourceFile]],
    watch: Watch,
    raw: Path,
    number: int,
    split: bool,
    removed: frozenset[int],
) -> dict[str, Any]:
    mine = [file for _, file in chunk]
    try:
        report = _read_chunk(campaign, chunk, raw, number, split, removed)
    except BuilderError:
        watch.check(mine)  # a file half-written is no damaged file
        raise
    watch.check(mine)
    return report


def _read_chunk(
    campaign: Campaign,
    chunk: list[tuple[int, SourceFile]],
    raw: Path,
    number: int,
    split: bool,
    removed: frozenset[int],
) -> dict[str, Any]:
    for leftover in raw.glob(f"{number:06d}-*"):
        leftover.unlink()
    dropped: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    named: list[dict[str, str]] = []
    notes: list[str] = []
    seen: list[Seen] = []
    spreadsheets: list[int] = []
    synthetic = False
    asked_for = pl.Series(sorted(removed), dtype=pl.Int64).implode()
    writer = _RawWriter(campaign, raw, number, split)
    for index, file in chunk:
        for block in READERS[file.kind](file, index << 32):
            kinds[file.kind] += block.rows + block.rejected.total()
            dropped.update(block.rejected)
            named += block.named
            notes += block.notes
            seen += block.seen
            spreadsheets += [index] if block.scientific else []
            synthetic = synthetic or block.synthetic
            rows = block.frame()
            if removed:
                rows = rows.filter(~pl.col("id").is_in(asked_for))
            if taken_out := block.rows - rows.height:
                dropped[REMOVED] += taken_out
            frame = _near_window(rows, campaign)
            if outside := rows.height - frame.height:
                dropped[OUT_OF_WINDOW] += outside
            writer.add(frame)
    writer.flush()
    return {
        "dropped": dict(dropped),
        "kinds": dict(kinds),
        "named": named,
        "notes": notes,
        "seen": seen,
        "spreadsheets": spreadsheets,
        "files": {index: file.name for index, file in chunk},
        "synthetic": synthetic,
        "parts": sorted(part.name for part in raw.glob(f"{number:06d}-*.parquet")),
    }


class _RawWriter:
    """Gathers small blocks into raw parts of some 50,000 rows."""

    def __init__(self, campaign: Campaign, raw: Path, chunk: int, split: bool) -> None:
        self.campaign, self.raw, self.chunk, self.split = campaign, raw, chunk, split
        self._frames: list[pl.DataFrame] = []
        self._rows = self._serial = 0

    def add(self, frame: pl.DataFrame) -> None:
        self._frames.append(frame)
        self._rows += frame.height
        if self._rows >= RAW_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        for bucket, part in _split(pl.concat(self._frames), self.campaign, self.split):
            name = f"{self.chunk:06d}-{self._serial:06d}-{bucket:06d}.parquet"
            write_frame(self.raw / name, part)
            self._serial += 1
        self._frames, self._rows = [], 0


def _near_window(frame: pl.DataFrame, campaign: Campaign) -> pl.DataFrame:
    """Rows the second pass decides on: an API row just outside tells that a CSV row is outside."""
    start, end = campaign.window.start_ts, campaign.window.end_ts
    time = pl.col("create_time")
    # A CSV row's time is read off its id and may be off by two minutes at the ends.
    slack = pl.when(pl.col("role") == ROLE_CSV).then(1).otherwise(2) * ID_TIME_TOLERANCE
    return frame.filter((time >= start - slack) & (time < end + slack))


def _split(frame: pl.DataFrame, campaign: Campaign, split: bool) -> list[tuple[int, pl.DataFrame]]:
    """Buckets by the day the id carries, so that rows about one id always meet."""
    if frame.is_empty():
        return []
    first = campaign.window.start_ts // DAY
    if not split:
        return [(first, frame)]
    last = campaign.window.end_ts // DAY - 1
    day = ((pl.col("id") // 2**32) // DAY).clip(first, last)
    keyed = frame.with_columns(bucket=day).partition_by("bucket", as_dict=True)
    return sorted((int(key[0]), part.drop("bucket")) for key, part in keyed.items())
