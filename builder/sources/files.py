"""Finds source files and reads them, compressed or not, noticing when one is cut short.

What is not read is said: an archive of a kind we do not open, a link that leads nowhere, a folder
that nobody may look into. Linked folders are read like others.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builder.errors import EmptySource, UnreadablePage
from builder.sources.collected import COLLECTED_MARK, collected_on
from builder.sources.encoding import utf8_blocks
from builder.sources.opening import list_members, open_blocks, unreadable

# kind of source -> what the card calls its files
KIND_NAMES = {
    "pages": "Research API pages",
    "csv": "the authors' public CSVs",
}
# suffix -> kind; `readers.by_kind` has a reader for each kind
KINDS = {
    ".json": "pages",
    ".jsonl": "pages",
    ".ndjson": "pages",
    ".csv": "csv",
}
# suffix -> typical ratio, to estimate the size inside
COMPRESSED = {".gz": 8, ".zst": 8, ".bz2": 10, ".xz": 10}
ARCHIVE = ".zip"
# Not read, and likely to hold what somebody thinks is read.
UNREAD = frozenset(
    ".7z .br .feather .gz .lz4 .ods .parquet .rar .tar .tbz .tgz .txz .tsv .txt .xls .xlsx .xz "
    ".bz2 .z .zip .zst".split()
)
SIMULATION_MARK = "SIMULATION.json"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One input file.

    Attributes:
        path: where it is.
        name: its path relative to the SOURCE it was found in; what messages call it. Where two
            sources hold the same relative path, the source's own name (or path) goes before it.
        kind: of `KINDS`: `pages` (Research API responses) or `csv` (the authors' public files).
        size: bytes on disk.
        synthetic: it lies in a folder that `simulate` wrote.
        member: the file inside a ZIP archive; None for a file of its own.
        fetched_on: UTC day our collector asked for it; None for files of other origin.
    """

    path: Path
    name: str
    kind: str
    size: int
    synthetic: bool
    member: str | None = None
    fetched_on: dt.date | None = None

    @property
    def expanded_size(self) -> int:
        """Estimated bytes after decompression."""
        if self.member is not None:
            return self.size
        return self.size * COMPRESSED.get(self.path.suffix.lower(), 1)

    def digest(self) -> str:
        """SHA-256 of the bytes on disk (of a file in an archive: of its content), hex.

        Raises:
            UnreadablePage: it cannot be read.
        """
        if self.member is not None:
            whole = hashlib.sha256()
            for block in read_blocks(self):
                whole.update(block)
            return whole.hexdigest()
        try:
            with self.path.open("rb") as handle:
                return hashlib.file_digest(handle, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self.name, error) from error


# A page of 100 videos is well under a megabyte, and JSON takes some ten times its bytes in memory.
MOST_BYTES = 512 << 20


class Sources(list[SourceFile]):
    """The files found, in reading order.

    Attributes:
        notes: what was found and not read, one sentence each.
    """

    def __init__(self, files: Sequence[SourceFile], notes: Sequence[str]) -> None:
        super().__init__(files)
        self.notes = list(notes)


def find_sources(sources: Sequence[Path]) -> Sources:
    """List every readable file of the given files and folders, in reading order.

    Within a folder files are read in the order of their relative paths: of two fetches of the same
    video the one read later wins. A file in several sources is read once, at its first place.

    Raises:
        EmptySource: a source does not exist or holds nothing we can read.
        UnreadablePage: an archive is damaged or locked.
    """
    found: dict[tuple[Path, str | None], tuple[SourceFile, Path]] = {}
    skipped: Counter[str] = Counter()
    for source in sources:
        mine = [file for path in _inside(source, skipped) for file in _classify(path, source)]
        if not mine:
            told = "; ".join(_told(skipped))
            raise EmptySource(
                "no Research API pages and no CSV here" + (f" ({told})" if told else ""),
                file=source,
                way_out="give a folder of .json/.jsonl pages (also .gz/.zst/.bz2/.xz/.zip), or the "
                "authors' CSVs",
            )
        for file in mine:
            found.setdefault((file.path.resolve(), file.member), (file, source))
    return Sources(_distinct(list(found.values())), _told(skipped))


