"""Whatever the Hub or the network does: the old version or the new one, never twice, a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FakeHub
from publish_kit import REPO, TOKEN, bumped
from release_kit import Built, content, run_cli

from builder.errors import BuilderError
from builder.publish.hub.client import Hub
from builder.publish.problems import (
    HubBusy,
    HubDiffers,
    HubUnreachable,
    NamespaceProblem,
    ParentMoved,
    PublishRefused,
    TokenProblem,
)
from builder.publish.publish import publish
from builder.publish.wish import Published, Wish

Send = Callable[..., Published]
COMMIT = r"/commit/"


def published(hub: FakeHub, release: Path, tag: str = "v1.0.0") -> None:
    """One commit on top of the first, tagged, with exactly these files."""
    repo = hub.repo(REPO)
    assert len(repo.history()) == 2 and repo.tags == {tag: repo.head}
    there = hub.bytes_of(REPO, tag)
    del there[".gitattributes"]
    assert there == content(release)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500, "landed": True}, id="500 but landed"),
        pytest.param({"status": 503, "landed": True}, id="503 but landed"),
        pytest.param({"status": 504, "landed": True}, id="504 but landed"),
        pytest.param({"status": None, "landed": True}, id="connection lost, but landed"),
        pytest.param({"status": None}, id="connection lost before"),
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 502, "times": 2}, id="502 twice"),
        pytest.param({"status": 429, "headers": {"Retry-After": "7"}}, id="429"),
    ],
)
def test_a_commit_that_goes_wrong_once_is_made_once(
    hub: FakeHub, small: Built, send: Send, fault: dict[str, Any]
) -> None:
    hub.fail("POST", COMMIT, **fault)
    send(small.release)
    published(hub, small.release)


def test_a_commit_that_landed_after_the_time_was_up(hub: FakeHub, small: Built) -> None:
    hub.fail("POST", COMMIT, status=None, landed=True, delay=4.0)
    ours = Hub(REPO, hub.endpoint, timeout=1.5, sleep=lambda seconds: None)
    publish(Wish(small.release, REPO, private=True, yes=True), ours)
    assert hub.asked("POST", COMMIT) == 1
    published(hub, small.release)


def test_a_commit_that_lands_only_after_we_looked(hub: FakeHub, small: Built, send: Send) -> None:
    """The first answer is lost and HEAD still old; it lands before the second attempt."""
    send(small.release, yes=False)
    release, held = small.release, []

    def sleep(seconds: float) -> None:
        if held:
            hub.answer(held.pop())  # the slow commit lands now

    ours = Hub(REPO, hub.endpoint, timeout=5.0, sleep=sleep)
    answer = hub.answer

    def late(request: Any) -> Any:
        if COMMIT in request.path and not hub.asked("POST", r"/never/") and not done:
            done.append(True)
            held.append(request)
            from fakes.hub_api import Problem

            return Problem(504, "too slow").answer()
        return answer(request)

    done: list[bool] = []
    hub.answer = late  # type: ignore[method-assign]
    publish(Wish(release, REPO, private=True, yes=True), ours)
    assert hub.asked("POST", COMMIT) == 2
    published(hub, release)


REQUESTS = [
    ("GET", r"/api/whoami"),
    ("GET", rf"/api/datasets/{REPO}$"),
    ("GET", r"/tree/"),
    ("GET", r"/refs$"),
    ("POST", r"/repos/create"),
    ("POST", r"/preupload/"),
    ("POST", r"/lfs/objects/batch"),
    ("PUT", r"/_lfs/"),
    ("POST", r"/_lfs/\w+/verify"),
    ("POST", r"/tag/"),
]
FAULTS: list[dict[str, Any]] = [{"status": 503}, {"status": None}, {"status": 429}]


@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [  # each request with one fault, and one of them with all
        *((*request, FAULTS[number % 3]) for number, request in enumerate(REQUESTS)),
        *((*REQUESTS[7], fault) for fault in FAULTS),
    ],
)
def test_every_other_request_may_fail_once(
    hub: FakeHub, small: Built, send: Send, method: str, path: str, fault: dict[str, Any]
) -> None:
    struck = hub.fail(method, path, **fault)
    send(small.release)
    assert struck.times == 0
    published(hub, small.release)


def test_a_tag_that_was_made_without_an_answer(hub: FakeHub, small: Built, send: Send) -> None:
    hub.fail("POST", r"/tag/", status=500, landed=True)
    send(small.release)
    published(hub, small.release)


def test_the_wait_the_hub_asks_for_is_kept(hub: FakeHub, small: Built) -> None:
    waited: list[float] = []
    hub.fail("POST", COMMIT, status=429, headers={"Retry-After": "7"})
    hub.fail("POST", COMMIT, status=429, headers={"Retry-After": "86400"})
    ours = Hub(REPO, hub.endpoint, timeout=5.0, sleep=waited.append)
    publish(Wish(small.release, REPO, private=True, yes=True), ours)
    assert waited == [7.0, 60.0]


def untouched(
    hub: FakeHub, send: Send, release: Path, kind: type[BuilderError], **wish: Any
) -> str:
    """The command fails in this way, the old version stays, and the next run finishes."""
    repo = hub.repos.get(("dataset", REPO))
    before = repo.head if repo else None
    with pytest.raises(kind) as caught:
        send(release, **wish)
    repo = hub.repos.get(("dataset", REPO))
    assert repo is None or (before in (None, repo.head) and len(repo.tags) <= 1)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503, None])
def test_a_hub_that_stays_broken_is_told_and_the_next_run_finishes(
    hub: FakeHub, small: Built, send: Send, status: int | None
) -> None:
    fault = hub.fail("POST", COMMIT, status=status, times=99)
    kind = HubUnreachable if status is None else HubBusy
    told = untouched(hub, send, small.release, kind)
    assert "run the same command again" in told and kind("x").exit_code == 3
    fault.times = 0
    uploads = hub.asked("PUT", r"/_lfs/")
    send(small.release)
    published(hub, small.release)
    assert hub.asked("PUT", r"/_lfs/") == uploads  # what arrived is not sent again


def test_somebody_else_committed_meanwhile(
    hub: FakeHub, small: Built, editable: Path, send: Send
) -> None:
    send(small.release)
    repo = hub.repo(REPO)

    def theirs() -> None:
        repo.commit({**repo.files, "notes.md": repo.files["README.md"]}, "theirs")

    hub.fail("POST", r"/preupload/", status=503, before=theirs)
    with pytest.raises(ParentMoved, match="somebody else"):
        send(bumped(editable, "1.1.0"))
    assert repo.history()[0].title == "theirs" and "v1.1.0" not in repo.tags
    send(editable)
    assert "notes.md" not in repo.files and repo.tags["v1.1.0"] == repo.head


@pytest.mark.parametrize(
    ("user", "kind", "word"),
    [
        ({"role": "read"}, TokenProblem, "only read"),
        ({"expired": True}, TokenProblem, "expired"),
        ({"name": "sim_other"}, NamespaceProblem, "namespace"),
    ],
)
def test_a_token_that_may_not_write(
    hub: FakeHub, small: Built, send: Send, user: dict[str, Any], kind: Any, word: str
) -> None:
    hub.token(TOKEN, **{"name": "sim_lab", **user})
    told = untouched(hub, send, small.release, kind)
    assert word in told and "HF_TOKEN" in told
    assert hub.repos == {} and hub.lfs == {}


def test_a_token_nobody_knows(hub: FakeHub, small: Built, send: Send) -> None:
    hub.users.clear()
    assert "mistyped" in untouched(hub, send, small.release, TokenProblem)


def test_no_token(
    hub: FakeHub, small: Built, send: Send, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    assert "no token" in untouched(hub, send, small.release, TokenProblem)
    send(small.release, yes=False)  # looking needs none


def test_a_commit_that_is_forbidden(hub: FakeHub, small: Built, send: Send) -> None:
    hub.fail("POST", COMMIT, status=403)
    assert "may not write" in untouched(hub, send, small.release, TokenProblem)


def test_a_hub_that_keeps_other_bytes_gets_no_tag(
    hub: FakeHub, small: Built, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes import hub_api

    monkeypatch.setattr(hub_api.Entry, "etag", property(lambda entry: entry.oid))
    real = hub_api._file

    def bent(path: str, entry: Any) -> dict[str, Any]:
        told = real(path, entry)
        return {**told, "oid": "0" * 40} if path == "README.md" else told

    monkeypatch.setattr(hub_api, "_file", bent)
    with pytest.raises(HubDiffers, match=r"1 file\(s\): README.md"):
        send(small.release)
    assert hub.repo(REPO).tags == {}


def test_a_file_that_changes_while_it_is_published(
    hub: FakeHub, editable: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "builder.publish.publish.scan",
        lambda folder, paths: (folder / "README.md").write_text("other", encoding="utf-8"),
    )
    with pytest.raises(HubDiffers, match="changed while"):
        send(editable)
    assert len(hub.repo(REPO).history()) == 1


def test_settings_that_cannot_be_set_stop_before_the_first_byte(
    hub: FakeHub, small: Built, send: Send
) -> None:
    hub.fail("PUT", r"/settings$", status=403)
    with pytest.raises(TokenProblem):
        send(small.release, private=False, gated="auto")
    assert hub.lfs == {} and hub.repo(REPO).private


def test_offline_is_said(
    hub: FakeHub, small: Built, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in untouched(hub, send, small.release, HubUnreachable)


@pytest.mark.slow
def test_the_command_speaks_and_has_its_exit_codes(hub: FakeHub, small: Built) -> None:
    environment = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0"}
    wish = ("publish", small.release, "--repo", REPO)
    shown = run_cli(*wish, "--private", **environment)
    assert (shown.returncode, hub.repos) == (0, {}), shown.stderr
    assert "nothing was changed; add --yes" in shown.stdout and "rows added" in shown.stdout
    done = run_cli(*wish, "--private", "--yes", **environment)
    assert done.returncode == 0, done.stderr
    assert "read back and compared" in done.stdout
    published(hub, small.release)
    hub.users.clear()
    failed = run_cli(*wish, "--private", "--yes", **environment)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert TOKEN not in failed.stdout + failed.stderr


def test_a_file_outside_the_allow_list(hub: FakeHub, editable: Path, send: Send) -> None:
    (editable / "crosswalk.parquet").write_bytes(b"PAR1")
    with pytest.raises(PublishRefused, match=r"do not belong.*crosswalk\.parquet"):
        send(editable)
    assert hub.log == []
