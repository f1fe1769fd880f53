"""Rows a careful ingest must drop: older copies, other places, other times, damaged ids."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from builder.config.campaign import Campaign
from builder.sources.simulate.dice import Dice, Raw
from builder.sources.simulate.plan import DayPlan, Plan
from builder.sources.simulate.targets import METRICS
from builder.sources.simulate.text import Texts

Row = dict[str, Any]

DAMAGES = ("scientific", "float", "overflow", "mismatch")
EXTRA = ("out_of_window", "out_of_region", "damaged_id")

_LATER = 3 * 86_400  # out-of-window rows lie at most three days outside
_WRONG_BY = 10 * 86_400  # seconds: a mismatched id is off by at least this much
VIDEO_ID_SIZE = 7_300_000_000_000_000_000  # size of TikTok ids in early 2024


def scatter(ordinals: Raw, seed: int) -> Raw:
    """Give each ordinal below 2^32 its own 32 random-looking bits (a permutation of them)."""
    mask, shift = np.uint64(0xFFFF_FFFF), np.uint64(16)
    mixed = ordinals + np.uint64(seed * 0x9E37_79B1 & 0xFFFF_FFFF) & mask
    for odd in (0x85EB_CA6B, 0xC2B2_AE35):
        mixed = (mixed ^ (mixed >> shift)) * np.uint64(odd) & mask
    scattered: Raw = mixed ^ (mixed >> shift)
    return scattered


def older_copy(row: Row, dice: Dice) -> Row:
    """The same video as an earlier fetch returned it: smaller counts, no transcript yet."""
    copy = dict(row)
    sixteenths = dice.one(16)
    for metric in METRICS:
        if metric in copy:
            copy[metric] = copy[metric] * sixteenths // 16
    copy.pop("voice_to_text", None)
    return copy


def extra_rows(
    campaign: Campaign, texts: Texts, plan: Plan, day: DayPlan, dice: Dice, tally: Counter[str]
) -> list[Row]:
    """The day's additional rows that are no valid videos.

    Args:
        tally: counts `EXTRA` and ``damaged_id_<kind>`` over the whole run; the rows are added.

    Returns:
        Rows out of the window (in the files of its first and last day, beginning with the very
        seconds next to it), out of the region, and with the damaged ids of `DAMAGES` in turn.
    """
    abroad = [
        code for code in texts.words["regions_abroad"] if code not in campaign.region_codes
    ] or ["XX"]
    window, rows = campaign.window, []
    midnight = window.start_ts + 86_400 * day.index
    for reason in EXTRA:
        for number in range(day.counts[reason]):
            time = midnight + dice.one(86_400)
            region = campaign.region_codes[dice.one(len(campaign.region_codes))]
            if reason == "out_of_window":
                late = day is not plan.days[0] or (day is plan.days[-1] and number % 2)
                away = 0 if number < 2 else dice.one(_LATER)
                time = window.end_ts + away if late else window.start_ts - 1 - away
            elif reason == "out_of_region":
                region = abroad[dice.one(len(abroad))]
            ordinal = plan.targets.videos + sum(tally[name] for name in EXTRA)
            low = int(scatter(np.array([ordinal], dtype=np.uint64), plan.seed)[0])
            row = _row(time << 32 | low, time, region, texts, plan, dice)
            if reason == "damaged_id":
                kind = DAMAGES[tally[reason] % len(DAMAGES)]
                row["id"] = _damaged(kind, row["id"], dice)
                tally[f"damaged_id_{kind}"] += 1
            tally[reason] += 1
            rows.append(row)
    return rows


def _damaged(kind: str, video_id: int, dice: Dice) -> str | float | int:
    if kind == "scientific":  # what a spreadsheet shows: 7.32E+18
        return f"{video_id:.2E}"
    if kind == "float":
        return float(f"{video_id:.2e}")
    if kind == "overflow":  # does not fit in a signed 64-bit integer
        return str(2**63 + (dice.word() >> 1))
    shift = _WRONG_BY + dice.one(10_000_000)
    return video_id - (shift << 32)


def _row(video_id: int, time: int, region: str, texts: Texts, plan: Plan, dice: Dice) -> Row:
    tags = [plan.tags[dice.one(len(plan.tags))]] if plan.tags else []
    text = f"{texts.captions[dice.word() & 511]} · {texts.terms[dice.one(len(texts.terms))]}"
    return {
        "id": video_id,
        "create_time": time,
        "username": texts.author(dice.one(max(plan.targets.videos // 3, 1))),
        "region_code": region,
        "video_description": " #".join([text, *tags]),
        "music_id": VIDEO_ID_SIZE + dice.one(1 << 32),
        "like_count": 1 + dice.one(900),
        "comment_count": 1 + dice.one(90),
        "share_count": 1 + dice.one(90),
        "view_count": 1_000 + dice.one(30_000),
        "effect_ids": [],
        "hashtag_names": tags,
        "video_duration": 3 + dice.one(180),
    }
