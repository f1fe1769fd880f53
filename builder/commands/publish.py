"""What `ecuador-crisis diff` and `publish` do and print."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from builder.commands.validate import private_of
from builder.publish.diff import compare
from builder.publish.publish import publish
from builder.publish.wish import Wish
from builder.run.store import write_json


def run_diff(old: Path, new: Path, json_path: Path | None) -> list[str]:
    """Compare two release folders.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: one of them is not a release.
    """
    found = compare(old, new)
    if json_path is not None:
        write_json(json_path, found.as_dict())
    return found.lines()


def run_publish(
    release: Path,
    repo: str,
    *,
    private: bool,
    gated: Literal["auto", "manual"] | None,
    yes: bool,
    campaign: str | None,
    work: Path | None,
    overdue_ok: bool,
    purge_history: bool,
    confirm: str | None,
) -> list[str]:
    """Check a release, compare it with the Hub and, with `yes`, publish it; see `Wish`.

    Returns:
        Lines to print.

    Raises:
        BuilderError: any of the kinds `publish` raises.
    """
    chosen, known = private_of(release, campaign, work)
    wish = Wish(
        release=release,
        repo=repo,
        private=private,
        gated=gated,
        yes=yes,
        overdue_ok=overdue_ok,
        purge_history=purge_history,
        confirm=confirm,
        campaign=chosen,
        private_data=known,
    )
    return publish(wish).lines(wish)
