"""Builds a small SYNTHETIC campaign again and again while everything goes wrong.

Each round takes an empty or a finished work folder, lets one to three random faults loose on
builds in it (`torture_faults.py`), then builds once more undisturbed. That must go through, leave
nothing half-written, and give the bytes of a build that nobody ever disturbed. A fault may stop a
build only with the message that belongs to it. Everything random comes from the seed.

With `--fuzz N` also: N damaged copies of a small MP4 are probed and transcribed; every one must end
as a row with a status.

usage: python scripts/torture.py [--rounds 100] [--seed 1] [--fuzz 0] [--minutes M] [--keep DIR]

Prints a table. Exit code 1: something was lost, doubled, or not explained.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
from made_campaigns import ids_of, smallest_clip
from torture_faults import FAULTS, STAGES, Fault, Site, Tally, judged

from builder.annotate.transcribe import Transcribe
from builder.config.campaign import Campaign
from builder.config.profile import load_profile
from builder.media.downloads import find_media
from builder.media.probe import Probe
from builder.pipeline.plan import PLAN
from builder.run.engines.apart import Apart
from builder.run.local import run_stage
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store
from builder.sources.simulate.simulate import simulate

VIDEOS, DOWNLOADS = 40, 4


def campaign(folder: Path) -> list[str]:
    """Make a campaign with a few downloads; the arguments to build it."""
    pages, videos, key = folder / "pages", folder / "videos", folder / "key"
    simulate(Campaign.load("ecuador_2024"), videos=VIDEOS, seed=1, out=pages)
    clip = smallest_clip().read_bytes()
    videos.mkdir()
    for n, row in enumerate(ids_of(pages)[:DOWNLOADS]):
        # the last one is damaged: it must not matter either
        (videos / f"{row}.mp4").write_bytes(clip if n + 1 < DOWNLOADS else clip[: len(clip) // 3])
    key.touch(mode=0o600)
    key.write_text("0123456789abcdef" * 4 + "\n", encoding="ascii")
    return [str(pages), "--videos-dir", str(videos), "--key-file", str(key)]


def content(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def torture(folder: Path, rounds: int, seed: int, minutes: float) -> dict[str, Tally]:
    """All rounds; what came of each fault.

    Raises:
        SystemExit: the campaign cannot even be built undisturbed.
    """
    arguments = campaign(folder)
    skipped = ",".join(step.name for step in PLAN.row_steps if step.name not in STAGES)
    quiet = Site(folder / "undisturbed", arguments, [], 0.0, skipped)
    quiet.folder.mkdir()
    started = time.monotonic()
    first = quiet.start().wait()
    if not first.went_through():
        sys.exit(f"the undisturbed build failed: {first.told[-2000:]}")
    seconds, wanted = time.monotonic() - started, content(quiet.release)
    ids = [int(each) for each in pl.read_parquet(quiet.work / "ingest" / "*" / "*.parquet")["id"]]
    tallies = {fault.name: Tally() for fault in FAULTS}
    over = tallies["(the build after it)"] = Tally()
    begun = time.monotonic()
    bag: list[Fault] = []
    for number in range(rounds):
        if minutes and time.monotonic() - begun > minutes * 60:
            print(f"time is up after {number} rounds", flush=True)
            break
        dice = random.Random(f"{seed}:{number}")
        site = Site(folder / f"round-{number}", arguments, ids, seconds, skipped)
        site.folder.mkdir()
        if dice.random() < 0.3:  # on top of what is done
            shutil.copytree(quiet.work, site.work)
            shutil.copytree(quiet.release, site.release)
        names = []
        for _ in range(dice.randint(1, 3)):
            if not bag:  # every fault has its turn
                bag = random.Random(f"{seed}:{number}:bag").sample(FAULTS, len(FAULTS))
            fault = bag.pop()
            names.append(fault.name)
            at = time.monotonic()
            problem = fault.strike(site, dice)
            tally = tallies[fault.name]
            tally.rounds += 1
            tally.seconds += time.monotonic() - at
            if problem:
                tally.problems.append(f"round {number} ({' > '.join(names)}): {problem}")
        at = time.monotonic()
        problem = after(site, wanted)
        over.rounds += 1
        over.seconds += time.monotonic() - at
        if problem:
            over.problems.append(f"round {number} ({' > '.join(names)}): {problem}")
        print(f"round {number}: {' > '.join(names)}: {problem or 'whole'}", flush=True)
        if not problem:
            shutil.rmtree(site.folder)
    return tallies


def after(site: Site, wanted: dict[str, bytes]) -> str:
    """Build once more; what is wrong with that, empty for nothing."""
    run = site.start("--retry", "quarantined").wait()
    if not run.went_through():
        return judged(run) or f"stopped: {run.told[-300:]}"
    there = content(site.release)
    if there != wanted:
        names = sorted({*there} | {*wanted})
        return f"other bytes: {[name for name in names if there.get(name) != wanted.get(name)]}"
    left = [str(path) for path in site.work.rglob(".*.tmp")]
    return f"left behind: {left}" if left else ""


def fuzz(folder: Path, copies: int, seed: int) -> list[str]:
    """Damaged copies of an MP4 through probe and transcribe; lines of what came of it.

    Raises:
        SystemExit: a copy has no row, or no status.
    """
    dice, clip = random.Random(f"fuzz:{seed}"), smallest_clip().read_bytes()
    videos = folder / "fuzzed"
    videos.mkdir()
    for n in range(copies):
        (videos / f"{7_300_000_000_000_000_000 + n}.mp4").write_bytes(spoiled(clip, dice))
    media, lines = find_media(videos), []
    stages: list[Stage] = [Probe(), Transcribe(load_profile("offline").asr)]
    with Apart(patience=300) as engine:
        for stage in stages:
            began = time.monotonic()
            silent = functools.partial(Progress, stream=None)
            output, report = run_stage(stage, media, Store(folder / "fuzz"), silent, engine=engine)
            if output.height != copies or output["status"].null_count():
                sys.exit(f"{stage.name}: {output.height} rows of {copies}, some without a status")
            told = ", ".join(f"{n} {status}" for status, n in report.statuses.items())
            lines.append(f"{stage.name:<12}{told} ({time.monotonic() - began:.0f} s)")
            killed = {why: n for why, n in report.reasons.items() if why.startswith("quarantined")}
            lines += [f"{'':<12}{n} {why}" for why, n in killed.items()]
    return lines


def spoiled(clip: bytes, dice: random.Random) -> bytes:
    """A file, damaged in one to four ways."""
    content = bytearray(clip)
    for _ in range(dice.randint(1, 4)):
        at, size = dice.randrange(len(content)), dice.randint(1, 1 << dice.randint(0, 12))
        match dice.choice(("flips", "noise", "zeros", "cut", "out", "twice", "head")):
            case "flips":
                for _ in range(size):
                    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            case "noise":
                content[at : at + size] = dice.randbytes(size)
            case "zeros":
                content[at : at + size] = bytes(size)
            case "cut":
                del content[max(at, 1) :]
            case "out":
                del content[at : at + size]
            case "twice":
                content[at:at] = content[at : at + size]
            case _:  # the boxes say what the rest is
                content[dice.randrange(min(len(content), 64))] = dice.randrange(256)
        content = content or bytearray(b"\0")
    return bytes(content)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fuzz", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop before; 0: never")
    parser.add_argument("--keep", type=Path, help="folder for what went wrong; default: none")
    options = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=options.keep))
    try:
        wanted = (folder, options.rounds, options.seed, options.minutes)
        tallies = torture(*wanted) if options.rounds else {}
        lines = fuzz(folder, options.fuzz, options.seed) if options.fuzz else []
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\nSYNTHETIC campaign of {VIDEOS} videos, seed {options.seed}")
    print(f"{'fault':<28}{'times':>7}{'unexplained':>13}{'seconds each':>14}")
    for name, tally in tallies.items():
        each = tally.seconds / max(tally.rounds, 1)
        print(f"{name:<28}{tally.rounds:>7}{len(tally.problems):>13}{each:>14.1f}")
    if lines:
        print(f"{options.fuzz} fuzzed copies of an MP4: every one ended as a row")
        print("\n".join(f"  {line}" for line in lines))
    problems = [problem for tally in tallies.values() for problem in tally.problems]
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
