"""Did the crawl reach the end of every search? Judged by folder and `search_id`, not by file.

The service hands a search out in pages, and the last of them says ``has_more: false``. A collector
that was stopped leaves a last page that says true, and nothing else shows that its days are short.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from builder.sources.rows import Seen

_NAMED = 5


def stopped_searches(pages: Sequence[Seen]) -> list[str]:
    """Notes about searches whose last page says that there is more.

    The last page is the last in the order of names (page 10 after page 9). Where the cursors tell
    another order (names that are no numbers), a page of the highest cursor that says false ends the
    search as well. Pages without a `search_id` are judged by file if it holds several pages, else
    by folder.

    Args:
        pages: of all files.
    """
    several = {page.file for page in pages if page.number > 1}
    searches: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for page in pages:
        folder = str(PurePosixPath(page.file).parent)
        lone = not page.search and page.file in several
        searches[(page.file if lone else folder, page.search)].append(page)
    stopped: dict[str, list[str]] = defaultdict(list)
    for (where, _), found in searches.items():
        last = max(found, key=lambda page: (_natural(page.file), page.number))
        if last.more and not _ended_by_cursor(found):
            folder = str(PurePosixPath(where).parent) if where in several else where
            stopped[folder].append(last.file)
    return [_note(folder, files) for folder, files in sorted(stopped.items())]


def _ended_by_cursor(found: list[Seen]) -> bool:
    cursors = [page.cursor for page in found if page.cursor is not None]
    if len(set(cursors)) < len(found):
        return False
    highest = max(cursors)
    return any(page.cursor == highest and not page.more for page in found)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key that puts 10 after 9."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def _note(folder: str, files: list[str]) -> str:
    names = sorted({PurePosixPath(file).name for file in files}, key=_natural)
    listed = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    where = "" if folder == "." else f" in {folder}"
    return (
        f"WARNING: {len(files):,} search(es) stopped before their end: the last page says "
        f"has_more: true ({listed}{where}); their days are incomplete, fetch them to the end"
    )
