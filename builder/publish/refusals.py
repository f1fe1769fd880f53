"""When a release must not be published, or not to this place, or not like this."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from builder.config.privacy import EXACT, PUBLIC_SUFFIX
from builder.errors import UsageProblem
from builder.publish.hub.client import Hub
from builder.publish.hub.state import State
from builder.publish.problems import ParentMoved, PublishRefused
from builder.publish.wish import Prepared, Wish
from builder.release.assemble import file_digest
from builder.release.manifest import MANIFEST, Manifest
from builder.validate.whole import JSON_NAME


def overdue(manifest: Manifest, today: dt.date) -> dt.date | None:
    """The day by which the posts should have been looked at again, if it has passed."""
    refresh = manifest.as_dict().get("refresh") or {}
    due = refresh.get("due") if isinstance(refresh, dict) else None
    day = dt.date.fromisoformat(str(due)[:10]) if due else None
    return day if day is not None and day < today else None


def check_audience(wish: Wish, manifest: Manifest, there: State | None) -> None:
    """Refuse to show the world an exact tier, or texts in which nobody looked for names.

    Raises:
        PublishRefused: the repository would be public and ungated.
    """
    private = wish.private or (there is not None and there.private)
    gated = wish.gated or (there is not None and there.gated)
    if private or gated:
        return
    if manifest.tier == EXACT:
        raise PublishRefused(
            "the repository would be public and open to everybody, and this is the exact tier of "
            "a campaign that has a public one",
            file=wish.repo,
            field="tier",
            way_out="add --private, or --gated auto or --gated manual; the public tier lies beside "
            f"it and is called {manifest.name}{PUBLIC_SUFFIX}",
        )
    if manifest.as_dict().get("names_scrubbed") is True or not manifest.privacy.texts:
        return
    raise PublishRefused(
        "the repository would be public and open to everybody, and this release says that names "
        "of private people were not taken out of its texts (names_scrubbed)",
        file=wish.repo,
        field="names_scrubbed",
        way_out="add --private, or --gated auto or --gated manual; or build with name scrubbing on",
    )


def check_purge(wish: Wish) -> None:
    if not wish.purge_history or not wish.yes or wish.confirm == wish.repo:
        return
    raise UsageProblem(
        "--purge-history deletes every earlier version from the Hub for good: its commits, tags "
        "and files, also for those who cited them",
        file=wish.repo,
        field="--confirm",
        way_out=f"if a removal request asks for it, add --confirm {wish.repo}",
    )


def check_report(folder: Path, manifest: Manifest) -> None:
    """The report that is published must be about these bytes."""
    path = folder / JSON_NAME
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8")).get("manifest_sha256")
    except (ValueError, AttributeError):
        told = None
    if told != file_digest(folder / MANIFEST):
        raise PublishRefused(
            f"{JSON_NAME} is about other bytes than this release's",
            file=path,
            way_out=f"`ecuador-crisis validate RELEASE --json RELEASE/{JSON_NAME} "
            "--html RELEASE/validation.html` writes it anew",
        )


def check_tag(wish: Wish, hub: Hub, there: State | None, prepared: Prepared) -> None:
    """Refuse when the version's tag names a commit that is not this release.

    Raises:
        PublishRefused: it was published with other bytes, or somebody made that tag by hand.
    """
    tag = f"v{prepared.manifest.version}"
    named = there.tags.get(tag) if there is not None else None
    if there is None or named is None:
        return
    tagged = there if named == there.head else hub.find(named)
    if tagged is not None and tagged.holds(prepared.digests):
        return
    raise PublishRefused(
        f"version {prepared.manifest.version} is published already, with other bytes: the tag "
        f"{tag} names another commit",
        file=wish.repo,
        field="version",
        way_out="raise `version` in the campaign file and build again with `--previous`; if the "
        "tag was made by mistake, delete it on the Hub",
    )


def check_tier(wish: Wish, before: Manifest, ours: Manifest) -> None:
    """Refuse to put one tier on top of the other: who reads one would find the other below it.

    Raises:
        PublishRefused: the repository holds another tier.
    """
    if before.tier != ours.tier:
        raise PublishRefused(
            f"the repository holds {_tier_of(before)} of {before.name}, this is {_tier_of(ours)}",
            file=wish.repo,
            field="tier",
            way_out="give another --repo: each tier has one of its own, or who reads the one "
            "would find the other in its history",
        )


def _tier_of(manifest: Manifest) -> str:
    return f"the {manifest.tier} tier" if manifest.tier else "the only release"


def check_settled(wish: Wish, hub: Hub) -> None:
    """Nothing is sent to a repository that is more open than was asked for.

    Raises:
        PublishRefused: the Hub took the setting and did not keep it.
    """
    now = hub.find()
    closed = now is not None and (now.private or not wish.private)
    if now is not None and closed and wish.gated in (None, now.gated):
        return
    raise PublishRefused(
        "the Hub did not keep the setting: the repository is not "
        + ("private" if not closed else f"gated ({wish.gated})"),
        file=wish.repo,
        way_out="set it on the Hub by hand and run it again; nothing was sent",
    )


def check_appeared(wish: Wish, there: State | None) -> State:
    """The repository that was just made; refuse where it holds something already.

    Raises:
        PublishRefused: the repository was made and cannot be read.
        ParentMoved: it holds files by now.
    """
    if there is None:
        raise PublishRefused(
            "the repository was made but cannot be read with this token",
            file=wish.repo,
            way_out="give HF_TOKEN read access to the namespace too",
        )
    if there.files:
        raise ParentMoved(
            "there was no such repository a moment ago, and now it holds files; nothing was "
            "changed",
            file=wish.repo,
            way_out="run the same command without --yes and look at the difference first",
        )
    return there
