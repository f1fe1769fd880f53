"""The numbers of a synthetic campaign, day by day: videos, sums, hashtags, transcripts, faults."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from builder.config.campaign import Campaign
from builder.sources.simulate.dice import Dice, apportion
from builder.sources.simulate.targets import (
    METRICS,
    Peak,
    Targets,
    onset,
    paper_targets,
    scale,
    scaled,
)
from builder.sources.simulate.text import words_of

_GENERIC_PERCENT = (45, 40, 25)  # invented: videos with each generic hashtag, then 15 for the rest

_PLANTED = {
    # name: (additional rows or touched videos per million videos, least number from 10 videos on)
    # All invented, chosen so that each fault is common enough to be noticed in a small run.
    "duplicate": (15_000, 3),
    "out_of_window": (4_000, 2),
    "out_of_region": (8_000, 1),
    "damaged_id": (2_000, 4),
    "nul": (1_000, 2),
    "empty_transcript": (2_000, 1),
    "near_empty_transcript": (3_000, 1),
    "id_description": (20_000, 5),
    "id_voice": (20_000, 0),
    "id_whisper": (20_000, 0),
    "username_hashtag": (8_000, 0),
    "rare_hashtag": (15_000, 0),
}


@dataclass(frozen=True)
class DayPlan:
    """One day: how many valid videos, their sums, and how many carry what.

    Attributes:
        index, date: which day of the window.
        first: number of valid videos on earlier days.
        videos: number of valid videos of the day.
        totals: metric -> sum over these videos.
        tags: number of these videos with each of `Plan.tags`, in that order.
        counts: `api`, `whisper` (transcripts) and the keys of `_PLANTED`.
        silent: whether the day's first video must have no shares (so that a zero exists at all).
    """

    index: int
    date: dt.date
    first: int
    videos: int
    totals: dict[str, int]
    tags: list[int]
    counts: dict[str, int]
    silent: bool


@dataclass(frozen=True)
class Plan:
    """The whole campaign, day by day. `targets` are met exactly by the days' sums."""

    seed: int
    targets: Targets
    days: tuple[DayPlan, ...]
    tags: tuple[str, ...]
    max_other_tag: int


def make_plan(campaign: Campaign, videos: int, seed: int) -> Plan:
    """Scale the campaign's targets to `videos` and spread them over the days of its window.

    With fewer videos than a peak's part of the total allows (about ten days with a video are
    needed), the peak is raised to the lowest value that every other day can stay below; with one
    video all peaks fall on its day.

    Raises:
        CampaignError: see `paper_targets`.
    """
    dice = Dice(seed, 0, 0)
    targets = scale(paper_targets(campaign), videos)
    days = campaign.window.days
    sizes = _day_sizes(campaign, targets, dice)
    silent = _silent_day(days, sizes, targets) if videos >= 10 else None
    targets, sums = _day_sums(targets, days, sizes, silent, dice)
    tags, tag_days, others = _tags(campaign, targets, sizes, dice)
    counts = _counts(targets, sizes, others)
    plans, first = [], 0
    for index, day in enumerate(days):
        plans.append(
            DayPlan(
                index=index,
                date=day,
                first=first,
                videos=sizes[index],
                totals={metric: sums[metric][index] for metric in METRICS},
                tags=[per_day[index] for per_day in tag_days],
                counts={name: per_day[index] for name, per_day in counts.items()},
                silent=index == silent,
            )
        )
        first += sizes[index]
    return Plan(seed, targets, tuple(plans), tags, others)


