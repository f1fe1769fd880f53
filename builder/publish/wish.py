"""What `publish` is asked for, what may leave the house, and what was done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.config.campaign import Campaign
from builder.publish.diff import ReleaseDiff
from builder.publish.hub.client import Gated
from builder.publish.hub.state import Digest
from builder.release.manifest import Manifest
from builder.validate.contract.leaks import Private


@dataclass(frozen=True)
class Wish:
    """What `ecuador-crisis publish` was asked for.

    Attributes:
        release: the folder; repo: namespace/name.
        private, gated: how the repository shall be; None or False: as it is.
        yes: do it. Without it everything is checked and shown, and nothing is changed.
        overdue_ok: publish although the posts were not looked at again in time.
        purge_history: afterwards only this version is left; `confirm` must be the repo's name.
        campaign, private_data: for the validation, as in `validate`.
        today: the day the refresh is measured against.
    """

    release: Path
    repo: str
    private: bool = False
    gated: Gated | None = None
    yes: bool = False
    overdue_ok: bool = False
    purge_history: bool = False
    confirm: str | None = None
    campaign: Campaign | None = None
    private_data: Private | None = None
    today: dt.date = field(default_factory=dt.date.today)


@dataclass
class Prepared:
    """A release that may leave the house: its manifest and the digest of every published file."""

    manifest: Manifest
    digests: dict[str, Digest]
    report: dict[str, Any]


@dataclass
class Published:
    """What was found and done.

    Attributes:
        diff: what differs from what was there; None: nothing, byte for byte.
        commit, tag: what was made (or was there already); None without --yes.
        notes: what the reader should know.
    """

    diff: ReleaseDiff | None
    commit: str | None = None
    tag: str | None = None
    notes: list[str] = field(default_factory=list)

    def lines(self, wish: Wish) -> list[str]:
        """For the terminal."""
        lines = self.diff.lines() if self.diff else ["the Hub holds exactly these bytes already"]
        lines += [f"  note: {note}" for note in self.notes]
        if self.commit is None:
            return [*lines, "nothing was changed; add --yes to publish this"]
        return [*lines, f"{wish.repo}: {self.tag} is commit {self.commit}, read back and compared"]
