"""The authors' public CSVs, whatever happened to them on the way."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.pages import MARCH_HEADER, NOON, WHISPER_HEADER, make_id, to_csv, write_csv
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import BuilderError, MissingColumn, SpreadsheetDamage, UnreadablePage
from builder.sources import ids
from builder.sources.files import find_sources
from builder.sources.readers import upstream_csv
from builder.sources.readers.upstream_csv import match_columns, read_csv
from builder.sources.rows import Block
from builder.sources.schema import COUNTS, RAW_SCHEMA

UGLY = 'dijo "no", luego\ncalló;\r\n\tfin'
IDS = [make_id(NOON + n, 1_000_000_007 * n) for n in range(1, 4)]


def read(path: Path, first: int = 0) -> list[Block]:
    (file,) = find_sources([path])
    return list(read_csv(file, first))


def frame(path: Path) -> pl.DataFrame:
    return pl.concat([block.frame() for block in read(path)])


def put(folder: Path, content: bytes, name: str = "a.csv") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def refused(path: Path) -> list[tuple[str, str, str]]:
    rows = [row for block in read(path) for row in block.named]
    return [(row["row"], row["field"], row["reason"]) for row in rows]


def test_the_whisper_file_gives_transcripts_and_nothing_else(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ecuador.csv", WHISPER_HEADER, (IDS[0], "hola"), (IDS[1], ""))
    rows = frame(path)
    assert dict(rows.schema) == RAW_SCHEMA
    assert rows["id"].to_list() == IDS[:2]
    # transcribed, and nothing was heard: not the same as no transcript
    assert rows["whisper_text"].to_list() == ["hola", ""]
    assert rows["create_time"].to_list() == [NOON + 1, NOON + 2]
    filled = {name for name in rows.columns if rows[name].null_count() < rows.height}
    assert filled == {"id", "create_time", "role", "position", "whisper_text", "synthetic"}


def test_the_march_file_gives_media_sentiment_and_summary(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "March2025_Github.csv",
        MARCH_HEADER,
        (IDS[0], 450, 15.02, "Negative", "Un resumen."),
        (IDS[1], "", "nan", "", None),
    )
    rows = frame(path)
    columns = ("n_frames", "duration_seconds", "upstream_sentiment", "upstream_summary")
    assert rows.select(columns).rows() == [
        (450, 15.02, "negative", "Un resumen."),
        (None, None, None, None),
    ]
    # this file says nothing about transcripts, views and hashtags: null, neither "" nor 0 nor []
    unknown = ("whisper_text", "hashtags", "username", "region_code", *COUNTS)
    assert all(rows[name].null_count() == rows.height for name in unknown)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("VIDEO ID", "id"),
        ("Tiktok-ID", "id"),
        (" id ", "id"),
        ("No. of frames", "n_frames"),
        ("Frames (total)", "n_frames"),
        ("numFrames", "n_frames"),
        ("Duration (seconds)", "duration_seconds"),
        ("video duration [s]", "duration_seconds"),
        ("Sentiment", "upstream_sentiment"),
        ("sentiment-label", "upstream_sentiment"),
        ("XLM-R sentiment", "upstream_sentiment"),
        ("Label", "upstream_sentiment"),
        ("AI-generated Summary", "upstream_summary"),
        ("Summary", "upstream_summary"),
        ("Whisper Voice To Text", "whisper_text"),
        ("whisper_large_v3", "whisper_text"),
        ("Transcript", "whisper_text"),
        ("voice_to_text", "voice_to_text"),
        ("View Count", "view_count"),
    ],
)
def test_odd_headers_are_matched(header: str, column: str) -> None:
    assert match_columns(["x", header]) == {column: 1}


def test_an_exact_alias_goes_before_a_header_that_only_contains_the_word() -> None:
    found = match_columns(["id", "sentiment_confidence", "sentiment_label", "frame_rate", "frames"])
    assert found == {"id": 0, "upstream_sentiment": 2, "n_frames": 4}


@given(st.permutations(MARCH_HEADER))
def test_the_order_of_columns_does_not_matter(scratch: Path, header: tuple[str, ...]) -> None:
    cells = dict(zip(MARCH_HEADER, (IDS[0], 450, 15.5, "neutral", "r"), strict=True))
    row = frame(write_csv(scratch / "a.csv", header, [cells[name] for name in header]))
    assert row.select("id", "n_frames", "duration_seconds", "upstream_sentiment").rows() == [
        (IDS[0], 450, 15.5, "neutral")
    ]


def test_what_was_matched_and_what_was_not_used_is_noted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("ID", "Whisper", "Mood", "Lang"), (IDS[0], "x", 1, 2))
    assert [block.notes for block in read(path)] == [
        ["a.csv: read 'ID' as id, 'Whisper' as whisper_text; not used: 'Mood', 'Lang'"]
    ]


def test_a_missing_id_column_is_named_with_what_was_found(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("clip", "Summary"), (IDS[0], "x"))
    with pytest.raises(MissingColumn, match="'clip', 'Summary'") as caught:
        read(path)
    assert (caught.value.file, caught.value.field) == ("a.csv", "id")
    assert "video_id" in caught.value.way_out


def test_a_file_with_nothing_known_besides_the_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingColumn, match="'id', 'mood'"):
        read(write_csv(tmp_path / "a.csv", ("id", "mood"), (IDS[0], "x")))


def test_an_empty_csv_is_refused_and_one_without_rows_is_just_empty(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", codecs.BOM_UTF8):
        with pytest.raises(MissingColumn, match="empty"):
            read(put(tmp_path, content))
    assert frame(write_csv(tmp_path / "a.csv", WHISPER_HEADER)).height == 0


def test_a_csv_without_a_header_is_refused_without_repeating_its_first_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", (str(IDS[0]), "soy @maria.perez"), (IDS[1], "hola"))
    with pytest.raises(MissingColumn, match="first line") as caught:
        read(path)
    assert str(IDS[0]) not in str(caught.value)
    assert "maria" not in str(caught.value)


def test_a_very_long_header_is_shortened_in_messages(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("x" * 5_000, "Summary"), ("1", "x"))
    with pytest.raises(MissingColumn) as caught:
        read(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_compression_are_recognised(
    tmp_path: Path, delimiter: str, suffix: str
) -> None:
    rows = [(IDS[0], UGLY), (IDS[1], "x")]
    path = write_csv(tmp_path / f"a.csv{suffix}", WHISPER_HEADER, *rows, delimiter=delimiter)
    assert frame(path).select("id", "whisper_text").rows() == rows


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_comes_through_quotes_and_newlines_unchanged(
    scratch: Path, texts: list[str]
) -> None:
    rows = [(make_id(low=n), text) for n, text in enumerate(texts, start=1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builder.sources.files._BLOCK", 11)
        path = write_csv(scratch / "a.csv", WHISPER_HEADER, *rows, quoting=csv.QUOTE_ALL)
        got = frame(path)["whisper_text"].to_list()
    empty = ("", "nan", "none", "null", "<na>")
    expected = [text.replace("\0", "").strip() for text in texts]
    assert got == ["" if text.casefold() in empty else text for text in expected]


def test_an_excel_export_with_bom_semicolons_and_crlf_is_read_when_its_ids_survived(
    tmp_path: Path,
) -> None:
    text = f"id;Number of frames;AI summary\r\n{IDS[0]};10;sí\r\n{IDS[1]};11;no\r\n;;\r\n"
    rows = frame(put(tmp_path, codecs.BOM_UTF8 + text.encode()))
    assert rows.select("id", "n_frames", "upstream_summary").rows() == [
        (IDS[0], 10, "sí"),
        (IDS[1], 11, "no"),
    ]


DAMAGES = {
    "scientific": lambda i: f"{i:.5E}",
    "scientific, decimal comma": lambda i: f"{i:.5E}".replace(".", ","),
    "15 digits and zeros": lambda i: str(i)[:15] + "0" * (len(str(i)) - 15),
    "float": lambda i: f"{i}.0",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_a_file_whose_ids_went_through_a_spreadsheet_is_refused(
    tmp_path: Path, damage: Any, bom: bytes
) -> None:
    rows = [(damage(i), "x") for i in IDS]
    path = put(tmp_path, bom + to_csv(WHISPER_HEADER, *rows, delimiter=";"))
    with pytest.raises(SpreadsheetDamage, match="3 of 3") as caught:
        read(path)
    assert (caught.value.file, caught.value.row, caught.value.field) == ("a.csv", "line 2", "id")
    assert "take the original CSV again" in caught.value.way_out


@given(st.lists(st.sampled_from([*DAMAGES, "none"]), min_size=1, max_size=12))
def test_a_file_is_refused_exactly_when_half_of_its_ids_are_damaged(
    scratch: Path, damages: list[str]
) -> None:
    rows = [
        (DAMAGES.get(damage, str)(make_id(NOON + n, 1_234_567_891)), "x")
        for n, damage in enumerate(damages)
    ]
    path = write_csv(scratch / "a.csv", WHISPER_HEADER, *rows, delimiter=";")
    if 2 * sum(damage != "none" for damage in damages) >= len(damages):
        with pytest.raises(SpreadsheetDamage):
            read(path)
    else:
        assert frame(path).height >= damages.count("none")


def test_a_few_damaged_ids_are_refused_by_line(tmp_path: Path) -> None:
    rows = [(make_id(low=n), "x") for n in range(1, 6)] + [("7.32E+18", "x"), ("", "x"), (5, "x")]
    assert refused(write_csv(tmp_path / "a.csv", WHISPER_HEADER, *rows)) == [
        ("line 7", "id", ids.ID_SCIENTIFIC),
        ("line 8", "id", ids.ID_MISSING),
        ("line 9", "id", ids.ID_NOT_TIKTOK),
    ]


def test_lines_are_counted_as_an_editor_shows_them(tmp_path: Path) -> None:
    rows = [(IDS[0], "two\nlines"), (IDS[1], "x"), ("no id", "x")]
    path = write_csv(tmp_path / "a.csv", WHISPER_HEADER, *rows)
    assert refused(path) == [("line 5", "id", ids.ID_NOT_A_NUMBER)]


@pytest.mark.parametrize("cells", [("x",), (1, 2, 3)])
def test_a_row_with_the_wrong_number_of_fields_is_refused(tmp_path: Path, cells: Any) -> None:
    path = write_csv(tmp_path / "a.csv", WHISPER_HEADER, (IDS[0], "x"), cells, (IDS[1], "y"))
    assert refused(path) == [("line 3", "row", "row_has_wrong_number_of_fields")]
    assert frame(path)["id"].to_list() == IDS[:2]


def test_a_file_cut_inside_quotes_is_refused_naming_the_row(tmp_path: Path) -> None:
    content = to_csv(WHISPER_HEADER, (IDS[0], "x"), (IDS[1], "a, long\ntext, cut"))
    with pytest.raises(UnreadablePage, match="cannot be read") as caught:
        read(put(tmp_path, content[:-6]))
    assert (caught.value.file, caught.value.row) == ("a.csv", "line 3")


def test_a_lone_carriage_return_outside_quotes_is_refused_naming_the_row(tmp_path: Path) -> None:
    content = f"id,summary\n{IDS[0]},x\n{IDS[1]},one\rtwo\n".encode()
    with pytest.raises(UnreadablePage, match="cannot be read") as caught:
        read(put(tmp_path, content))
    assert caught.value.row == "line 3"


@given(st.integers(1, 200))
def test_a_cut_file_is_refused_or_loses_only_its_last_row(scratch: Path, cut: int) -> None:
    rows = [(IDS[0], UGLY), (IDS[1], UGLY + "x"), (IDS[2], UGLY)]
    whole = to_csv(WHISPER_HEADER, *rows)
    try:
        got = frame(put(scratch, whole[:-cut])).select("id", "whisper_text").rows()
    except (UnreadablePage, MissingColumn):
        return
    for (got_id, _), (exact, _) in zip(got[:-1], rows, strict=False):
        assert got_id == exact
    assert [text for _, text in got[:-1]] == [text for _, text in rows][: max(len(got) - 1, 0)]


@pytest.mark.parametrize(
    ("label", "read_as"),
    [("POS", "positive"), (" neutro ", "neutral"), ("Negativa", "negative"), ("", None)],
)
def test_sentiment_labels_are_read_in_english_and_spanish(
    tmp_path: Path, label: str, read_as: str | None
) -> None:
    path = write_csv(tmp_path / "a.csv", ("id", "sentiment"), (IDS[0], label))
    assert frame(path)["upstream_sentiment"].to_list() == [read_as]


def test_an_unknown_sentiment_label_refuses_the_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("id", "sentiment"), (IDS[0], "mixed"), (IDS[1], "neu"))
    assert refused(path) == [("line 2", "sentiment", "sentiment_label_is_unknown")]


@pytest.mark.parametrize(
    "number", ["muchos", "-1", "inf", "-inf", "1e400", "1e30", "12,5", "1_000", "0x10"]
)
@pytest.mark.parametrize("column", ["n_frames", "view_count", "duration_seconds"])
def test_what_is_no_number_refuses_the_row(tmp_path: Path, column: str, number: str) -> None:
    path = write_csv(tmp_path / "a.csv", ("id", column), (IDS[0], number), (IDS[1], "12.0"))
    assert refused(path) == [("line 2", column, f"{column}_is_not_a_number")]
    assert frame(path)[column].to_list() == [12]


def test_a_file_may_bring_counts_and_region_of_its_own(tmp_path: Path) -> None:
    header = ("id", "region_code", "view_count", "synthetic")
    rows = frame(write_csv(tmp_path / "a.csv", header, (IDS[0], "EC", 5, "true")))
    assert rows.select(header).rows() == [(IDS[0], "EC", 5, True)]


def test_a_long_file_is_streamed_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_csv, "BLOCK_ROWS", 10)
    rows = [(make_id(low=n), "x") for n in range(1, 35)]
    blocks = read(write_csv(tmp_path / "a.csv", WHISPER_HEADER, *rows), first=7 << 32)
    assert [block.rows for block in blocks] == [10, 10, 10, 4]
    positions = pl.concat([block.frame() for block in blocks])["position"].to_list()
    assert positions == [(7 << 32) + n for n in range(34)]
    assert sum(len(block.notes) for block in blocks) == 1


secret_ids = st.integers(1, 2**31).map(lambda low: str(make_id(low=low)))


@given(
    secret_ids,
    st.text(st.sampled_from("abcxyz.-_0123456789"), min_size=6, max_size=20),
    st.sampled_from(["none", "header", "cut", "E", "zeros", "quotes", "fields", "label", "number"]),
    st.integers(1, 60),
)
def test_no_message_and_no_named_row_holds_an_id_or_a_text(
    scratch: Path, secret: str, user: str, breakage: str, cut: int
) -> None:
    user = f"@zz{user}zz"
    header: tuple[str, ...] = ("id", "whisper_text", "sentiment", "n_frames")
    row = [secret, f"{user}\ny más", "neutral", "3"]
    match breakage:
        case "header":
            header = tuple(row)
        case "E":
            row[0] += "E+3"
        case "zeros":
            row[0] = row[0][:15] + "0000"
        case "fields":
            row.append(secret)
        case "label":
            row[2] = user
        case "number":
            row[3] = secret + user
    content = to_csv(header, row)
    if breakage == "cut":
        content = content[:-cut]
    if breakage == "quotes":
        content = content[:-cut] + b'"' + content[-cut:]
    told = []
    try:
        for block in read(put(scratch, content)):
            told += [str(block.named), str(block.notes), str(block.rejected)]
    except BuilderError as error:
        told.append(str(error))
    for text in told:
        assert secret not in text
        assert user not in text
