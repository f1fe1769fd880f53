"""A release made before columns were added is still a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from release_kit import Built, read_json, rewrite, sign

from builder.publish.diff import compare
from builder.validate.whole import validate
from ecuador_crisis_tiktok import LATER_COLUMNS, load


@pytest.fixture
def older(editable: Path) -> Path:
    """The small release as schema 1.0.0 had it."""
    for config in ("videos", "metadata"):
        rewrite(editable, config, lambda frame: frame.drop(list(LATER_COLUMNS)))
    card = editable / "README.md"
    _, header, body = card.read_text(encoding="utf-8").split("---\n", 2)
    told = yaml.safe_load(header)
    for info in told["dataset_info"]:
        info["features"] = [f for f in info["features"] if f["name"] not in LATER_COLUMNS]
    card.write_text(f"---\n{yaml.safe_dump(told, allow_unicode=True)}---\n{body}", encoding="utf-8")
    manifest = read_json(editable / "MANIFEST.json") | {"schema_version": "1.0.0"}
    (editable / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    sign(editable)
    return editable


def test_it_validates_and_loads(older: Path, tmp_path: Path) -> None:
    checks = {c["name"]: c for c in validate(older)["contract"]["checks"]}
    broken = {name: c["problems"][:2] for name, c in checks.items() if c["verdict"] == "fail"}
    # croissant.json still describes the columns of the release it was made of
    assert {name for name in broken if "croissant" not in name.lower()} == set(), broken
    rows = load(older, "metadata", cache_dir=str(tmp_path / "cache"))["train"]
    assert "favorites_count" not in rows.column_names and rows.num_rows > 0


def test_the_difference_names_the_columns(older: Path, small: Built) -> None:
    found = compare(older, small.release)
    assert found.configs["metadata"].columns_added == list(LATER_COLUMNS)
    assert found.bump == "minor"
    assert any("column `favorites_count` added" in line for line in found.lines())


def test_a_new_release_without_the_columns_is_none(older: Path) -> None:
    manifest = read_json(older / "MANIFEST.json") | {"schema_version": "1.1.0"}
    (older / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    sign(older)
    (check,) = (
        c for c in validate(older)["contract"]["checks"] if "columns and types" in c["name"]
    )
    assert {p["field"] for p in check["problems"]} == set(LATER_COLUMNS)
