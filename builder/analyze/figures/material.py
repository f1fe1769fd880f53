"""Everything the figures of one release are made from, read once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from builder.analyze import aggregates, sentiment_over_time
from builder.analyze.figures.days import Days, Event
from builder.analyze.figures.words import Language, Words, words
from builder.analyze.ngrams import Ngrams
from builder.config.campaign import Campaign
from builder.release.coarsen import Policy
from builder.validate.release import Release, Tables

TOP_TAGS = 10
SELECTED = 6  # hashtags over time, where neither the campaign nor the user names any


@dataclass(frozen=True)
class Material:
    """A release and what is known about it.

    Attributes:
        tables: its Parquet files.
        name, version: of the release.
        synthetic: whether its posts are invented.
        first, last: days of its window, both inclusive.
        resolution: of its dates: day (also where it is finer), week or month.
        digits: significant digits its counts are rounded to; 0: they are exact, or left out.
        hides: whether values that would single a video out are hidden.
        campaign: its campaign; None when its file is not at hand.
        language: of the figures.
        ngrams: aggregates of the captions; None without a work folder.
        selected: hashtags over time; empty: the campaign's, else the most used.
    """

    tables: Tables
    name: str
    version: str
    synthetic: bool
    first: dt.date
    last: dt.date
    resolution: str = "day"
    digits: int = 0
    hides: bool = False
    campaign: Campaign | None = None
    language: Language = "en"
    ngrams: Ngrams | None = None
    selected: Sequence[str] = ()

    @classmethod
    def of(cls, release: Release, campaign: Campaign | None, **more: Any) -> Material:
        """The material of a finished release; `more`: language, ngrams, selected."""
        about = release.manifest
        settings = {"campaign": campaign, **coarseness(about.privacy), **more}
        window = (about.window.start, about.window.end)
        return cls(release, about.name, about.version, about.synthetic, *window, **settings)

    @property
    def english(self) -> Campaign | None:
        """The campaign where its words fit the page: what people read in its file is English."""
        return self.campaign if self.language == "en" else None

    @property
    def title(self) -> str:
        """The campaign's title; its name where that is not at hand, or in another language."""
        return self.name if self.english is None else self.english.title

    @property
    def words(self) -> Words:
        """The texts."""
        return words(self.language)

    @cached_property
    def daily(self) -> pl.DataFrame:
        """`aggregates.daily` over the window."""
        return aggregates.daily(self.tables, self.dates)

    @cached_property
    def dates(self) -> pl.Series:
        """Every value that `date` can have."""
        return aggregates.dates_of(self.first, self.last, self.resolution)

    @property
    def span(self) -> int:
        """Days a date stands for, about."""
        return {"week": 7, "month": 30}.get(self.resolution, 1)

    def days(self, width: int) -> Days:
        """The axis of its dates, in a plot of that width."""
        last = max(self.last, self.dates[-1] + dt.timedelta(days=self.span - 1))
        return Days(self.dates[0], last, self.events, width, self.words, self.span)

    def released(self, day: dt.date) -> dt.date:
        """The value of `date` for a video of that day."""
        return max((date for date in self.dates if date <= day), default=self.first)

    @property
    def coarse_days(self) -> tuple[str, ...]:
        """A note where a date is not a day."""
        known = self.resolution in ("week", "month")
        return (self.words(f"coarse.{self.resolution}"),) if known else ()

    @property
    def coarse_counts(self) -> tuple[str, ...]:
        """A note where counts are rounded."""
        return (self.words("coarse.counts", digits=self.digits),) if self.digits else ()

    @property
    def hidden(self) -> tuple[str, ...]:
        """A note where values are hidden."""
        return (self.words("coarse.hidden"),) if self.hides else ()

    @property
    def videos(self) -> int:
        """Videos of the release."""
        return int(self.daily["videos"].sum())

    @cached_property
    def labelled(self) -> int:
        """Videos with a sentiment label."""
        counted = self.tables.scan("videos").select(pl.col("sentiment").count())
        return int(counted.collect(engine="streaming").item())

    @property
    def generic(self) -> tuple[str, ...]:
        """Hashtags left out of everything here."""
        return self.campaign.generic_hashtags if self.campaign else ()

    @property
    def paper(self) -> dict[str, Any]:
        """The paper's numbers; empty without one."""
        return self.campaign.paper if self.campaign else {}

    @cached_property
    def hashtags(self) -> pl.DataFrame:
        """`aggregates.hashtags`, the generic ones out."""
        return aggregates.hashtags(self.tables, self.generic)

    @cached_property
    def top_tags(self) -> list[str]:
        """The most used hashtags."""
        return list(self.hashtags.head(TOP_TAGS)["hashtag"])

    @cached_property
    def chosen_tags(self) -> list[str]:
        """Hashtags over time that this release has."""
        wanted = self.selected or (self.campaign.figure_hashtags if self.campaign else ())
        known = set(self.hashtags["hashtag"])
        return [tag for tag in wanted if tag in known] or self.top_tags[:SELECTED]

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The released events inside the window, titles in the figures' language."""
        rows = self.tables.scan("events").select("key", "date", "title").collect()
        titles = {e.key: e.titles for e in self.campaign.events} if self.campaign else {}
        return tuple(
            Event(key, date, titles.get(key, {}).get(self.language, title))
            for key, date, title in sorted(rows.iter_rows(), key=lambda row: (row[1], row[0]))
            if self.first <= date <= self.last
        )

    @cached_property
    def phases(self) -> list[sentiment_over_time.Phase]:
        """The window cut at its events."""
        marks = [(event.key, event.date) for event in self.events]
        return sentiment_over_time.phases(marks, self.first, self.last)

    @property
    def window(self) -> str:
        """The window in words."""
        return self.words.window(self.first, self.last)

    @property
    def source(self) -> str:
        """The line that says where the numbers come from."""
        return self.words("source", name=self.name, version=self.version, window=self.window)

    def n(self, count: int, what: str) -> str:
        """What a figure stands on; `what` is a key of the texts."""
        return self.words("n", n=self.words.number(count), what=self.words(what))


def coarseness(privacy: Policy) -> dict[str, Any]:
    """`resolution`, `digits` and `hides` of a `Material`, from privacy settings."""
    digits = privacy.round_counts
    return {
        "resolution": privacy.date_resolution,
        "digits": digits if isinstance(digits, int) else 0,
        "hides": privacy.min_k > 1,
    }
