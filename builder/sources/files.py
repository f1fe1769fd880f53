"""Finds source files and reads them, compressed or not, noticing when one is cut short."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import zstandard

from builder.errors import EmptySource, UnreadablePage

PAGE_SUFFIXES = (".json", ".jsonl", ".ndjson")
CSV_SUFFIXES = (".csv",)
COMPRESSED = {".gz": 8, ".zst": 8}  # suffix -> typical ratio, to estimate the size inside
SIMULATION_MARK = "SIMULATION.json"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One input file.

    Attributes:
        path: where it is.
        name: its path relative to the SOURCE it was found in; what messages call it. Where two
            sources hold the same relative path, the source's own name (or path) goes before it.
        kind: `pages` (Research API responses) or `csv` (the authors' public files).
        size: bytes on disk.
        synthetic: it lies in a folder that `simulate` wrote.
    """

    path: Path
    name: str
    kind: Literal["pages", "csv"]
    size: int
    synthetic: bool

    @property
    def expanded_size(self) -> int:
        """Estimated bytes after decompression."""
        return self.size * COMPRESSED.get(self.path.suffix.lower(), 1)

    def digest(self) -> str:
        """SHA-256 of the bytes on disk, hex."""
        with self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()


def find_sources(sources: Sequence[Path]) -> list[SourceFile]:
    """List every readable file of the given files and folders, in reading order.

    Within a folder files are read in the order of their relative paths: of two fetches of the same
    video the one read later wins. A file in several sources is read once, at its first place.

    Raises:
        EmptySource: a source does not exist or holds nothing we can read.
    """
    found: dict[Path, tuple[SourceFile, Path]] = {}
    for source in sources:
        if not source.exists():
            raise EmptySource("the source does not exist", file=source, way_out="check the path")
        inside = [source] if source.is_file() else sorted(p for p in source.rglob("*"))
        mine = [file for path in inside if (file := _classify(path, source))]
        if not mine:
            raise EmptySource(
                "no Research API pages and no CSV here",
                file=source,
                way_out="give a folder of .json/.jsonl pages (also .gz/.zst), or the authors' CSVs",
            )
        for file in mine:
            found.setdefault(file.path.resolve(), (file, source))
    return _distinct(list(found.values()))


def _distinct(found: list[tuple[SourceFile, Path]]) -> list[SourceFile]:
    """Give every file a name of its own; reports and fingerprints go by it."""
    for prefix in ("name", "path"):
        uses = Counter(file.name for file, _ in found)
        found = [
            (file if uses[file.name] == 1 else replace(file, name=_longer(file, top, prefix)), top)
            for file, top in found
        ]
    return [file for file, _ in found]


def _longer(file: SourceFile, source: Path, prefix: str) -> str:
    if prefix == "path" or source.is_file():
        return _printable(file.path)
    return f"{_printable(source.resolve().name)}/{file.name}"


def _printable(path: Path | str) -> str:
    """A path as valid text: names that are not UTF-8 (old archives) with their bytes escaped."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def _classify(path: Path, source: Path) -> SourceFile | None:
    relative = path.relative_to(source) if path != source else Path(path.name)
    if path.name == SIMULATION_MARK or not path.is_file():
        return None
    if any(part.startswith(".") for part in relative.parts):
        return None
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    if ending not in PAGE_SUFFIXES + CSV_SUFFIXES:
        return None
    folders = [path.parent, *([] if path == source else [source])]
    return SourceFile(
        path=path,
        name=_printable(relative),
        kind="csv" if ending in CSV_SUFFIXES else "pages",
        size=path.stat().st_size,
        synthetic=any((folder / SIMULATION_MARK).is_file() for folder in folders),
    )


def read_blocks(file: SourceFile) -> Iterator[bytes]:
    """Decompressed content in blocks of about 1 MiB.

    Raises:
        UnreadablePage: the compressed stream is cut short or damaged.
    """
    try:
        match file.path.suffix.lower():
            case ".gz":
                with gzip.open(file.path, "rb") as stream:
                    while block := stream.read(_BLOCK):
                        yield block
            case ".zst":
                yield from _read_zstd(file.path)
            case _:
                with file.path.open("rb") as handle:
                    while block := handle.read(_BLOCK):
                        yield block
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise UnreadablePage(
            "the compressed file is cut short or damaged",
            file=file.name,
            way_out="copy or fetch this file again",
        ) from error


def _read_zstd(path: Path) -> Iterator[bytes]:
    """Frame by frame, so that a last frame without an end is noticed (the library is silent)."""
    with path.open("rb") as handle:
        pending = handle.read(_BLOCK)
        while pending:
            frame = zstandard.ZstdDecompressor().decompressobj()
            while True:
                if data := frame.decompress(pending):
                    yield data
                if frame.eof:
                    pending = frame.unused_data or handle.read(_BLOCK)
                    break
                if not (pending := handle.read(_BLOCK)):
                    raise EOFError("zstd frame without an end")


def read_lines(file: SourceFile) -> Iterator[tuple[int, bytes]]:
    """Non-blank lines as (line number from 1, bytes), without a BOM, in bounded memory."""
    rest, number = b"", 0
    for block in read_blocks(file):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            number += 1
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.strip():
                yield number, line
    if number == 0:
        rest = rest.removeprefix(codecs.BOM_UTF8)
    if rest.strip():
        yield number + 1, rest
