"""The faults of scripts/torture.py: what is done to a build, and how it may end because of it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builder.run.store import digest_of

# Row stages of the builds; those with models are skipped, which take long and die no other way.
STAGES = ("probe", "language", "summarize")
LONGEST = 240.0
# What a process that was started with this folder first in its path does to a row.
POISON = """
import os
if os.environ.get("TORTURE_POISON"):
    import signal, time
    from builder.run.stage import Stage
    name, row, how = os.environ["TORTURE_POISON"].split(":")
    healthy = Stage.__call__
    def poisoned(self, batch):
        if self.name == name and int(row) in batch["id"]:
            if how == "hang":
                time.sleep(3600)
            if how == "hungry":
                raise MemoryError
            os.kill(os.getpid(), signal.Signals[how])
        return healthy(self, batch)
    Stage.__call__ = poisoned
"""
_AT_HOME = multiprocessing.get_context("forkserver")
_AT_HOME.set_forkserver_preload(
    [
        *("builder.cli", "builder.pipeline.regenerate", "builder.pipeline.release"),
        *("builder.validate.whole", "builder.release.scrub.presidio", "datasets", "vl_convert"),
    ]
)


@dataclass
class Site:
    """Where a round builds.

    Attributes:
        folder: `work`, the release and the logs lie in it.
        arguments: of `ecuador-crisis regenerate`, without folders.
        ids: of the campaign's videos.
        seconds: an undisturbed run takes.
        skipped: row stages that a whole build leaves out.
    """

    folder: Path
    arguments: list[str]
    ids: list[int]
    seconds: float
    skipped: str
    runs: int = 0

    @property
    def work(self) -> Path:
        """The work folder."""
        return self.folder / "work"

    @property
    def release(self) -> Path:
        """The release."""
        return self.folder / "EcuadorCrisisTikTok"

    def start(self, *more: str, whole: bool = True, **care: Any) -> Run:
        """Start a build, `whole` or of the row stages alone; `care`: see `_build`."""
        self.runs += 1
        log = self.folder / f"run-{self.runs}.log"
        folders = ["--work", str(self.work), "--out", str(self.release)]
        steps = ["--skip", self.skipped] if whole else ["--only", ",".join(STAGES)]
        arguments = ["regenerate", *self.arguments, *folders, *steps, *more]
        process = _AT_HOME.Process(target=_build, args=(arguments, str(log), care))
        process.start()
        return Run(process, log)


@dataclass
class Run:
    """A build that was started."""

    process: Any
    log: Path
    code: int | None = None

    def wait(self) -> Run:
        """Its end; one that does not end is killed and has no code."""
        self.process.join(LONGEST)
        self.code = self.process.exitcode
        if self.code is None:
            self.process.kill()
            self.process.join()
        return self

    @property
    def told(self) -> str:
        """What it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def worker(self) -> int | None:
        """The process that its stages are computed in."""
        for folder in Path("/proc").iterdir():
            with suppress(OSError, IndexError, ValueError):
                if (
                    folder.name.isdecimal()
                    and b"run.engines.child" in (folder / "cmdline").read_bytes()
                ):
                    told = (folder / "stat").read_text(encoding="ascii").rsplit(")", 1)[1]
                    if int(told.split()[1]) == self.process.pid:
                        return int(folder.name)
        return None

    def went_through(self) -> bool:
        """Whether it ended well."""
        return self.code == 0

    def stopped_by(self, *words: str) -> bool:
        """Whether it ended with one of these messages, and with no surprise."""
        told = self.told
        surprise = "unexpected" in told or "Traceback" in told
        return self.code in (1, 2) and not surprise and any(word in told for word in words)


def _build(arguments: list[str], log: str, care: dict[str, Any]) -> None:
    """In the new process: put the fault in its place and run the command line."""
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if "poison" in care:
        sys.path.insert(0, care["poison_folder"])
        os.environ["TORTURE_POISON"] = care["poison"]
    if "largest_file" in care:
        resource.setrlimit(resource.RLIMIT_FSIZE, (care["largest_file"], resource.RLIM_INFINITY))
    if "slow_disk" in care:
        _slow_down(random.Random(care["slow_disk"]))
    if "clock" in care:
        dice, clock = random.Random(care["clock"]), time.time
        time.time = lambda: clock() + dice.choice((-1e7, -60, 0, 60, 1e7))
    if "mortal" in care:
        _give_rights_up()
    from builder.cli import main

    sys.argv = ["ecuador-crisis", *arguments]
    main()


def _slow_down(dice: random.Random) -> None:
    sync = os.fsync

    def slow(descriptor: Any) -> None:
        time.sleep(dice.random() / 20)
        sync(descriptor)

    os.fsync = slow  # type: ignore[assignment]


