"""The limits of the Hub's Dataset Viewer (Data Studio), against a release.

Where the numbers are from, read in November 2026:

* pages of 100 rows: https://huggingface.co/docs/hub/datasets-viewer
* the preview is the first 100 rows: https://huggingface.co/docs/dataset-viewer/first_rows; at most
  1,000,000 bytes, in which no cell is cut under 100 bytes; at most 1,000 columns; at most 3,000
  configs; Parquet files are copied, not converted in part, while every row group is at most
  100,000,000 bytes: services/worker/src/worker/config.py and README.md of
  github.com/huggingface/dataset-viewer (FIRST_ROWS_*, CONFIG_NAMES_MAX_NUMBER,
  PARQUET_AND_INFO_MAX_ROW_GROUP_BYTE_SIZE_FOR_COPY). What refused previews print is an older and
  stricter 200,000 bytes, so that is what is asked for here
* a page of rows reads at most 300,000,000 bytes ("max=286.10 MiB"), and less than a row group only
  where the file has a page index: the viewer's own error messages (TooBigContentError)
* only the first 5 GB are converted, so a config under 5 GB is shown whole:
  https://huggingface.co/docs/dataset-viewer/parquet
* files of a repository: under 20 GB each, under 10,000 in a folder, under 100 in a commit:
  https://huggingface.co/docs/hub/repositories-recommendations
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from release_kit import Built

from builder.release.parquet import ROW_GROUP_BYTES
from ecuador_crisis_tiktok import FEATURES, SPLIT

PREVIEW_ROWS, PREVIEW_BYTES, CELL_BYTES, COLUMNS, CONFIGS = 100, 200_000, 100, 1_000, 3_000
COPIED_ROW_GROUP, READ_AT_ONCE, CONVERTED = 100_000_000, 300_000_000, 5_000_000_000
FILE_BYTES, FOLDER_FILES, COMMIT_FILES = 20_000_000_000, 10_000, 100


@pytest.fixture(scope="module")
def header(small: Built) -> dict[str, Any]:
    """The card's YAML."""
    text = (small.release / "README.md").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text.split("---\n")[1]))


def test_configs_and_columns_are_few_enough(header: dict[str, Any]) -> None:
    assert 0 < len(header["configs"]) <= CONFIGS
    assert all(len(info["features"]) <= COLUMNS for info in header["dataset_info"])
    assert [entry["config_name"] for entry in header["configs"] if entry.get("default")] == [
        "videos"
    ]


def test_the_features_are_read_back_as_they_are(header: dict[str, Any]) -> None:
    """The viewer builds `Features` from the YAML; a type it does not know hides the config."""
    for info in header["dataset_info"]:
        found = datasets.Features._from_yaml_list(info["features"])
        wanted = FEATURES[info["config_name"]]
        assert {name: found[name] for name in found} == {name: wanted[name] for name in found}
        assert [split["name"] for split in info["splits"]] == [SPLIT]


@pytest.mark.parametrize("config", list(FEATURES))
def test_parquet_is_shown_as_it_is(small: Built, config: str) -> None:
    """Copied whole, read by page."""
    total = 0
    for path in sorted((small.release / config).glob("*.parquet")):
        meta = pq.ParquetFile(path).metadata
        total += path.stat().st_size
        for number in range(meta.num_row_groups):
            group = meta.row_group(number)
            assert group.total_byte_size <= min(COPIED_ROW_GROUP, READ_AT_ONCE)
            for column in range(group.num_columns):
                chunk = group.column(column)
                assert chunk.has_offset_index and chunk.has_column_index, chunk.path_in_schema
    assert 0 < total < CONVERTED


def test_row_groups_stay_copied_however_large_a_release_is() -> None:
    assert ROW_GROUP_BYTES < COPIED_ROW_GROUP  # before compression


@pytest.mark.parametrize("config", list(FEATURES))
def test_the_preview_fits_once_its_cells_are_cut(small: Built, config: str) -> None:
    rows = small.frame(config).head(PREVIEW_ROWS).to_dicts()
    size = 0
    for row in rows:
        for name, value in row.items():
            cell = len(json.dumps(value, default=str).encode())
            size += len(name) + 4 + min(cell, CELL_BYTES + len("...TRUNCATED"))
    assert size < PREVIEW_BYTES, f"{size:,} bytes"


def test_files_are_few_and_small(small: Built) -> None:
    files = [path for path in small.release.rglob("*") if path.is_file()]
    assert len(files) < 50 < COMMIT_FILES  # our own rule: a commit of everything, and more
    assert all(path.stat().st_size < FILE_BYTES for path in files)
    folders: dict[Path, int] = {}
    for path in files:
        folders[path.parent] = folders.get(path.parent, 0) + 1
    assert max(folders.values()) < FOLDER_FILES
