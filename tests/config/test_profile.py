"""Profiles: the embedded ones load, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.config.profile import PROFILES, ProfileError, load_profile


@pytest.mark.parametrize("name", ["offline", "paper"])
def test_embedded_profiles_load(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.asr.model
    assert profile.nli.model
    assert profile.nli.backend == "ctranslate2", "the choice must not differ between machines"
    assert profile == load_profile(PROFILES / f"{name}.toml")


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
    with pytest.raises(ProfileError, match=r"offline, paper"):
        load_profile("ofline")
