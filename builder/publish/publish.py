"""`publish`: exactly the bytes that were validated, in one commit, tagged when they were seen."""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.config.campaign import Campaign
from builder.errors import UsageProblem
from builder.publish.allow import is_allowed, release_paths, scan
from builder.publish.diff import ReleaseDiff, compare, first_release
from builder.publish.history import purge
from builder.publish.hub import Digest, Gated, Hub, State
from builder.publish.problems import PublishRefused
from builder.publish.versions import check_bump, too_small
from builder.release.assemble import file_digest
from builder.release.manifest import MANIFEST, Manifest
from builder.validate.contract.leaks import Private
from builder.validate.whole import FAIL, JSON_NAME, embedded_campaign, validate

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


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
    _check_purge(wish)
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
    _check_report(folder, manifest)
    scan(folder, paths)
    due = overdue(manifest, wish.today)
    if due is not None and not wish.overdue_ok:
        raise PublishRefused(
            f"the posts should have been looked at again by {due}: some may be deleted by now",
            file=folder,
            way_out="run `ecuador-crisis refresh` and build again, or add --overdue-ok",
        )
    return Prepared(manifest, digests, report)


def overdue(manifest: Manifest, today: dt.date) -> dt.date | None:
    """The day by which the posts should have been looked at again, if it has passed."""
    refresh = manifest.as_dict().get("refresh") or {}
    due = refresh.get("due") if isinstance(refresh, dict) else None
    day = dt.date.fromisoformat(str(due)[:10]) if due else None
    return day if day is not None and day < today else None


def check_audience(wish: Wish, manifest: Manifest, there: State | None) -> None:
    """Refuse to show the world texts in which nobody looked for names.

    Raises:
        PublishRefused: the repository would be public and ungated.
    """
    private = wish.private or (there is not None and there.private)
    gated = wish.gated or (there is not None and there.gated)
    if private or gated or manifest.as_dict().get("names_scrubbed") is True:
        return
    raise PublishRefused(
        "the repository would be public and open to everybody, and this release says that names "
        "of private people were not taken out of its texts (names_scrubbed)",
        file=wish.repo,
        field="names_scrubbed",
        way_out="add --private, or --gated auto or --gated manual; or build with name scrubbing on",
    )


def _check_purge(wish: Wish) -> None:
    if not wish.purge_history or not wish.yes or wish.confirm == wish.repo:
        return
    raise UsageProblem(
        "--purge-history deletes every earlier version from the Hub for good: its commits, tags "
        "and files, also for those who cited them",
        file=wish.repo,
        field="--confirm",
        way_out=f"if a removal request asks for it, add --confirm {wish.repo}",
    )


def _check_report(folder: Path, manifest: Manifest) -> None:
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


def _difference(
    wish: Wish, hub: Hub, there: State | None, prepared: Prepared, folder: Path
) -> ReleaseDiff | None:
    """What publishing would change; None: nothing.

    Raises:
        PublishRefused: the repository is not ours to overwrite, or the version was used.
    """
    ours = prepared.manifest
    if there is None or not there.files:
        return first_release(wish.release)
    if there.holds(prepared.digests):
        return None
    if MANIFEST not in there.files:
        odd = sorted(path for path in there.files if not is_allowed(path))
        if odd:
            raise PublishRefused(
                f"the repository holds something that is no release: {', '.join(odd[:5])}",
                file=wish.repo,
                way_out="give another --repo; publish deletes what is not of the release",
            )
        return first_release(wish.release)
    hub.fetch(there.head, [MANIFEST], folder)
    before = Manifest.read(folder)
    if before.campaign != ours.campaign or before.synthetic != ours.synthetic:
        kind = "SYNTHETIC" if before.synthetic else "real"
        raise PublishRefused(
            f"the repository holds {before.name} of the campaign {before.campaign} ({kind} data)",
            file=wish.repo,
            way_out="give another --repo",
        )
    if f"v{ours.version}" in there.tags or before.version != ours.version:
        check_bump(before.version, ours.version)
    tables = [path for path in there.files if path.endswith(".parquet") and path in before.files]
    hub.fetch(there.head, tables, folder)
    return compare(folder, wish.release)


def _notes(found: Published, there: State | None, prepared: Prepared) -> None:
    diff, tag = found.diff, f"v{prepared.manifest.version}"
    if diff is not None and diff.old is not None:
        if diff.old != diff.new and too_small(diff.old, diff.new, diff.bump):
            found.notes.append(
                f"a {diff.bump} change would be {diff.suggested}; this is {diff.new}"
            )
        if diff.old == diff.new:
            found.notes.append(f"{diff.old} was never finished ({tag} is missing): it is replaced")
    if there is not None:
        foreign = sorted(path for path in there.files if not is_allowed(path))
        if foreign:
            found.notes.append(f"will be deleted, being of no release: {', '.join(foreign[:5])}")
    if prepared.manifest.synthetic:
        found.notes.append("this is SYNTHETIC data, and the card says so")


def _carry_out(
    wish: Wish, hub: Hub, there: State | None, prepared: Prepared, found: Published
) -> None:
    """Create or tighten, commit, read back, tag."""
    created = hub.create(private=wish.private or wish.gated is not None)
    there = hub.find() if created or there is None else there
    if there is None:
        raise PublishRefused(
            "the repository was made but cannot be read with this token",
            file=wish.repo,
            way_out="give HF_TOKEN read access to the namespace too",
        )
    _settle(wish, hub, there, created=created)
    tag, wanted = f"v{prepared.manifest.version}", prepared.digests
    if not there.holds(wanted):
        oid = hub.commit(
            _changed(wish.release, wanted, there),
            wanted,
            [path for path in there.files if path not in wanted],
            parent=there.head,
            message=f"{prepared.manifest.name} {prepared.manifest.version}",
        )
    else:
        oid = hub.read_back(wanted, there.tags.get(tag) or there.head)
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
