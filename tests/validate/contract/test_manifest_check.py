"""Nothing in MANIFEST.json can be changed without the contract noticing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from release_kit import Built, read_json

from builder.errors import BuilderError
from builder.validate.contract.manifest import check_manifest
from builder.validate.release import Release


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every number, text and flag."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def change(manifest: Any, path: tuple[Any, ...]) -> None:
    """Another value of the same type."""
    for key in path[:-1]:
        manifest = manifest[key]
    old = manifest[path[-1]]
    if isinstance(old, bool):
        new: Any = not old
    elif isinstance(old, int):
        new = old + 1
    elif isinstance(old, float):
        new = old / 2
    else:
        new = f"{old or ''}x"
    manifest[path[-1]] = new


def verdict(release: Path) -> str:
    try:
        return check_manifest(Release(release)).verdict
    except BuilderError:  # a day that is none
        return "fail"


def test_an_untouched_manifest_passes(small: Built, editable: Path) -> None:
    assert check_manifest(Release(small.release)).problems == []
    (editable / "validation.json").unlink()  # built with --skip validate
    assert check_manifest(Release(editable)).problems == []


def test_any_changed_value_is_noticed(editable: Path) -> None:
    path = editable / "MANIFEST.json"
    untouched = path.read_text(encoding="utf-8")
    places = list(leaves(json.loads(untouched)))
    assert len(places) > 60
    for place in random.Random(3).sample(places, 40):
        manifest = json.loads(untouched)
        change(manifest, place)
        path.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        assert verdict(editable) == "fail", place
    path.write_text(untouched, encoding="utf-8")
    assert verdict(editable) == "pass"


@pytest.mark.parametrize(
    "key",
    ["synthetic", "version", "name", "rows", "counts", "dropped", "excluded",
     "usable_transcripts", "sources"],
)  # fmt: skip
def test_what_can_be_counted_is_noticed_without_a_report(editable: Path, key: str) -> None:
    (editable / "validation.json").unlink()
    path = editable / "MANIFEST.json"
    untouched = read_json(path)
    assert untouched[key] or key in ("dropped", "excluded"), key
    for place in leaves({key: untouched[key]}):
        manifest = json.loads(json.dumps(untouched))
        change(manifest, place)
        path.write_text(json.dumps(manifest), encoding="utf-8")
        problems = check_manifest(Release(editable)).problems
        assert problems, place
        assert all(problem.way_out for problem in problems)


def test_a_report_that_is_damaged_is_noticed(editable: Path) -> None:
    for content in ("", "{", "[]", '{"manifest_sha256": 3}'):
        (editable / "validation.json").write_text(content)
        assert verdict(editable) == "fail"
