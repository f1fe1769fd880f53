"""Loading a release by its name, by class, and with the recipes its card prints."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from release_kit import NAME, Built, build

import ecuador_crisis_tiktok as schema
from ecuador_crisis_tiktok import CONFIG_COLUMNS, FEATURES, features_of, load

CONFIGS = list(FEATURES)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def beside(small: Built, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the folder the release lies in, as the card's recipes do."""
    monkeypatch.chdir(small.release.parent)
    return small.release


def rows_of(release: Path, config: str) -> list[dict[str, Any]]:
    """The rows as pyarrow reads them."""
    return [row for path in sorted((release / config).glob("*.parquet"))
            for row in pq.read_table(path).to_pylist()]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS)
def test_load_dataset_by_name(beside: Path, tmp_path: Path, config: str) -> None:
    loaded = datasets.load_dataset(NAME, config, cache_dir=str(tmp_path))
    assert list(loaded) == ["train"]
    train = loaded["train"]
    assert train.features == features_of(config)
    assert (
        train.num_rows
        == pl.scan_parquet(beside / config / "*.parquet").select(pl.len()).collect().item()
    )
    assert train.to_list() == rows_of(beside, config)


@pytest.mark.parametrize("config", CONFIGS)
def test_streaming_by_name(beside: Path, tmp_path: Path, config: str) -> None:
    stream = datasets.load_dataset(
        NAME, config, cache_dir=str(tmp_path), split="train", streaming=True
    )
    assert stream.features == features_of(config)
    assert list(stream) == rows_of(beside, config)


def test_videos_is_the_default(beside: Path, tmp_path: Path) -> None:
    train = datasets.load_dataset(NAME, cache_dir=str(tmp_path), split="train")
    assert train.features == FEATURES["videos"].__class__(features_of("videos"))
    assert datasets.get_dataset_config_names(NAME) == CONFIGS


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("streaming", [False, True])
def test_the_builder_class(small: Built, tmp_path: Path, config: str, streaming: bool) -> None:
    train = load(small.release, config, streaming=streaming, cache_dir=str(tmp_path))["train"]
    assert train.features == features_of(config)
    assert list(train) == rows_of(small.release, config)


def test_the_builder_class_refuses_what_is_not_there(tmp_path: Path, small: Built) -> None:
    with pytest.raises(ValueError, match="unknown config 'vidoes'"):
        load(small.release, "vidoes")
    with pytest.raises(FileNotFoundError):
        load(tmp_path, "videos")


def test_a_relative_path_is_the_folder_and_not_the_hub(beside: Path, tmp_path: Path) -> None:
    train = load(NAME, "events", cache_dir=str(tmp_path))["train"]
    assert train.num_rows == 5


