"""The release on `datasets` 2.x and 3.x, in throw-away environments: as a script and as Parquet."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from old_kit import VERSIONS
from release_kit import NAME, Built, build, environment

from ecuador_crisis_tiktok import FEATURES

pytestmark = pytest.mark.slow

READER = """
import json, os, sys
import datasets
datasets.disable_progress_bars()
folder, name, cache, configs, columns = sys.argv[1:6]
os.chdir(folder)
found = {"version": datasets.__version__}
ways = {
    "script": dict(path=f"{name}/ecuador_crisis_tiktok.py", trust_remote_code=True),
    "yaml": dict(path=name),
}
for config in configs.split(","):
    for way, arguments in ways.items():
        for streaming in (False, True):
            loaded = datasets.load_dataset(
                name=config, streaming=streaming, cache_dir=f"{cache}/{way}", **arguments
            )
            assert list(loaded) == ["train"], loaded
            rows = loaded["train"]
            found[f"{config} {way} {'stream' if streaming else 'map'}"] = {
                "columns": list(rows.features),
                "rows": json.loads(json.dumps(list(rows), default=str)),
            }
default = datasets.load_dataset(name, cache_dir=f"{cache}/default")["train"]
found["default"] = list(default.features)
sys.path.insert(0, name)
import ecuador_crisis_tiktok as module
found["class"] = module.load(name, "videos", cache_dir=f"{cache}/class")["train"].num_rows
found["class columns"] = list(module.load(name, "videos", streaming=True)["train"].features)
print("RESULT" + json.dumps(found))
"""


def read_with(python: Path, release: Path, cache: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", READER, release.parent, release.name, cache, ",".join(FEATURES), ""],
        capture_output=True,
        text=True,
        env=environment(HF_DATASETS_OFFLINE="1", HF_HOME=str(cache / "home"), PYTHONPATH=""),
        cwd=cache,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.split("RESULT", 1)[1]))


def test_script_and_yaml_give_the_same_rows(old_python: Path, small: Built, tmp_path: Path) -> None:
    found = read_with(old_python, small.release, tmp_path)
    assert found["version"] in VERSIONS
    for config in FEATURES:
        frame = small.frame(config)
        expected = json.loads(json.dumps(frame.to_dicts(), default=str))
        for way in ("script", "yaml"):
            for mode in ("map", "stream"):
                seen = found[f"{config} {way} {mode}"]
                assert seen["columns"] == frame.columns, (config, way, mode)
                assert seen["rows"] == expected, (config, way, mode)
    assert found["default"] == small.frame("videos").columns == found["class columns"]
    assert found["class"] == small.frame("videos").height


def test_optional_columns_through_the_yaml(
    old_python: Path, small: Built, tmp_path: Path, own_campaign: Any
) -> None:
    """The script does not know of optional columns without the manifest; the YAML does."""
    campaign = own_campaign(date_resolution='"second"', author_pseudonym="true")
    built = build(tmp_path / "built", small.pages, campaign=str(campaign))
    assert built.release.name == NAME
    found = read_with(old_python, built.release, tmp_path)
    assert found["videos yaml map"]["columns"] == built.frame("videos").columns
    assert found["class columns"] == built.frame("videos").columns
    wanted = [c for c in built.frame("videos").columns if c not in ("published_at", "author_id")]
    assert found["videos script map"]["columns"] == wanted
