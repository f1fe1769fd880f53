"""Whatever encoding a source is in: read exactly and said, or refused naming the row."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import polars as pl
import pytest
from fakes.pages import NOON, make_id, page, video
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import UnreadablePage
from builder.sources.files import find_sources
from builder.sources.readers.api_pages import TEXT_DAMAGED, read_pages
from builder.sources.readers.upstream_csv import read_csv
from builder.sources.rows import Block

WORDS = "El año pasado, en Portoviejo, la niña comió piña: «¡qué rápido!» Sí, señor; adiós €"
MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-8": codecs.BOM_UTF8,
}


def read(path: Path) -> list[Block]:
    (file,) = find_sources([path])
    return list(read_csv(file, 0) if file.kind == "csv" else read_pages(file, 0))


def frame(blocks: list[Block]) -> pl.DataFrame:
    return pl.concat([block.frame() for block in blocks])


def notes(blocks: list[Block]) -> str:
    return " ".join(note for block in blocks for note in block.notes)


def sheet(rows: int, text: str = WORDS) -> str:
    lines = [f'{make_id(NOON + n, 99 * n + 1)},"{text} {n}"' for n in range(rows)]
    return "\n".join(["id,AI Summary", *lines]) + "\n"


def put(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def test_utf8_is_read_without_a_note(tmp_path: Path) -> None:
    blocks = read(put(tmp_path, "a.csv", sheet(50).encode()))
    assert frame(blocks)["upstream_summary"].to_list() == [f"{WORDS} {n}" for n in range(50)]
    assert "1252" not in notes(blocks)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("rows", [1, 2_000])
def test_a_latin1_csv_is_read_exactly_and_noted(tmp_path: Path, encoding: str, rows: int) -> None:
    text = WORDS if encoding == "cp1252" else WORDS.replace("€", "E")
    blocks = read(put(tmp_path, "a.csv", sheet(rows, text).encode(encoding)))
    assert frame(blocks)["upstream_summary"].to_list() == [f"{text} {n}" for n in range(rows)]
    assert "cp1252" in notes(blocks)


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_marked_encoding_is_followed(tmp_path: Path, encoding: str, name: str) -> None:
    made = json.dumps(page([video(1, voice_to_text=WORDS)]), ensure_ascii=False)
    text = sheet(3) if name == "a.csv" else made + "\n"
    blocks = read(put(tmp_path, name, MARKS[encoding] + text.encode(encoding)))
    column = "upstream_summary" if name == "a.csv" else "voice_to_text"
    assert frame(blocks)[column][0].startswith(WORDS)
    assert not any(block.rejected for block in blocks)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_wide_encoding_without_its_mark_is_followed(
    tmp_path: Path, encoding: str, name: str
) -> None:
    made = json.dumps(page([video(1, voice_to_text=WORDS)]), ensure_ascii=False)
    text = sheet(3) if name == "a.csv" else made + "\n"
    blocks = read(put(tmp_path, name, text.encode(encoding)))
    column = "upstream_summary" if name == "a.csv" else "voice_to_text"
    assert frame(blocks)[column][0].startswith(WORDS)


def test_marked_files_that_were_joined_are_read(tmp_path: Path) -> None:
    lines = [json.dumps(page([video(n)])).encode() for n in (1, 2, 3)]
    content = b"".join(codecs.BOM_UTF8 + line + b"\n" for line in lines)
    assert frame(read(put(tmp_path, "a.jsonl", content))).height == 3


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_utf16_that_is_cut_inside_a_character_is_refused(tmp_path: Path, cut: int) -> None:
    content = codecs.BOM_UTF16_LE + sheet(3, "x 😀").encode("utf-16-le")
    if cut % 2:
        with pytest.raises(UnreadablePage, match="UTF-16") as caught:
            read(put(tmp_path, "a.csv", content[:-cut]))
        assert caught.value.row


def test_a_csv_in_neither_encoding_is_refused_with_its_row(tmp_path: Path) -> None:
    lines = sheet(9).encode("cp1252").split(b"\n")
    lines[5] = lines[5].replace("ñ".encode("cp1252"), b"\x81", 1)  # undefined in Windows-1252
    with pytest.raises(UnreadablePage, match="neither UTF-8 nor Windows-1252") as caught:
        read(put(tmp_path, "a.csv", b"\n".join(lines)))
    assert caught.value.row == "line 6"
    assert caught.value.way_out


def test_a_few_broken_bytes_refuse_their_rows_and_ruin_no_other(tmp_path: Path) -> None:
    lines = sheet(200).encode().split(b"\n")
    for number in (7, 90):
        lines[number] = lines[number].replace("ñ".encode(), b"\xc3", 1)  # a character cut in two
    blocks = read(put(tmp_path, "a.csv", b"\n".join(lines)))
    texts = frame(blocks)["upstream_summary"].to_list()
    assert texts == [f"{WORDS} {n}" for n in range(200) if n not in (6, 89)]
    named = [(row["row"], row["reason"]) for block in blocks for row in block.named]
    assert named == [("line 8", TEXT_DAMAGED), ("line 91", TEXT_DAMAGED)]


def test_a_file_glued_from_two_encodings_is_not_read_as_one_of_them(tmp_path: Path) -> None:
    utf, windows = sheet(40).encode(), sheet(40).encode("cp1252").split(b"\n", 1)[1]
    for glued in (utf + windows, utf + windows + windows):
        try:
            texts = frame(read(put(tmp_path, "a.csv", glued)))["upstream_summary"].to_list()
        except UnreadablePage as error:
            assert error.row == "line 42"
        else:
            assert all(text.startswith(WORDS) for text in texts)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_latin1_pages_are_read_exactly_and_noted(tmp_path: Path, name: str) -> None:
    made = page([video(n, video_description=WORDS, voice_to_text=WORDS) for n in range(1, 9)])
    content = (json.dumps(made, ensure_ascii=False) + "\n").encode("cp1252")
    blocks = read(put(tmp_path, name, content))
    assert frame(blocks)["voice_to_text"].to_list() == [WORDS] * 8
    assert "cp1252" in notes(blocks)


def test_a_page_in_neither_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    good = json.dumps(page([video(1)])).encode()
    bad = json.dumps(page([video(2, voice_to_text="@")])).encode().replace(b'"@"', b'"\x81\xf1"')
    with pytest.raises(UnreadablePage, match="neither") as caught:
        read(put(tmp_path, "a.jsonl", good + b"\n" + bad + b"\n"))
    assert caught.value.row == "line 2"


def test_marks_of_characters_lost_before_us_are_taken_out_and_counted(tmp_path: Path) -> None:
    text = "coraz\ufffdn"
    sheets = read(put(tmp_path, "a.csv", sheet(3, text).encode()))
    assert frame(sheets)["upstream_summary"][0] == "corazn 0"
    tags = video(1, voice_to_text=text, hashtag_names=["ecuador", "a\ufffdo"])
    pages = read(put(tmp_path, "b.jsonl", json.dumps(page([tags])).encode()))
    assert frame(pages)["voice_to_text"][0] == "corazn"
    assert frame(pages)["hashtags"][0].to_list() == ["ecuador"]
    for found, count in ((sheets, "3 texts"), (pages, "1 texts")):
        assert "WARNING" in notes(found)
        assert count in notes(found)


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "b.jsonl", "c.json"]))
def test_no_bytes_become_a_replacement_character(scratch: Path, junk: bytes, name: str) -> None:
    clean = junk.replace(b"\n", b" ").replace(b'"', b" ").replace(b"\\", b" ").replace(b"\r", b" ")
    if name == "a.csv":
        content = sheet(2).encode() + f"{make_id(NOON + 9, 5)},".encode() + clean + b"\n"
    else:
        content = json.dumps(page([video(1, voice_to_text="@")])).encode().replace(b"@", clean)
    try:
        blocks = read(put(scratch, name, content))
    except UnreadablePage:
        return
    texts = frame(blocks).select(pl.col("upstream_summary", "voice_to_text")).rows()
    assert "\ufffd" not in str(texts) or b"\xef\xbf\xbd" in junk
    assert sum(block.rows + block.rejected.total() for block in blocks) in (1, 2, 3)
