"""`publish`, from a release folder to the fake Hub and back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FakeHub
from publish_kit import REPO, bumped, set_manifest
from release_kit import Built, content, read_json, rewrite

from builder.errors import UsageProblem
from builder.publish.problems import PublishRefused
from builder.publish.wish import Published

Send = Callable[..., Published]


def test_without_yes_everything_is_shown_and_nothing_changed(
    hub: FakeHub, small: Built, send: Send
) -> None:
    found = send(small.release, yes=False)
    assert hub.repos == {} and {method for method, _ in hub.log} == {"GET"}
    assert found.commit is None and found.diff is not None
    assert found.diff.configs["videos"].added == small.frame("videos").height


def test_the_first_release_is_one_commit_and_a_tag_on_it(
    hub: FakeHub, small: Built, send: Send
) -> None:
    found = send(small.release)
    repo = hub.repo(REPO)
    assert repo.private and [c.title for c in repo.history()] == [
        "EcuadorCrisisTikTok 1.0.0",
        "initial commit",
    ]
    assert repo.tags == {"v1.0.0": repo.head} and found.commit == repo.head
    there = hub.bytes_of(REPO, "v1.0.0")
    del there[".gitattributes"]
    assert there == content(small.release)


def test_the_tag_comes_after_the_commit_was_read_back(
    hub: FakeHub, small: Built, send: Send
) -> None:
    send(small.release)
    paths = [path for _, path in hub.log]
    committed = next(i for i, path in enumerate(paths) if "/commit/" in path)
    tagged = next(i for i, path in enumerate(paths) if "/tag/" in path)
    assert any(f"/tree/{hub.repo(REPO).head}" in path for path in paths[committed:tagged])


def test_publishing_again_changes_nothing(hub: FakeHub, small: Built, send: Send) -> None:
    first = send(small.release)
    before = hub.asked("POST", r"/(commit|tag)/")
    again = send(small.release)
    assert again.diff is None and again.commit == first.commit
    assert hub.asked("POST", r"/(commit|tag)/") == before


def test_the_next_version_deletes_old_shards_in_the_same_commit(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    repo = hub.repo(REPO)
    old = repo.files["videos/train-00000-of-00001.parquet"]
    tree = {**repo.files, "videos/train-00001-of-00002.parquet": old, "notes.txt": old}
    repo.commit(tree, "somebody left something")
    found = send(bumped(editable, "1.1.0"))
    assert len(repo.history()) == 4 and "notes.txt" in " ".join(found.notes)
    there = hub.bytes_of(REPO, "v1.1.0")
    del there[".gitattributes"]
    assert there == content(editable)
    assert repo.tags.keys() == {"v1.0.0", "v1.1.0"}


def test_gated_and_public_is_never_open_for_a_moment(
    hub: FakeHub, small: Built, send: Send
) -> None:
    seen: list[tuple[bool, Any]] = []
    repo = lambda: hub.repo(REPO)  # noqa: E731
    hub.fail(
        "POST",
        r"/preupload/",
        status=503,
        before=lambda: seen.append((repo().private, repo().gated)),
    )
    send(small.release, private=False, gated="manual")
    assert seen == [(False, "manual")] and (repo().private, repo().gated) == (False, "manual")


def test_what_is_closed_is_not_opened(hub: FakeHub, small: Built, send: Send) -> None:
    send(small.release)
    send(small.release, private=False)
    assert hub.repo(REPO).private


def test_a_public_repository_becomes_private_before_the_first_byte(
    hub: FakeHub, small: Built, send: Send
) -> None:
    hub.add(REPO, {"README.md": b"soon"})
    send(small.release)
    assert hub.repo(REPO).private
    paths = [path for _, path in hub.log]
    assert paths.index(f"/api/datasets/{REPO}/settings") < min(
        i for i, path in enumerate(paths) if "/_lfs/" in path
    )


# -- refusals ------------------------------------------------------------------------------------


def refused(send: Send, hub: FakeHub, release: Path, match: str, **wish: Any) -> None:
    with pytest.raises(PublishRefused, match=match) as caught:
        send(release, **wish)
    assert caught.value.way_out
    assert {method for method, _ in hub.log} <= {"GET", "HEAD"}


def test_public_and_ungated_without_names_scrubbed(
    hub: FakeHub, editable: Path, send: Send
) -> None:
    left = set_manifest(editable, names_scrubbed=False)
    refused(send, hub, left, "names of private people", private=False)


def test_public_and_ungated_with_names_scrubbed(hub: FakeHub, small: Built, send: Send) -> None:
    send(small.release, private=False)
    assert not hub.repo(REPO).private


def test_a_broken_contract(hub: FakeHub, editable: Path, send: Send) -> None:
    rewrite(editable, "events", lambda frame: frame.head(3))
    refused(send, hub, editable, "contract check")


def test_a_report_about_other_bytes(hub: FakeHub, editable: Path, send: Send) -> None:
    report = editable / "validation.json"
    told = read_json(report)
    del told["manifest_sha256"]
    report.write_text(json.dumps(told), encoding="utf-8")
    refused(send, hub, editable, "about other bytes")


def test_an_overdue_refresh_unless_told(hub: FakeHub, editable: Path, send: Send) -> None:
    set_manifest(editable, refresh={"due": "2024-06-01"})
    refused(send, hub, editable, "by 2024-06-01", today=dt.date(2024, 6, 2))
    send(editable, today=dt.date(2024, 6, 2), overdue_ok=True)


def test_a_refresh_that_is_not_yet_due(hub: FakeHub, editable: Path, send: Send) -> None:
    send(set_manifest(editable, refresh={"due": "2024-06-01"}), today=dt.date(2024, 6, 1))


def test_other_bytes_under_a_published_version(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    hub.log.clear()
    refused(send, hub, set_manifest(editable, profile="offline"), "published already")


def test_an_older_version(hub: FakeHub, small: Built, editable: Path, send: Send) -> None:
    send(bumped(editable, "1.1.0"))
    hub.log.clear()
    refused(send, hub, small.release, "older than 1.1.0")


def test_a_version_whose_tag_is_missing_was_never_finished(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    hub.repo(REPO).tags.clear()
    found = send(set_manifest(editable, profile="offline"))
    assert "never finished" in found.notes[0]
    assert hub.repo(REPO).tags == {"v1.0.0": hub.repo(REPO).head}


def test_somebody_elses_repository(hub: FakeHub, small: Built, send: Send) -> None:
    hub.add(REPO, {"train.csv": b"a,b\n1,2\n"})
    refused(send, hub, small.release, "no release: train.csv")


def test_another_campaigns_repository(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    repo = hub.repo(REPO)
    told = hub.bytes_of(REPO)["MANIFEST.json"].replace(b"ecuador_2024", b"peru_2023")
    hub.add(REPO, {"MANIFEST.json": told})
    hub.log.clear()
    refused(send, hub, small.release, "of the campaign peru_2023")
    assert repo.head == hub.repo(REPO).head


@pytest.mark.parametrize("name", ["nobody", "a/b/c", "/x", "a b/c", ""])
def test_a_repository_has_a_namespace(hub: FakeHub, small: Built, send: Send, name: str) -> None:
    with pytest.raises(UsageProblem):
        send(small.release, repo=name)
    assert hub.log == []


# -- purging -------------------------------------------------------------------------------------


def test_purge_needs_the_name_again(hub: FakeHub, small: Built, editable: Path, send: Send) -> None:
    send(small.release)
    with pytest.raises(UsageProblem, match="for good"):
        send(bumped(editable, "1.1.0"), purge_history=True, confirm="sim_lab/other")
    assert "v1.1.0" not in hub.repo(REPO).tags


def test_purge_leaves_one_commit_one_tag_and_no_old_file(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    rewrite(editable, "keywords", lambda frame: frame.head(frame.height))
    found = send(bumped(editable, "1.1.0"), purge_history=True, confirm=REPO)
    repo = hub.repo(REPO)
    assert list(repo.commits) == [repo.head] and repo.tags == {"v1.1.0": found.commit}
    assert set(hub.lfs) == {e.sha256 for e in repo.files.values() if e.sha256}
    there = hub.bytes_of(REPO, "v1.1.0")
    del there[".gitattributes"]
    assert there == content(editable)
    assert send(editable, purge_history=True, confirm=REPO).commit == repo.head
