"""An invented corpus for the local Research API, and what a query finds in it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from builder.config.campaign import Campaign

Video = dict[str, Any]


def day_start(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def make_corpus(
    campaign: Campaign,
    days: Sequence[dt.date],
    *,
    seed: int = 0,
    a_day: int | Sequence[int] = 30,
    noise: int = 3,
) -> list[Video]:
    """Videos that the campaign's query finds, and `noise` a day that it must not find.

    The first and the last second of each day hold a video where the day holds two or more.
    """
    rng = random.Random(seed)
    counts = [a_day] * len(days) if isinstance(a_day, int) else list(a_day)
    terms = [keyword.term for keyword in campaign.keywords]
    videos = []
    for day, count in zip(days, counts, strict=True):
        start = day_start(day)
        times = [start, start + 86_399, *(start + rng.randrange(86_400) for _ in range(count - 2))]
        videos += [
            video(rng, time, rng.choice(campaign.region_codes), rng.choice(terms))
            for time in times[:count]
        ]
        for number in range(noise):
            abroad = number % 2 == 1
            region = "ZZ" if abroad else rng.choice(campaign.region_codes)
            term = rng.choice(terms) if abroad else "recetas"
            videos.append(video(rng, start + rng.randrange(86_400), region, term))
    return videos


def video(rng: random.Random, time: int, region: str, term: str) -> Video:
    """One invented video."""
    tagged = " " not in term and rng.random() < 0.5
    caption = "Una noticia inventada" if tagged else f"Algo sobre {term.upper()} hoy"
    return {
        "id": (time << 32) | rng.getrandbits(32),
        "create_time": time,
        "region_code": region,
        "username": f"inventado{rng.randrange(1_000)}",
        "video_description": caption,
        "hashtag_names": [term, "parati"] if tagged else ["parati"],
        "view_count": rng.randrange(1, 5_000),
        "like_count": rng.randrange(1, 500),
        "comment_count": rng.randrange(1, 50),
        "share_count": rng.randrange(1, 50),
        "favorites_count": rng.randrange(1, 50),
        "music_id": rng.getrandbits(60),
        "video_duration": rng.randrange(3, 180),
        "voice_to_text": "palabras inventadas",
        "video_mention_list": [],
    }


def finds(query: dict[str, Any], video: Video) -> bool:
    """Whether a `query` object of a request finds a video."""
    parts = {key: query.get(key) or [] for key in ("and", "or", "not")}
    return (
        all(_holds(condition, video) for condition in parts["and"])
        and (not parts["or"] or any(_holds(condition, video) for condition in parts["or"]))
        and not any(_holds(condition, video) for condition in parts["not"])
    )


def _holds(condition: dict[str, Any], video: Video) -> bool:
    values = [value.casefold() for value in condition["field_values"]]
    match condition["field_name"]:
        case "region_code":
            return video["region_code"].casefold() in values
        case "keyword":
            text = " ".join([video["video_description"], *video["hashtag_names"]]).casefold()
            return any(value in text for value in values)
        case "hashtag_name":
            return any(tag.casefold() in values for tag in video["hashtag_names"])
        case "video_id":
            return str(video["id"]) in values
    raise ValueError(condition["field_name"])
