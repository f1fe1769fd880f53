"""Everything a release holds as texts: cells of every config, and lines of every other file."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.validate.contract.hidden import TEXTS
from builder.validate.release import Release

# What people said and wrote: there no word is ours.
_FREE = {
    ("transcripts", "text"),
    ("transcripts", "segments"),
    ("summaries", "summary"),
    ("metadata", "hashtags"),
}
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Texts:
    """Distinct texts of one column of a batch (or of one file's lines), and where each stands.

    Attributes:
        file: a config, or a released file.
        column: of the config; ``line`` for a file.
        values: the distinct texts, String.
        rows: `row` (UInt32, from 0 in the batch) and `text`.
        start: number of the batch's first row in its config; of the first line of a file.
    """

    file: str
    column: str
    values: pl.Series
    rows: pl.DataFrame
    start: int

    @property
    def ours(self) -> bool:
        """Whether the words are the package's, not people's."""
        return (self.file, self.column) not in _FREE

    def rows_of(self, hits: pl.Series) -> list[int]:
        """Numbers of the rows that hold one of `hits` (texts), in order."""
        found = self.rows.filter(pl.col("text").is_in(hits.implode()))["row"].unique()
        return [self.start + int(row) for row in found.sort()]


def released_texts(release: Release) -> Iterator[Texts]:
    """Every text of a release, once; a batch of rows at a time."""
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
        if path.suffix.lower() in TEXTS and path.is_file():
            lines = plain(path.read_text(encoding="utf-8", errors="replace")).split("\n")
            yield _of(name, "line", pl.Series(lines, dtype=pl.String), 1)


def plain(text: str) -> str:
    """A file's text as it reads once HTML, JSON, URLs and Unicode said it in other characters."""
    if "%" in text:
        text = unquote(text)
    if "\\u" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return unicodedata.normalize("NFKC", html.unescape(text) if "&" in text else text)


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


def _of(file: str, column: str, values: pl.Series, start: int) -> Texts:
    rows = values.alias("text").to_frame().with_row_index("row")
    if isinstance(values.dtype, pl.List):
        rows = rows.explode("text")
    rows = rows.drop_nulls("text")
    return Texts(file, column, rows["text"].unique(), rows, start)
