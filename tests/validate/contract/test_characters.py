"""U+FFFD anywhere in a release fails the contract, and the text itself is not repeated."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from release_kit import rewrite, sign

from builder.validate.contract.check import Check
from builder.validate.contract.leaks import check_leaks
from builder.validate.release import Release


def check_characters(release: Release) -> Check:
    return next(check for check in check_leaks(release, None, None) if "U+FFFD" in check.name)


def test_a_clean_release_passes(editable: Path) -> None:
    assert check_characters(Release(editable)).verdict == "pass"


@pytest.mark.parametrize(
    ("config", "column"), [("summaries", "summary"), ("transcripts", "text"), ("keywords", "term")]
)
def test_a_lost_character_in_a_cell_fails(editable: Path, config: str, column: str) -> None:
    rewrite(
        editable,
        config,
        lambda frame: frame.with_columns(
            pl.when(pl.int_range(pl.len()) == 1)
            .then(pl.lit("coraz\ufffdn secreto"))
            .otherwise(pl.col(column))
            .alias(column)
        ),
    )
    check = check_characters(Release(editable))
    assert (check.verdict, check.count) == ("fail", 1)
    assert (check.problems[0].file, check.problems[0].row) == (config, "1")
    assert "secreto" not in str(check.as_dict())


def test_a_lost_character_in_a_list_or_a_file_fails(editable: Path) -> None:
    rewrite(
        editable,
        "metadata",
        lambda frame: frame.with_columns(hashtags=pl.lit(["a\ufffdo"], pl.List(pl.String))),
    )
    with (editable / "README.md").open("a", encoding="utf-8") as card:
        card.write("coraz\ufffdn\n")
    sign(editable)
    check = check_characters(Release(editable))
    assert {problem.file for problem in check.problems} >= {"metadata"}
    assert check.count == Release(editable).columns("metadata", ["hashtags"]).height + 1
