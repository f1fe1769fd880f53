"""Work that is done once: parts first, the report about them last; both there means done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from builder.run.store import write_json


def once(
    report: Path,
    make: Callable[[], Any],
    parts: Iterable[Path] | Callable[[Any], Iterable[Path]] = (),
) -> Any:
    """What a report says; made, parts and all, when the report or a part of it is missing.

    Args:
        report: a JSON file, written after everything it is about.
        make: writes the parts and returns what the report shall hold.
        parts: the files that must be there; or what names them, given the report's content.

    Returns:
        The report's content as JSON gives it back, so that a first and a later run see the same.
    """
    try:
        known = json.loads(report.read_text(encoding="utf-8"))
        if all(part.is_file() for part in (parts(known) if callable(parts) else parts)):
            return known
    except (OSError, ValueError, KeyError, TypeError):
        pass  # missing, or of another form: made anew
    write_json(report, make())
    return json.loads(report.read_text(encoding="utf-8"))
