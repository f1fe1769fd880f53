"""Notices that a source was written to between its digest and the end of reading it.

What is kept about a source goes by the digest of its bytes. Were other bytes read than those that
were digested, every later run would believe a wrong result.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from builder.errors import UnreadablePage
from builder.sources.files import SourceFile
from builder.sources.opening import unreadable

# A file that changed less than this before it was digested may change again within one tick of the
# system's clock: it is digested a second time afterwards.
SETTLED_SECONDS = 2.0


class SourceChanged(UnreadablePage):
    """A source file was written to while it was read."""


class Watch:
    """The source files as they were when they were digested.

    Args:
        files: the source files.

    Attributes:
        digests: name of a file -> SHA-256, hex.

    Raises:
        UnreadablePage: one cannot be read.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._seen = {file.name: (_state(file), time.time()) for file in files}
        self.digests = {file.name: file.digest() for file in files}

    def check(self, files: Iterable[SourceFile]) -> None:
        """Make sure that what was read since is what was digested.

        Raises:
            SourceChanged: it need not be.
        """
        for file in files:
            state, when = self._seen[file.name]
            same = _state(file) == state
            changed_ns = state[-1]
            if same and when - changed_ns / 1e9 < SETTLED_SECONDS:
                same = file.digest() == self.digests[file.name]
            if not same:
                raise SourceChanged(
                    "the file was written to while it was read",
                    file=file.name,
                    way_out="run again when whatever writes it (a collector, a sync) is done",
                )


def _state(file: SourceFile) -> tuple[int, ...]:
    """Changes with every write. The last number, the time of change, no program can set back."""
    try:
        found = file.path.stat()
    except OSError as error:
        raise unreadable(file.name, error) from error
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
