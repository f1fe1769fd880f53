"""The card says what happened, and nothing that did not."""

from __future__ import annotations

import re
from pathlib import Path

import datasets
import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData
from release_kit import Built

from builder.release.card import features_yaml
from ecuador_crisis_tiktok import CONFIG_DESCRIPTIONS, FEATURES, features_of


@pytest.fixture(scope="module")
def card(small: Built) -> str:
    return (small.release / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def header(card: str) -> dict[str, object]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def test_the_hub_can_read_it(card: str, small: Built) -> None:
    parsed = DatasetCard.load(small.release / "README.md")
    assert isinstance(parsed.data, DatasetCardData)
    assert parsed.data.language == ["es"]  # the Hub stems Spanish only for exactly this
    assert parsed.data.license == "cc-by-nc-4.0"
    assert parsed.data.size_categories == ["n<1K"]
    assert "synthetic" in parsed.data.tags and "ecuador" in parsed.data.tags


def test_every_config_has_version_files_and_a_digest(header: dict[str, object]) -> None:
    configs = header["configs"]
    assert isinstance(configs, list)
    assert [entry["config_name"] for entry in configs] == list(FEATURES)
    for entry in configs:
        assert entry["version"] == "1.0.0"
        assert entry["data_files"] == [
            {"split": "train", "path": f"{entry['config_name']}/train-*.parquet"}
        ]
        description = CONFIG_DESCRIPTIONS[entry["config_name"]]
        assert re.fullmatch(
            rf"{re.escape(description)} \[content [0-9a-f]{{16}}\]", entry["description"]
        )
    assert [e["config_name"] for e in configs if e.get("default")] == ["videos"]


@pytest.mark.parametrize("config", FEATURES)
@pytest.mark.parametrize("optional", [(), ("published_at",), ("published_at", "author_id")])
def test_yaml_features_read_back_as_the_schema(config: str, optional: tuple[str, ...]) -> None:
    stated = features_yaml(config, optional)
    assert datasets.Features._from_yaml_list(stated) == features_of(config, optional)
    assert "List" not in str(stated) and "LargeList" not in str(stated)  # unknown to old versions


def test_synthetic_data_is_called_synthetic_first(card: str) -> None:
    body = card.split("---\n", 2)[2]
    assert body.index("SYNTHETIC DATA") < body.index("308 videos")
    assert "Do not cite" in body


@pytest.mark.parametrize(
    "words",
    [
        "## Load it", "### Data dictionary", "## Where the numbers come from", "## Datasheet",
        "**How it was collected.**", "**Biases and limits.**", "**Not for.**", "## Privacy",
        "To have a post removed", "## How to rebuild it", "## Licence and contact",
        "HMAC-SHA256", "fewer than 5 videos", "released by day", "No model was run",
        "ecuador-crisis regenerate SOURCE --campaign ecuador_2024",
    ],
)  # fmt: skip
def test_what_a_datasheet_needs(card: str, words: str) -> None:
    assert words in card


def test_counts_are_those_of_the_run(card: str, small: Built) -> None:
    manifest = small.manifest
    for config, rows in manifest["rows"].items():
        assert re.search(rf"^\| `{config}` \| {rows:,} \|", card, re.MULTILINE)
    for step, counts in manifest["counts"].items():
        row = rf"^\| {step} \| {counts['in']:,} \| {counts['out']:,} \|"
        assert re.search(row, card, re.MULTILINE)
    for reason, count in manifest["dropped"].items():
        assert f"| `{reason}` | {count:,} |" in card
    for reason, count in manifest["excluded"].items():
        assert f"{count:,} {reason}" in card
    for source, count in manifest["usable_transcripts"].items():
        assert f"{count:,} from {source}" in card


def test_what_was_replaced_is_told_by_kind(card: str, small: Built) -> None:
    total: dict[str, int] = {}
    for kinds in small.manifest["scrubbed"].values():
        for kind, count in kinds.items():
            total[kind] = total.get(kind, 0) + count
    for kind, count in total.items():
        assert f"{kind} ({count:,})" in card


def test_no_template_is_left_and_tables_are_whole(card: str) -> None:
    assert "{{" not in card and "{%" not in card
    assert "None" not in card.split("---\n", 2)[2]
    lines = card.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("|---", "| ---")):
            columns = lines[number - 1].count("|")
            after = []
            for row in lines[number + 1 :]:
                if not row.startswith("|"):
                    break
                after.append(row)
            assert after, lines[number - 1]
            assert all(row.count("|") == columns for row in after), lines[number - 1]


def test_the_folder_named_in_the_card_is_the_releases(card: str, small: Built) -> None:
    assert f'load_dataset("{small.release.name}"' in card
    assert Path(small.release, "videos").is_dir()
