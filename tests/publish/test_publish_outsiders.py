"""What a Hub, a proxy or a colleague does that nobody planned for.

Whatever it is: `main` shows the old version or the new one, never a mix, no version is committed
twice, and the next run finishes. The release itself is validated elsewhere.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import shutil
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kill_kit
import pytest
from fakes.hub import FakeHub
from fakes.hub_api import Answer, Problem, Request
from publish_kit import REPO, TOKEN, bumped
from release_kit import Built, content, rewrite

from builder.errors import BuilderError
from builder.publish.problems import (
    HubDiffers,
    HubProblem,
    NamespaceProblem,
    ParentMoved,
    PublishRefused,
    TokenProblem,
)
from builder.publish.wish import Published

Send = Callable[..., Published]
Bend = Callable[[Request, Answer], Answer]
COMMIT, PREUPLOAD = r"/commit/", r"/preupload/"


@pytest.fixture(autouse=True)
def _valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.publish.publish.validate", kill_kit.passed)
    # the library waits by itself, for seconds, when a storage fails
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(scope="module")
def after(small: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version: other rows in two tables."""
    folder = tmp_path_factory.mktemp("after")
    release = Path(shutil.copytree(small.release, folder / small.release.name))
    for config in ("keywords", "events"):
        rewrite(release, config, lambda frame: frame.reverse())
    return bumped(release, "1.1.0")


def bend(hub: FakeHub, method: str, path: str, change: Bend, times: int = 10**6) -> None:
    """Change what the Hub answers; the request was carried out."""
    real, left = hub.answer, [times]

    def answer(request: Request) -> Answer:
        given = real(request)
        if request.method == method and re.search(path, request.path) and left[0]:
            left[0] -= 1
            return change(request, given)
        return given

    hub.answer = answer  # type: ignore[method-assign]


def shown(hub: FakeHub, revision: str = "main") -> dict[str, bytes]:
    """What a reader sees, without what is git's."""
    there = hub.bytes_of(REPO, revision)
    del there[".gitattributes"]
    return there


def finished(hub: FakeHub, release: Path, commits: int = 2, tag: str = "v1.0.0") -> None:
    """Exactly this release, so many commits with the first, and the tag on the last."""
    repo = hub.repo(REPO)
    assert shown(hub) == content(release)
    assert (len(repo.history()), repo.tags.get(tag)) == (commits, repo.head)


def test_the_parent_moves_twice(hub: FakeHub, small: Built, after: Path, send: Send) -> None:
    send(small.release)
    hub.fail("POST", COMMIT, status=412, times=2)
    for _ in range(2):
        with pytest.raises(ParentMoved):
            send(after)
        assert shown(hub) == content(small.release) and "v1.1.0" not in hub.repo(REPO).tags
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_it_landed_unseen_and_somebody_committed_on_top(
    hub: FakeHub, small: Built, after: Path, send: Send
) -> None:
    """Ours is found below theirs: it is tagged, not made a second time."""
    send(small.release)
    repo = hub.repo(REPO)

    def theirs(request: Request, answer: Answer) -> Answer:
        repo.commit({**repo.files, "notes.md": repo.files["README.md"]}, "theirs")
        return Problem(500, "invented").answer()

    bend(hub, "POST", COMMIT, theirs, times=1)
    send(after)
    titles = [commit.title for commit in repo.history()]
    assert titles[0] == "theirs" and sum("1.1.0" in title for title in titles) == 1
    assert shown(hub, "v1.1.0") == content(after)


def test_it_was_never_tagged_and_somebody_committed_on_top(
    hub: FakeHub, small: Built, send: Send
) -> None:
    stopped = hub.fail("POST", r"/tag/", status=403, times=9)
    with pytest.raises(TokenProblem):
        send(small.release)
    repo, ours = hub.repo(REPO), hub.repo(REPO).head
    repo.commit({**repo.files, "notes.md": repo.files["README.md"]}, "theirs")
    stopped.times = 0
    found = send(small.release)
    assert repo.tags == {"v1.0.0": ours} and len(repo.history()) == 3
    assert shown(hub, "v1.0.0") == content(small.release)
    assert "on top of this version" in " ".join(found.notes)


@pytest.mark.parametrize("body", [b"", b'{"success": tr', b"<html>Bad gateway</html>", b"{}"])
def test_an_answer_to_a_commit_that_cannot_be_read(
    hub: FakeHub, small: Built, send: Send, body: bytes
) -> None:
    bend(hub, "POST", COMMIT, lambda request, answer: Answer(body), times=1)
    send(small.release)
    finished(hub, small.release)


@pytest.mark.parametrize("status", [404, 422])
def test_a_storage_that_never_confirms(
    hub: FakeHub, small: Built, after: Path, send: Send, status: int
) -> None:
    send(small.release)
    broken = hub.fail("POST", r"/verify$", status=status, times=99)
    with pytest.raises(HubProblem):
        send(after)
    assert shown(hub) == content(small.release)
    broken.times = 0
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_a_signed_link_that_expired(hub: FakeHub, small: Built, send: Send) -> None:
    expired = hub.fail("PUT", r"/_lfs/", status=403, message="Request has expired", times=99)
    with pytest.raises(HubProblem, match="clock"):
        send(small.release)
    assert len(hub.repo(REPO).history()) == 1
    expired.times = 1
    send(small.release)  # asks for another link
    finished(hub, small.release)