def _inside(source: Path, skipped: Counter[str]) -> list[Path]:
    """The files of a source, sorted; linked folders too, each folder once."""
    try:
        source.stat()
    except FileNotFoundError as error:
        raise EmptySource(
            "the source does not exist", file=source, way_out="check the path"
        ) from error
    except OSError as error:
        raise EmptySource(
            f"the source cannot be read ({error.strerror})",
            file=source,
            way_out="check the path and the permissions",
        ) from error
    if not source.is_dir():
        return [source]
    files: list[Path] = []
    seen: set[str] = set()

    def skip(error: OSError) -> None:
        skipped["folder(s) could not be read and were left out: check the permissions"] += 1

    for top, folders, names in os.walk(source, followlinks=True, onerror=skip):
        seen.add(os.path.realpath(top))
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(Path(top, name)) not in seen
        )
        for name in names:
            path = Path(top, name)
            if name.startswith("."):
                continue
            if not _there(path):
                skipped["link(s) that lead nowhere were left out"] += 1
            elif path.suffix.lower() in UNREAD and not _ending(path):
                kind = path.suffix.lower()
                skipped[f"{kind} file(s) were not read: pages are .json or .jsonl, CSVs .csv"] += 1
            files.append(path)
    return sorted(files)


def _there(path: Path) -> bool:
    """Whether a path leads somewhere where one may look."""
    try:
        return path.exists()
    except OSError:
        return False


def _told(skipped: Counter[str]) -> list[str]:
    return [f"{count:,} {what}" for what, count in sorted(skipped.items())]


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


def _ending(path: Path | str) -> str:
    """The suffix that says what a file holds; empty when it is not ours to read."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] == ARCHIVE:
        return ARCHIVE
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    return ending if ending in KINDS else ""


def _classify(path: Path, source: Path) -> list[SourceFile]:
    relative = path.relative_to(source) if path != source else Path(path.name)
    if path.name in (SIMULATION_MARK, COLLECTED_MARK) or not _there(path) or not path.is_file():
        return []
    if any(part.startswith(".") for part in relative.parts):
        return []
    ending = _ending(path)
    if not ending:
        return []
    simulated = (folder / SIMULATION_MARK for folder in {path.parent, source})
    file = SourceFile(
        path=path,
        name=_printable(relative),
        kind=KINDS.get(ending, ARCHIVE),
        size=path.stat().st_size,
        synthetic=any(mark.is_file() for mark in simulated),
        fetched_on=collected_on(path),
    )
    return _members(file) if ending == ARCHIVE else [file]


def _members(archive: SourceFile) -> list[SourceFile]:
    """The pages and CSVs in a ZIP archive, by name; a compressed file in it is not opened."""
    entries = list_members(archive.path, archive.name)
    simulated = any(Path(name).name == SIMULATION_MARK for name, _ in entries)
    found: list[SourceFile] = []
    for entry, size in entries:
        name = Path(entry)
        hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
        ending = name.suffix.lower()
        if hidden or ending not in KINDS or name.name in (SIMULATION_MARK, COLLECTED_MARK):
            continue
        found.append(
            replace(
                archive,
                name=f"{archive.name}/{_printable(name)}",
                kind=KINDS[ending],
                size=size,
                synthetic=archive.synthetic or simulated,
                member=entry,
            )
        )
    return found


def read_blocks(file: SourceFile) -> Iterator[bytes]:
    """Decompressed content in blocks of about 1 MiB.

    Raises:
        UnreadablePage: the compressed stream is cut short or damaged, or the file is unreadable.
    """
    yield from open_blocks(file.path, file.member, file.name, _BLOCK)


def too_long(file: SourceFile, row: str | None = None) -> UnreadablePage:
    """What is no page, because it would not fit in memory once it is parsed."""
    return UnreadablePage(
        f"this is no page: it is longer than {MOST_BYTES >> 20:,} MB",
        file=file.name,
        row=row,
        way_out="a page holds at most 100 videos; write one page a line, in a .jsonl file",
    )


def read_lines(file: SourceFile) -> Iterator[tuple[int, bytes]]:
    """Non-blank lines as (line number from 1, UTF-8 or unmarked bytes).

    In memory is one block, or a line where that is longer; each byte is copied a fixed number of
    times, however long its line is.

    Raises:
        UnreadablePage: a line of more than `MOST_BYTES`.
    """
    pieces: list[bytes] = []  # of a line that no block has ended yet
    number = 0
    size = 0
    for block in utf8_blocks(read_blocks(file), file.name):
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = b"".join([*pieces, lines[0]])
            pieces.clear()
            size = 0
        pieces.append(rest)
        size += len(rest)
        if size > MOST_BYTES:
            raise too_long(file, f"line {number + len(lines) + 1}")
        for line in lines:
            number += 1
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if line.strip():
                yield number, line
    rest = b"".join(pieces)
    if number == 0:
        rest = rest.removeprefix(codecs.BOM_UTF8)
    if rest.strip():
        yield number + 1, rest
