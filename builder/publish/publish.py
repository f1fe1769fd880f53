"""`publish`: exactly the bytes that were validated, in one commit, tagged when they were seen."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from builder.errors import UsageProblem
from builder.publish.allow import is_allowed, release_paths, scan
from builder.publish.diff import ReleaseDiff, compare, first_release
from builder.publish.hub.client import Hub
from builder.publish.hub.history import purge
from builder.publish.hub.state import Digest, State
from builder.publish.problems import PublishRefused
from builder.publish.refusals import (
    check_appeared,
    check_audience,
    check_purge,
    check_report,
    check_settled,
    check_tag,
    check_tier,
    overdue,
)
from builder.publish.versions import check_bump, too_small
from builder.publish.wish import Prepared, Published, Wish
from builder.release.manifest import MANIFEST, Manifest
from builder.validate.whole import FAIL, embedded_campaign, validate

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def publish(wish: Wish, hub: Hub | None = None) -> Published:
    """Check, compare, and with `wish.yes` publish.

    Raises:
        PublishRefused: the release, its version or the repository's settings do not allow it.
        HubProblem: any of its kinds; the repository then shows the old version or the new one.
        UsageProblem: not a release, or the repository's name cannot be one.
    """
    if not _REPO.fullmatch(wish.repo):
        raise UsageProblem(
            f"{wish.repo!r} is no repository", way_out="give --repo NAMESPACE/NAME, in that form"
        )
    check_purge(wish)
    prepared = prepare(wish)
    hub = hub or Hub(wish.repo)
    with hub.session(), tempfile.TemporaryDirectory(prefix="ecuador-crisis-") as folder:
        there = hub.find()
        check_audience(wish, prepared.manifest, there)
        found = Published(_difference(wish, hub, there, prepared, Path(folder)))
        _notes(found, there, prepared)
        if wish.yes:
            hub.check_token()
            _carry_out(wish, hub, there, prepared, found)
    return found


def prepare(wish: Wish) -> Prepared:
    """Check the release itself: names, bytes, contract, quality, refresh.

    Raises:
        PublishRefused: it must not be published.
    """
    folder = wish.release
    manifest = Manifest.read(folder)
    paths = release_paths(folder)
    digests = {path: Digest.of(folder / path) for path in paths}
    campaign = wish.campaign or embedded_campaign(manifest.campaign)
    report = validate(folder, campaign, wish.private_data)
    if report["verdict"] == FAIL:
        part = "contract" if report["contract"]["verdict"] == FAIL else "quality"
        raise PublishRefused(
            f"the release fails its {part} check",
            file=folder,
            way_out=f"`ecuador-crisis validate {folder.name} --html report.html` says why",
        )
    check_report(folder, manifest)
    scan(folder, paths)
    due = overdue(manifest, wish.today)
    if due is not None and not wish.overdue_ok:
        raise PublishRefused(
            f"the posts should have been looked at again by {due}: some may be deleted by now",
            file=folder,
            way_out="run `ecuador-crisis refresh` and build again, or add --overdue-ok",
        )
    return Prepared(manifest, digests, report)


def _difference(
    wish: Wish, hub: Hub, there: State | None, prepared: Prepared, folder: Path
) -> ReleaseDiff | None:
    """What publishing would change; None: nothing.

    Raises:
        PublishRefused: the repository is not ours to overwrite, or the version was used.
    """
    ours = prepared.manifest
    if there is None or not there.files:
        check_tag(wish, hub, there, prepared)
        return first_release(wish.release)
    if there.holds(prepared.digests):
        check_tag(wish, hub, there, prepared)
        return None
    if MANIFEST not in there.files:
        odd = sorted(path for path in there.files if not is_allowed(path))
        if odd:
            raise PublishRefused(
                f"the repository holds something that is no release: {', '.join(odd[:5])}",
                file=wish.repo,
                way_out="give another --repo; publish deletes what is not of the release",
            )
        check_tag(wish, hub, there, prepared)
        return first_release(wish.release)
    hub.fetch(there, [MANIFEST], folder)
    before = Manifest.read(folder)
    if before.campaign != ours.campaign or before.synthetic != ours.synthetic:
        kind = "SYNTHETIC" if before.synthetic else "real"
        raise PublishRefused(
            f"the repository holds {before.name} of the campaign {before.campaign} ({kind} data)",
            file=wish.repo,
            way_out="give another --repo",
        )
    check_tier(wish, before, ours)
    check_tag(wish, hub, there, prepared)
    if f"v{ours.version}" in there.tags or before.version != ours.version:
        check_bump(before.version, ours.version)
    tables = [path for path in there.files if path.endswith(".parquet") and path in before.files]
    hub.fetch(there, tables, folder)
    return compare(folder, wish.release)


def _notes(found: Published, there: State | None, prepared: Prepared) -> None:
    diff, tag = found.diff, f"v{prepared.manifest.version}"
    if diff is not None and diff.old is not None:
        if diff.old != diff.new and too_small(diff.old, diff.new, diff.bump):
            found.notes.append(
                f"a {diff.bump} change would be {diff.suggested}; this is {diff.new}"
            )
        if diff.old == diff.new:
            found.notes.append(
                f"{diff.old} was never finished ({tag} is missing): it is finished or replaced"
            )
    if there is not None:
        foreign = sorted(path for path in there.files if not is_allowed(path))
        if foreign:
            found.notes.append(f"will be deleted, being of no release: {', '.join(foreign[:5])}")
        if MANIFEST not in there.files and there.files:
            found.notes.append(f"will be replaced: {', '.join(sorted(there.files)[:5])}")
    before = f"v{diff.old}" if diff is not None and diff.old is not None else ""
    if there is not None and there.tags.get(before, there.head) != there.head:
        found.notes.append(
            f"main was changed on the Hub since {before} was published: those changes go"
        )
    if prepared.manifest.synthetic:
        found.notes.append("this is SYNTHETIC data, and the card says so")


def _carry_out(
    wish: Wish, hub: Hub, there: State | None, prepared: Prepared, found: Published
) -> None:
    """Create or tighten, commit, read back, tag."""
    created = hub.create(private=wish.private or wish.gated is not None)
    if there is None:
        there = check_appeared(wish, hub.find())
        created = True  # also where the request that made it was not answered
    _settle(wish, hub, there, created=created)
    check_settled(wish, hub)
    tag, wanted = f"v{prepared.manifest.version}", prepared.digests
    # killed between commit and tag, and since then somebody committed on top
    unfinished = found.diff is not None and found.diff.old == found.diff.new
    below = hub.below(wanted) if unfinished and tag not in there.tags else None
    if there.holds(wanted):
        oid = hub.read_back(wanted, there.tags.get(tag) or there.head)
    elif below is not None:
        oid = hub.read_back(wanted, below)
        found.notes.append("somebody committed on top of this version; main shows that")
    else:
        oid = hub.commit(
            _changed(wish.release, wanted, there),
            wanted,
            [path for path in there.files if path not in wanted],
            parent=there.head,
            message=f"{prepared.manifest.name} {prepared.manifest.version}",
        )
    if wish.purge_history:
        oid = purge(hub, wanted, tag)
    if there.tags.get(tag) != oid:
        hub.tag(tag, oid)
    found.commit, found.tag = oid, tag


def _changed(release: Path, wanted: Mapping[str, Digest], there: State) -> dict[str, Path]:
    return {
        path: release / path
        for path, digest in wanted.items()
        if path not in there.files or not there.files[path].is_(digest)
    }


def _settle(wish: Wish, hub: Hub, there: State, *, created: bool) -> None:
    """Private and gated as asked, before the first byte; what is closed is never opened here."""
    if wish.gated is not None and there.gated != wish.gated:
        # a repository made just now is private: it opens and is gated in one request
        opened = {"private": False} if created and not wish.private else {}
        hub.settings(gated=wish.gated, **opened)
    if wish.private and not there.private and not created:
        hub.settings(private=True)
