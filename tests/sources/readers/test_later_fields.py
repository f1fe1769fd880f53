"""Favourites, labels, tags and the day of the counts: whatever their shape, and where absent."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.pages import page, video, write_pages
from hypothesis import given
from hypothesis import strategies as st

from builder.sources.collected import COLLECTED_MARK
from builder.sources.files import find_sources
from builder.sources.readers.api_pages import label_text, read_pages


def frame(path: Path) -> pl.DataFrame:
    (file,) = find_sources([path])
    return pl.concat([block.frame() for block in read_pages(file, 0)])


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (
            {"content": "Get info on the elections", "type": 3, "sink": False},
            "Get info on the elections",
        ),
        ({"number": 3, "type": "AI-generated"}, "AI-generated"),
        ({"number": 3, "type": ""}, "3"),
        ({"Content": "  two\n lines "}, "two lines"),
        ([{"content": "One"}, {"content": "Two"}, {"content": "One"}], "One | Two"),
        (["a", "b"], "a | b"),
        ("AI-generated", "AI-generated"),
        (7, "7"),
        ([1, 3], "1 | 3"),
        ({"vote": False, "warn": True}, None),
        ({}, None),
        ([], None),
        ([[["deep"]]], None),
        (0, None),
        (True, None),
        (None, None),
        ("", None),
        ("nul\0nul", "nulnul"),
        ({"content": {"content": "nested"}}, None),
    ],
)
def test_a_label_is_text_whatever_its_shape(shape: Any, text: str | None) -> None:
    assert label_text(shape) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("content"), inner),
        max_leaves=12,
    )
)
def test_no_shape_of_a_label_raises(shape: Any) -> None:
    text = label_text(shape)
    assert text is None or (0 < len(text) <= 300 and "\0" not in text)


@pytest.mark.parametrize("name", ["favorites_count", "favourites_count"])
def test_both_spellings_and_a_zero_left_out(tmp_path: Path, name: str) -> None:
    rows = [video(1, **{name: 12}), video(2, **{name: "3"}), video(3), video(4, **{name: "many"})]
    found = frame(write_pages(tmp_path / "a.jsonl", page(rows)))
    assert found["favorites_count"].to_list() == [12, 3, 0, None]


def test_older_pages_say_nothing(tmp_path: Path) -> None:
    found = frame(write_pages(tmp_path / "a.jsonl", page([video(1), video(2)])))
    for column in ("favorites_count", "fetched_on", "video_label", "video_tag"):
        assert found[column].null_count() == 2


def test_the_day_comes_from_the_page_or_from_our_collector(tmp_path: Path) -> None:
    made = write_pages(tmp_path / "q00-p00000.json", page([video(1)]))
    pages = [{"file": made.name, "requested_at": "2024-05-01T23:59:59Z"}]
    (tmp_path / COLLECTED_MARK).write_text(json.dumps({"pages": pages}))
    assert frame(made)["fetched_on"].to_list() == [dt.date(2024, 5, 1)]
    told = page([video(1)]) | {"fetched_at": "2024-04-02T01:00:00+02:00"}
    assert frame(write_pages(tmp_path / "q00-p00000.json", told))["fetched_on"].to_list() == [
        dt.date(2024, 4, 1)
    ]


@pytest.mark.parametrize("mark", ["", "[]", '{"pages": 3}', '{"pages": [{"file": 1}]}'])
def test_a_damaged_note_of_the_collector_is_no_day(tmp_path: Path, mark: str) -> None:
    made = write_pages(tmp_path / "p.json", page([video(1)]))
    (tmp_path / COLLECTED_MARK).write_text(mark)
    assert frame(made)["fetched_on"].to_list() == [None]


def test_a_day_before_the_video_was_there_is_a_wrong_clock(tmp_path: Path) -> None:
    told = page([video(1)]) | {"fetched_on": "2020-01-01"}
    assert frame(write_pages(tmp_path / "a.json", told))["fetched_on"].to_list() == [None]
