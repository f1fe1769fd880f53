"""What the last run of a work folder did, stage by stage: the source of `ecuador-crisis status`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builder.errors import BuilderError, StageFailed, UsageProblem
from builder.run.rates import Rate, keep_rate, read_rates
from builder.run.stage import QUARANTINED, is_quarantined
from builder.run.store import Store, is_whole, write_json

LEDGER = "run.json"
SHOWN = 10
# statuses of rows about which something was found out, if only that there is nothing to hear
_NO_FAILURE = frozenset("ok near_empty no_speech no_audio pass warn".split())
RUNNING, DONE, FAILED, INTERRUPTED = "running", "done", "failed", "interrupted"
# states in which the parts that are there are counted, and the rest is pending
_UNFINISHED = (RUNNING, FAILED, INTERRUPTED)
_ROW = ("id", "input_digest", "status")  # what every part of a row stage has


@dataclass
class Entry:
    """One stage of the last run.

    Attributes:
        state: running | done | failed | interrupted.
        fingerprint: folder of its parts, for row stages.
        rows: input rows, once known.
        statuses: status -> rows.
        reasons: reason -> rows (failures, or dropped rows).
        problem: why it failed: the kind of error and, for our own, its first sentence.
    """

    state: str
    fingerprint: str = ""
    rows: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    problem: str = ""


class Ledger:
    """Written as stages start and end, so that it is true after a kill as well.

    Args:
        store: the work folder.
        settings: what the run was asked for, shown by `status`.
        steps: names of all steps, in the order of the plan.

    Attributes:
        before: what -> name -> count, as `found` by earlier runs and not yet by this one.
    """

    def __init__(self, store: Store, settings: dict[str, Any], steps: Sequence[str]) -> None:
        self._path = store.work / LEDGER
        self._settings, self._steps = settings, list(steps)
        self._entries: dict[str, Entry] = {}
        self._found: dict[str, dict[str, int]] = {}
        # a run that stops forgets nothing of it
        self.before: dict[str, dict[str, int]] = _found_before(store.work)

    def note(self, stage: str, entry: Entry) -> None:
        """Record a stage's state."""
        self._entries[stage] = entry
        self._write()

    def found(self, what: str, counts: Mapping[str, int]) -> None:
        """Record counts that belong to no stage, such as what lies in the folder of downloads."""
        self._found[what] = dict(counts)
        self.before.pop(what, None)
        self._write()

    @contextmanager
    def step(self, stage: str, fingerprint: str = "", rows: int = 0) -> Iterator[Entry]:
        """A stage from its start to its end, whatever the end is.

        Args:
            stage: its name.
            fingerprint: folder of its parts, for row stages.
            rows: input rows, if known before.

        Yields:
            The entry, to be filled with rows, statuses and reasons; noted as done afterwards. An
            error leaves it failed, Ctrl-C (and any other exit) interrupted.
        """
        entry, started = Entry(RUNNING, fingerprint, rows), time.monotonic()
        self.note(stage, entry)
        try:
            yield entry
        except BaseException as error:
            entry.state = FAILED if isinstance(error, Exception) else INTERRUPTED
            entry.problem = _told(error) if entry.state == FAILED else ""
            with suppress(OSError, BuilderError):  # the first error is the one to hear of
                self.note(stage, entry)
            raise
        entry.state = DONE
        self.note(stage, entry)
        if not fingerprint:  # a step about all videos at once
            self._time(stage, entry, time.monotonic() - started)

    def _time(self, stage: str, entry: Entry, seconds: float) -> None:
        """Keep the rate of a step, unless it found more of it done than an earlier run."""
        work = self._path.parent
        ingested = self._entries.get("ingest", entry)
        rate = Rate(entry.rows or ingested.statuses.get("ok", 0), seconds)
        before = read_rates(work).get(stage)
        if before is None or rate.seconds > before.seconds or rate.rows > before.rows:
            keep_rate(work, stage, rate)

    def _write(self) -> None:
        stages = {name: asdict(entry) for name, entry in self._entries.items()}
        content = {
            "settings": self._settings,
            "steps": self._steps,
            "stages": stages,
            "found": self._found,
            "before": self.before,
        }
        write_json(self._path, content)


def _found_before(work: Path) -> dict[str, dict[str, int]]:
    try:
        ledger = _read(work)
        told = {**ledger.get("before", {}), **ledger.get("found", {})}
        return {what: {key: int(n) for key, n in counts.items()} for what, counts in told.items()}
    except (BuilderError, ValueError, TypeError, AttributeError):
        return {}


def _told(error: BaseException) -> str:
    """The kind of an error; with its problem where that is known to hold nothing private."""
    kind = type(error).__name__
    return f"{kind}: {error.problem}" if isinstance(error, BuilderError) else kind


@dataclass
class StageStatus:
    """A line of `status`: what is done, pending, failed and why.

    `quarantined` are the digests of the inputs of rows in quarantine, as the parts have them.
    """

    stage: str
    state: str
    rows: int
    done: int
    pending: int
    failed: int
    reasons: dict[str, int]
    problem: str = ""
    quarantined: Sequence[str] = ()


def read_status(work: Path) -> tuple[dict[str, Any], list[StageStatus]]:
    """Settings of the last run and the state of every stage.

    Raises:
        UsageProblem: nothing was ever built in this folder, or its record is damaged.
    """
    try:
        ledger = _read(work)
        settings = dict(ledger["settings"])
        entries = {name: Entry(**entry) for name, entry in ledger["stages"].items()}
        steps = list(ledger.get("steps", entries))
        missing = Entry("not started")
        return settings, [_line(work, stage, entries.get(stage, missing)) for stage in steps]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(work) from error


