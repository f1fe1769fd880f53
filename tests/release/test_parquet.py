"""Released Parquet: the format the design promises, the same bytes for the same rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from builder.release import parquet as module
from builder.release.parquet import ConfigWriter, arrow_schema


def sentiment(rows: int, start: int = 0, text: str = "m") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "video_id": [f"{i:032x}" for i in range(start, start + rows)],
            "label": ["neutral"] * rows,
            "confidence": [0.5] * rows,
            "score_negative": [0.25] * rows,
            "score_neutral": [0.5] * rows,
            "score_positive": [0.25] * rows,
            "low_confidence": [True] * rows,
            "status": ["ok"] * rows,
            "reason": [None] * rows,
            "model": [text] * rows,
            "private": ["not in the schema"] * rows,
        }
    )


def write(folder: Path, *frames: pl.DataFrame, total: int | None = None) -> ConfigWriter:
    rows = sum(frame.height for frame in frames) if total is None else total
    with ConfigWriter(folder, "sentiment", (), rows) as writer:
        for frame in frames:
            writer.write(frame)
    return writer


def test_columns_types_and_no_others(tmp_path: Path) -> None:
    write(tmp_path, sentiment(10))
    found = pq.read_schema(next(tmp_path.rglob("*.parquet")))
    assert found.equals(arrow_schema("sentiment", ()), check_metadata=False)
    assert b"not in the schema" not in next(tmp_path.rglob("*.parquet")).read_bytes()


def test_zstd_page_index_and_no_library_metadata(tmp_path: Path) -> None:
    write(tmp_path, sentiment(5_000))
    metadata = pq.read_metadata(next(tmp_path.rglob("*.parquet")))
    column = metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.has_offset_index and column.has_column_index
    assert b"huggingface" not in (metadata.metadata or {})


def test_the_same_rows_give_the_same_bytes_however_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROW_GROUP_ROWS", 1_000)
    whole = sentiment(3_500)
    for name, frames in {
        "once": [whole],
        "again": [whole],
        "slices": [whole[:1], whole[1:999], whole[999:1001], whole[1001:]],
    }.items():
        write(tmp_path / name, *frames)
    files = {path.parts[-3]: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert files["once"] == files["again"] == files["slices"]
    groups = pq.read_metadata(next((tmp_path / "once").rglob("*.parquet"))).num_row_groups
    assert groups == 4


def test_shards_are_numbered_and_hold_all_rows_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD_ROWS", 1_000)
    monkeypatch.setattr(module, "ROW_GROUP_ROWS", 300)
    whole = sentiment(2_501)
    writer = write(tmp_path, whole[:700], whole[700:])
    assert list(writer.files) == [f"sentiment/train-0000{i}-of-00003.parquet" for i in range(3)]
    assert list(writer.files.values()) == [834, 834, 833]
    back = pl.read_parquet([tmp_path / name for name in writer.files])
    assert back["video_id"].equals(whole["video_id"])


def test_row_groups_stay_below_100_mb_also_when_texts_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows do not tell how long the later ones are."""
    monkeypatch.setattr(module, "ROW_GROUP_BYTES", 1 << 20)
    write(tmp_path, sentiment(50), sentiment(20_000, 50, "x" * 2_000))
    metadata = pq.read_metadata(next(tmp_path.rglob("*.parquet")))
    biggest = max(
        sentiment_rows * 2_100
        for sentiment_rows in (
            metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)
        )
    )
    assert biggest < (1 << 20) * 1.5 + 1_000 * 2_100


def test_an_empty_config_is_a_file_with_a_schema(tmp_path: Path) -> None:
    writer = write(tmp_path)
    assert writer.files == {"sentiment/train-00000-of-00001.parquet": 0}
    assert pl.read_parquet(next(tmp_path.rglob("*.parquet"))).height == 0


def test_optional_columns_only_when_asked(tmp_path: Path) -> None:
    plain, more = arrow_schema("metadata", ()), arrow_schema("metadata", ("author_id",))
    assert set(more.names) - set(plain.names) == {"author_id"}


def test_dates_are_dates(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"key": ["A"], "date": [dt.date(2024, 1, 7)], "title": ["t"], "description": ["d"],
         "event_source": ["s"], "n_videos": [1]}
    )  # fmt: skip
    with ConfigWriter(tmp_path, "events", (), 1) as writer:
        writer.write(frame)
    assert str(pq.read_schema(next(tmp_path.rglob("*.parquet"))).field("date").type) == (
        "date32[day]"
    )