def modes(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    def bent(request: Request, answer: Answer) -> Answer:
        return Answer({"files": [{**file, **change(file)} for file in answer.data["files"]]})

    return bent


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(lambda file: "lfs", id="everything is large"),
        pytest.param(lambda file: "regular", id="everything is small"),
        pytest.param(
            lambda file: "lfs" if file["uploadMode"] == "regular" else "regular", id="swapped"
        ),
    ],
)
def test_wrong_modes_change_how_bytes_travel_and_not_which(
    hub: FakeHub, small: Built, after: Path, send: Send, mode: Callable[[Any], str]
) -> None:
    bend(hub, "POST", PREUPLOAD, modes(lambda file: {"uploadMode": mode(file)}))
    send(small.release)
    finished(hub, small.release)
    send(after)
    finished(hub, after, 3, "v1.1.0")


@pytest.mark.parametrize("path", ["README.md", "videos/train-00000-of-00001.parquet"])
def test_a_file_the_hub_wants_ignored_stops_the_commit(
    hub: FakeHub, small: Built, send: Send, path: str
) -> None:
    """Left to the library the commit would be made without it: half a release."""
    bend(hub, "POST", PREUPLOAD, modes(lambda file: {"shouldIgnore": file["path"] == path}), 1)
    with pytest.raises(HubDiffers, match=r"(?s)out of the commit: .*gitignore"):
        send(small.release)
    assert len(hub.repo(REPO).history()) == 1
    send(small.release)
    finished(hub, small.release)


def test_a_file_the_hub_says_to_have(hub: FakeHub, small: Built, after: Path, send: Send) -> None:
    send(small.release)
    from builder.publish.hub.state import Digest

    ours = Digest.of(after / "MANIFEST.json").git
    told = modes(lambda file: {"oid": ours} if file["path"] == "MANIFEST.json" else {})
    bend(hub, "POST", PREUPLOAD, told, 1)
    with pytest.raises(HubDiffers, match=r"MANIFEST\.json"):
        send(after)
    assert shown(hub) == content(small.release)
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_a_tag_of_that_name_on_another_commit(
    hub: FakeHub, small: Built, after: Path, send: Send
) -> None:
    send(small.release)
    repo = hub.repo(REPO)
    repo.tags["v1.1.0"] = repo.head
    for yes in (False, True):
        with pytest.raises(PublishRefused, match=r"tag v1\.1\.0 names another commit"):
            send(after, yes=yes)
    assert shown(hub) == content(small.release) and len(repo.history()) == 2
    del repo.tags["v1.1.0"]
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_a_tag_somebody_makes_in_between(hub: FakeHub, small: Built, send: Send) -> None:
    def theirs() -> None:
        repo = hub.repo(REPO)
        repo.tags["v1.0.0"] = repo.history()[-1].oid

    hub.fail("POST", r"/tag/", status=503, before=theirs)
    with pytest.raises(HubDiffers, match="names another one"):
        send(small.release)
    assert shown(hub) == content(small.release)
    del hub.repo(REPO).tags["v1.0.0"]
    send(small.release)
    finished(hub, small.release)


def test_listings_that_come_in_pages(hub: FakeHub, small: Built, after: Path, send: Send) -> None:
    hub.page = 3
    send(small.release)
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_a_wait_told_as_a_date_by_a_clock_that_is_a_year_off(
    hub: FakeHub, small: Built, ours: Any, send: Send
) -> None:
    waited: list[float] = []
    ours.sleep = waited.append
    now = dt.datetime(2023, 5, 1, 12, tzinfo=dt.UTC)
    told = {
        "Date": format_datetime(now, usegmt=True),
        "Retry-After": format_datetime(now + dt.timedelta(seconds=9), usegmt=True),
    }
    from builder.publish.hub.guards import asked_for

    assert asked_for(told) == 9.0 and asked_for({"Retry-After": "2.5"}) == 2.5
    assert asked_for({"Retry-After": "soon"}) is None and asked_for({}) is None
    hub.fail("POST", COMMIT, status=429, headers={"Retry-After": "2.5"})
    send(small.release)
    assert waited == [2.5]


def test_a_repository_that_was_renamed(hub: FakeHub, small: Built, send: Send) -> None:
    send(small.release)
    new = "sim_lab/Elsewhere"
    hub.repos["dataset", new] = hub.repos.pop(("dataset", REPO))
    before = hub.repo(new).head
    real = hub.answer

    def moved(request: Request) -> Answer:
        if REPO in request.path:
            where = hub.endpoint + request.path.replace(REPO, new)
            return Answer(b"", 307, {"Location": where})
        return real(request)

    hub.answer = moved  # type: ignore[method-assign]
    with pytest.raises(HubDiffers, match=f"moved to {new}"):
        send(small.release)
    assert hub.repo(new).head == before


