"""What a collection is asked for, and how it ends: the states of a day."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from builder.config.campaign import Campaign
from builder.sources.research_api.days.empty import SECOND_LOOK
from builder.sources.research_api.problems import ServiceStopped
from builder.sources.research_api.query import MAX_TERMS

COMPLETE, PARTIAL = "complete", "partial"
EMPTY, UNAVAILABLE, NOT_ASKED = "empty_unconfirmed", "unavailable_upstream", "not_asked"


@dataclass(frozen=True)
class Wanted:
    """What to collect.

    Attributes:
        campaign: window, region and terms.
        first, last: a part of the window.
        recent: also days that ended within 48 hours.
        wait: sleep until the quota starts again instead of stopping.
        max_terms: terms of one query.
        second_look: seconds between two looks at a day that seems empty.
    """

    campaign: Campaign
    first: dt.date | None = None
    last: dt.date | None = None
    recent: bool = False
    wait: bool = False
    max_terms: int = MAX_TERMS
    second_look: float = SECOND_LOOK


@dataclass
class Collected:
    """How a run ended.

    Attributes:
        days: day -> state.
        reasons: day -> why it is not complete.
        videos: distinct videos of the complete days.
        stopped: why the run stopped before its end, if it did.
    """

    days: dict[dt.date, str] = field(default_factory=dict)
    reasons: dict[dt.date, str] = field(default_factory=dict)
    videos: int = 0
    stopped: ServiceStopped | None = None

    @property
    def complete(self) -> bool:
        """Whether every day is complete."""
        return set(self.days.values()) <= {COMPLETE}


def counted(days: dict[dt.date, str]) -> Counter[str]:
    """State -> days."""
    return Counter(days.values())
