"""What was published is what is read: `datasets`, polars, pandas and `evaluate`, by tag.

Every reader is a process of its own with an empty cache, which knows the fake Hub by HF_ENDPOINT.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FakeHub
from old_kit import VERSIONS
from publish_kit import REPO, TOKEN, bumped
from release_kit import Built, content, environment, rewrite

from builder.publish.wish import Published
from ecuador_crisis_tiktok import FEATURES

Send = Callable[..., Published]
LOAD = """
import json, sys
import datasets
datasets.disable_progress_bars()
repo, tag, configs = sys.argv[1:4]
found = {"version": datasets.__version__}
for config in configs.split(","):
    for streaming in (False, True):
        rows = datasets.load_dataset(repo, config, revision=tag, streaming=streaming)
        assert list(rows) == ["train"], rows
        found[f"{config} {streaming}"] = json.loads(json.dumps(list(rows["train"]), default=str))
print("RESULT" + json.dumps(found))
"""
TABLES = """
import json, sys
repo, tag = sys.argv[1:3]
found = {}
import datasets
datasets.disable_progress_bars()
picked = datasets.load_dataset(
    repo, "metadata", revision=tag, split="train", columns=["video_id", "view_count"],
    filters=[("view_count", ">", 1000)], streaming=True,
)  # not streamed it wants verification_mode="no_checks": fewer rows than the card says
rows = list(picked)
found["datasets"] = [sorted(rows[0]), sorted(row["video_id"] for row in rows)]
import pandas
path = f"hf://datasets/{repo}@{tag}/metadata/train-00000-of-00001.parquet"
frame = pandas.read_parquet(path, columns=["video_id"], filters=[("view_count", ">", 1000)])
found["pandas"] = [list(frame.columns), sorted(frame["video_id"])]
import polars
from huggingface_hub import HfFileSystem
with HfFileSystem().open(path) as handle:
    rows = polars.read_parquet(handle, columns=["video_id", "view_count"])
rows = rows.filter(polars.col("view_count") > 1000)
found["polars"] = [["video_id"], sorted(rows["video_id"])]
sys.path.insert(0, ".")
import ecuador_crisis_tiktok as module
stream = module.load(f"hf://datasets/{repo}@{tag}", "events", streaming=True)["train"]
found["class"] = [row["key"] for row in stream]
print("RESULT" + json.dumps(found))
"""


def reader(
    code: str, hub: FakeHub, cache: Path, *arguments: str, python: str = sys.executable, **env: str
) -> Any:
    """Run a reader with an empty cache."""
    told = {
        **environment(),
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(cache / "home"),
        "HF_DATASETS_CACHE": str(cache / "datasets"),
        "HF_HUB_OFFLINE": "0",
        "HF_DATASETS_OFFLINE": "0",
        "HF_TOKEN": TOKEN,
        **env,
    }
    done = subprocess.run(
        [python, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=told,
        cwd=cache,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.split("RESULT", 1)[1])


def same_rows(found: dict[str, Any], built: Built, configs: Iterable[str] = FEATURES) -> None:
    """Every config, downloaded and streamed, is the local release."""
    for config in configs:
        expected = json.loads(json.dumps(built.frame(config).to_dicts(), default=str))
        for streaming in (False, True):
            assert found[f"{config} {streaming}"] == expected, (config, streaming)


def test_load_dataset_by_tag_is_the_local_release(
    hub: FakeHub, small: Built, editable: Path, send: Send, tmp_path: Path
) -> None:
    """Published under faults; a later version on `main` does not shine through."""
    hub.fail("POST", r"/commit/", status=500, landed=True)
    hub.fail("PUT", r"/_lfs/", status=503)
    send(small.release)
    rewrite(editable, "events", lambda frame: frame.reverse())
    send(bumped(editable, "1.1.0"))
    hub.fail("GET", r"/_cdn/", status=None)
    found = reader(LOAD, hub, tmp_path, REPO, "v1.0.0", ",".join(FEATURES))
    same_rows(found, small)


def test_columns_and_filters_over_http(
    hub: FakeHub, small: Built, send: Send, tmp_path: Path
) -> None:
    send(small.release)
    found = reader(TABLES, hub, tmp_path, REPO, "v1.0.0", PYTHONPATH=str(small.release))
    metadata = small.frame("metadata").filter(small.frame("metadata")["view_count"] > 1000)
    ids = sorted(metadata["video_id"])
    assert 0 < len(ids) < small.frame("metadata").height
    assert found["datasets"] == [["video_id", "view_count"], ids]
    for name in ("pandas", "polars"):
        assert found[name] == [["video_id"], ids], name
    assert found["class"] == small.frame("events")["key"].to_list()


def test_a_gated_release_needs_a_token_that_was_let_in(
    hub: FakeHub, small: Built, send: Send, tmp_path: Path
) -> None:
    send(small.release, private=False, gated="manual")
    stranger = hub.token("hf_" + "stranger" * 5, name="sim_stranger")
    code = """
