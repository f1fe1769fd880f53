"""An exact tier is for readers who were let in; each tier has a repository of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kill_kit
import pytest
from fakes.hub import FakeHub
from publish_kit import REPO, bumped, set_manifest
from release_kit import NAME, Built

from builder.publish.problems import PublishRefused
from builder.publish.refusals import check_audience
from builder.publish.wish import Published, Wish
from builder.release.manifest import Manifest

Send = Callable[..., Published]


@pytest.mark.parametrize(
    ("tier", "told", "wish", "fine"),
    [
        ("exact", {"names_scrubbed": True}, {}, False),
        ("exact", {"names_scrubbed": True}, {"private": True}, True),
        ("exact", {}, {"gated": "auto"}, True),
        ("exact", {}, {"gated": "manual"}, True),
        (None, {"names_scrubbed": True}, {}, True),
        (
            "public",
            {"names_scrubbed": False},
            {},
            False,
        ),  # with texts in which nobody looked for names
        ("public", {"names_scrubbed": True}, {}, True),
    ],
)
def test_who_may_be_open_to_everybody(
    small: Built, tier: str | None, told: dict[str, Any], wish: dict[str, Any], fine: bool
) -> None:
    manifest = Manifest.read(small.release).model_copy(update={"tier": tier, **told})
    asked = Wish(small.release, REPO, **wish)
    if fine:
        check_audience(asked, manifest, None)
        return
    with pytest.raises(PublishRefused) as caught:
        check_audience(asked, manifest, None)
    assert (f"{NAME}-public" in str(caught.value)) == (tier == "exact")


def test_a_public_tier_without_texts_holds_no_name(small: Built) -> None:
    manifest = Manifest.read(small.release)
    privacy = manifest.privacy.model_copy(update={"texts": False})
    public = manifest.model_copy(update={"tier": "public", "privacy": privacy})
    check_audience(Wish(small.release, REPO), public, None)


def test_no_tier_goes_on_top_of_another(
    hub: FakeHub, small: Built, editable: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.publish.publish.validate", kill_kit.passed)
    send(small.release)
    before = hub.repo(REPO).head
    set_manifest(bumped(editable, "1.1.0"), tier="exact")
    with pytest.raises(PublishRefused, match=r"holds the only release .* this is the exact tier"):
        send(editable)
    assert hub.repo(REPO).head == before
