"""Opens a file whatever it is packed in: gzip, bzip2, xz, zstandard, or a member of a ZIP."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import zstandard

from builder.errors import UnreadablePage

_PACKED = (
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zstandard.ZstdError,
    NotImplementedError,  # a ZIP method the standard library lacks
    RuntimeError,  # a locked member
)


def unreadable(name: str, error: Exception) -> UnreadablePage:
    """The error for a file the operating system does not hand out."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
    return UnreadablePage(
        f"the file cannot be read ({why})",
        file=name,
        way_out="check the file and its permissions, or copy it again; to build without it, take "
        "it out of the source and say so in your notes",
    )


def list_members(path: Path, name: str) -> list[tuple[str, int]]:
    """(name inside, expanded size) of every file in a ZIP archive, by name; each name once.

    Raises:
        UnreadablePage: the archive is damaged, unreadable or locked.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise unreadable(name, error) from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadablePage(
            "the archive is locked with a password",
            file=name,
            way_out="unpack it and give the folder as source",
        )
    return sorted({entry.filename: entry.file_size for entry in entries}.items())


def open_blocks(path: Path, member: str | None, name: str, size: int) -> Iterator[bytes]:
    """Decompressed content, block by block.

    Args:
        path: the file.
        member: the file inside a ZIP archive.
        name: what messages call it.
        size: bytes of a block, at most (zstandard decides for itself).

    Raises:
        UnreadablePage: cut short, damaged, or unreadable.
    """
    try:
        if path.suffix.lower() == ".zst" and member is None:
            yield from _read_zstd(path, size)
            return
        with _opened(path, member) as stream:
            while block := stream.read(size):
                yield block
    except _PACKED as error:
        raise _damaged(name) from error
    except OSError as error:
        # bz2 says so without a number
        raise (_damaged(name) if error.errno is None else unreadable(name, error)) from error


def _opened(path: Path, member: str | None) -> IO[bytes]:
    if member is not None:
        return zipfile.ZipFile(path).open(member)
    match path.suffix.lower():
        case ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        case ".bz2":
            return bz2.open(path, "rb")
        case ".xz":
            return lzma.open(path, "rb")
        case _:
            return path.open("rb")


def _damaged(name: str) -> UnreadablePage:
    return UnreadablePage(
        "the compressed file is cut short or damaged",
        file=name,
        way_out="copy or fetch this file again",
    )


def _read_zstd(path: Path, size: int) -> Iterator[bytes]:
    """Frame by frame, so that a last frame without an end is noticed (the library is silent)."""
    with path.open("rb") as handle:
        pending = handle.read(size)
        while pending:
            frame = zstandard.ZstdDecompressor().decompressobj()
            while True:
                if data := frame.decompress(pending):
                    yield data
                if frame.eof:
                    pending = frame.unused_data or handle.read(size)
                    break
                if not (pending := handle.read(size)):
                    raise EOFError("zstd frame without an end")
