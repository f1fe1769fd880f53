"""A synthetic campaign, written as the Research API and the authors' CSV would have given it.

For rehearsals, tests and benchmarks: nothing in it was ever posted, and every page says so (its
`log_id` begins with ``SYNTHETIC``). The valid videos meet a campaign's published totals exactly,
see `simulate_targets`; the faults real pages have are planted on top and counted.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

import orjson
import zstandard

from builder.config.campaign import Campaign
from builder.errors import ReleaseConflict, UsageProblem, disk_full_guard
from builder.sources.simulate.dice import Dice
from builder.sources.simulate.faults import DAMAGES, EXTRA, Row
from builder.sources.simulate.plan import DayPlan, Plan, make_plan
from builder.sources.simulate.rows import DayRows
from builder.sources.simulate.text import Texts

Compression = Literal["none", "gz", "zst"]
JSON_NAME = "SIMULATION.json"

_MAX_VIDEOS = 1_000_000_000  # ids hold 32 bits of numbering, faults included
_PAGE = 100  # the Research API's largest page


@dataclass(frozen=True)
class SimulationSummary:
    """What `simulate` wrote; `SIMULATION.json` holds the same without `out`.

    Attributes:
        out: the finished folder.
        campaign, seed, videos: as asked; `videos` counts the valid ones.
        planted: fault -> how often. `duplicate`, `out_of_window`, `out_of_region`, `damaged_id` are
            additional rows in pages, the two `…empty_transcript` additional rows in the CSV; the
            others are touched valid videos (`identifier_…`: texts, each with one identifier).
        planted_detail: `damaged_id` by kind of damage.
        expected: what the valid videos add up to: `videos`, `totals` and `peaks` per metric,
            `hashtags` (videos with it, ignoring case), `max_other_hashtag` (no tag outside
            `hashtags` and the generic ones has more), `transcripts_api`, `transcripts_whisper`,
            `daily_videos`.
        files, pages, rows, csv_rows: what was written; `rows` counts every row of every page.
    """

    out: Path
    campaign: str
    seed: int
    videos: int
    planted: dict[str, int]
    planted_detail: dict[str, dict[str, int]]
    expected: dict[str, Any]
    files: int
    pages: int
    rows: int
    csv_rows: int


def simulate(
    campaign: Campaign,
    *,
    videos: int,
    seed: int,
    out: Path,
    compress: Compression = "none",
    progress: Callable[[int, int], None] | None = None,
) -> SimulationSummary:
    """Write one file of API pages per day, the Whisper CSV and `SIMULATION.json` to `out`.

    The same campaign, videos and seed give the same bytes on every machine (compressed files: the
    same content, as bytes depend on the compressor's version).

    Args:
        campaign: window, region, keywords, and the totals to meet (its `paper`).
        videos: number of valid videos, 1 to a billion; the campaign's totals are scaled to it.
        seed: 0 or more.
        out: new or empty folder; appears only when complete.
        compress: of the day files: `none` (.jsonl), `gz` (.jsonl.gz) or `zst` (.jsonl.zst).
        progress: called with (valid videos written, all of them).

    Raises:
        UsageProblem: `videos`, `seed` or `compress` is out of range.
        ReleaseConflict: `out` is a file or a folder that is not empty.
        CampaignError: the campaign's paper contradicts itself or its window.
        DiskFull: no space left; nothing half-written is kept.
    """
    _check(videos, seed, compress, out)
    plan, texts = make_plan(campaign, videos, seed), Texts(campaign, seed)
    out = Path(out).absolute()
    with disk_full_guard(out), _folder(out) as folder:
        writer = _Writer(folder, campaign, plan, compress)
        tally: Counter[str] = Counter(dict.fromkeys(_planted(texts), 0))
        carried: list[Row] = []
        with (folder / csv_name(campaign)).open("w", encoding="utf-8", newline="") as handle:
            table = csv.writer(handle, lineterminator="\n")
            table.writerow(["id", "whisper_voice_to_text", "synthetic"])
            for day in plan.days:
                rows = DayRows(campaign, texts, plan, day, carried, tally)
                with writer.day(day) as add:
                    for chunk in rows.chunks():
                        add(chunk)
                        table.writerows((video, text, "true") for video, text in rows.whisper)
                        writer.csv_rows += len(rows.whisper)
                        rows.whisper.clear()
                carried = rows.carry
                if progress:
                    progress(day.first + day.videos, videos)
        summary = SimulationSummary(
            out=out,
            campaign=campaign.name,
            seed=seed,
            videos=videos,
            planted={name: tally[name] for name in _planted(texts)},
            planted_detail={"damaged_id": {k: tally[f"damaged_id_{k}"] for k in DAMAGES}},
            expected=_expected(plan),
            files=len(plan.days),
            pages=writer.pages,
            rows=writer.rows,
            csv_rows=writer.csv_rows,
        )
        facts = {"synthetic": True, **asdict(summary)}
        del facts["out"]
        (folder / JSON_NAME).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    return summary


class _Writer:
    """Cuts rows into pages and writes them, one response per line, one file per day."""

    def __init__(self, folder: Path, campaign: Campaign, plan: Plan, compress: Compression) -> None:
        self.folder, self.campaign, self.plan, self.compress = folder, campaign, plan, compress
        self.pages = self.rows = self.csv_rows = 0
        self.fetched = campaign.window.end + dt.timedelta(days=30)

    @contextmanager
    def day(self, day: DayPlan) -> Iterator[Callable[[list[Row]], None]]:
        """Open the day's file; yields the function that takes rows in order."""
        dice = Dice(self.plan.seed, 2, day.index)
        fetched = self.fetched.isoformat()
        search, number, waiting = str(7_300_000_000_000_000_000 + (dice.word() >> 8)), 0, []
        size = _page_size(dice)
        suffix = "" if self.compress == "none" else f".{self.compress}"
        with _opened(self.folder / f"{day.date}.jsonl{suffix}", self.compress) as handle:

            def write(rows: list[Row], has_more: bool) -> None:
                nonlocal number
                # The service has returned ids both as numbers and as text, page by page.
                if dice.one(8) == 0 or (number == 1 and has_more):
                    rows = [
                        {**row, "id": str(row["id"])} if type(row["id"]) is int else row
                        for row in rows
                    ]
                number += 1
                self.pages += 1
                self.rows += len(rows)
                page = {
                    # not the service's: collectors add it, and counts are of that day
                    "fetched_on": fetched,
                    "data": {
                        "videos": rows,
                        "cursor": number * _PAGE,
                        "has_more": has_more,
                        "search_id": search,
                    },
                    "error": {
                        "code": "ok",
                        "message": "",
                        "log_id": f"SYNTHETIC-{self.campaign.name}-{day.date}-{number:05d}",
                    },
                }
                handle.write(orjson.dumps(page, option=orjson.OPT_APPEND_NEWLINE))

            def add(rows: list[Row]) -> None:
                nonlocal waiting, size
                waiting += rows
                start = 0
                while len(waiting) - start > size:  # the last page is written at the end
                    write(waiting[start : start + size], True)
                    start, size = start + size, _page_size(dice)
                del waiting[:start]

            yield add
            if dice.one(3) == 0 and waiting:  # the last page with videos did not know it was
                write(waiting, True)
                waiting = []
            write(waiting, False)


def csv_name(campaign: Campaign) -> str:
    """What the file of Whisper's transcripts is called: `ecuador_2024` gives ``ecuador.csv``."""
    return f"{campaign.name.split('_')[0]}.csv"


def _planted(texts: Texts) -> tuple[str, ...]:
    """Names of the faults planted in a campaign."""
    return (
        "duplicate",
        *EXTRA,
        "missing_count",
        "nul",
        *(f"identifier_{kind}" for kind in texts.kinds),
        "username_hashtag",
        "rare_hashtag",
        "empty_transcript",
        "near_empty_transcript",
    )


def _page_size(dice: Dice) -> int:
    """Rows of the next page: full, short because the service filtered some, or nearly empty."""
    kind = dice.one(20)
    if kind < 8:
        return _PAGE
    if kind < 18:
        return 70 + dice.one(30)
    return dice.one(70)  # 0 included: an empty page in the middle


@contextmanager
def _opened(path: Path, compress: Compression) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if compress == "gz":
            with gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        elif compress == "zst":
            with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as packer:
                yield packer
        else:
            yield raw


def _check(videos: int, seed: int, compress: str, out: Path) -> None:
    if not 1 <= videos <= _MAX_VIDEOS:
        raise UsageProblem(
            f"cannot simulate {videos} videos",
            field="videos",
            way_out=f"ask for 1 to {_MAX_VIDEOS:,} videos",
        )
    if seed < 0:
        raise UsageProblem(
            f"{seed} is no seed", field="seed", way_out="use a whole number of 0 or more"
        )
    if compress not in get_args(Compression):
        raise UsageProblem(
            f"unknown compression {compress!r}",
            field="compress",
            way_out=f"use one of {', '.join(get_args(Compression))}",
        )
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise _conflict(out)


def _conflict(out: Path) -> ReleaseConflict:
    return ReleaseConflict(
        "the output folder is not empty, and a simulation never overwrites or mixes",
        file=out,
        way_out="name a new folder, or empty this one yourself",
    )


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A temporary sibling that becomes `out` when the body succeeds and vanishes when not."""
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ReleaseConflict(
            f"cannot create the output folder: {error.strerror}",
            file=partial,
            way_out="remove what is in its way, or name another folder",
        ) from error
    try:
        yield partial
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        try:
            partial.rename(out)
        except OSError as error:
            if out.exists():
                raise _conflict(out) from error
            raise
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _expected(plan: Plan) -> dict[str, Any]:
    targets = plan.targets
    return {
        "videos": targets.videos,
        "totals": targets.totals,
        "peaks": {
            metric: {"date": peak.date.isoformat(), "value": peak.value}
            for metric, peak in targets.peaks.items()
            if targets.totals[metric]
        },
        "hashtags": targets.hashtags,
        "max_other_hashtag": plan.max_other_tag,
        "transcripts_api": targets.transcripts_api,
        "transcripts_whisper": targets.transcripts_whisper,
        "daily_videos": {day.date.isoformat(): day.videos for day in plan.days},
    }
