"""What one build releases: one release, or an exact and a public tier beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from builder.config.campaign import Campaign
from builder.config.privacy import PUBLIC_SUFFIX
from builder.errors import UsageProblem
from builder.pipeline.request import Request
from builder.release.manifest import MANIFEST, Manifest


@dataclass(frozen=True)
class Tier:
    """One release of a build.

    Attributes:
        campaign: with this tier's privacy and name; see `Campaign.tiers`.
        out: where it goes; previous: the release before it, if one was named.
        name: exact or public; None where the build makes one release only.
    """

    campaign: Campaign
    out: Path
    previous: Path | None = None
    name: Literal["exact", "public"] | None = None


def public_place(folder: Path) -> Path:
    """Where the public tier of a release lies: beside it."""
    return folder.with_name(folder.name + PUBLIC_SUFFIX)


def tiers_of(request: Request, campaign: Campaign) -> list[Tier]:
    """What a run builds; the public tier's previous release is looked for beside the exact one."""
    exact, *public = campaign.tiers
    if not public:
        return [Tier(exact, request.out, request.previous)]
    before = request.previous and public_place(request.previous)
    return [
        Tier(exact, request.out, request.previous, "exact"),
        Tier(
            public[0],
            public_place(request.out),
            before if before and (before / MANIFEST).is_file() else None,
            "public",
        ),
    ]


def check_previous(previous: Path, campaign: Campaign, *, synthetic: bool) -> None:
    """Refuse to compare with something else.

    Raises:
        UsageProblem: no release, of another campaign, or real where this is synthetic.
    """
    there = Manifest.read(previous)
    if there.campaign != campaign.name or there.synthetic != synthetic:
        kind = "SYNTHETIC" if there.synthetic else "real"
        raise UsageProblem(
            f"--previous is a release of {there.campaign} ({kind} data), which this is not",
            file=previous,
            way_out="give the release that is published now",
        )
