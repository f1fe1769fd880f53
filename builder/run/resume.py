"""Work that is done once: parts first, the report about them last; both there and whole means done.

The report carries the digests of its own content and of the parts. What does not fit them was
damaged: it is set aside (`damaged/`) and made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from builder.run.store import DIGEST_DIGITS, digest_of, set_aside, write_json

CONTENT, PARTS, DIGEST = "content", "parts", "digest"


def once(
    report: Path,
    make: Callable[[], Any],
    parts: Iterable[Path] | Callable[[Any], Iterable[Path]] = (),
) -> Any:
    """What a report says; made, parts and all, when the report or a part is missing or damaged.

    Every part is read and hashed once a call: about a second for a gigabyte.

    Args:
        report: a JSON file, written after everything it is about.
        make: writes the parts and returns what the report shall hold.
        parts: the files that must be there; or what names them, given the report's content.

    Returns:
        The report's content as JSON gives it back, so that a first and a later run see the same.
    """

    def named(content: Any) -> list[Path]:
        return list(parts(content) if callable(parts) else parts)

    try:
        known = json.loads(report.read_text(encoding="utf-8"))
        content, digests = known[CONTENT], known[PARTS]
        if known[DIGEST] == _digest(content, digests):
            wanted = named(content)
            if all(part.is_file() for part in wanted) and not _damaged(wanted, digests):
                return content
        else:
            set_aside(report)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # missing, or of another form: made anew
    # as JSON gives it back: tuples become lists, keys texts
    content = json.loads(json.dumps(make()))
    digests = {part.name: digest_of(part) for part in named(content)}
    told = {CONTENT: content, PARTS: digests, DIGEST: _digest(content, digests)}
    write_json(report, told)
    return content


def renew(report: Path, change: Callable[[Any], Any], parts: Iterable[Path]) -> None:
    """Write a report anew after its parts were changed on purpose.

    Args:
        report: that `once` wrote.
        change: makes the new content of the old.
        parts: the files it is about, as they are now.
    """
    content = json.loads(json.dumps(change(read_report(report))))
    digests = {part.name: digest_of(part) for part in parts}
    told = {CONTENT: content, PARTS: digests, DIGEST: _digest(content, digests)}
    write_json(report, told)


def read_report(report: Path) -> Any:
    """The content of a report that `once` wrote, in the same run."""
    return json.loads(report.read_text(encoding="utf-8"))[CONTENT]


def _digest(content: Any, parts: dict[str, str]) -> str:
    # in ASCII: a lone surrogate (a path that is not UTF-8) has no bytes of its own
    text = json.dumps([content, parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def _damaged(parts: list[Path], digests: dict[str, str]) -> bool:
    """Whether a part is not what it was; such parts are set aside."""
    bad = [part for part in parts if digests[part.name] != digest_of(part)]
    for part in bad:
        set_aside(part)
    return bool(bad)
