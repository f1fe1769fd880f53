"""Coarser dates, counts and durations: what is released, and that the contract holds them to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from release_kit import Built, build, read_json, rewrite

from builder.config.campaign import Campaign
from builder.config.privacy import Privacy
from builder.errors import CampaignError
from builder.release.coarsen import coarse_day, coarsen
from builder.validate.whole import validate

COUNTS = ("view_count", "like_count", "comment_count", "share_count")
ECUADOR = Campaign.load()


def by_hand(value: int, digits: int) -> int:
    text = str(value)
    if len(text) <= digits:
        return value
    unit = 10 ** (len(text) - digits)
    return (value + unit // 2) // unit * unit


@given(
    st.lists(st.integers(0, 2**53), min_size=1, max_size=30),
    st.integers(1, 6),
)
@settings(max_examples=examples(60), deadline=None)
def test_significant_digits_as_by_hand_and_only_once(values: list[int], digits: int) -> None:
    frame = pl.DataFrame({"view_count": values}, schema={"view_count": pl.Int64})
    once = coarsen(frame, Privacy(round_counts=digits))
    assert once["view_count"].to_list() == [by_hand(value, digits) for value in values]
    assert coarsen(once, Privacy(round_counts=digits)).equals(once)


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)), st.sampled_from(["week", "month"]))
@settings(max_examples=examples(80), deadline=None)
def test_dates_of_weeks_and_months(day: dt.date, unit: str) -> None:
    frame = pl.DataFrame({"date": [day]})
    found = coarsen(frame, Privacy(date_resolution=unit))["date"][0]
    assert found == coarse_day(day, unit)
    if unit == "week":
        assert found.isocalendar()[:2] == day.isocalendar()[:2] and found.isoweekday() == 1
    else:
        assert (found.year, found.month, found.day) == (day.year, day.month, 1)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.integers(1, 60))
@settings(max_examples=examples(60), deadline=None)
def test_durations_and_what_would_tell_them(values: list[float], unit: int) -> None:
    privacy = Privacy(round_duration=unit)
    segments = [[{"start": 0.0, "end": value, "text": "x"}] for value in values]
    frame = pl.DataFrame(
        {"duration_seconds": values, "n_frames": [30] * len(values), "segments": segments},
        schema_overrides={"duration_seconds": pl.Float32},
    )
    once = coarsen(frame, privacy)
    assert once.schema == frame.schema
    assert all(value % unit == 0 for value in once["duration_seconds"])
    assert once["n_frames"].null_count() == once["segments"].null_count() == len(values)
    assert coarsen(once, privacy).equals(once)


def test_exact_changes_nothing() -> None:
    frame = pl.DataFrame(
        {"date": [dt.date(2024, 1, 9)], "view_count": [123_456], "duration_seconds": [12.345]}
    )
    assert coarsen(frame, Privacy()).equals(frame)


@pytest.mark.parametrize("value", ["0", "7", "true", "2.5", '"some"', "-1"])
def test_a_wrong_rounding_is_refused_by_name(own_campaign: Callable[..., Path], value: str) -> None:
    with pytest.raises(CampaignError, match="round_counts"):
        Campaign.load(own_campaign(round_counts=value))


@pytest.fixture(params=["week", "month"])
def coarse_build(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path], request: pytest.FixtureRequest
) -> tuple[Built, str]:
    campaign = own_campaign(
        date_resolution=f'"{request.param}"', round_counts="1", round_duration="10"
    )
    return build(tmp_path, small.pages, campaign=str(campaign)), request.param


def test_a_coarse_release_keeps_its_contract(coarse_build: tuple[Built, str], small: Built) -> None:
    built, unit = coarse_build
    assert built.report["contract"]["verdict"] == "pass"
    exact = {row["video_id"]: row for row in small.frame("videos").iter_rows(named=True)}
    rows = built.frame("videos")
    assert rows.height == len(exact)
    for row in rows.iter_rows(named=True):
        true = exact[row["video_id"]]
        assert row["date"] == coarse_day(true["date"], unit)
        assert [row[c] for c in COUNTS] == [by_hand(true[c], 1) for c in COUNTS]
        assert row["duration_seconds"] is None or row["duration_seconds"] % 10 == 0
        assert row["transcript"] == true["transcript"]
    assert rows.equals(rows.sort("date", "video_id"))
    days = rows["date"].value_counts().rows()
    for event in built.frame("events").iter_rows(named=True):
        assert event["date"] in {e.date for e in ECUADOR.events}  # public: stays exact
        assert event["n_videos"] == dict(days).get(coarse_day(event["date"], unit), 0)
    assert built.manifest["privacy"]["date_resolution"] == unit
    assert built.manifest["privacy"]["round_counts"] == 1
    card = (built.release / "README.md").read_text(encoding="utf-8")
    assert "rounded to 1 significant digit" in card and "rounded to 10 s" in card
    assert "**Coarsened:" in card


def test_a_coarse_release_is_compared_where_it_can_be(coarse_build: tuple[Built, str]) -> None:
    built, _ = coarse_build
    for row in built.report["fidelity"]:
        if "day" in row["name"] or row["name"].startswith(("mean", "total")):
            assert row["verdict"] == "cannot be computed from this source", row
            assert "coarse" in row["note"] or "rounded" in row["note"], row
    assert any(r["name"].startswith("hashtag") and r["ours"] for r in built.report["fidelity"])


def test_coarser_is_less_unique(coarse_build: tuple[Built, str], small: Built) -> None:
    built, _ = coarse_build
    assert (
        built.report["privacy"]["uniqueness"][0]["share"]
        < small.report["privacy"]["uniqueness"][0]["share"]
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [("date", dt.date(2024, 1, 9)), ("view_count", 123_457), ("duration_seconds", 12.5)],
)
def test_values_finer_than_the_policy_break_the_contract(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path], column: str, value: object
) -> None:
    campaign = own_campaign(date_resolution='"week"', round_counts="1", round_duration="10")
    built = build(tmp_path, small.pages, campaign=str(campaign))
    for config in ("videos", "metadata"):
        rewrite(
            built.release,
            config,
            lambda frame: frame.with_columns(
                pl.when(pl.int_range(pl.len()) == 1)
                .then(pl.lit(value, frame.schema[column]))
                .otherwise(column)
                .alias(column)
            ),
        )
    checks = validate(built.release, ECUADOR)["contract"]["checks"]
    check = next(c for c in checks if "as coarse as" in c["name"])
    assert check["verdict"] == "fail"
    assert check["problems"][0]["field"] == column
    assert str(value) not in str(check["problems"])


def test_counts_and_duration_left_out(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path]
) -> None:
    campaign = own_campaign(round_counts='"omit"', round_duration='"omit"')
    built = build(tmp_path, small.pages, campaign=str(campaign))
    rows = built.frame("videos")
    assert all(rows[c].null_count() == rows.height for c in (*COUNTS, "duration_seconds"))
    assert built.report["contract"]["verdict"] == "pass"
    assert built.report["privacy"]["uniqueness"][0]["facts"] == "date"
    stated = read_json(built.release / "MANIFEST.json")["privacy"]
    assert (stated["round_counts"], stated["round_duration"]) == ("omit", "omit")
