"""Shares of sentiment, their intervals, and the phases of a crisis."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from builder.analyze import sentiment_over_time as over
from builder.validate.release import Tables

DAY = dt.date(2024, 1, 7)


def tables(folder: Path, rows: list[tuple[dt.date, str | None, bool | None, list[str]]]) -> Tables:
    """A release of (date, label, low confidence, hashtags)."""
    (folder / "videos").mkdir(parents=True)
    pl.DataFrame(
        {
            "date": [row[0] for row in rows],
            "sentiment": [row[1] for row in rows],
            "low_confidence": [row[2] for row in rows],
            "hashtags": [row[3] for row in rows],
            "language": ["es"] * len(rows),
        },
        schema={
            "date": pl.Date,
            "sentiment": pl.String,
            "low_confidence": pl.Boolean,
            "hashtags": pl.List(pl.String),
            "language": pl.String,
        },
    ).write_parquet(folder / "videos" / "train.parquet")
    return Tables(folder, 0.75)


def test_low_confidence_is_counted_apart(tmp_path: Path) -> None:
    rows = [(DAY, "negative", False, ["a"])] * 12 + [(DAY, "positive", True, ["a", "b"])] * 4
    rows += [(DAY, None, None, ["a"])] * 9
    shares = over.by_day(tables(tmp_path, rows))
    told = {(r["confidence"], r["label"]): r for r in shares.iter_rows(named=True)}
    high, low = told["high", "negative"], told["low", "positive"]
    assert (high["videos"], high["of"], high["share"]) == (12, 12, 1.0)
    assert (high["low"], high["high"]) == (1 - 3 / 12, 1.0)  # the rule of three
    assert (low["videos"], low["of"], low["low"], low["high"]) == (4, 4, None, None)
    assert shares["videos"].sum() == 16


def test_a_video_counts_for_each_of_its_hashtags(tmp_path: Path) -> None:
    rows = [(DAY, "neutral", False, ["a", "b"])] * 10 + [(DAY, "negative", False, ["b"])] * 10
    shares = over.by_hashtag(tables(tmp_path, rows), ["b", "a", "unused"])
    assert list(dict.fromkeys(shares["group"])) == ["b", "a"]
    assert shares.filter(pl.col("group") == "b")["of"].unique().to_list() == [20]


def test_phases_cut_the_window_at_its_events() -> None:
    last = dt.date(2024, 1, 20)
    found = over.phases(
        [("C", dt.date(2024, 1, 10)), ("A", DAY), ("B", DAY), ("X", dt.date(2030, 1, 1))],
        dt.date(2024, 1, 1),
        last,
    )
    assert [(p.key, p.first.day, p.last.day) for p in found] == [
        ("", 1, 6),
        ("A+B", 7, 9),
        ("C", 10, 20),
    ]
    assert [p.key for p in over.phases([], DAY, last)] == [""]
    assert [p.key for p in over.phases([("A", DAY)], DAY, last)] == ["A"]


def test_every_labelled_video_is_in_one_phase(tmp_path: Path) -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(10)]
    cut = over.phases([("A", days[3]), ("B", days[4])], days[0], days[-1])
    shares = over.by_phase(tables(tmp_path, [(day, "positive", False, []) for day in days]), cut)
    sizes = dict(shares.group_by("group").agg(pl.col("videos").sum()).iter_rows())
    assert sizes == {"2024-01-07": 3, "2024-01-10": 1, "2024-01-11": 6}


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 400), min_size=3, max_size=3).filter(lambda counts: sum(counts) > 0))
def test_an_interval_holds_its_share_and_does_not_change(counts: list[int]) -> None:
    low, high = over.interval(counts, "g")
    assert (low, high) == over.interval(counts, "g")
    total = sum(counts)
    for n, bottom, top in zip(counts, low, high, strict=True):
        assert 0 <= bottom <= n / total + 1e-9 and n / total - 1e-9 <= top <= 1


def test_the_multinomial_draw_is_the_bootstrap_over_videos() -> None:
    """Beside scipy's bootstrap, which draws the videos themselves."""
    counts = [60, 25, 15]
    videos = np.repeat([0, 1, 2], counts)
    low, high = over.interval(counts, "g", draws=20_000)
    for label in range(3):
        drawn = stats.bootstrap(
            (videos == label,), np.mean, n_resamples=9_999, method="percentile", rng=1
        ).confidence_interval
        assert low[label] == pytest.approx(drawn.low, abs=0.015)
        assert high[label] == pytest.approx(drawn.high, abs=0.015)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    truth, stream = [0.5, 0.3, 0.2], np.random.default_rng(7)
    held = 0
    for number in range(300):
        counts = stream.multinomial(200, truth).tolist()
        low, high = over.interval(counts, str(number), draws=500)
        held += low[0] <= truth[0] <= high[0]
    assert 0.90 <= held / 300 <= 0.99
