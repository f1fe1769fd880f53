"""`diff`: rows by key, columns, size, and the version that fits; the changelog made of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_kit import bumped, set_manifest
from release_kit import NAME, Built, build, rewrite, sign

from builder.errors import UsageProblem
from builder.pipeline.tiers import check_previous
from builder.publish.changelog import bump_note, changelog
from builder.publish.diff import compare
from builder.publish.problems import PublishRefused
from builder.publish.versions import check_bump, next_version, parsed, too_small
from builder.release.manifest import Manifest

Frame = pl.DataFrame


def test_a_release_and_itself(small: Built) -> None:
    found = compare(small.release, small.release)
    assert found.bump == "no" and found.suggested == "1.0.0"
    assert all(config.same_rows and config.same_schema for config in found.configs.values())


def test_rows_added_removed_changed(small: Built, editable: Path) -> None:
    rewrite(editable, "metadata", lambda frame: frame[5:].with_columns(
        view_count=pl.when(pl.int_range(pl.len()) < 3).then(pl.col("view_count").fill_null(0) + 1)
        .otherwise("view_count")))  # fmt: skip
    there = compare(small.release, editable)
    found = there.configs["metadata"]
    assert (found.added, found.removed, found.changed) == (0, 5, 3)
    assert found.fields == {"view_count": 3}
    back = compare(editable, small.release).configs["metadata"]
    assert (back.added, back.removed, back.changed) == (5, 0, 3)
    assert there.bump == "minor" and there.suggested == "1.1.0"
    assert there.configs["sentiment"].same_rows


def test_order_is_no_difference_but_the_file_is_another(small: Built, editable: Path) -> None:
    rewrite(editable, "events", lambda frame: frame.reverse())
    found = compare(small.release, editable)
    assert found.configs["events"].same_rows and found.bump == "patch"
    assert found.files_changed == ["events/train-00000-of-00001.parquet"]


@pytest.mark.parametrize(
    ("change", "told", "bump"),
    [
        (lambda f: f.drop("english"), ("columns_removed", ["english"]), "major"),
        (lambda f: f.with_columns(new=pl.lit(1)), ("columns_added", ["new"]), "minor"),
        (
            lambda f: f.with_columns(pl.col("n_videos").cast(pl.Float64)),
            ("retyped", {"n_videos": "Int64 -> Float64"}),
            "major",
        ),
    ],
)
def test_columns(
    small: Built, editable: Path, change: Callable[[Frame], Frame], told: Any, bump: str
) -> None:
    path = next((editable / "keywords").glob("*.parquet"))
    change(pl.read_parquet(path)).write_parquet(path)
    sign(editable)
    found = compare(small.release, editable)
    assert getattr(found.configs["keywords"], told[0]) == told[1]
    assert found.bump == bump


def test_nested_values_count(small: Built, editable: Path) -> None:
    def other(frame: Frame) -> Frame:
        tags = frame["hashtags"].to_list()
        at = next(i for i, row in enumerate(tags) if row)
        tags[at] = [*tags[at], "another"]
        return frame.with_columns(pl.Series("hashtags", tags, dtype=frame["hashtags"].dtype))

    rewrite(editable, "metadata", other)
    assert compare(small.release, editable).configs["metadata"].fields == {"hashtags": 1}


def test_another_key_is_major(small: Built, editable: Path) -> None:
    set_manifest(editable, key_check="0" * 16)
    found = compare(small.release, editable)
    assert found.new_pseudonyms and found.bump == "major"
    assert any("no row can be matched" in line for line in found.lines())


def test_the_command(cli: Any, small: Built, editable: Path, tmp_path: Path) -> None:
    rewrite(editable, "keywords", lambda frame: frame[1:])
    done = cli("diff", small.release, editable, "--json", tmp_path / "d.json")
    assert done.code == 0 and "keywords: 1 row removed" in done.out
    told = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert told["configs"]["keywords"]["removed"] == 1 and told["bump"] == "minor"
    assert cli("diff", small.release, tmp_path).code == 2


@given(st.tuples(*[st.integers(0, 99)] * 3), st.sampled_from(["patch", "minor", "major"]))
def test_the_next_version_is_enough_and_later(numbers: tuple[int, int, int], bump: str) -> None:
    version = ".".join(map(str, numbers))
    after = next_version(version, bump)
    assert parsed(after) > parsed(version) and not too_small(version, after, bump)
    check_bump(version, after)
    for refused in (version, "0.0.0"):
        if refused != after:
            with pytest.raises(PublishRefused):
                check_bump(max(version, after, key=parsed), refused)


@pytest.mark.parametrize("version", ["1", "1.0", "v1.0.0", "1.0.0rc1", "1..0", "", "١.٠.٠"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(PublishRefused, match="no version"):
        parsed(version)


# -- the changelog -------------------------------------------------------------------------------


def test_the_card_tells_what_changed_and_keeps_earlier_entries(
    small: Built, own_campaign: Any, tmp_path: Path
) -> None:
    campaign = own_campaign()
    first = build(tmp_path / "a", small.pages, campaign=str(campaign))
    file = campaign / "campaign.toml"
    text = file.read_text(encoding="utf-8").replace('version = "1.0.0"', 'version = "1.1.0"')
    file.write_text(
        re.sub("min_hashtag_videos = \\d+", "min_hashtag_videos = 1", text), encoding="utf-8"
    )
    built = build(
        tmp_path / "b", small.pages, campaign=str(campaign), previous=first.release, name=NAME
    )
    card = (built.release / "README.md").read_text(encoding="utf-8")
    section = card.split("## Changelog\n", 1)[1]
    assert section.index("### 1.1.0") < section.index("### 1.0.0")
    changed = compare(first.release, built.release).configs["metadata"].changed
    assert changed and f"- `metadata`: {changed:,} rows changed, in `hashtags`" in section
    assert built.report["verdict"] == "pass"
    assert built.manifest["files"]["README.md"]["sha256"]


def test_a_bump_that_is_too_small_is_told(small: Built, editable: Path) -> None:
    rewrite(editable, "keywords", lambda frame: frame[1:])
    bumped(editable, "1.0.1")
    entries, found = changelog(small.release, editable, Manifest.read(editable))
    assert entries.startswith("### 1.0.1\n\nSince 1.0.0, a minor change:")
    assert "1.1.0 would fit" in str(bump_note(found))


def test_built_again_under_the_same_version_the_entry_is_replaced(
    small: Built, editable: Path, tmp_path: Path
) -> None:
    entries, _ = changelog(editable, small.release, small_manifest := Manifest.read(small.release))
    assert entries.count("### ") == 1 and small_manifest.version in entries


def test_only_a_release_of_the_campaign_is_a_previous_one(
    small: Built, editable: Path, tmp_path: Path
) -> None:
    from builder.config.campaign import Campaign

    check_previous(small.release, Campaign.load(), synthetic=True)
    for campaign, synthetic in ((Campaign.load(), False), (Campaign.load("brasilia_2023"), True)):
        with pytest.raises(UsageProblem, match="which this is not"):
            check_previous(editable, campaign, synthetic=synthetic)
    shutil.rmtree(editable)
    with pytest.raises(UsageProblem):
        check_previous(editable, Campaign.load(), synthetic=True)
