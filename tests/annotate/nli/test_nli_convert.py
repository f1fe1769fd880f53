"""Conversion: layout, cache, atomicity, and what cannot be converted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nli_checkpoints import TEXTS, write_checkpoint

from builder.annotate.nli import convert as nli_convert
from builder.annotate.nli.convert import CONVERTED_FILES, cached, is_converted
from builder.annotate.nli.engine import NliEngine
from builder.annotate.nli.problems import ModelProblem


def silent(what: str, total: int) -> Any:
    from builder.run.progress import Progress

    return Progress(what, total, stream=None)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_converted_folder_is_whole_and_shippable(tmp_path: Path, kind: str) -> None:
    source = write_checkpoint(tmp_path / kind, kind)
    made = cached(source, cache_dir=tmp_path / "cache", progress=silent)
    assert is_converted(made)
    shipped = tmp_path / "elsewhere"
    shutil.copytree(made, shipped)
    shutil.rmtree(source)
    pairs = TEXTS[:4], TEXTS[4:8]
    a = NliEngine.load(made).logits(*pairs)
    assert np.array_equal(a, NliEngine.load(shipped, "ctranslate2").logits(*pairs))
    assert NliEngine.load(made).model.split("@")[1] == NliEngine.load(shipped).model.split("@")[1]


def test_the_cache_is_used_and_follows_the_content(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "m")
    first = cached(source, cache_dir=tmp_path / "cache", progress=silent)
    before = (first / "ct2/model.bin").stat().st_mtime_ns
    again = cached(source, cache_dir=tmp_path / "cache", progress=silent)
    assert (again, (again / "ct2/model.bin").stat().st_mtime_ns) == (first, before)
    write_checkpoint(source, seed=1)
    assert cached(source, cache_dir=tmp_path / "cache", progress=silent) != first
    other = cached(source, cache_dir=tmp_path / "cache", quantization="float32", progress=silent)
    assert other != first


def test_a_conversion_that_dies_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    source = write_checkpoint(tmp_path / "m")

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nli_convert, "write_head", die)
    with pytest.raises(KeyboardInterrupt):
        cached(source, cache_dir=tmp_path / "cache", progress=silent)
    assert list((tmp_path / "cache" / "nli").iterdir()) == []


def test_missing_tensor_is_named(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "m")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ModelProblem, match=r"encoder\.layer\.2"):
        cached(source, cache_dir=tmp_path / "cache", progress=silent)


def test_a_damaged_weights_file_is_named(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "m")
    whole = (source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelProblem, match="damaged"):
        cached(source, cache_dir=tmp_path / "cache", progress=silent)


def test_an_encoder_without_head_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    source = write_checkpoint(tmp_path / "m")
    tensors = load_file(source / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.startswith("classifier")}
    save_file(kept, source / "model.safetensors")
    with pytest.raises(ModelProblem, match="no classification head"):
        cached(source, cache_dir=tmp_path / "cache", progress=silent)


def test_an_architecture_ctranslate2_cannot_run_says_so(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "m")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "model_type": "deberta-v2"}))
    with pytest.raises(ModelProblem, match="torch"):
        NliEngine.load(source, "ctranslate2", cache_dir=tmp_path / "cache", progress=silent)


def test_the_layout_is_what_the_design_says(tmp_path: Path) -> None:
    made = cached(write_checkpoint(tmp_path / "m"), cache_dir=tmp_path / "c", progress=silent)
    assert all((made / name).is_file() for name in CONVERTED_FILES)
    from safetensors.numpy import load_file

    assert set(load_file(made / "head.safetensors")) == {
        f"{layer}.{part}" for layer in ("pooler.dense", "classifier") for part in ("weight", "bias")
    }