def _day_sizes(campaign: Campaign, targets: Targets, dice: Dice) -> list[int]:
    """Videos per day: quiet, rising from the first event to the last peak, then decaying."""
    days = campaign.window.days
    begin = (onset(campaign) - days[0]).days
    crest = max((max(p.date for p in targets.peaks.values()) - days[0]).days, begin)
    curve = []
    for day in range(len(days)):
        if day < begin:
            level = 8_000
        elif day <= crest:
            level = 12_000 + 52_000 * (day - begin) // max(crest - begin, 1)
        else:
            level = 10_000 + 54_000 * 92 ** (day - crest) // 100 ** (day - crest)
        curve.append(level * (90 + dice.one(21)) // 100)
    if targets.videos >= len(days):
        rest = targets.videos - len(days)
        return [1 + n for n in apportion(rest, curve, [rest] * len(days))]
    peaks = sorted({(peak.date - days[0]).days for peak in targets.peaks.values()})
    others = sorted(set(range(len(days))) - set(peaks), key=lambda day: (-curve[day], day))
    chosen = set((peaks + others)[: targets.videos])
    return [int(day in chosen) for day in range(len(days))]


def _silent_day(days: list[dt.date], sizes: list[int], targets: Targets) -> int:
    largest = max(range(len(days)), key=lambda day: sizes[day])
    if sizes[largest] > 1:
        return largest
    peaks = {peak.date for peak in targets.peaks.values()}
    return max(i for i, day in enumerate(days) if sizes[i] and day not in peaks)


def _day_sums(
    targets: Targets, days: list[dt.date], sizes: list[int], silent: int | None, dice: Dice
) -> tuple[Targets, dict[str, list[int]]]:
    """Each metric's sum per day, and the targets with the peaks that were possible."""
    peaks, sums = {}, {}
    for metric in METRICS:
        total, wanted = targets.totals[metric], targets.peaks[metric]
        usable = [n > 0 for n in sizes]
        if metric == "share_count" and silent is not None and sizes[silent] == 1:
            usable[silent] = False
        date = wanted.date
        if not usable[days.index(date)]:
            date = next(day for i, day in enumerate(days) if usable[i])
        # p + (d - 1)(p - 1) >= total is what leaves the other d - 1 days strictly below p.
        d = sum(usable)
        value = min(max(wanted.value, -(-(total + d - 1) // d)), total) if d > 1 else total
        top = days.index(date)
        ceilings = [max(value - 1, 0) if usable[i] and i != top else 0 for i in range(len(days))]
        weights = [n * (70 + dice.one(81)) for n in sizes]
        sums[metric] = apportion(total - value, weights, ceilings)
        sums[metric][top] = value
        peaks[metric] = Peak(date, value)
    return replace(targets, peaks=peaks), sums


def _tags(
    campaign: Campaign, targets: Targets, sizes: list[int], dice: Dice
) -> tuple[tuple[str, ...], list[list[int]], int]:
    """All hashtags, videos per day with each, and the most videos any unlisted tag may have."""
    videos = targets.videos
    counts = {tag: n for tag, n in targets.hashtags.items() if n}
    rarest = min(targets.hashtags.values(), default=videos // 50)
    most = max(rarest - 1, 0)
    for position, tag in enumerate(tag.casefold() for tag in campaign.generic_hashtags):
        percent = _GENERIC_PERCENT[position] if position < len(_GENERIC_PERCENT) else 15
        if tag not in targets.hashtags:
            counts[tag] = videos * percent // 100
    own = [keyword.term.casefold() for keyword in campaign.keywords if keyword.kind == "hashtag"]
    fresh = [
        tag
        for tag in dict.fromkeys([*own, *words_of(campaign)["other_tags"]])
        if tag not in targets.hashtags
    ]
    for position, tag in enumerate(tag for tag in fresh if tag not in counts):
        counts[tag] = most * 24 // (24 + position)
    begin = (onset(campaign) - campaign.window.start).days
    spread = []
    for tag, count in counts.items():
        boost = 1 + dice.one(3) if tag in own else 1
        weights = [
            n * (60 + dice.one(81)) * (boost if 0 <= day - begin < 12 else 1)
            for day, n in enumerate(sizes)
        ]
        spread.append(apportion(count, weights, sizes))
    return tuple(counts), spread, most


def _counts(targets: Targets, sizes: list[int], max_other_tag: int) -> dict[str, list[int]]:
    """How many videos of each day carry a transcript or a planted fault."""
    api = apportion(targets.transcripts_api, sizes, sizes)
    whisper = apportion(targets.transcripts_whisper, sizes, sizes)
    counts = {"api": api, "whisper": whisper}
    room = {"id_voice": api, "id_whisper": whisper}
    without = [n - w for n, w in zip(sizes, whisper, strict=True)]
    for name, (per_million, least) in _PLANTED.items():
        base = {"id_voice": sum(api), "id_whisper": sum(whisper)}.get(name, targets.videos)
        wanted = max(scaled(per_million, base, 1_000_000), least if targets.videos >= 10 else 0)
        if name == "out_of_window":
            counts[name] = [0] * len(sizes)
            counts[name][0] += wanted - wanted // 2
            counts[name][-1] += wanted // 2
            continue
        ceilings = without if name.endswith("_transcript") else room.get(name, sizes)
        if name == "username_hashtag":
            wanted = min(wanted, max_other_tag)
        elif name == "rare_hashtag" and max_other_tag < 1:
            wanted = 0
        counts[name] = apportion(min(wanted, sum(ceilings)), sizes, ceilings)
        if name == "empty_transcript":
            without = [n - e for n, e in zip(without, counts[name], strict=True)]
    return counts
