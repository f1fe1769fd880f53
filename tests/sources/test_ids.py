"""Ids: read exactly or refused with a reason, never through a float."""

from __future__ import annotations

import csv
import io
import json

import orjson
import pytest
from fakes.pages import NOON, make_id
from hypothesis import given
from hypothesis import strategies as st

from builder.sources import ids
from builder.sources.ids import check_time, parse_id
from builder.sources.schema import MAX_ID, id_time

valid_ids = st.integers(min_value=1, max_value=MAX_ID)
real_ids = st.builds(
    make_id, st.integers(ids.EARLIEST, ids.LATEST), st.integers(2**20 + 1, 2**32 - 1)
)


@given(valid_ids)
def test_any_valid_id_comes_back_exactly_from_int_and_from_text(video_id: int) -> None:
    assert parse_id(video_id) == (video_id, None)
    assert parse_id(str(video_id)) == (video_id, None)
    assert parse_id(f" {video_id}\t") == (video_id, None)
    assert type(parse_id(str(video_id))[0]) is int


@given(valid_ids)
def test_any_valid_id_survives_a_json_page_and_a_csv_cell(video_id: int) -> None:
    for value in (video_id, str(video_id)):
        assert parse_id(orjson.loads(orjson.dumps({"id": value}))["id"]) == (video_id, None)
        assert parse_id(json.loads(json.dumps({"id": value}))["id"]) == (video_id, None)
    (cell,) = next(csv.reader(io.StringIO(f"{video_id}\n")))
    assert parse_id(cell) == (video_id, None)


@given(st.one_of(st.floats(), valid_ids.map(float)))
def test_no_float_is_ever_an_id_even_if_it_is_whole(value: float) -> None:
    video_id, reason = parse_id(value)
    assert video_id is None
    assert reason in (ids.ID_FLOAT, ids.ID_TOO_LARGE)


@given(real_ids, st.integers(2, 12))
def test_every_scientific_notation_of_an_id_is_refused_as_such(video_id: int, digits: int) -> None:
    for text in (f"{video_id:.{digits}E}", f"{video_id:.{digits}e}"):
        assert parse_id(text) == (None, ids.ID_SCIENTIFIC)
        assert parse_id(text.replace(".", ",")) == (None, ids.ID_SCIENTIFIC)


@given(st.integers(min_value=MAX_ID + 1, max_value=10**30))
def test_what_exceeds_63_bits_is_refused_as_too_large(value: int) -> None:
    assert parse_id(value) == (None, ids.ID_TOO_LARGE)
    assert parse_id(str(value)) == (None, ids.ID_TOO_LARGE)
    # the JSON reader turns integers of more than 64 bits into floats: same reason
    assert parse_id(orjson.loads(str(value))) == (None, ids.ID_TOO_LARGE)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, ids.ID_MISSING),
        ("", ids.ID_MISSING),
        ("   ", ids.ID_MISSING),
        (True, ids.ID_NOT_A_NUMBER),
        (False, ids.ID_NOT_A_NUMBER),
        (0, ids.ID_NOT_A_NUMBER),
        (-make_id(), ids.ID_NOT_A_NUMBER),
        (f"-{make_id()}", ids.ID_NOT_A_NUMBER),
        ("7_318_000_000_000_000_001", ids.ID_NOT_A_NUMBER),
        ("7,318,000,000,000,000,001", ids.ID_NOT_A_NUMBER),
        ("'7318000000000000001", ids.ID_NOT_A_NUMBER),
        ("٧٣١٨٠٠٠٠٠٠٠٠٠٠٠٠٠٠١", ids.ID_NOT_A_NUMBER),
        ("0x6590", ids.ID_NOT_A_NUMBER),
        ("7318000000000000001.0", ids.ID_FLOAT),
        ("7318000000000000001,0", ids.ID_FLOAT),
        ("7E+18", ids.ID_SCIENTIFIC),
        ("7,32E+18", ids.ID_SCIENTIFIC),
        (["7318000000000000001"], ids.ID_NOT_A_NUMBER),
        ({"id": 1}, ids.ID_NOT_A_NUMBER),
        (b"7318000000000000001", ids.ID_NOT_A_NUMBER),
    ],
)
def test_what_is_no_id_is_refused_with_its_reason(value: object, reason: str) -> None:
    assert parse_id(value) == (None, reason)


@given(st.one_of(st.text(), st.binary(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_anything_gives_an_id_or_a_reason_never_both_and_never_an_exception(value: object) -> None:
    video_id, reason = parse_id(value)
    assert (video_id is None) != (reason is None)
    assert video_id is None or 0 < video_id <= MAX_ID


@given(st.integers(0, 2**32 - 1), st.integers(-(10**9), 10**9))
def test_an_id_is_refused_exactly_when_it_is_more_than_120_seconds_off(low: int, off: int) -> None:
    reason = check_time(make_id(NOON, low), NOON + off)
    assert reason == (ids.ID_TIME_MISMATCH if abs(off) > 120 else None)


@pytest.mark.parametrize(("off", "fits"), [(120, True), (-120, True), (121, False), (-121, False)])
def test_the_tolerance_is_120_seconds_to_the_second(off: int, fits: bool) -> None:
    assert (check_time(make_id(), NOON + off) is None) is fits


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (ids.EARLIEST - 1, ids.ID_NOT_TIKTOK),
        (ids.EARLIEST, None),
        (ids.LATEST, None),
        (ids.LATEST + 1, ids.ID_NOT_TIKTOK),
    ],
)
def test_without_a_creation_time_the_id_must_carry_a_plausible_one(
    time: int, reason: str | None
) -> None:
    assert check_time(make_id(time), None) == reason


def test_an_id_carries_its_creation_time_in_the_upper_bits() -> None:
    assert id_time(make_id(NOON, 2**32 - 1)) == NOON
