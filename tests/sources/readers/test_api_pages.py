"""Research API pages, with every fault the real service has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.pages import (
    ERROR_CODES,
    NOON,
    compress,
    error_page,
    make_id,
    page,
    to_bytes,
    video,
    write_pages,
)
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import BuilderError, ErrorPage, UnreadablePage
from builder.sources import files, ids
from builder.sources.files import find_sources
from builder.sources.readers import api_pages
from builder.sources.readers.api_pages import read_pages
from builder.sources.rows import Block
from builder.sources.schema import COUNTS, RAW_SCHEMA
from builder.sources.searches import stopped_searches

PAGES = [page([video(n) for n in range(1, 4)], more=True), page([video(4)]), page([])]
STYLES = [
    ("a.json", "list"),
    ("a.json", "jsonl"),
    ("a.jsonl", "jsonl"),
    ("a.ndjson", "jsonl"),
    ("a.JSONL", "jsonl"),
]


def read(path: Path, first: int = 0) -> list[Block]:
    (file,) = find_sources([path])
    return list(read_pages(file, first))


def frame(path: Path) -> pl.DataFrame:
    return pl.concat([block.frame() for block in read(path)])


def one(folder: Path, **changes: Any) -> dict[str, Any]:
    """The row made of one video."""
    rows = frame(write_pages(folder / "a.jsonl", page([video(1, **changes)])))
    assert rows.height == 1, "the row was refused"
    return rows.row(0, named=True)


def refused(folder: Path, *videos: Any) -> list[dict[str, str]]:
    blocks = read(write_pages(folder / "a.jsonl", page(videos)))
    assert sum(block.rows for block in blocks) == 0
    return [row for block in blocks for row in block.named]


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize(("name", "style"), STYLES)
def test_pages_read_the_same_however_they_were_saved(
    tmp_path: Path, name: str, style: str, suffix: str
) -> None:
    rows = frame(write_pages(tmp_path / f"{name}{suffix}", *PAGES, style=style))
    assert rows["id"].to_list() == [make_id(low=n) for n in range(1, 5)]
    assert rows["position"].to_list() == [0, 1, 2, 3]
    assert dict(rows.schema) == RAW_SCHEMA


@pytest.mark.parametrize("style", ["page", "pretty"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_file_that_is_one_page_is_read_also_when_indented(
    tmp_path: Path, style: str, suffix: str
) -> None:
    rows = frame(write_pages(tmp_path / f"a.json{suffix}", PAGES[0], style=style))
    assert rows["id"].to_list() == [make_id(low=n) for n in (1, 2, 3)]


def test_a_bare_list_of_videos_and_a_bare_video_are_pages_too(tmp_path: Path) -> None:
    listed = write_pages(tmp_path / "a.json", [video(1), video(2)], style="page")
    lines = write_pages(tmp_path / "b.jsonl", video(3), video(4))
    assert frame(listed)["id"].to_list() == [make_id(low=1), make_id(low=2)]
    assert frame(lines)["id"].to_list() == [make_id(low=3), make_id(low=4)]


@pytest.mark.parametrize("lead", [b"\xef\xbb\xbf", b"\n", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_byte_order_mark_or_blank_line_before_the_pages_does_not_matter(
    tmp_path: Path, name: str, lead: bytes
) -> None:
    assert frame(put(tmp_path, name, lead + to_bytes(PAGES))).height == 4


def test_every_field_of_a_video_arrives(tmp_path: Path) -> None:
    assert one(tmp_path) == {
        "id": make_id(low=1),
        "create_time": NOON,
        "role": 0,
        "position": 0,
        "username": "inventada_1",
        "region_code": "EC",
        "description": "Video inventado 1 #ecuador",
        "hashtags": ["ecuador"],
        "view_count": 101,
        "like_count": 1,
        "comment_count": 2,
        "share_count": 3,
        "favorites_count": None,
        "fetched_on": None,
        "video_label": None,
        "video_tag": None,
        "duration_seconds": 15.0,
        "n_frames": None,
        "voice_to_text": "hola 1",
        "whisper_text": None,
        "upstream_sentiment": None,
        "upstream_summary": None,
        "synthetic": False,
    }


@pytest.mark.parametrize("code", ["ec", " EC "])
def test_a_region_in_other_letters_is_the_same_region(tmp_path: Path, code: str) -> None:
    assert one(tmp_path, region_code=code)["region_code"] == "EC"


def test_counts_the_service_leaves_out_are_zero(tmp_path: Path) -> None:
    row = one(tmp_path, **dict.fromkeys(COUNTS, ...))
    assert [row[count] for count in COUNTS] == [0, 0, 0, 0]
    row = one(tmp_path, **dict.fromkeys(COUNTS))
    assert [row[count] for count in COUNTS] == [0, 0, 0, 0]


def test_other_missing_fields_are_null_and_missing_hashtags_an_empty_list(tmp_path: Path) -> None:
    optional = ("username", "region_code", "video_description", "voice_to_text", "video_duration")
    row = one(tmp_path, hashtag_names=..., **dict.fromkeys(optional, ...))
    assert row["hashtags"] == []
    missing = ("username", "region_code", "description", "voice_to_text", "duration_seconds")
    assert [row[name] for name in missing] == [None] * 5


@given(st.integers(0, 2**32 - 1))
def test_ids_as_text_and_as_numbers_give_the_same_exact_id(scratch: Path, low: int) -> None:
    exact = make_id(low=low)
    assert one(scratch, id=exact)["id"] == one(scratch, id=str(exact))["id"] == exact


def test_without_a_creation_time_the_ids_own_is_taken(tmp_path: Path) -> None:
    assert one(tmp_path, create_time=...)["create_time"] == NOON
    assert one(tmp_path, create_time=str(NOON + 7))["create_time"] == NOON + 7


def test_nul_bytes_go_and_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        username="mar\0ia",
        video_description="a\ud83d b",
        hashtag_names=["no\0boa", "\0", "x\udc00", 7, None],
    )
    assert row["username"] == "maria"
    assert row["description"] == "a? b"
    assert row["hashtags"] == ["noboa", "x?"]


def test_broken_utf8_in_one_video_refuses_it_and_does_not_lose_the_page(tmp_path: Path) -> None:
    made = page([video(1, video_description="a@b"), video(2, video_description="año sí")])
    whole = json.dumps(made, ensure_ascii=False).encode()
    (block,) = read(put(tmp_path, "a.jsonl", whole.replace(b"a@b", b"a\xffb")))
    assert block.frame()["description"].to_list() == ["año sí"]
    assert [row["reason"] for row in block.named] == ["text_is_not_utf8"]


@given(st.text())
def test_any_text_of_a_page_arrives_without_nuls_and_is_valid_utf8(
    scratch: Path, text: str
) -> None:
    arrived = one(scratch, video_description=text)["description"]
    assert arrived == (text.replace("\0", "") or None)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(0, None), (-1, None), ("15", None), (True, None), (1.5, 1.5), (10**400, None)],
)
def test_a_duration_that_is_no_positive_number_is_null(
    tmp_path: Path, duration: object, seconds: float | None
) -> None:
    assert one(tmp_path, video_duration=duration)["duration_seconds"] == seconds


def test_an_infinite_duration_is_null(tmp_path: Path) -> None:
    content = to_bytes([page([video(1, video_duration=float("inf"))])])
    assert frame(put(tmp_path, "a.jsonl", content))["duration_seconds"].to_list() == [None]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"id": ...}, "id", ids.ID_MISSING),
        ({"id": float(make_id())}, "id", ids.ID_FLOAT),
        ({"id": "7.32E+18"}, "id", ids.ID_SCIENTIFIC),
        ({"id": 2**63}, "id", ids.ID_TOO_LARGE),
        ({"id": 2**70}, "id", ids.ID_TOO_LARGE),
        ({"id": True}, "id", ids.ID_NOT_A_NUMBER),
        ({"create_time": NOON + 121}, "id", ids.ID_TIME_MISMATCH),
        ({"create_time": NOON * 1000}, "id", ids.ID_TIME_MISMATCH),
        ({"create_time": ..., "id": 12345}, "id", ids.ID_NOT_TIKTOK),
        ({"create_time": "ayer"}, "create_time", "create_time_is_not_a_whole_number"),
        ({"view_count": -1}, "view_count", "view_count_is_not_a_whole_number"),
        ({"like_count": "1.2K"}, "like_count", "like_count_is_not_a_whole_number"),
        ({"share_count": 1.5}, "share_count", "share_count_is_not_a_whole_number"),
        ({"comment_count": 2**63}, "comment_count", "comment_count_is_not_a_whole_number"),
        ({"comment_count": [1]}, "comment_count", "comment_count_is_not_a_whole_number"),
    ],
)
def test_a_damaged_video_is_refused_by_line_video_and_field(
    tmp_path: Path, change: dict[str, Any], field: str, reason: str
) -> None:
    good, bad = video(1), video(2, **change)
    path = write_pages(tmp_path / "day.jsonl", page([good]), page([good, bad]))
    (block,) = read(path)
    assert block.rows == 2
    assert block.named == [
        {"file": "day.jsonl", "row": "line 2, video 2", "field": field, "reason": reason}
    ]
    assert dict(block.rejected) == {reason: 1}


def test_what_is_no_video_at_all_is_refused_too(tmp_path: Path) -> None:
    assert [row["reason"] for row in refused(tmp_path, "text", 7, None, [])] == ["not_a_video"] * 4


def test_refused_rows_still_take_a_position(tmp_path: Path) -> None:
    path = write_pages(tmp_path / "a.jsonl", page([video(1, id=None), video(2)]))
    assert frame(path)["position"].to_list() == [1]
    (file,) = find_sources([path])
    (block,) = read_pages(file, 5 << 32)
    assert block.frame()["position"].to_list() == [(5 << 32) + 1]


@pytest.mark.parametrize(
    "last",
    [page([]), {"data": {"cursor": 3, "has_more": False}, "error": {"code": "ok"}}],
    ids=["empty list", "no list"],
)
def test_the_last_page_of_a_day_may_be_empty(tmp_path: Path, last: object) -> None:
    assert frame(write_pages(tmp_path / "a.jsonl", PAGES[0], last)).height == 3
    assert frame(write_pages(tmp_path / "b.json", last, style="page")).height == 0


@pytest.mark.parametrize("code", ERROR_CODES)
def test_a_saved_error_response_is_refused_with_its_code_and_place(
    tmp_path: Path, code: str
) -> None:
    path = write_pages(tmp_path / "day.jsonl", PAGES[0], error_page(code, "no"))
    with pytest.raises(ErrorPage, match=code) as caught:
        read(path)
    assert (caught.value.file, caught.value.row) == ("day.jsonl", "line 2")
    assert caught.value.field == "error.code"
    assert "remove this file" in caught.value.way_out


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_an_error_response_as_the_only_page_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ErrorPage):
        read(write_pages(tmp_path / name, error_page("internal_error")))


def test_an_error_code_that_is_free_text_is_not_repeated(tmp_path: Path) -> None:
    bad = error_page(f"Video {make_id()} of maria.perez is invalid")
    with pytest.raises(ErrorPage) as caught:
        read(write_pages(tmp_path / "a.jsonl", bad))
    assert str(make_id()) not in str(caught.value)
    assert "maria" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [{}, {"foo": 1}, {"data": None}, {"data": {"videos": {}}}, {"data": []}, 7, "text", None, True],
    ids=repr,
)
def test_json_that_is_no_page_is_refused(tmp_path: Path, value: object) -> None:
    for name in ("a.json", "a.jsonl"):
        with pytest.raises(UnreadablePage, match="page"):
            read(write_pages(tmp_path / name, value))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_an_empty_file_is_refused_as_empty(tmp_path: Path, name: str, content: bytes) -> None:
    path = put(tmp_path, name, compress(content, Path(name).suffix))
    with pytest.raises(UnreadablePage, match="empty"):
        read(path)
    with pytest.raises(UnreadablePage, match="empty"):
        read(put(tmp_path, "really.jsonl", b""))


def test_a_page_of_html_from_a_gateway_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePage):
        read(put(tmp_path, "a.json", b"<html>503 Service Unavailable</html>"))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_absurdly_nested_json_is_refused_like_any_other_broken_page(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UnreadablePage):
        read(put(tmp_path, name, b"[" * 200_000))


WHOLE = {
    "one.json": to_bytes(PAGES, "page"),
    "pretty.json": to_bytes(PAGES, "pretty").rstrip(),
    "list.json": to_bytes(PAGES, "list"),
    "lines.jsonl": to_bytes(PAGES[:1]).rstrip(),
    "one.json.gz": compress(to_bytes(PAGES, "page"), ".gz"),
    "one.json.zst": compress(to_bytes(PAGES, "page"), ".zst"),
    "lines.jsonl.gz": compress(to_bytes(PAGES), ".gz"),
    "lines.jsonl.zst": compress(to_bytes(PAGES), ".zst"),
}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_page_cut_at_any_byte_is_refused_naming_the_file(
    scratch: Path, name: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(WHOLE[name]) - 1))
    with pytest.raises(UnreadablePage) as caught:
        read(put(scratch, name, WHOLE[name][:cut]))
    assert caught.value.file == name
    assert caught.value.way_out


def test_a_file_of_lines_cut_in_its_last_page_names_the_line(tmp_path: Path) -> None:
    content = to_bytes(PAGES[:2])
    with pytest.raises(UnreadablePage, match="cut short") as caught:
        read(put(tmp_path, "a.jsonl", content[:-30]))
    assert caught.value.row == "line 2"
    with pytest.raises(UnreadablePage, match="cut short") as caught:
        read(put(tmp_path, "a.json", content[:-30]))
    assert caught.value.row == "line 2"


def test_pages_of_a_simulation_are_known_by_their_log_id(tmp_path: Path) -> None:
    made = page([video(1)])
    made["error"]["log_id"] = "SYNTHETIC-0001"
    assert frame(write_pages(tmp_path / "a.jsonl", made))["synthetic"].to_list() == [True]


def test_a_long_file_is_streamed_in_blocks_and_not_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_pages, "BLOCK_ROWS", 250)
    monkeypatch.setattr(files, "_BLOCK", 16 << 10)
    taken = []
    real = files.read_blocks

    def counting(file: files.SourceFile) -> Any:
        for block in real(file):
            taken.append(len(block))
            yield block

    monkeypatch.setattr(files, "read_blocks", counting)
    pages = (page([video(n * 100 + i) for i in range(100)], more=True) for n in range(30))
    path = write_pages(tmp_path / "a.jsonl", *pages)
    (file,) = find_sources([path])
    blocks = read_pages(file, 0)
    first = next(blocks)
    assert first.rows == 300  # whole pages, at least BLOCK_ROWS
    assert sum(taken) < 0.2 * path.stat().st_size
    assert [block.rows for block in blocks] == [300] * 9 + [0]
    assert max(taken) <= 16 << 10


def test_a_block_names_at_most_a_thousand_refused_rows_but_counts_all(tmp_path: Path) -> None:
    (block,) = read(write_pages(tmp_path / "a.jsonl", page([video(1, id=None)] * 1_200)))
    assert len(block.named) == 1_000
    assert block.rejected == {ids.ID_MISSING: 1_200}


secrets = st.integers(10**6, 2**31)
breakages = st.sampled_from(
    ["cut", "error", "id", "time", "count", "shape", "garbage", "nested", "none"]
)


@given(
    secrets, breakages, st.integers(1, 400), st.sampled_from(["a.json", "a.jsonl", "a.jsonl.gz"])
)
def test_no_message_and_no_named_row_holds_an_id_or_a_username(
    scratch: Path, low: int, breakage: str, cut: int, name: str
) -> None:
    made, user = video(low), f"persona.{low}"
    made["username"] = user
    changes = {
        "id": {"id": str(made["id"]) + "E+3"},
        "time": {"create_time": NOON + 10_000},
        "count": {"view_count": user},
    }
    whole: Any = page([made | changes.get(breakage, {})])
    if breakage == "error":
        whole["error"] = {"code": f"{user} {made['id']}", "message": user}
    if breakage == "shape":
        whole = {user: [made]}
    if breakage == "nested":
        whole = page([[made], {"id": {user: made["id"]}}])
    content = json.dumps(whole).encode()
    if breakage == "cut":
        content = content[:-cut]
    if breakage == "garbage":
        content = content[:cut] + b"\xff@" + content[cut:]
    told = []
    try:
        path = put(scratch, name, compress(content, Path(name).suffix))
        for block in read(path):
            told += [str(block.named), str(block.notes), str(block.rejected)]
    except BuilderError as error:
        told.append(str(error))
    for text in told:
        assert str(made["id"]) not in text
        assert user not in text
        assert str(low) not in text


@pytest.mark.parametrize(("last", "noted"), [(True, True), (False, False)])
def test_a_file_of_pages_that_ends_before_the_last_page_is_noted(
    tmp_path: Path, last: bool, noted: bool
) -> None:
    def page(more: bool) -> str:
        return json.dumps({"data": {"videos": [], "has_more": more}, "error": {"code": "ok"}})

    path = tmp_path / "2024-01-09.jsonl"
    path.write_text(f"{page(True)}\n{page(last)}\n", encoding="utf-8")
    (file,) = find_sources([tmp_path])
    seen = [page for block in read_pages(file, 0) for page in block.seen]
    assert any("has_more" in note for note in stopped_searches(seen)) is noted
