"""What the last run of a work folder did, stage by stage: the source of `ecuador-crisis status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builder.errors import UsageProblem
from builder.run.stage import STAGE_NAMES
from builder.run.store import Store, write_json

LEDGER = "run.json"


@dataclass
class Entry:
    """One stage of the last run.

    Attributes:
        state: running | done | skipped.
        fingerprint: folder of its parts, for row stages.
        rows: input rows, once known.
        statuses: status -> rows.
        reasons: reason -> rows (failures, or dropped rows).
    """

    state: str
    fingerprint: str = ""
    rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


class Ledger:
    """Written as stages start and end, so that it is true after a kill as well.

    Args:
        store: the work folder.
        settings: what the run was asked for, shown by `status`.
    """

    def __init__(self, store: Store, settings: dict[str, Any]) -> None:
        self._path = store.work / LEDGER
        self._settings = settings
        self._entries: dict[str, Entry] = {}

    def note(self, stage: str, entry: Entry) -> None:
        """Record a stage's state."""
        self._entries[stage] = entry
        stages = {name: asdict(entry) for name, entry in self._entries.items()}
        write_json(self._path, {"settings": self._settings, "stages": stages})


@dataclass
class StageStatus:
    """A line of `status`: what is done, pending, failed and why."""

    stage: str
    state: str
    rows: int
    done: int
    pending: int
    failed: int
    reasons: dict[str, int]


def read_status(work: Path) -> tuple[dict[str, Any], list[StageStatus]]:
    """Settings of the last run and the state of every stage.

    Raises:
        UsageProblem: nothing was ever built in this folder.
    """
    try:
        ledger = json.loads((work / LEDGER).read_text(encoding="utf-8"))
        settings = dict(ledger["settings"])
        entries = {name: Entry(**entry) for name, entry in ledger["stages"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageProblem(
            "nothing was built in this work folder yet",
            file=work,
            way_out="run: ecuador-crisis regenerate --work DIR --out DIR",
        ) from error
    missing = Entry("not started")
    return settings, [_line(work, stage, entries.get(stage, missing)) for stage in STAGE_NAMES]


def _line(work: Path, stage: str, entry: Entry) -> StageStatus:
    statuses, reasons, done = entry.statuses, entry.reasons, sum(entry.statuses.values())
    parts = sorted((work / stage / entry.fingerprint).glob("part-*.parquet"))
    if entry.state == "running" and entry.fingerprint and parts:
        found = pl.scan_parquet(parts).select("id", "status").collect().unique("id", keep="last")
        counted = found["status"].value_counts()
        statuses = {str(status): int(n) for status, n in counted.iter_rows()}
        done = found.height
    failed = statuses.get("failed", 0)
    return StageStatus(
        stage=stage,
        state="interrupted or running" if entry.state == "running" else entry.state,
        rows=entry.rows,
        done=done,
        pending=max(entry.rows - done, 0) if entry.state == "running" else 0,
        failed=failed,
        reasons=reasons,
    )


def latest_results(work: Path, stage: str, columns: Sequence[str]) -> pl.DataFrame:
    """Results of a row stage as the last run of a work folder left them, one row an id.

    Args:
        work: the work folder.
        stage: name of a row stage.
        columns: columns of its output, besides `id`.

    Raises:
        UsageProblem: nothing was built here, or the stage never ran.
    """
    read_status(work)  # raises when there is no ledger
    entry = json.loads((work / LEDGER).read_text(encoding="utf-8"))["stages"].get(stage, {})
    parts = sorted((work / stage / entry.get("fingerprint", "none")).glob("part-*.parquet"))
    if not parts:
        raise UsageProblem(
            f"the stage {stage} has no results in this work folder",
            file=work,
            way_out=f"run regenerate without skipping {stage}",
        )
    frames = [pl.read_parquet(part, columns=["id", *columns]) for part in parts]
    return pl.concat(frames).unique("id", keep="last", maintain_order=True)


def status_lines(work: Path) -> list[str]:
    """`read_status` as lines for the terminal."""
    settings, stages = read_status(work)
    lines = [f"{key}: {value}" for key, value in settings.items()]
    lines.append(f"{'stage':<12}{'state':<24}{'rows':>10}{'done':>10}{'pending':>10}{'failed':>8}")
    for line in stages:
        row = f"{line.stage:<12}{line.state:<24}{line.rows:>10,}{line.done:>10,}"
        lines.append(f"{row}{line.pending:>10,}{line.failed:>8,}")
        lines += [f"    {count:,} {reason}" for reason, count in line.reasons.items()]
    return lines
