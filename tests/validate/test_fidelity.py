"""The paper's numbers beside ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from release_kit import Built, rewrite

from builder.config.campaign import Campaign
from builder.validate.fidelity import compare
from builder.validate.release import Release

ECUADOR = Campaign.load()
PAPER = ECUADOR.paper


def rows(release: Path, campaign: Campaign | None = ECUADOR) -> dict[str, dict[str, Any]]:
    return {row.name: row.as_dict() for row in compare(Release(release), campaign)}


@pytest.fixture(scope="module")
def of_the_paper(full: Built) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in full.report["fidelity"]}


@pytest.mark.slow
def test_the_simulated_campaign_matches_every_number(
    of_the_paper: dict[str, dict[str, Any]],
) -> None:
    verdicts = {name: row["verdict"] for name, row in of_the_paper.items()}
    contradictions = {n for n, v in verdicts.items() if v == "the paper contradicts itself"}
    assert contradictions == {"videos (Table 1)", "last day (abstract)", "mean like_count"}
    assert {v for n, v in verdicts.items() if n not in contradictions} == {"match"}
    assert all(of_the_paper[name]["note"] for name in contradictions)


@pytest.mark.slow
def test_every_number_of_the_paper_has_a_row(of_the_paper: dict[str, dict[str, Any]]) -> None:
    printed = {json.dumps(row["paper"], default=str) for row in of_the_paper.values()}
    for key in ("videos_in_text", "videos_in_table_1", "transcripts_whisper", "transcripts_api"):
        assert str(PAPER[key]) in printed
    for block in ("totals", "means"):
        assert {str(value) for value in PAPER[block].values()} <= printed
    for peak in PAPER["peaks"].values():
        assert json.dumps([str(peak["date"]), peak["value"]]) in printed
    assert len([n for n in of_the_paper if n.startswith("hashtag #")]) == 20
    # 2 + 3 days and counts, 4 totals, 4 means, 4 peaks, 20 hashtags and their order, 2 transcripts
    assert len(of_the_paper) == 5 + 12 + 21 + 2


@pytest.mark.slow
def test_the_contradictions_are_explained(of_the_paper: dict[str, dict[str, Any]]) -> None:
    likes = of_the_paper["mean like_count"]
    assert likes["paper"] == 1046.53 and likes["ours"] == 1041.73
    assert "n = 51,234" in likes["note"] and "1,041.73" in likes["note"]
    assert "51,470" in of_the_paper["videos (Table 1)"]["note"]
    assert of_the_paper["last day (abstract)"]["ours"] == "2024-03-07"


@pytest.mark.slow
def test_the_tables_of_the_full_build_really_say_so(full: Built) -> None:
    """Counted again, without the code under test."""
    frame = full.frame("metadata")
    assert frame.height == 51_479
    for column, total in PAPER["totals"].items():
        assert frame[column].sum() == total
        daily = frame.group_by("date").agg(pl.col(column).sum()).sort(column).tail(1)
        peak = PAPER["peaks"][column]
        assert daily.row(0) == (peak["date"], peak["value"])
    tags = frame["hashtags"].explode().value_counts().sort("count", descending=True)
    ranked = tags.filter(~pl.col("hashtags").is_in(list(ECUADOR.generic_hashtags))).head(20)
    assert dict(ranked.iter_rows()) == PAPER["hashtags"]
    usable = full.frame("transcripts").filter(pl.col("status") == "ok")["source"].value_counts()
    assert dict(usable.iter_rows()) == {"whisper": 32_385, "api": 12_368}
    assert full.report["verdict"] == "pass"


def test_a_number_that_differs_says_so(editable: Path) -> None:
    before = rows(editable)
    rewrite(editable, "metadata", lambda f: f.with_columns(pl.col("view_count") + 1))
    after = rows(editable)
    assert after["total view_count"]["verdict"] == "differs"
    assert after["total view_count"]["ours"] == before["total view_count"]["ours"] + 308
    assert after["total like_count"] == before["total like_count"]


@pytest.mark.slow
def test_of_the_full_build_one_view_less_is_seen(full: Built, tmp_path: Path) -> None:
    import shutil

    release = Path(shutil.copytree(full.release, tmp_path / "EcuadorCrisisTikTok"))

    def less(frame: pl.DataFrame) -> pl.DataFrame:
        first = pl.int_range(pl.len()) == 0
        return frame.with_columns(pl.when(first).then(pl.col("view_count") - 1)
                                  .otherwise("view_count").alias("view_count"))  # fmt: skip

    rewrite(release, "metadata", less)
    found = {name for name, row in rows(release).items() if row["verdict"] == "differs"}
    assert found == {"total view_count"}  # too little to show in a mean of two decimals


def test_columns_that_are_null_cannot_be_computed(editable: Path) -> None:
    def emptied(frame: pl.DataFrame) -> pl.DataFrame:
        none = [
            pl.lit(None, dtype=frame.schema[c]).alias(c) for c in (*PAPER["totals"], "hashtags")
        ]
        return frame.with_columns(none)

    rewrite(editable, "metadata", emptied)
    rewrite(editable, "transcripts", lambda f: f.filter(pl.col("source") != "api"))
    found = rows(editable)
    for name, row in found.items():
        if re.match("total|mean|peak|hashtag|top|transcripts .api", name):
            assert row["verdict"] == "cannot be computed from this source", name
            assert row["ours"] is None
    assert found["videos (text)"]["ours"] == 308


def test_a_campaign_without_a_paper_has_no_rows(small: Built) -> None:
    assert rows(small.release, None) == {}
    assert rows(small.release, ECUADOR.model_copy(update={"paper": {}})) == {}


def test_a_paper_that_prints_little(small: Built) -> None:
    paper = {"videos_in_text": 308, "totals": {"like_count": 5}}
    found = rows(small.release, ECUADOR.model_copy(update={"paper": paper}))
    assert found["videos (text)"]["verdict"] == "match"
    assert found["total like_count"]["verdict"] == "differs"
    assert set(found) == {
        "videos (text)", "first day (methods)", "last day (methods)", "total like_count",
    }  # fmt: skip
