"""The typed query of a campaign: region AND (keyword OR hashtag), and the fields asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from builder.config.campaign import Campaign
from builder.run.stage import fingerprint

# The documentation ("Query Videos", read November 2026) gives no limit for the values of a keyword
# or hashtag condition; the only number in use is the 100 of the username condition (ResearchTikPy).
# A service that takes fewer answers 400, and the query is halved until it is taken.
MAX_TERMS = 100
MAX_COUNT = 100  # rows of a page, documented
MAX_DAYS = 30  # between start_date and end_date, documented

_BASE = (
    "id,video_description,create_time,region_code,share_count,view_count,like_count,comment_count,"
    "music_id,hashtag_names,username,effect_ids,playlist_id,voice_to_text"
).split(",")
_LATER = (
    "is_stem_verified,video_duration,hashtag_info_list,sticker_info_list,effect_info_list,"
    "video_mention_list,video_label,video_tag"
).split(",")
FAVORITES, FAVOURITES = "favorites_count", "favourites_count"
ALL_FIELDS = (*_BASE, FAVORITES, *_LATER)
_NEEDED = frozenset({"id", "create_time", "region_code"})


def other_fields(fields: Sequence[str], message: str) -> tuple[str, ...] | None:
    """The fields to ask for after the service refused some.

    It rejects a request with a field it does not know. A field that its message names is respelled
    or left out; a message that names none is answered by the other spelling of the favourites,
    then by neither, then by the fields of 2023 alone.

    Returns:
        Fewer or other fields, or None when the message is not about fields or nothing is left.
    """
    text = message.casefold()
    words = set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
    named = [name for name in fields if name in words and name not in _NEEDED]
    if named and len(named) < len(fields) / 2:
        swapped = [FAVOURITES if name == FAVORITES else name for name in fields]
        keep = [name for name in swapped if name not in named]
        return tuple(keep) if tuple(keep) != tuple(fields) else None
    if "field" not in text or "field_value" in text or "field_name" in text:
        return None
    if FAVORITES in fields:
        return tuple(FAVOURITES if name == FAVORITES else name for name in fields)
    if FAVOURITES in fields:
        return tuple(name for name in fields if name != FAVOURITES)
    return tuple(_BASE) if set(fields) - set(_BASE) else None


@dataclass(frozen=True)
class Query:
    """Videos of accounts registered in `regions` that match any of `terms`; no terms: all.

    Attributes:
        regions: region codes.
        terms: keywords; those without a space also as hashtags.
        ids: known videos, instead of region and terms.
    """

    regions: tuple[str, ...]
    terms: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    def body(self) -> dict[str, Any]:
        """The `query` object of a request."""
        if self.ids:
            return {"and": [_condition("video_id", [str(video) for video in self.ids])]}
        query: dict[str, Any] = {"and": [_condition("region_code", self.regions)]}
        if self.terms:
            tags = [term for term in self.terms if " " not in term]
            query["or"] = [_condition("keyword", self.terms)]
            if tags:
                query["or"].append(_condition("hashtag_name", tags))
        return query

    def parts(self, most: int) -> list[Query]:
        """Queries of at most `most` terms that together find what this one finds."""
        return [
            replace(self, terms=self.terms[at : at + most])
            for at in range(0, len(self.terms), most)
        ]

    def matches(self, video: dict[str, Any]) -> bool:
        """Whether a row the service returned for another query belongs to this one."""
        text = str(video.get("video_description") or "").casefold()
        tags = video.get("hashtag_names")
        names = {str(tag).casefold() for tag in tags} if isinstance(tags, list) else set()
        wanted = [term.casefold() for term in self.terms]
        return any(term in text or term.lstrip("#") in names for term in wanted)


def _condition(name: str, values: Sequence[str]) -> dict[str, Any]:
    operation = "EQ" if len(values) == 1 else "IN"
    return {"operation": operation, "field_name": name, "field_values": list(values)}


def campaign_terms(campaign: Campaign) -> tuple[str, ...]:
    """Every published spelling once, sorted: the service does not say whether case matters."""
    spellings = {keyword.term for keyword in campaign.keywords}
    spellings |= {form.strip() for keyword in campaign.keywords for form in keyword.raw}
    return tuple(sorted(term.lstrip("#") for term in spellings if term.strip("# ")))


def campaign_queries(campaign: Campaign, max_terms: int = MAX_TERMS) -> list[Query]:
    """The queries of a campaign, each with at most `max_terms` terms.

    Spellings of one term stay in one query, so that splitting repeats few videos.
    """
    terms = tuple(sorted(campaign_terms(campaign), key=str.casefold))
    return Query(campaign.region_codes, terms).parts(max_terms)


def plan_digest(campaign: Campaign) -> str:
    """Names what is asked for: two collections with the same digest can share a folder."""
    return fingerprint("collect", campaign.region_codes, sorted(campaign_terms(campaign)))


@dataclass(frozen=True)
class Request:
    """One request for a page. Days are UTC; whether `end` is included is the service's secret."""

    query: Query
    start: dt.date
    end: dt.date
    cursor: int = 0
    search_id: str | None = None
    max_count: int = MAX_COUNT

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = {
            "query": self.query.body(),
            "start_date": f"{self.start:%Y%m%d}",
            "end_date": f"{self.end:%Y%m%d}",
            "max_count": self.max_count,
            "cursor": self.cursor,
            "is_random": False,
        }
        if self.search_id is not None:
            body["search_id"] = self.search_id
        return body
