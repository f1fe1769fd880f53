"""How many videos could be found again, and the report around it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from release_kit import Built, read_json, rewrite

from builder.errors import UsageProblem
from builder.validate.contract.check import Check, Problem, shown
from builder.validate.privacy import check_privacy
from builder.validate.release import Release
from builder.validate.whole import render_html, validate

COUNTS = ("view_count", "like_count", "comment_count", "share_count")


def rounded(value: int, digits: int) -> int:
    """Significant digits, half away from zero, by strings."""
    text = str(value)
    if len(text) <= digits:
        return value
    unit = 10 ** (len(text) - digits)
    return (value + unit // 2) // unit * unit


def test_uniqueness_is_counted_as_by_hand(small: Built) -> None:
    found = {row["facts"]: row for row in check_privacy(Release(small.release))["uniqueness"]}
    rows = small.frame("metadata").rows(named=True)

    def alone(key: object) -> int:
        seen = Counter(map(key, rows))  # type: ignore[arg-type]
        return sum(count == 1 for count in seen.values())

    exact = alone(lambda r: (r["date"], *(r[c] for c in COUNTS), r["duration_seconds"]))
    first = next(iter(found.values()))
    assert first["unique"] == exact and first["share"] == round(exact / len(rows), 4)
    for digits in (1, 2):
        name = next(n for n in found if f"counts to {digits} significant" in n and "date" in n)
        coarse = alone(
            lambda r, d=digits: (
                r["date"], *(rounded(r[c], d) for c in COUNTS), r["duration_seconds"],
            )
        )  # fmt: skip
        assert abs(found[name]["unique"] - coarse) <= 1  # ties at a half may round either way
    shares = [row["share"] for row in found.values()]
    assert shares[-1] <= shares[0]


def test_no_counts_and_no_duration_no_uniqueness(editable: Path) -> None:
    none = [pl.lit(None, pl.Int64).alias(c) for c in COUNTS]
    rewrite(
        editable,
        "metadata",
        lambda f: f.with_columns(*none, duration_seconds=pl.lit(None, pl.Float32)),
    )
    assert check_privacy(Release(editable))["uniqueness"] == []


def test_the_report_repeats_what_was_scrubbed(small: Built) -> None:
    privacy = small.report["privacy"]
    assert privacy["scrubbed"] == small.manifest["scrubbed"]
    assert privacy["scrubbed"]["api_text"]["handle"] >= 2
    assert privacy["hashtags_folded"]["rare"] > 0


def test_the_report_names_the_manifest_it_is_about(small: Built) -> None:
    from builder.release.assemble import file_digest

    assert small.report["manifest_sha256"] == file_digest(small.release / "MANIFEST.json")
    again = validate(small.release)
    assert again["verdict"] == "pass"
    assert again["contract"]["verdict"] == "pass"


def test_quality_counts(small: Built) -> None:
    counts = small.report["quality"]["counts"]
    statuses = small.frame("videos")["transcript_status"].value_counts()
    assert counts["transcript_status"] == dict(statuses.iter_rows())


def test_the_page_shows_every_part(small: Built) -> None:
    page = (small.release / "validation.html").read_text(encoding="utf-8")
    for part in ("contract", "fidelity", "privacy", "quality"):
        assert f'id="{part}"' in page
    assert "Synthetic data" in page
    report = read_json(small.release / "validation.json")
    assert render_html(report) == page


def test_a_check_names_twenty_places_and_counts_all() -> None:
    check = Check("rule")
    assert check.verdict == "pass"
    for row in range(50):
        check.fail(Problem("f", str(row), "c", "v", "w"))
    assert (check.verdict, check.count, len(check.problems)) == ("fail", 50, 20)
    assert len(shown("x" * 500)) == 60


@pytest.mark.parametrize("content", [None, "[]", "nonsense"])
def test_what_is_no_release(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "MANIFEST.json").write_text(content)
    with pytest.raises(UsageProblem, match="not a release"):
        Release(tmp_path)
