"""How a download can end: a closed list. Only what a service said about the post is a marker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Outcome(StrEnum):
    """How one download ended.

    `UNAVAILABLE`: the service has it and does not hand it out, without a reason that is understood.
    `DAMAGED`: a file came, and is no whole video. `ABSENT`: the folder of files does not have it.
    """

    OK = "ok"
    REMOVED = "removed"
    PRIVATE = "private"
    SLIDESHOW = "slideshow"
    UNAVAILABLE = "unavailable"
    LOGIN_REQUIRED = "login_required"
    REGION_BLOCKED = "region_blocked"
    RATE_LIMITED = "rate_limited"
    EXTRACTOR_BROKEN = "extractor_broken"
    NETWORK = "network"
    DAMAGED = "damaged"
    ABSENT = "absent"


# The markers that `builder.media.downloads` understands.
MARKER_OF = {
    Outcome.REMOVED: "missing",
    Outcome.PRIVATE: "private",
    Outcome.SLIDESHOW: "slideshow",
}
# Not tried again.
FINAL = frozenset({Outcome.OK, *MARKER_OF})
# These say something about us or about the tool, not about the post: a few in a row end the run.
STOPPING = frozenset({Outcome.EXTRACTOR_BROKEN, Outcome.RATE_LIMITED, Outcome.NETWORK})


@dataclass(frozen=True)
class Fetched:
    """What a back end brought.

    Attributes:
        outcome: how it ended.
        path: the file, where `outcome` is ok; the caller moves it.
    """

    outcome: Outcome
    path: Path | None = None
