"""No character of a release was lost on the way: U+FFFD marks where one could not be read."""

from __future__ import annotations

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.sources.encoding import REPLACEMENT
from builder.validate.contract.check import Check, Problem
from builder.validate.release import Release

_WAY_OUT = (
    "a source was read in the wrong encoding, or arrived damaged: take the original file; then "
    "build the release again"
)
_TEXTS = (".md", ".json", ".csv", ".html", ".svg", ".txt", ".yaml", ".yml", ".bib", ".cff")


def check_characters(release: Release) -> Check:
    """U+FFFD in any cell of any config, or in any text file; the text itself is not shown."""
    check = Check("no text holds U+FFFD, the mark of a lost character")
    for config in schema.FEATURES:
        if config == "videos":
            continue  # its cells are those of the other configs; the joins prove it
        start = 0
        for frame in release.batches(config):
            for column in frame.columns:
                hits = _damaged(frame[column])
                for row in hits[:20]:
                    check.fail(Problem(config, str(start + row), column, "U+FFFD", _WAY_OUT))
                check.count += max(len(hits) - 20, 0)
            start += frame.height
    for path in sorted(release.folder.rglob("*")):
        if path.suffix.lower() in _TEXTS and path.is_file():
            lines = path.read_bytes().split(b"\n")
            for number, line in enumerate(lines, start=1):
                if REPLACEMENT.encode() in line:
                    name = path.relative_to(release.folder).as_posix()
                    check.fail(Problem(name, str(number), "line", "U+FFFD", _WAY_OUT))
    return check


def _damaged(values: pl.Series) -> list[int]:
    """Rows whose text (texts of a list, of a list of structs) holds the mark."""
    marked = (
        _marked(pl.element(), values.dtype.inner) if isinstance(values.dtype, pl.List) else None
    )
    if marked is not None:
        found = values.list.eval(marked).list.any()
    elif values.dtype == pl.String:
        found = values.str.contains(REPLACEMENT, literal=True)
    else:
        return []
    return found.fill_null(False).arg_true().to_list()


def _marked(element: pl.Expr, dtype: object) -> pl.Expr | None:
    if dtype == pl.String:
        return element.str.contains(REPLACEMENT, literal=True)
    if isinstance(dtype, pl.Struct):
        texts = [field.name for field in dtype.fields if field.dtype == pl.String]
        if texts:
            return pl.any_horizontal(
                element.struct.field(name).str.contains(REPLACEMENT, literal=True) for name in texts
            )
    return None
