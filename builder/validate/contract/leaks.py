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
from builder.config.campaign import Campaign
from builder.release.hashtags import distinctive_usernames, known_usernames, shared_usernames
from builder.release.scrub.scrubber import Scrubber
from builder.sources.ids import EARLIEST, LATEST
from builder.sources.schema import id_time
from builder.validate.contract.check import Check, Problem
from builder.validate.release import Release

# Whole numbers only: digests and pseudonyms are hex and hold long runs of digits by chance.
_DIGITS = r"\b[0-9]{17,19}\b"
_SCRUBBED = {"transcripts": ("text", "segments"), "summaries": ("summary",), "videos": ()}
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
        ids = pl.concat([pl.read_parquet(path, columns=["id"], glob=False)["id"] for path in paths])
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


@dataclass
class _Texts:
    """Distinct texts of one column (or of one file's lines), and where each of them stands."""

    file: str
    column: str
    values: pl.Series
    rows: pl.DataFrame
    start: int

    def row_of(self, hits: pl.Series) -> str:
        """Number of the first row that holds one of `hits`."""
        found = self.rows.filter(pl.col("text").is_in(hits.implode()))["row"].min()
        return "" if found is None else str(self.start + int(found))  # type: ignore[arg-type]


def _texts(release: Release) -> Iterator[_Texts]:
    """Everything released, as texts."""
    for config in schema.FEATURES:
        if config == "videos":
            continue  # its cells are those of the other configs; the joins prove it
        start = 0
        for frame in release.batches(config):
            for column in frame.columns:
                values = _as_text(frame[column])
                if values is not None:
                    yield _of(config, column, values, start)
            start += frame.height
    for path in sorted(release.folder.rglob("*")):
        name = path.relative_to(release.folder).as_posix()
        if path.is_file() and path.suffix != ".parquet":
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            yield _of(name, "line", pl.Series(lines, dtype=pl.String), 1)
        elif path.is_file():
            yield _of(name, "metadata", pl.Series(_parquet_metadata(path), dtype=pl.String), 0)


def _as_text(values: pl.Series) -> pl.Series | None:
    """A column as texts or lists of texts; None when it can hold neither a name nor an id."""
    if values.dtype == pl.Int64:
        big = values.to_frame("n").select(pl.when(pl.col("n") > 2**53).then(pl.col("n")))["n"]
        return big.cast(pl.String) if big.count() else None
    if isinstance(values.dtype, pl.List):
        inner = values.dtype.inner
        if isinstance(inner, pl.Struct):
            return values.list.eval(pl.element().struct.field("text"))
        return values if inner == pl.String else None
    return values if values.dtype == pl.String else None


def _of(file: str, column: str, values: pl.Series, start: int) -> _Texts:
    rows = values.alias("text").to_frame().with_row_index("row")
    if isinstance(values.dtype, pl.List):
        rows = rows.explode("text")
    rows = rows.drop_nulls("text")
    return _Texts(file, column, rows["text"].unique(), rows, start)


def _parquet_metadata(path: Path) -> list[str]:
    metadata = pq.read_metadata(path).metadata or {}
    return [value.decode("utf-8", errors="replace") for value in metadata.values()]


def _raw_ids(release: Release, private: Private | None) -> Check:
    how = "each of the campaign's ids" if private else "anything shaped like one"
    check = Check("no raw TikTok id anywhere in the release", note=f"looked for: {how}")
    if release.manifest.privacy.id_policy == "raw":
        check.verdict, check.note = "not applicable", "the campaign releases raw ids"
        return check
    for texts in _texts(release):
        hits = texts.values.filter(texts.values.str.contains(_DIGITS))
        if not hits.len():
            continue
        numbers = hits.to_frame("text").with_columns(number=pl.col("text").str.extract_all(_DIGITS))
        numbers = numbers.explode("number").with_columns(
            pl.col("number").cast(pl.Int64, strict=False)
        )
        numbers = numbers.drop_nulls("number")
        if private is not None:
            raw = numbers.filter(pl.col("number").is_in(private.ids.implode()))
        else:
            time = pl.Series([id_time(n) for n in numbers["number"]], dtype=pl.Int64)
            raw = numbers.filter(time.is_between(EARLIEST, LATEST))
        if raw.height:
            value, row = f"{raw.height} raw id(s)", texts.row_of(raw["text"])
            check.fail(Problem(texts.file, row, texts.column, value, _WAY_OUT), raw.height)
    return check


def _usernames(release: Release, private: Private | None) -> Check:
    check = Check("no username of the campaign anywhere in the release")
    if private is None:
        check.verdict = "not applicable"
        check.note = "needs the work folder (--work); handles are looked for below in any case"
        return check
    names = private.usernames
    for texts in _texts(release):
        lower = pl.col("text").str.to_lowercase()
        words = texts.values.to_frame("text").with_columns(
            word=lower.str.extract_all(r"[\p{L}\p{N}_.]+")
        )
        words = words.explode("word").drop_nulls("word")
        distinct = words["word"].unique().to_list()
        known = [w for w in distinct if w in names or w.strip(".") in names]
        if known:
            found = words.filter(pl.col("word").is_in(known))
            value, row = f"{len(known)} username(s)", texts.row_of(found["text"])
            check.fail(Problem(texts.file, row, texts.column, value, _WAY_OUT), len(known))
    return check


def _identifiers(release: Release, campaign: Campaign | None) -> Check:
    check = Check("the scrubber finds nothing left to replace in released texts")
    if campaign:
        scrubber = Scrubber.of(campaign)
    else:
        told = release.manifest.scrub_countries
        loaded = told.loaded if told else []
        scrubber = Scrubber(country=loaded[0] if loaded else "", neighbours=loaded[1:])
    for config, columns in _SCRUBBED.items():
        for column in columns:
            start = 0
            for frame in release.batches(config, [column]):
                for row, kinds in _left(scrubber, frame[column]):
                    value = ", ".join(sorted(set(kinds)))
                    check.fail(Problem(config, str(start + row), column, value, _WAY_OUT))
                start += frame.height
    return check


def _left(scrubber: Scrubber, values: pl.Series) -> list[tuple[int, list[str]]]:
    """(row, kinds) of everything the scrubber would still replace in a column."""
    texts = _as_text(values)
    if texts is None:
        return []
    rows = texts.alias("text").to_frame().with_row_index("row")
    if isinstance(texts.dtype, pl.List):
        rows = rows.explode("text")
    kinds = scrubber.scrub_column(rows["text"])["kinds"]
    return list(rows.select("row", kinds=kinds).filter(kinds.list.len() > 0).iter_rows())
