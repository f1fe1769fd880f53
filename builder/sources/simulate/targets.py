"""What a campaign's videos add up to: the numbers of its `paper.toml`, scaled.

Every target is that file's number times `videos / videos_in_text`, rounded half up; so at
`videos == videos_in_text` they are the paper's own. What the file does not say, or all of it where
there is no `videos_in_text`, comes from `_DEFAULTS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.config.campaign import Campaign
from builder.errors import CampaignError

METRICS = ("view_count", "comment_count", "share_count", "like_count")

_DEFAULTS: dict[str, Any] = {
    # Invented: a campaign of 100,000 videos with about the means of ecuador_2024's Table 1.
    "videos_in_text": 100_000,
    "totals": {
        "view_count": 2_400_000_000,
        "comment_count": 9_500_000,
        "share_count": 10_500_000,
        "like_count": 104_000_000,
    },
    "transcripts_whisper": 63_000,
    "transcripts_api": 24_000,
}
_PEAK_PERCENT = 10  # invented: the busiest day's part of a total, when no paper gives it


@dataclass(frozen=True)
class Peak:
    """The busiest day of a metric and its sum over that day's videos."""

    date: dt.date
    value: int


@dataclass(frozen=True)
class Targets:
    """What the valid videos of a campaign add up to; `hashtags` counts videos, not uses."""

    videos: int
    totals: dict[str, int]
    peaks: dict[str, Peak]
    hashtags: dict[str, int]
    transcripts_api: int
    transcripts_whisper: int


def paper_targets(campaign: Campaign) -> Targets:
    """The unscaled targets of a campaign: its paper's numbers, completed with defaults.

    Raises:
        CampaignError: a number of `paper.toml` is not a whole number of 0 or more, exceeds what it
            is a part of, or a peak lies outside the window.
    """
    paper = campaign.paper
    base = paper if "videos_in_text" in paper else _DEFAULTS
    videos = _whole(base, "videos_in_text", least=1)

    def number(source: Mapping[str, Any], key: str, default: int, most: int | None) -> int:
        value = _whole(source, key) if key in source else scaled(default, videos, 100_000)
        if most is not None and value > most:
            raise _bad(key, f"{value} is more than the {most} it is a part of")
        return value

    totals = base.get("totals", {})
    sums = {m: number(totals, m, _DEFAULTS["totals"][m], None) for m in METRICS}
    start = onset(campaign)
    peaks = {}
    for position, metric in enumerate(METRICS):
        given = base.get("peaks", {}).get(metric)
        if given:
            value = number(given, "value", 0, sums[metric])
            peaks[metric] = Peak(_day(given, campaign), value)
        else:
            late = start + dt.timedelta(days=2 + position % 2)
            peaks[metric] = Peak(
                min(late, campaign.window.end), sums[metric] * _PEAK_PERCENT // 100
            )
    tags = base.get("hashtags") or _default_tags(campaign, videos)
    return Targets(
        videos=videos,
        totals=sums,
        peaks=peaks,
        hashtags={str(tag).casefold(): number(tags, tag, 0, videos) for tag in tags},
        transcripts_api=number(base, "transcripts_api", 24_000, videos),
        transcripts_whisper=number(base, "transcripts_whisper", 63_000, videos),
    )


def scale(targets: Targets, videos: int) -> Targets:
    """The targets of a campaign with that many valid videos instead."""

    def part(value: int) -> int:
        return scaled(value, videos, targets.videos)

    return Targets(
        videos=videos,
        totals={metric: part(value) for metric, value in targets.totals.items()},
        peaks={m: Peak(peak.date, part(peak.value)) for m, peak in targets.peaks.items()},
        hashtags={tag: part(value) for tag, value in targets.hashtags.items()},
        transcripts_api=part(targets.transcripts_api),
        transcripts_whisper=part(targets.transcripts_whisper),
    )


def scaled(value: int, videos: int, base: int) -> int:
    """`value * videos / base`, rounded half up, exactly."""
    return (2 * value * videos + base) // (2 * base)


def onset(campaign: Campaign) -> dt.date:
    """The day the crisis begins: of the first event, else a third into the window."""
    if campaign.events:
        return min(event.date for event in campaign.events)
    return campaign.window.start + (campaign.window.end - campaign.window.start) // 3


def _default_tags(campaign: Campaign, videos: int) -> dict[str, int]:
    """Invented: the campaign's own hashtags, the first on 30 % of the videos, then Zipf."""
    generic = {tag.casefold() for tag in campaign.generic_hashtags}
    own = [k.term for k in campaign.keywords if k.kind == "hashtag"]
    used = [tag for tag in own if tag.casefold() not in generic][:20]
    return {tag: videos * 30 // (100 * (rank + 1)) for rank, tag in enumerate(used)}


def _whole(source: Mapping[str, Any], key: str, least: int = 0) -> int:
    value = source.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _bad(key, f"expected a whole number of at least {least}, found {value!r}")
    return value


def _day(peak: Mapping[str, Any], campaign: Campaign) -> dt.date:
    value = peak.get("date")
    try:
        day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError:
        raise _bad("peaks.date", f"{value!r} is not a date") from None
    if not campaign.window.start <= day <= campaign.window.end:
        raise _bad("peaks.date", f"{day} lies outside the campaign's window")
    return day


def _bad(field: str, problem: str) -> CampaignError:
    return CampaignError(
        problem,
        file="paper.toml",
        field=field,
        way_out="correct the number; builder/campaigns/ecuador_2024/paper.toml is an example",
    )
