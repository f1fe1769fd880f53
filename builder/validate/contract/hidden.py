"""Nothing is hidden in a release: no file of another kind, no metadata of somebody's own.

Digests in the manifest say that files were not changed; whoever changes both passes. So the files
are read as somebody would who looks for a place to hide a number: names and kinds of files,
Parquet's key-value metadata and that of each field, the writer's name, and the bytes around it all.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builder.release.texts.residue import with_paths
from builder.sources.ids import EARLIEST, LATEST
from builder.sources.schema import id_time
from builder.validate.contract.check import Check, Problem
from builder.validate.release import Release

TEXTS = (".md", ".json", ".html", ".svg", ".py", ".cff", ".bib")
_KNOWN = (*TEXTS, ".parquet", ".sig")
_ARROW = b"ARROW:schema"
_WRITER = re.compile(r"parquet-cpp-arrow version \d+\.\d+\.\d+")
_NUMBERS = re.compile(rb"(?<![0-9A-Za-z_.])[0-9]{17,19}(?![0-9A-Za-z_])")
_REMOVE = "remove it, or build the release again; nobody here wrote it"


def check_hidden(release: Release, ids: pl.Series | None) -> Iterator[Check]:
    """Two checks: kinds of files, and what lies in Parquet beside the columns.

    Args:
        release: the release.
        ids: raw ids to look for (Int64); None looks for anything shaped like one.
    """
    yield _kinds(release)
    yield _parquet(release, ids)


def _kinds(release: Release) -> Check:
    check = Check("every file is of a kind that a release has, and is what its name says")
    for path in sorted(release.folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name, kind = path.relative_to(release.folder).as_posix(), path.suffix.lower()
        if path.is_symlink() or not path.is_file():
            check.fail(Problem(name, "", "kind", "a link or no regular file", _REMOVE))
        elif kind not in _KNOWN:
            told = kind or "no suffix"
            check.fail(Problem(name, "", "kind", f"no kind that a release has: {told}", _REMOVE))
        elif kind in TEXTS and not _is_text(path):
            check.fail(Problem(name, "", "kind", f"not UTF-8 text, though {kind}", _REMOVE))
    return check


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False


def _parquet(release: Release, ids: pl.Series | None) -> Check:
    check = Check("Parquet files hold the schema's columns and no metadata of their own")
    if release.manifest.privacy.id_policy == "raw":
        ids = pl.Series([], dtype=pl.Int64)
    known = None if ids is None else set(ids.to_list())
    for path in sorted(release.folder.rglob("*.parquet")):
        name = path.relative_to(release.folder).as_posix()
        for where, what in _found(path, known):
            check.fail(Problem(name, "", where, what, _REMOVE))
    return check


def _found(path: Path, ids: set[int] | None) -> Iterator[tuple[str, str]]:
    """(where, what) for everything in a Parquet file that we did not write. Values are not told."""
    metadata = pq.read_metadata(path)
    own = metadata.metadata or {}
    if set(own) - {_ARROW}:
        yield "metadata", f"{len(set(own) - {_ARROW})} key-value pair(s)"
    if not _WRITER.fullmatch(metadata.created_by or ""):
        yield "created_by", "another writer's name"
    schema = pq.read_schema(path)
    if schema.metadata:
        yield "schema", "metadata of the schema"
    for field in _fields(list(schema)):
        if set(field.metadata or {}) - {b"PARQUET:field_id"}:
            yield f"schema.{field.name}", "metadata of a field"
    content = path.read_bytes()
    if not (content.startswith(b"PAR1") and content.endswith(b"PAR1")):
        yield "bytes", "something before or after the file"
    hidden = _decoded(own.get(_ARROW, b""))
    raw = [int(n) for part in (content, hidden) for n in _NUMBERS.findall(part)]
    count = sum(_is_id(number, ids) for number in raw)
    if count:
        yield "bytes", f"{count} raw id(s)"
    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8] + hidden
    strings = [s.decode() for s in re.findall(rb"[\x20-\x7e]{6,}", footer)]
    paths = int(with_paths(pl.Series(strings, dtype=pl.String)).sum())
    if paths:
        yield "footer", f"{paths} absolute path(s)"


def _fields(fields: list[Any]) -> Iterator[Any]:
    for field in fields:
        yield field
        if pa.types.is_nested(field.type):
            inner = [field.type.field(i) for i in range(field.type.num_fields)]
            yield from _fields(inner)


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value)
    except ValueError:
        return value


def _is_id(number: int, ids: set[int] | None) -> bool:
    if ids is not None:
        return number in ids
    return EARLIEST <= id_time(number) <= LATEST