def test_a_gated_repository_is_not_taken_for_an_absent_one(
    hub: FakeHub, small: Built, send: Send
) -> None:
    hub.fail("GET", rf"/api/datasets/{REPO}$", status=403, headers={"X-Error-Code": "GatedRepo"})
    with pytest.raises(TokenProblem, match="gated"):
        send(small.release, yes=False)


def test_a_commit_that_may_not_be_read_back(hub: FakeHub, small: Built, send: Send) -> None:
    told = {"X-Error-Code": "GatedRepo"}
    hub.fail("GET", rf"/api/datasets/{REPO}/revision/", status=403, headers=told)
    with pytest.raises(TokenProblem, match="reading"):
        send(small.release)
    assert hub.repo(REPO).tags == {}
    send(small.release)
    finished(hub, small.release)


def test_a_fine_grained_token_without_the_right_to_write(
    hub: FakeHub, small: Built, send: Send
) -> None:
    hub.token(TOKEN, name="sim_lab", role="fineGrained")
    with pytest.raises(NamespaceProblem):
        send(small.release)
    assert hub.lfs == {} and hub.repos == {}


def test_bytes_that_change_on_the_way(hub: FakeHub, small: Built, after: Path, send: Send) -> None:
    send(small.release)

    def other(request: Request, answer: Answer) -> Answer:
        data = answer.data.replace(b'"synthetic": true', b'"synthetic": null')
        return Answer(data, answer.status, answer.headers)

    bend(hub, "GET", r"/resolve/.*MANIFEST", other, 1)
    with pytest.raises(HubDiffers, match="other bytes arrived"):
        send(after)
    assert shown(hub) == content(small.release)
    send(after)
    finished(hub, after, 3, "v1.1.0")


def test_a_card_written_in_the_browser(hub: FakeHub, small: Built, after: Path, send: Send) -> None:
    """Before the first version it is replaced, and that is said; so is an edit after it."""
    hub.add(REPO, {"README.md": b"# soon\n"})
    hub.repo(REPO).private = True
    found = send(small.release, yes=False)
    assert "will be replaced: README.md" in " ".join(found.notes)
    send(small.release)
    finished(hub, small.release, 3)
    repo = hub.repo(REPO)
    hub.add(REPO, {"README.md": b"# better\n", ".gitattributes": b"* -text\n"})
    with pytest.raises(PublishRefused, match="published already"):
        send(small.release)
    found = send(after)
    assert "main was changed on the Hub since v1.0.0" in " ".join(found.notes)
    finished(hub, after, 5, "v1.1.0")
    assert hub.bytes_of(REPO)[".gitattributes"] == b"* -text\n" and repo.tags["v1.0.0"]


@pytest.mark.parametrize(
    ("wish", "told"),
    [({"private": False, "gated": "manual"}, "gated"), ({"private": True}, "private")],
)
def test_a_setting_the_hub_does_not_keep(
    hub: FakeHub, small: Built, send: Send, wish: dict[str, Any], told: str
) -> None:
    hub.add(REPO, {})
    hub.fail("PUT", r"/settings$", status=200, times=9)
    with pytest.raises(PublishRefused, match=f"did not keep.*not {told}"):
        send(small.release, **wish)
    assert hub.lfs == {} and len(hub.repo(REPO).history()) == 2


def test_a_repository_made_without_an_answer_opens_as_one_made_with(
    hub: FakeHub, small: Built, send: Send
) -> None:
    hub.fail("POST", r"/repos/create", status=500, landed=True)
    send(small.release, private=False, gated="manual")
    assert (hub.repo(REPO).private, hub.repo(REPO).gated) == (False, "manual")
    finished(hub, small.release)


STORM: list[dict[str, Any]] = [
    {"status": 500, "landed": True},
    {"status": None, "landed": True},
    {"status": None},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"status": 403},
    {"status": 404},
    {"status": 412},
    {"status": 409},
    {"status": 503, "times": 5},
    {"status": 200},
]


@pytest.mark.parametrize("seed", range(6))
def test_a_storm(hub: FakeHub, small: Built, after: Path, send: Send, seed: int) -> None:
    """Several faults of any kind, at any request; then the weather clears."""
    send(small.release)
    dice = random.Random(seed)
    repo, wanted = hub.repo(REPO), [content(small.release), content(after)]
    for _ in range(3):
        hub.faults.clear()
        for _ in range(dice.randint(1, 3)):
            method = dice.choice(["GET", "POST", "POST", "PUT"])
            hub.fail(method, r".", skip=dice.randint(0, 8), **dice.choice(STORM))
        try:
            send(after)
        except BuilderError as error:
            assert TOKEN not in str(error)
        assert shown(hub) in wanted
        assert repo.tags.get("v1.1.0", repo.head) == repo.head
    hub.faults.clear()
    send(after)
    finished(hub, after, 3, "v1.1.0")
    json.dumps(hub.log)
