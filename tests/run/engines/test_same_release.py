"""The embedded sample with its models, locally and on Ray: the same release, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from release_kit import NAME, content, quiet, write_key

from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.run.engines.options import EngineOptions


@pytest.mark.long
def test_local_and_ray_give_the_same_release(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra `ray`")
    key = write_key(tmp_path / "keys" / "key")
    engines = {
        "local": EngineOptions(),
        "here": EngineOptions("here"),
        "ray": EngineOptions("ray", workers=(1, 2)),
    }
    made = {}
    for name, engine in engines.items():
        folder = tmp_path / name
        regenerate(
            Request(
                work=folder / "work",
                out=folder / NAME,
                engine=engine,
                key_file=key,
                progress=quiet,
            )
        )
        made[name] = content(folder / NAME)
    assert made["local"] == made["here"] == made["ray"]
    assert any(path.startswith("transcripts/") for path in made["ray"])