def test_optional_columns_come_along(
    small: Built, tmp_path: Path, own_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = own_campaign(date_resolution='"hour"', author_pseudonym="true")
    built = build(tmp_path / "b", small.pages, campaign=str(campaign))
    optional = ("published_at", "author_id")
    for config in ("videos", "metadata"):
        mine = load(built.release, config, cache_dir=str(tmp_path / "c1"))["train"]
        assert mine.features == features_of(config, optional)
        assert set(CONFIG_COLUMNS[config]) == set(mine.column_names)
        monkeypatch.chdir(built.release.parent)
        theirs = datasets.load_dataset(NAME, config, cache_dir=str(tmp_path / "c2"))["train"]
        assert theirs.features == mine.features
        assert theirs.to_list() == mine.to_list()


# -- a release that was replaced comes back fresh -----------------------------------------------


@pytest.fixture
def replaced(small: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A release that is built twice in the same place: same rows and sizes, one view more."""
    pages = Path(shutil.copytree(small.pages, tmp_path / "pages"))
    planted = pages / "planted.jsonl"
    monkeypatch.chdir(tmp_path)

    def rebuild(views: int) -> None:
        text = (small.pages / "planted.jsonl").read_text(encoding="utf-8")
        planted.write_text(text.replace('"view_count": 10,', f'"view_count": {views},'))
        build(tmp_path, pages)

    rebuild(10)
    yield rebuild


def sizes() -> tuple[Any, ...]:
    """What the YAML tells of the `metadata` config's size."""
    header = yaml.safe_load((Path(NAME) / "README.md").read_text().split("---\n")[1])
    info = next(info for info in header["dataset_info"] if info["config_name"] == "metadata")
    return info["splits"][0]["num_examples"], info["splits"][0]["num_bytes"]


def views(how: str, cache: Path) -> set[int]:
    """The view counts of the planted videos."""
    if how == "load":
        train = load(NAME, "metadata", cache_dir=str(cache))["train"]
    else:
        train = datasets.load_dataset(NAME, "metadata", cache_dir=str(cache))["train"]
    return set(train["view_count"])


@pytest.mark.parametrize("how", ["load", "load_dataset"])
def test_a_replaced_release_is_not_served_from_the_cache(
    replaced: Any, tmp_path: Path, how: str
) -> None:
    cache = tmp_path / "cache"
    first = views(how, cache)
    assert 31 not in first
    before = sizes()
    replaced(31)
    assert sizes() == before  # nothing else in the YAML tells the two releases apart
    assert views(how, cache) == first - {10} | {31}
    replaced(10)
    assert views(how, cache) == first


def test_an_unchanged_release_is_served_from_the_cache(beside: Path, tmp_path: Path) -> None:
    for _ in range(2):
        datasets.load_dataset(NAME, "events", cache_dir=str(tmp_path))
    assert len(list(tmp_path.rglob("dataset_info.json"))) == 1


# -- the card's recipes -------------------------------------------------------------------------


def recipes(release: Path, language: str) -> list[str]:
    """Code blocks of the card."""
    card = (release / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", card, flags=re.DOTALL)


def test_the_cards_python_recipes_run_as_printed(
    beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    blocks = recipes(beside, "python")
    assert len(blocks) == 3
    seen: dict[str, Any] = {}
    for block in blocks:
        steps = ast.parse(block)
        last = steps.body[-1]
        if isinstance(last, ast.Expr):  # what a reader would see printed
            name = ast.Name(f"result_{len(seen)}", ast.Store())
            steps.body[-1] = ast.Assign([name], last.value)
        exec(compile(ast.fix_missing_locations(steps), "card", "exec"), seen)
    assert seen["videos"].num_rows == seen["sentiment"].num_rows > 300
    assert next(iter(seen["stream"]))["video_id"]
    frames = [value for key, value in seen.items() if key.startswith("result_")]
    assert {type(frame) for frame in frames} == {pl.DataFrame, pd.DataFrame}


def test_the_cards_duckdb_recipe_runs_as_printed(beside: Path, small: Built) -> None:
    (block,) = recipes(beside, "sql")
    days = duckdb.sql(block).fetchall()
    assert sum(count for _, count in days) == small.frame("videos").height
    assert days == sorted(days)


def test_pandas_reads_every_config(beside: Path) -> None:
    for config in CONFIGS:
        frame = pd.read_parquet(f"{NAME}/{config}")
        assert list(frame.columns) == list(features_of(config))


# -- one schema ---------------------------------------------------------------------------------


def test_dictionary_yaml_and_features_agree(small: Built) -> None:
    card = (small.release / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card.split("---\n")[1])
    infos = {info["config_name"]: info for info in header["dataset_info"]}
    assert list(infos) == [entry["config_name"] for entry in header["configs"]] == CONFIGS
    sections = card.split("### Data dictionary")[1].split("## Where the numbers")[0]
    for config in CONFIGS:
        stated = datasets.Features._from_yaml_list(infos[config]["features"])
        assert stated == features_of(config)
        printed = re.search(rf"\*\*{config}\*\*\n(.*?)(?:\n\n\*\*|\Z)", sections, re.DOTALL)
        assert printed
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", printed.group(1), re.MULTILINE)
        assert [name for name, _, _ in rows] == list(features_of(config))
        for name, kind, meaning in rows:
            assert meaning == schema.describe(config, name)
            form = next(f for f in infos[config]["features"] if f["name"] == name)
            assert kind == form.get("dtype", kind) and kind.startswith(
                "list of" if "list" in form else form["dtype"]
            )
        arrow = pq.read_schema(next((small.release / config).glob("*.parquet")))
        assert arrow.remove_metadata() == features_of(config).arrow_schema.remove_metadata()
        assert not arrow.metadata or b"huggingface" not in arrow.metadata


def test_every_column_is_described_and_every_description_used() -> None:
    used = {column for columns in CONFIG_COLUMNS.values() for column in columns}
    assert used == set(schema.COLUMNS)
    assert all(text.strip() for _, text in schema.COLUMNS.values())
    places = {(config, column) for config, columns in CONFIG_COLUMNS.items() for column in columns}
    assert set(schema.OWN_DESCRIPTIONS) <= places
    for (config, column), text in schema.OWN_DESCRIPTIONS.items():
        assert schema.describe(config, column) == text != schema.COLUMNS[column][1]
    assert "event" in schema.describe("events", "date").lower()


def test_no_file_is_called_like_the_release(small: Built) -> None:
    names = {path.name for path in small.release.rglob("*")}
    assert f"{NAME}.py" not in names and "ecuador_crisis_tiktok.py" in names


def test_the_schema_file_imports_only_datasets_and_pyarrow() -> None:
    text = Path(schema.__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, flags=re.MULTILINE))
    others = imported - sys.stdlib_module_names - {"__future__"}
    assert others == {"datasets", "pyarrow", "ecuador_crisis_tiktok"}
