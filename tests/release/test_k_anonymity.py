"""k is what pycanon says it is, and what is hidden is enough and no more than said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycanon import anonymity
from pydantic import ValidationError

from builder.config.privacy import Privacy, PublicTier
from builder.release.coarsen import coarsen
from builder.release.k_anonymity import QUASI_IDENTIFIERS, STEPS, hide, k_of

SCHEMA: dict[str, Any] = {
    "date": pl.Date,
    "region_code": pl.String,
    "view_count": pl.Int64,
    "like_count": pl.Int64,
    "comment_count": pl.Int64,
    "share_count": pl.Int64,
    "favorites_count": pl.Int64,
    "video_label": pl.String,
    "video_tag": pl.String,
    "duration_seconds": pl.Float32,
    "n_frames": pl.Int64,
    "hashtags": pl.List(pl.String),
    "matched_terms": pl.List(pl.String),
}
FEW = st.none() | st.integers(0, 2)
TAGS = st.none() | st.lists(st.sampled_from(["ecuador", "noboa", "quito"]), max_size=2)
ROWS = st.lists(
    st.tuples(
        st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 3)),
        st.sampled_from(["EC", "CO", None]),
        *([FEW] * 5),
        st.sampled_from([None, None, "label"]),
        st.sampled_from([None, "3"]),
        st.sampled_from([None, 10.0, 20.0]),
        FEW,
        TAGS,
        TAGS,
    ),
    min_size=1,
    max_size=60,
)


def frame_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows of `metadata`, each with an id."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(video_id=pl.format("{}", pl.int_range(pl.len())))


def by_pycanon(frame: pl.DataFrame) -> int:
    """What the library says; null is a value, and it knows neither lists nor nulls."""
    text = [
        pl.col(c).list.join("|") if isinstance(t, pl.List) else pl.col(c).cast(pl.String)
        for c, t in SCHEMA.items()
    ]
    known = frame.select(text).with_columns(pl.all().fill_null("*"))
    return int(anonymity.k_anonymity(known.to_pandas(), list(SCHEMA)))


def test_the_quasi_identifiers_are_all_that_metadata_shares_with_the_api() -> None:
    assert set(QUASI_IDENTIFIERS) == set(SCHEMA)


@given(ROWS)
def test_k_is_what_pycanon_says(rows: list[tuple[Any, ...]]) -> None:
    frame = frame_of(rows)
    assert k_of(frame, QUASI_IDENTIFIERS) == by_pycanon(frame)


@given(ROWS, st.integers(1, 7), st.randoms())
def test_hiding_reaches_k_and_touches_nothing_else(
    rows: list[tuple[Any, ...]], min_k: int, dice: Any
) -> None:
    frame = frame_of(rows)
    hidden = hide(frame, min_k)
    left = hidden.apply(frame)
    if left.height:
        assert hidden.k == by_pycanon(left) >= min_k
    # who is left out is of a date with fewer than min_k videos, and all of that date are
    dates = dict(frame["date"].value_counts().iter_rows())
    gone = frame.join(left, on="video_id", how="anti")
    assert hidden.left_out == gone.height
    assert sorted(gone["video_id"]) == sorted(
        frame.filter(pl.col("date").replace_strict(dates) < min_k)["video_id"]
    )
    before = frame.join(left.select("video_id"), on="video_id", how="semi")
    for column in SCHEMA:
        same = left[column].eq_missing(before[column])
        assert (same | left[column].is_null()).all()
        assert hidden.rows.get(column, 0) == left[column].null_count() - before[column].null_count()
    # a step is hidden only where those before it are
    levels = dict(hidden.steps.iter_rows())
    for row in left.iter_rows(named=True):
        for step in STEPS[: levels.get(row["video_id"], 0)]:
            assert all(row[column] is None for column in step)
    shuffled = list(range(frame.height))
    dice.shuffle(shuffled)
    again = hide(frame[shuffled], min_k)
    assert again.steps.equals(hidden.steps) and again.k == hidden.k


def test_rows_that_hide_everything_are_joined_by_those_who_lose_least() -> None:
    day = dt.date(2024, 1, 1)
    plain = (day, "EC", 1, 1, 1, 1, 1, None, None, 10.0, 1, ["ecuador"], [])
    odd = (day, "CO", 2, 2, 2, 2, 2, "label", "3", 20.0, 2, ["quito"], [])
    frame = frame_of([plain] * 6 + [odd])
    left = hide(frame, 3).apply(frame)
    assert left["view_count"].null_count() == 3 and left.height == 7
    small = hide(frame_of([plain] * 3 + [odd]), 3)  # nobody can be spared: all four hide
    assert small.rows["region_code"] == 4 and small.k == 4


def test_nothing_is_hidden_of_what_is_shared() -> None:
    row = (dt.date(2024, 1, 1), "EC", 1, 1, 1, 1, 1, None, None, 10.0, None, None, [])
    frame = frame_of([row] * 5)
    found = hide(frame, 5)
    assert (found.rows, found.left_out, found.k) == ({}, 0, 5)
    assert found.apply(frame).equals(frame)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"min_k": 5, "id_policy": "raw"}, "raw"),
        ({"min_k": 5, "author_pseudonym": True}, "author_pseudonym"),
        ({"min_k": 5, "date_resolution": "hour"}, "day or coarser"),
        ({"public_tier": {}, "id_policy": "raw"}, "raw"),
        ({"public_tier": {}, "date_resolution": "month"}, "date_resolution lets more out"),
        ({"public_tier": {"round_counts": 3}, "round_counts": 2}, "round_counts lets more out"),
        ({"public_tier": {"round_duration": 5}, "round_duration": 10}, "round_duration lets more"),
        ({"public_tier": {}, "round_duration": "omit"}, "round_duration lets more"),
        ({"public_tier": {"texts": True}, "texts": False}, "texts lets more"),
        ({"public_tier": {}, "min_k": 9}, "min_k lets more"),
        ({"public_tier": {"min_k": 1}}, "min_k"),
        ({"public_tier": {"author_pseudonym": True}}, "author_pseudonym"),
    ],
)
def test_settings_that_would_hide_nothing_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Privacy.model_validate(settings)


def test_an_empty_table_is_a_tier_with_its_defaults() -> None:
    public = Privacy.model_validate({"public_tier": {}, "author_pseudonym": True}).of_public_tier()
    assert public is not None and public.public_tier is None and not public.author_pseudonym
    assert {name: getattr(public, name) for name in PublicTier.model_fields} == {
        "date_resolution": "week",
        "round_counts": 1,
        "round_duration": 10,
        "texts": False,
        "min_k": 5,
    }
    assert Privacy().of_public_tier() is None


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.sampled_from([0.7, 0.75, 0.8]))
def test_no_confidence_passes_a_threshold_by_being_floored(
    values: list[float], threshold: float
) -> None:
    from builder.release.tables import under

    frame = pl.DataFrame({"confidence": values}, schema={"confidence": pl.Float32})
    once = coarsen(frame, Privacy(texts=False))
    assert coarsen(once, Privacy(texts=False)).equals(once)
    assert all(abs(value * 20 - round(value * 20)) < 1e-4 for value in once["confidence"])
    moved = frame.select(a=under(threshold)).with_columns(once.select(b=under(threshold)))
    near = (frame["confidence"] - threshold).abs() < 1e-4
    assert (moved["a"].eq(moved["b"]) | near).all()
