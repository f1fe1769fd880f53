"""Finding and reading source files: order, names, compression, truncation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.pages import compress, page, to_bytes, video, write_pages
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import EmptySource, UnreadablePage
from builder.sources import files
from builder.sources.files import SourceFile, find_sources, read_blocks, read_lines

CONTENT = to_bytes([page([video(n) for n in range(1, 4)]), page([video(9)])])
GZ, ZST = compress(CONTENT, ".gz"), compress(CONTENT, ".zst")


def named(folder: Path, name: str, content: bytes) -> SourceFile:
    (folder / name).write_bytes(content)
    (found,) = find_sources([folder / name])
    return found


def test_a_folder_is_read_in_the_order_of_its_paths_with_subfolders(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/2.json", "a/10.json.gz", "c.ndjson.zst", "B.CSV", "d.csv.gz"):
        write_pages(tmp_path / name, page())
    found = find_sources([tmp_path])
    names = [file.name for file in found]
    assert names == sorted(names) == ["B.CSV", "a/10.json.gz", "a/2.json", *names[3:]]
    assert [file.kind for file in found] == ["csv", "pages", "pages", "pages", "pages", "csv"]


def test_sources_are_read_in_the_order_given(tmp_path: Path) -> None:
    write_pages(tmp_path / "z" / "1.jsonl", page())
    write_pages(tmp_path / "a" / "2.jsonl", page())
    assert [f.name for f in find_sources([tmp_path / "z", tmp_path / "a"])] == [
        "1.jsonl",
        "2.jsonl",
    ]


def test_hidden_files_other_files_and_the_simulation_mark_are_left_out(tmp_path: Path) -> None:
    for name in (
        ".hidden.json",
        ".git/x.json",
        "notes.txt",
        "day",
        "SIMULATION.json",
        "a.json.bak",
    ):
        write_pages(tmp_path / name, page())
    write_pages(tmp_path / "kept.json", page(), style="page")
    assert [file.name for file in find_sources([tmp_path])] == ["kept.json"]


def test_files_next_to_or_below_the_simulation_mark_are_synthetic(tmp_path: Path) -> None:
    write_pages(tmp_path / "sim" / "days" / "a.jsonl", page())
    (tmp_path / "sim" / "SIMULATION.json").write_text("{}")
    write_pages(tmp_path / "real" / "a.jsonl", page())
    synthetic = {f.path: f.synthetic for s in ("sim", "real") for f in find_sources([tmp_path / s])}
    assert list(synthetic.values()) == [True, False]


def test_two_sources_with_files_of_the_same_name_keep_distinct_names(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        write_pages(tmp_path / folder / "day.jsonl", page())
    found = find_sources([tmp_path / "first", tmp_path / "second"])
    assert len({file.name for file in found}) == 2
    assert all(file.name.endswith("day.jsonl") for file in found)


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = write_pages(tmp_path / "day.jsonl", page())
    assert len(find_sources([tmp_path, path, tmp_path / "." / "day.jsonl"])) == 1


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="does not exist") as caught:
        find_sources([tmp_path / "nowhere"])
    assert caught.value.file == str(tmp_path / "nowhere")


def test_a_folder_without_anything_readable_says_what_would_be(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(EmptySource) as caught:
        find_sources([tmp_path])
    assert ".jsonl" in caught.value.way_out


def test_a_file_name_that_is_not_utf8_can_still_be_told(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/p\xe1gina.jsonl"  # Latin-1, as old archives hold it
    with open(raw, "wb") as handle:
        handle.write(CONTENT)
    (found,) = find_sources([tmp_path])
    assert found.name.encode("utf-8").endswith(b"gina.jsonl")
    assert b"".join(read_blocks(found)) == CONTENT


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_content_comes_back_whole_from_any_number_of_frames(
    tmp_path: Path, suffix: str, frames: int
) -> None:
    file = named(tmp_path, f"a.jsonl{suffix}", compress(CONTENT, suffix, frames=frames))
    assert b"".join(read_blocks(file)) == CONTENT


def test_skippable_zstd_frames_are_skipped(tmp_path: Path) -> None:
    skippable = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
    file = named(tmp_path, "a.jsonl.zst", skippable + ZST + skippable)
    assert b"".join(read_blocks(file)) == CONTENT


@given(st.integers(1, len(GZ) - 1))
def test_a_gz_cut_at_any_byte_is_noticed(scratch: Path, cut: int) -> None:
    with pytest.raises(UnreadablePage, match="cut short"):
        list(read_blocks(named(scratch, "a.jsonl.gz", GZ[:cut])))


@given(st.integers(1, len(ZST) - 1))
def test_a_zst_cut_at_any_byte_is_noticed(scratch: Path, cut: int) -> None:
    with pytest.raises(UnreadablePage, match="cut short"):
        list(read_blocks(named(scratch, "a.jsonl.zst", ZST[:cut])))


@given(st.integers(1, len(ZST) - 1))
def test_a_zst_cut_inside_its_second_frame_is_noticed(scratch: Path, cut: int) -> None:
    with pytest.raises(UnreadablePage, match="cut short"):
        list(read_blocks(named(scratch, "a.jsonl.zst", ZST + ZST[:cut])))


@pytest.mark.parametrize(("suffix", "whole"), [(".gz", GZ), (".zst", ZST)])
def test_something_else_after_the_compressed_content_is_noticed(
    tmp_path: Path, suffix: str, whole: bytes
) -> None:
    with pytest.raises(UnreadablePage):
        list(read_blocks(named(tmp_path, f"a.jsonl{suffix}", whole + b"not compressed")))


def test_lines_are_numbered_from_one_and_blank_ones_are_counted_but_not_given(
    tmp_path: Path,
) -> None:
    file = named(tmp_path, "a.jsonl", b"\n{}\r\n  \n[]\n\nlast without end")
    assert [(n, line.strip()) for n, line in read_lines(file)] == [
        (2, b"{}"),
        (4, b"[]"),
        (6, b"last without end"),
    ]


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b".")), max_size=30))
def test_lines_do_not_depend_on_where_blocks_end(scratch: Path, lines: list[bytes]) -> None:
    file = named(scratch, "a.jsonl", b"\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK", 7)
        got = list(read_lines(file))
    assert got == [(n, line) for n, line in enumerate(lines, start=1) if line.strip()]


def test_the_digest_follows_the_bytes(tmp_path: Path) -> None:
    one, two = named(tmp_path, "a.json", b"{}"), named(tmp_path, "b.json", b"{ }")
    assert one.digest() != two.digest()
    assert one.digest() == named(tmp_path, "c.json", b"{}").digest()
