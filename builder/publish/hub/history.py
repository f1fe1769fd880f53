"""Forgetting earlier versions, for removal requests: a deleted row stays in a history otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from builder.publish.hub.client import KIND, Hub
from builder.publish.hub.state import Digest
from builder.publish.problems import HubDiffers


def purge(hub: Hub, wanted: Mapping[str, Digest], keep: str) -> str:
    """Leave only what is on `main`: no earlier commit, no other tag, no file of an earlier one.

    Can be run again when it was interrupted.

    Args:
        hub: the repository; `main` holds the version to keep.
        wanted: path -> digest of its files.
        keep: its tag, which has to be made again afterwards: the commit gets another name.

    Returns:
        The only commit that is left.

    Raises:
        HubDiffers: `main` holds something else.
    """
    there = hub.find()
    if there is None or not there.holds(wanted):
        raise HubDiffers(
            "main does not hold the version that should stay; nothing was purged", file=hub.repo
        )
    doing = "purging the history"
    commits = hub.ask(doing, lambda: hub.api.list_repo_commits(hub.repo, repo_type=KIND))
    if len(commits) > 1 or set(there.tags) - {keep}:
        for name in there.tags:
            hub.ask(
                doing,
                lambda name=name: hub.api.delete_tag(hub.repo, tag=name, repo_type=KIND),  # type: ignore[misc]
            )
        hub.ask(
            doing,
            lambda: hub.api.super_squash_history(
                hub.repo, repo_type=KIND, commit_message=f"{keep}; earlier versions were withdrawn"
            ),
        )
    kept = {digest.sha256 for digest in wanted.values()}
    old = [
        file
        for file in hub.ask(doing, lambda: list(hub.api.list_lfs_files(hub.repo, repo_type=KIND)))
        if file.file_oid not in kept and file.oid not in kept
    ]
    if old:
        hub.ask(
            doing,
            lambda: hub.api.permanently_delete_lfs_files(
                hub.repo, old, repo_type=KIND, rewrite_history=False
            ),
        )
    now = hub.find()
    if now is None:
        raise HubDiffers("the repository cannot be read any more", file=hub.repo)
    return hub.read_back(wanted, now.head)