def _give_rights_up() -> None:
    """Root, too, is refused by permissions from here on: no CAP_DAC_OVERRIDE."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


@dataclass
class Fault:
    """One fault.

    Attributes:
        name: in the table.
        strike: does it; what it returns is wrong with how the build ended, empty for nothing.
    """

    name: str
    strike: Callable[[Site, random.Random], str]


def judged(run: Run, *words: str) -> str:
    """Empty if a run went through or stopped for one of these reasons."""
    if run.went_through() or run.stopped_by(*words):
        return ""
    return f"exit code {run.code}: {' '.join(run.told.split())[-300:]}"


def _kill_driver(site: Site, dice: random.Random) -> str:
    run = site.start()
    time.sleep(dice.random() * site.seconds)
    run.process.kill()
    return "" if run.wait().code in (-signal.SIGKILL, 0) else judged(run)


def _kill_worker(site: Site, dice: random.Random) -> str:
    run = site.start(whole=False)
    until = time.monotonic() + dice.random() * 3
    while run.process.is_alive() and (time.monotonic() < until or run.worker() is None):
        time.sleep(0.02)
    worker = run.worker()
    if worker is not None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    return "" if run.wait().went_through() else judged(run) or "stopped"


def _full_disk(site: Site, dice: random.Random) -> str:
    whole = dice.random() < 0.5
    run = site.start(whole=whole, largest_file=int(2 ** dice.uniform(8, 19))).wait()
    return judged(run, "no space left", "the key", "refused", "File too large")


def _read_only(site: Site, dice: random.Random) -> str:
    places = [site.folder, site.work, *(path for path in site.work.rglob("*") if path.is_dir())]
    place = dice.choice([path for path in places if path.exists()])
    mode = place.stat().st_mode
    place.chmod(0o500)
    try:
        return judged(
            site.start(whole=dice.random() < 0.5, mortal=True).wait(),
            "ermission",
            "cannot be",
            "not yours",
        )
    finally:
        place.chmod(mode)


def _slow_disk(site: Site, dice: random.Random) -> str:
    run = site.start(whole=False, slow_disk=dice.random()).wait()
    return "" if run.went_through() else judged(run) or "stopped"


def _clock(site: Site, dice: random.Random) -> str:
    for path in site.work.rglob("*"):
        if path.is_file() and dice.random() < 0.5:
            then = time.time() + dice.choice((-1e8, -3600, 3600, 1e8))
            os.utime(path, (then, then))
    run = site.start(clock=dice.random()).wait()
    return "" if run.went_through() else judged(run) or "stopped"


def _spoil(site: Site, dice: random.Random) -> str:
    """Files of the work folder become others between two runs; the key and its kin are not ours."""
    files = [p for p in sorted(site.work.rglob("*")) if p.is_file() and "private" not in p.parts]
    for path in dice.sample(files, min(len(files), dice.randint(1, 4))):
        content = bytearray(path.read_bytes())
        match dice.choice(("flip", "cut", "empty", "noise", "gone", "foreign")):
            case "flip" if content:
                content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                path.write_bytes(content)
            case "cut" if content:
                path.write_bytes(content[: dice.randrange(len(content))])
            case "noise":
                path.write_bytes(dice.randbytes(len(content)))
            case "gone":
                path.unlink()
            case "foreign":
                _plant(path.parent, dice)
            case _:
                path.write_bytes(b"")
    run = site.start().wait()
    return "" if run.went_through() else judged(run) or f"stopped: {run.told[-300:]}"


def _plant(folder: Path, dice: random.Random) -> None:
    """Things that were never ours, under names that could be."""
    number = dice.randrange(2_000)
    match dice.choice(("table", "name", "folder", "text")):
        case "table":  # a whole file of somebody else, with the digest of its own bytes
            path = folder / "foreign.parquet"
            pl.DataFrame({"id": [1], "other": ["x"]}).write_parquet(path)
            path.rename(folder / f"part-{number:06d}-{digest_of(path)}.parquet")
        case "name":
            (folder / "part-x.parquet").write_bytes(dice.randbytes(99))
        case "folder":
            (folder / f"part-{number:06d}-000000000000.parquet").mkdir(exist_ok=True)
        case _:
            (folder / "notes.txt").write_text("mine", encoding="utf-8")


def _two_builders(site: Site, dice: random.Random) -> str:
    first = site.start()
    time.sleep(dice.random() * site.seconds / 2)
    second = site.start()
    ends = [judged(run.wait(), "another build", "another process") for run in (first, second)]
    if not any(run.went_through() for run in (first, second)):
        ends.append("neither went through")
    return "; ".join(filter(None, ends))


def _poison(site: Site, dice: random.Random) -> str:
    """A row kills its process; the rest completes; cured, it is computed."""
    folder = site.folder / "poison"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(POISON, encoding="utf-8")
    how = dice.choice(("SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS", "hungry", "hang"))
    poison = f"{dice.choice(STAGES)}:{dice.choice(site.ids)}:{how}"
    more = ("--patience", "15", "--tries", "1") if how == "hang" else ()
    run = site.start(*more, whole=False, poison=poison, poison_folder=str(folder)).wait()
    if not run.went_through():
        return judged(run) or "stopped"
    cured = site.start("--retry", "quarantined", whole=False).wait()
    return "" if cured.went_through() else judged(cured) or "stopped"


def _fresh(site: Site, dice: random.Random) -> str:
    """Not a fault: the work folder goes, the release stays; every row is computed again."""
    kept = site.folder / "kept"
    if (site.work / "private").exists():
        shutil.copytree(site.work / "private", kept, dirs_exist_ok=True)
    shutil.rmtree(site.work, ignore_errors=True)
    return judged(site.start(whole=False).wait())


FAULTS = [
    Fault("kill -9 of the driver", _kill_driver),
    Fault("kill -9 of the worker", _kill_worker),
    Fault("full disk", _full_disk),
    Fault("read-only folder", _read_only),
    Fault("slow disk", _slow_disk),
    Fault("clock jumps", _clock),
    Fault("spoiled and foreign files", _spoil),
    Fault("two builders", _two_builders),
    Fault("poisonous row", _poison),
    Fault("work folder lost", _fresh),
]


@dataclass
class Tally:
    """What came of one fault."""

    rounds: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