def _read(work: Path) -> Any:
    """The content of run.json.

    Raises:
        UsageProblem: there is none, or it is damaged.
    """
    try:
        return json.loads((work / LEDGER).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(
            "nothing was built in this work folder yet",
            file=work,
            way_out="run: ecuador-crisis regenerate --work DIR --out DIR",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(work) from error


def _damaged(work: Path) -> UsageProblem:
    return UsageProblem(
        "the record of the last run is damaged",
        file=work / LEDGER,
        way_out="run the same `ecuador-crisis regenerate` again: it writes the record anew, and "
        "what is computed stays",
    )


def read_found(work: Path) -> dict[str, dict[str, int]]:
    """Counts of the last run that belong to no stage: what -> name -> count.

    Raises:
        UsageProblem: as `read_status`.
    """
    read_status(work)  # raises when there is no ledger
    try:
        found = _read(work).get("found", {})
        return {
            what: {name: int(n) for name, n in counts.items()} for what, counts in found.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged(work) from error


def _line(work: Path, stage: str, entry: Entry) -> StageStatus:
    statuses, reasons, done = entry.statuses, entry.reasons, sum(entry.statuses.values())
    found = sorted((work / stage / entry.fingerprint).glob("part-*.parquet"))
    # the next run sets the damaged ones aside and computes their rows again
    read = entry.state in _UNFINISHED or any(why.startswith(QUARANTINED) for why in entry.reasons)
    parts = [part for part in found if is_whole(part, _ROW)] if read else []
    if entry.state in _UNFINISHED and entry.fingerprint and parts:
        # a stage that judges two texts of a video has two rows of one id
        rows = pl.scan_parquet(parts, glob=False).select(_ROW).collect()
        rows = rows.unique(["id", "input_digest"], keep="last", maintain_order=True)
        counted = rows["status"].value_counts()
        statuses = {str(status): int(n) for status, n in counted.iter_rows()}
        done = rows.height
    failed = sum(n for status, n in statuses.items() if status not in _NO_FAILURE)
    return StageStatus(
        stage=stage,
        state="interrupted or running" if entry.state == RUNNING else entry.state,
        rows=entry.rows,
        done=done,
        pending=max(entry.rows - done, 0) if entry.state in _UNFINISHED else 0,
        failed=failed,
        reasons=reasons,
        problem=entry.problem,
        quarantined=_quarantined(parts),
    )


def _quarantined(parts: Sequence[Path]) -> list[str]:
    """Digests of the inputs of the rows in quarantine; a stage may give no reasons."""
    columns = (*_ROW, "reason")
    whole = [part for part in parts if "reason" in pl.read_parquet_schema(part)]
    if not whole:
        return []
    found = pl.scan_parquet(whole, glob=False).select(columns).collect()
    latest = found.unique(["id", "input_digest"], keep="last", maintain_order=True)
    return latest.filter(is_quarantined(latest))["input_digest"].unique().sort().to_list()


def latest_results(work: Path, stage: str, columns: Sequence[str]) -> pl.DataFrame:
    """Results of a row stage as the last run of a work folder left them, one row an id.

    Args:
        work: the work folder.
        stage: name of a row stage.
        columns: columns of its output, besides `id`.

    Raises:
        UsageProblem: nothing was built here, or the stage never ran.
        StageFailed: some of its results are damaged.
    """
    read_status(work)  # raises when there is no ledger
    entry = _read(work)["stages"].get(stage, {})
    parts = sorted((work / stage / entry.get("fingerprint", "none")).glob("part-*.parquet"))
    if damaged := [part for part in parts if not is_whole(part, ("id", *columns))]:
        raise StageFailed(
            f"{len(damaged):,} of the {len(parts):,} stored results of {stage} are damaged",
            file=damaged[0],
            way_out="run the same `ecuador-crisis regenerate` again: it computes them anew",
        )
    if not parts:
        raise UsageProblem(
            f"the stage {stage} has no results in this work folder",
            file=work,
            way_out=f"run regenerate without skipping {stage}",
        )
    frames = [pl.read_parquet(part, columns=["id", *columns], glob=False) for part in parts]
    return pl.concat(frames).unique("id", keep="last", maintain_order=True)


def status_lines(work: Path) -> list[str]:
    """`read_status` and `read_found` as lines for the terminal."""
    settings, stages = read_status(work)
    lines = [f"{key}: {value}" for key, value in settings.items()]
    for what, counts in read_found(work).items():
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        lines.append(f"{what}: {told}")
    lines.append(f"{'stage':<14}{'state':<24}{'rows':>10}{'done':>10}{'pending':>10}{'failed':>8}")
    for line in stages:
        row = f"{line.stage:<14}{line.state:<24}{line.rows:>10,}{line.done:>10,}"
        # a stage that failed as a whole has no row that failed: no 0 stands above its problem
        whole = line.state == FAILED and not line.failed
        failed = "stage" if whole else f"{line.failed:,}"
        lines.append(f"{row}{line.pending:>10,}{failed:>8}")
        lines += [f"    {line.problem}"] if line.problem else []
        lines += [f"    {count:,} {reason}" for reason, count in line.reasons.items()]
        if line.quarantined:
            shown = ", ".join(line.quarantined[:SHOWN])
            more = f" and {len(line.quarantined) - SHOWN:,} more" * (len(line.quarantined) > SHOWN)
            lines.append(
                f"    {len(line.quarantined):,} in quarantine, inputs {shown}{more}; "
                "to try again: --retry quarantined"
            )
    return lines
