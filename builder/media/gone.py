"""Whether downloads are missing because their folder is: unmounted, disconnected, locked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl

from builder.errors import StageFailed

# Statuses (of a probe) and reasons (of a transcript) that may be different the next time.
PASSING = ("missing", "unreadable")
MARKER = "marker"  # the reason of a status that a downloader wrote down
MARKED = r"\.(?i:missing|private|slideshow)$"  # the name of such a file


def check_folders(media: pl.DataFrame) -> None:
    """Stop when a folder of downloads is gone since it was listed.

    A folder of one file that is gone proves nothing: the file may have been deleted.

    Args:
        media: `path` of the downloads, as they were listed.

    Raises:
        StageFailed: a folder that held several of them cannot be read any more, or is empty.
    """
    held = Counter(str(Path(path).parent) for path in media["path"].to_list())
    gone = {folder: n for folder, n in held.items() if n > 1 and _is_gone(Path(folder))}
    if gone:
        raise StageFailed(
            f"the folder of {sum(gone.values()):,} downloads went away while they were read",
            file=min(gone, key=len),
            way_out="mount or unlock it and run the same command again: what was missing is tried "
            "again, nothing else is computed anew",
        )


def _is_gone(folder: Path) -> bool:
    try:
        return next(folder.iterdir(), None) is None
    except OSError:
        return True
