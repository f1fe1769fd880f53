"""MANIFEST.json reads and writes itself; what is wrong in it is named."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from effort import examples
from fakes.manifests import smallest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from release_kit import Built

from builder.errors import BuilderError, UsageProblem
from builder.media.counts import MediaCounts
from builder.release.manifest import MANIFEST, BuildFacts, Manifest, ManifestProblem


def written(folder: Path, content: Any) -> Path:
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_built_manifest_comes_back_byte_for_byte(small: Built, tmp_path: Path) -> None:
    manifest = Manifest.read(small.release)
    manifest.write(tmp_path)
    assert (tmp_path / MANIFEST).read_bytes() == (small.release / MANIFEST).read_bytes()
    assert manifest.window.start.isoformat() == small.manifest["window"]["start"]
    assert manifest.synthetic and manifest.campaign == "ecuador_2024"


def test_the_words_others_rely_on_are_there(small: Built) -> None:
    words = "version synthetic campaign counts dropped files models window privacy rows media"
    assert set(words.split()) <= set(small.manifest)
    assert small.manifest["sentiment_threshold"] == 0.75


def test_keys_of_a_newer_version_are_kept_everywhere(tmp_path: Path) -> None:
    newer = smallest() | {
        "signed_by": {"x": [1]},
        "window": smallest()["window"] | {"zone": "UTC"},
        "files": {"a.parquet": {"sha256": "00", "rows": 1, "size": 3}},
        "media": dict.fromkeys(("files", "matched", "unmatched", "not_an_id", "doubled", "new"), 1),
        "privacy": {"id_policy": "pseudonym", "min_hashtag_videos": 5},
    }
    manifest = Manifest.read(written(tmp_path, newer))
    told = manifest.as_dict()
    for key, value in newer.items():
        assert told[key] == value or value.items() <= told[key].items()


@pytest.mark.parametrize("key", sorted(smallest()))
def test_a_missing_key_is_named_with_file_and_way_out(tmp_path: Path, key: str) -> None:
    content = smallest()
    del content[key]
    with pytest.raises(ManifestProblem, match="lacks a key") as caught:
        Manifest.read(written(tmp_path, content))
    error = caught.value
    assert (error.field, error.file, error.exit_code) == (key, str(tmp_path / MANIFEST), 1)
    assert error.way_out


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("window", 3, "window"),
        ("window", {"start": "2024-01-01"}, "window.end"),
        ("window", {"start": "9. Januar", "end": "2024-01-02"}, "window.start"),
        ("window", {"start": 1, "end": "2024-01-02"}, "window.start"),
        ("window", {"start": "2024-01-03", "end": "2024-01-02"}, "window"),
        ("synthetic", "yes", "synthetic"),
        ("synthetic", 1, "synthetic"),
        ("version", 1.0, "version"),
        ("name", "", "name"),
        ("files", [], "files"),
        ("files", {"a": {"sha256": 1}}, "files.a.sha256"),
        ("files", {"a": {"sha256": "", "rows": "3"}}, "files.a.rows"),
        ("counts", {"ingest": {"in": -1}}, "counts.ingest.in"),
        ("sentiment_threshold", "high", "sentiment_threshold"),
        ("sentiment_threshold", 75, "sentiment_threshold"),
        ("optional_columns", "published_at", "optional_columns"),
        ("media", {"files": 1}, "media.matched"),
    ],
)
def test_a_wrong_type_is_named(tmp_path: Path, key: str, value: Any, field: str) -> None:
    with pytest.raises(ManifestProblem) as caught:
        Manifest.read(written(tmp_path, smallest() | {key: value}))
    assert caught.value.field == field


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", "\udcff", "[" * 100_000])
def test_what_is_no_manifest_is_no_release(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content.encode(errors="surrogateescape"))
    assert Manifest.find(tmp_path) is None
    with pytest.raises(UsageProblem, match="not a release"):
        Manifest.read(tmp_path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(Manifest.model_fields)), value=_JSON)
def test_whatever_stands_under_a_key_nothing_else_is_raised(
    tmp_path: Path, key: str, value: Any
) -> None:
    folder = written(tmp_path, smallest() | {key: value})
    try:
        manifest = Manifest.read(folder)
    except BuilderError as error:
        assert error.way_out
        return
    manifest.write(folder)
    assert Manifest.read(folder) == manifest


def test_a_note_about_a_file_that_is_no_utf8_can_be_written_and_read(tmp_path: Path) -> None:
    note = "columns of d\udce9c.csv matched"
    Manifest.model_validate(smallest() | {"notes": [note]}).write(tmp_path)
    assert Manifest.read(tmp_path).notes == ["columns of d\\udce9c.csv matched"]


def test_every_fact_of_a_build_is_a_key_of_the_manifest() -> None:
    assert {each.name for each in fields(BuildFacts)} <= set(Manifest.model_fields)


def test_media_in_words_leaves_out_what_is_zero() -> None:
    counts = MediaCounts(files=1200, matched=1199, unmatched=0, not_an_id=1, doubled=0)
    told = counts.in_words()
    assert (
        told == "1,200 files, 1,199 of them of videos of this campaign, 1 not named by a TikTok id"
    )
