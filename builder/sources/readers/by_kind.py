"""Which reader turns a kind of source file into blocks of raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from builder.sources.files import SourceFile
from builder.sources.readers.api_pages import read_pages
from builder.sources.readers.upstream_csv import read_csv
from builder.sources.rows import Block

# A reader takes a file and the reading position of its first row, and yields blocks.
Reader = Callable[[SourceFile, int], Iterator[Block]]

READERS: dict[str, Reader] = {  # by kind, a value of `files.KINDS`
    "pages": read_pages,
    "csv": read_csv,
}
