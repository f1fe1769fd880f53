"""The confidence threshold: of the profile, told by the manifest, and everything follows it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from release_kit import Built, build, read_json, rewrite, table

from builder.config.campaign import Campaign
from builder.config.profile import PROFILES
from builder.release.assemble import file_digest
from builder.review.draw import write_review
from builder.sources.simulate.simulate import simulate
from builder.validate.quality import check_quality
from builder.validate.release import Release
from builder.validate.whole import validate

ECUADOR = Campaign.load()
OTHERS = frozenset(("probe", "transcribe", "language", "summarize", "entailment"))


def own_profile(folder: Path, threshold: float) -> Path:
    """The offline profile with another threshold."""
    text = (PROFILES / "offline.toml").read_text(encoding="utf-8")
    changed, places = re.subn(r"(?m)^threshold = 0\.75\b", f"threshold = {threshold}", text)
    assert places == 1
    path = folder / "lenient.toml"
    path.write_text(changed, encoding="utf-8")
    return path


def resign(release: Path, **changes: object) -> None:
    """Change keys of the manifest (None: leave it out), and let the report be about it."""
    manifest = read_json(release / "MANIFEST.json") | changes
    kept = {key: value for key, value in manifest.items() if value is not None}
    (release / "MANIFEST.json").write_text(json.dumps(kept), encoding="utf-8")
    report = read_json(release / "validation.json")
    report["manifest_sha256"] = file_digest(release / "MANIFEST.json")
    (release / "validation.json").write_text(json.dumps(report), encoding="utf-8")


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A release with labels of the offline model, flagged under 0.6."""
    folder = tmp_path_factory.mktemp("lenient")
    simulate(ECUADOR, videos=60, seed=5, out=folder / "pages")
    profile = own_profile(folder, 0.6)
    return build(folder, folder / "pages", skip=OTHERS, profile=str(profile))


def test_a_release_with_another_threshold_follows_it_and_passes(lenient: Built) -> None:
    assert lenient.manifest["sentiment_threshold"] == 0.6
    assert validate(lenient.release)["contract"]["verdict"] == "pass"
    rows = lenient.frame("sentiment").drop_nulls("confidence")
    low = rows["confidence"].to_numpy() < np.float32(0.6)
    assert 0 < low.sum() < rows.height, "the rows must lie on both sides"
    assert rows["confidence"].is_between(0.61, 0.74).any(), "or 0.75 would do as well"
    assert rows["low_confidence"].to_list() == low.tolist()
    # the stage itself flagged with it
    parts = [pl.read_parquet(part) for part in lenient.work.glob("sentiment/*/part-*.parquet")]
    stage = pl.concat(parts).drop_nulls("confidence")
    wanted = stage["confidence"].to_numpy() < np.float32(0.6)
    assert stage["low_confidence"].to_list() == wanted.tolist()


def test_report_card_and_review_say_the_threshold_of_the_release(
    lenient: Built, tmp_path: Path
) -> None:
    quality = lenient.report["quality"]
    assert quality["sentiment"]["threshold"] == 0.6
    flagged = int(lenient.frame("sentiment")["low_confidence"].sum())
    assert quality["sentiment"]["flagged_count"] == flagged
    card = (lenient.release / "README.md").read_text(encoding="utf-8")
    assert "`low_confidence` flags sentiment labels whose confidence is under 0.6." in card
    page = (lenient.release / "validation.html").read_text(encoding="utf-8")
    assert "have a confidence of 0.6 or more" in page
    rule = "low_confidence is true exactly where the confidence is under 0.6"
    assert rule in [check["name"] for check in lenient.report["contract"]["checks"]]
    write_review(Release(lenient.release), tmp_path / "review.csv", rows=20)
    design = (tmp_path / "review.design.json").read_text(encoding="utf-8")
    assert "under 0.6" in design and "under 0.75" not in design


def test_flags_that_disagree_with_the_manifest_break_the_contract(
    lenient: Built, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(lenient.release, tmp_path / lenient.release.name))
    resign(copy, sentiment_threshold=0.75)
    broken = [c for c in validate(copy)["contract"]["checks"] if c["verdict"] == "fail"]
    assert [check["name"] for check in broken] == [
        "low_confidence is true exactly where the confidence is under 0.75"
    ]
    rows = table(copy, "sentiment").drop_nulls("confidence")
    confidence = rows["confidence"].to_numpy()
    between = (confidence >= np.float32(0.6)) & (confidence < np.float32(0.75))
    assert broken[0]["count"] == between.sum() > 0


def test_one_wrong_flag_breaks_the_contract(lenient: Built, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(lenient.release, tmp_path / lenient.release.name))
    first = table(copy, "sentiment").drop_nulls("confidence")["video_id"][0]

    def turn(frame: pl.DataFrame) -> pl.DataFrame:
        mine = pl.col("video_id") == first
        flag = pl.col("low_confidence")
        return frame.with_columns(low_confidence=pl.when(mine).then(~flag).otherwise(flag))

    for config in ("sentiment", "videos"):
        rewrite(copy, config, turn)
    broken = [c for c in validate(copy)["contract"]["checks"] if c["verdict"] == "fail"]
    assert [(c["name"][:14], c["count"]) for c in broken] == [("low_confidence", 1)]


def test_a_build_without_models_tells_the_profiles_threshold_too(tmp_path: Path) -> None:
    simulate(ECUADOR, videos=20, seed=6, out=tmp_path / "pages")
    made = build(tmp_path, tmp_path / "pages", profile=str(own_profile(tmp_path, 0.9)))
    assert made.manifest["sentiment_threshold"] == 0.9
    assert made.manifest["profile"] is None, "no model ran"
    assert validate(made.release)["contract"]["verdict"] == "pass"


@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.75, 0.9])
def test_a_confidence_that_is_the_threshold_is_high_in_table_and_report(
    editable: Path, threshold: float
) -> None:
    """0.7 stored as float32 is smaller than the 0.7 of Python: the rule must not see that."""
    score, rest = (pl.lit(x, pl.Float32) for x in (threshold, (1 - threshold) / 2))
    rewrite(
        editable,
        "sentiment",
        lambda frame: frame.with_columns(
            label=pl.lit("neutral"), confidence=score, score_neutral=score, score_negative=rest,
            score_positive=rest, low_confidence=pl.lit(False), status=pl.lit("ok"),
        ),
    )  # fmt: skip
    rewrite(
        editable,
        "videos",
        lambda frame: frame.with_columns(
            sentiment=pl.lit("neutral"), sentiment_confidence=score, low_confidence=pl.lit(False)
        ),
    )
    resign(editable, sentiment_threshold=threshold)
    assert validate(editable)["contract"]["verdict"] == "pass"
    quality = check_quality(Release(editable), ECUADOR)
    assert quality["sentiment"]["flagged_count"] == 0
    assert quality["sentiment"]["high_confidence_share"] == 1.0
    assert quality["low_confidence_share"] == 0.0


def test_a_release_of_an_earlier_version_has_the_default(editable: Path) -> None:
    resign(editable, sentiment_threshold=None, media=None)
    assert Release(editable).threshold == 0.75
    assert validate(editable)["contract"]["verdict"] == "pass"
