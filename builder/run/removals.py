"""The private list of posts whose removal was asked for: nothing may bring them back.

`work/private/removed.json` holds TikTok ids (as text). It stays in the work folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from builder.errors import UsageProblem
from builder.run.stage import fingerprint
from builder.run.store import write_atomic

NAME = "removed.json"


def read_removed(work: Path) -> frozenset[int]:
    """Ids whose removal was asked for; empty where it never was.

    Raises:
        UsageProblem: the list is damaged. Going on without it would release what must not be.
    """
    path = work / "private" / NAME
    try:
        return frozenset(int(text) for text in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UsageProblem(
            "the list of removed posts cannot be read, and nothing is built without it",
            file=path,
            way_out="take the file from a backup, or delete it and run `ecuador-crisis remove` "
            "again with every request so far",
        ) from error


def add_removed(private: Path, work: Path, ids: Iterable[int]) -> frozenset[int]:
    """Add ids to the list; returns all of it."""
    every = read_removed(work) | frozenset(ids)
    content = json.dumps([str(video) for video in sorted(every)]) + "\n"
    write_atomic(private / NAME, content.encode(), mode=0o600)
    return every


def digest_of_removed(removed: frozenset[int]) -> str:
    """Digest of the list; empty for an empty one, so that nothing changes where nobody asked."""
    return fingerprint("removed", sorted(removed)) if removed else ""
