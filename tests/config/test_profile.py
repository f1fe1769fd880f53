"""Profiles: the embedded ones load, and mistakes are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from faster_whisper.utils import _MODELS

from builder.annotate.nli.checkpoint import local_folder
from builder.annotate.whisper.weights import WHEEL_MODEL, hub_name
from builder.config.profile import EMBEDDED, PROFILES, ProfileError, load_profile

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_profiles_load(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.asr.model
    assert profile.nli.model
    assert profile.nli.backend == "ctranslate2", "the choice must not differ between machines"
    assert profile == load_profile(PROFILES / f"{name}.toml")


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_models_of_an_embedded_profile_are_known(name: str) -> None:
    profile = load_profile(name)
    # the wheels', or one that faster-whisper itself fetches by that name
    assert profile.asr.model in {WHEEL_MODEL, *_MODELS.values()}
    if profile.asr.model != WHEEL_MODEL:
        assert hub_name(profile.asr.model) == profile.asr.model
        assert re.fullmatch(r"[0-9a-f]{40}", profile.asr.revision or "")
    folder = local_folder(profile.nli.model)  # refuses what is neither shipped nor a Hub name
    assert (folder is None) == ("/" in profile.nli.model)
    assert bool(profile.summaries.base_url) == (profile.summaries.method == "llm")


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_profile_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    profile = load_profile(name)
    row = re.search(rf"^\| `{name}`.*$", page, re.MULTILINE)
    assert row, f"docs/profiles.md does not name {name}"
    for model in (profile.asr.model, profile.nli.model):
        assert model in row.group(), model
    assert profile.summaries.method in row.group()
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8") or (
        f"--profile {name}" in (ROOT / "README.md").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[nli]\nmodel = 'x'\nbackend = 'tpu'", "nli.backend"),
        ("[nli]\nmodel = 'x'\n[sentiment]\nthreshold = 2", "sentiment.threshold"),
        ("[nli]\nmodel = 'x'\n[sentiment]\ntemplate = 'no place'", "sentiment.template"),
        ("[nli]\nmodel = 'x'\n[sumaries]\nmethod = 'llm'", "sumaries"),
        ("[sentiment]\n", "nli"),
        ("[nli]\nmodel = 'x'\n[summaries]\nbase_url = 'http://u:pw@h/v1'", "summaries.base_url"),
        ("[nli\n", "cannot read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, toml: str, named: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert named in str(caught.value)
    assert "pw@h" not in str(caught.value)


def test_unknown_profile_lists_the_known() -> None:
    with pytest.raises(ProfileError, match=r"offline, paper, turbo"):
        load_profile("ofline")
