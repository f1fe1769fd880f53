"""How many videos could be found again, and the report around it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from release_kit import Built, build, read_json, rewrite

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
    shares = [row["share"] for row in found.values() if row["kind"] == "metadata"]
    assert max(shares) == shares[0] and shares[-1] < shares[0]


def test_texts_and_hashtag_sets_are_counted_as_by_hand(small: Built) -> None:
    found = {row["facts"]: row for row in check_privacy(Release(small.release))["uniqueness"]}

    def plain(text: str) -> str:
        bare = unicodedata.normalize("NFKD", text).lower()
        bare = "".join(c for c in bare if not unicodedata.category(c).startswith("M"))
        return " ".join("".join(c if c.isalnum() else " " for c in bare).split())

    rows = small.frame("transcripts").drop_nulls("text")
    for source, name in (("whisper", "Whisper"), ("api", "Research API")):
        seen = Counter(plain(text) for text in rows.filter(source=source)["text"])
        seen.pop("", None)
        row = next(row for facts, row in found.items() if facts.startswith(f"{name} transcript"))
        assert row["rows"] == sum(seen.values()) > 0
        assert row["unique"] == sum(n == 1 for n in seen.values()) > 0
    sets = Counter(
        tuple(sorted(tags))
        for tags in small.frame("metadata")["hashtags"].drop_nulls()
        if len(tags)
    )
    row = found["set of hashtags"]
    assert (row["rows"], row["unique"]) == (
        sum(sets.values()), sum(n == 1 for n in sets.values()),
    )  # fmt: skip


def test_one_segment_can_give_a_video_away(editable: Path) -> None:
    """Two videos with the same segments are not alone; a third has one segment of its own."""
    shared = [{"start": 0.0, "end": 1.0, "text": "Hola, ¿qué tal?"}]
    own = [*shared, {"start": 1.0, "end": 2.0, "text": "algo muy suyo"}]

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        values = [shared, [{**shared[0], "text": "hola que tal"}], own]
        return frame.with_columns(
            segments=pl.Series(
                [*values, *[None] * (frame.height - 3)], dtype=frame.schema["segments"]
            ),
            video_id=pl.int_range(pl.len()).cast(pl.String),
        )

    rewrite(editable, "transcripts", change)
    found = check_privacy(Release(editable))["uniqueness"]
    row = next(row for row in found if "segment" in row["facts"])
    assert (row["rows"], row["unique"]) == (3, 1)


def test_published_at_and_author_are_part_of_what_is_released(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path]
) -> None:
    campaign = own_campaign(date_resolution='"second"', author_pseudonym="true")
    built = build(tmp_path, small.pages, campaign=str(campaign))
    found = built.report["privacy"]["uniqueness"]
    assert "publication second" in found[0]["facts"] and "author_id" in found[0]["facts"]
    assert found[0]["share"] == 1.0
    assert any(row["facts"].startswith("date + all counts") for row in found)


def test_no_pseudonym_survives_text_matching_is_said(small: Built) -> None:
    assert any("text matching" in line for line in small.report["privacy"]["linkage"])
    card = (small.release / "README.md").read_text(encoding="utf-8")
    page = (small.release / "validation.html").read_text(encoding="utf-8")
    for text in (card, page):
        assert "No pseudonym survives text matching" in text
        assert "published the TikTok ids of these videos together with" in " ".join(text.split())


def test_without_counts_and_duration_the_date_and_the_texts_are_counted(editable: Path) -> None:
    none = [pl.lit(None, pl.Int64).alias(c) for c in (*COUNTS, "favorites_count")]
    rewrite(
        editable,
        "metadata",
        lambda f: f.with_columns(*none, duration_seconds=pl.lit(None, pl.Float32)),
    )
    found = check_privacy(Release(editable))["uniqueness"]
    assert [row["facts"] for row in found][:3] == ["date", "week", "month"]
    assert {row["kind"] for row in found} == {"metadata", "text", "hashtags"}


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
    assert render_html(report, figures="figures/index.html") == page


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