import json, sys, datasets
try:
    datasets.load_dataset(sys.argv[1], "events", revision="v1.0.0")
    print("RESULT" + json.dumps("loaded"))
except datasets.exceptions.DatasetNotFoundError as error:
    print("RESULT" + json.dumps(str(error)))
"""
    told = reader(code, hub, tmp_path, REPO, HF_TOKEN=stranger)
    assert "gated" in told
    hub.repo(REPO).granted.add("sim_stranger")
    (tmp_path / "again").mkdir()
    assert reader(code, hub, tmp_path / "again", REPO, HF_TOKEN=stranger) == "loaded"


def test_evaluate_loads_a_measurement_from_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "cards" / "nli_entailment"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    hub.add("sim_lab/nli_entailment", files, kind="space")
    code = """
import json, evaluate
measure = evaluate.load("sim_lab/nli_entailment")
done = measure.compute(premises=["El presidente habla."], hypotheses=["El presidente habla."])
print("RESULT" + json.dumps(sorted(done)))
"""
    root = str(Path(__file__).parents[2])
    keys = reader(code, hub, tmp_path, PYTHONPATH=root, HF_EVALUATE_OFFLINE="0")
    assert {"entailment_share", "neutral_share", "contradiction_share"} <= set(keys)


@pytest.mark.slow
def test_old_datasets_read_it_by_tag(
    hub: FakeHub, small: Built, old_python: Path, tmp_path: Path
) -> None:
    """A table of every shape; that all seven load is tested on the folder."""
    repo = hub.add(REPO, content(small.release))
    repo.tags["v1.0.0"] = repo.head
    configs = ("videos", "transcripts", "events")
    found = reader(
        LOAD,
        hub,
        tmp_path,
        REPO,
        "v1.0.0",
        ",".join(configs),
        python=str(old_python),
        PYTHONPATH="",
    )
    assert found["version"] in VERSIONS
    same_rows(found, small, configs)


DUCK = """
import json, sys, duckdb
from huggingface_hub import HfFileSystem
repo, tag = sys.argv[1:3]
connection = duckdb.connect()
connection.register_filesystem(HfFileSystem())
where = f"hf://datasets/{repo}@{tag}/metadata/train-00000-of-00001.parquet"
rows = connection.sql(f"SELECT video_id FROM '{where}' WHERE view_count > 1000").fetchall()
print("RESULT" + json.dumps(sorted(row[0] for row in rows)))
"""
POLARS = """
import json, os, sys, polars
repo, tag = sys.argv[1:3]
file = "metadata/train-00000-of-00001.parquet"
where = f"{os.environ['HF_ENDPOINT']}/datasets/{repo}/resolve/{tag}/{file}"
rows = polars.scan_parquet(where).filter(polars.col("view_count") > 1000).select("video_id")
print("RESULT" + json.dumps(sorted(rows.collect()["video_id"])))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "code", [pytest.param(DUCK, id="duckdb"), pytest.param(POLARS, id="polars")]
)
def test_queries_over_http(hub: FakeHub, small: Built, tmp_path: Path, code: str) -> None:
    """DuckDB through `hf://`, polars by the file's address: a tag, some columns, some rows."""
    repo = hub.add(REPO, content(small.release))
    repo.tags["v1.0.0"] = repo.head
    metadata = small.frame("metadata")
    wanted = sorted(metadata.filter(metadata["view_count"] > 1000)["video_id"])
    assert reader(code, hub, tmp_path, REPO, "v1.0.0") == wanted
    ranges = hub.asked("GET", r"/resolve/v1\.0\.0/") + hub.asked("GET", r"/_cdn/")
    assert ranges > 0 and not hub.asked("GET", r"/resolve/.*(videos|transcripts)/")
