"""The place of the model cache, and which files of a Hub model are fetched."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from nli_checkpoints import write_checkpoint

from builder.annotate.nli import checkpoint, convert
from builder.annotate.nli.backends import choice
from builder.annotate.whisper import weights
from builder.errors import DiskFull
from builder.run import cache
from builder.run.cache import CACHE_VARIABLE, ModelUnavailable, cache_folder, hub_folder


def test_the_place_is_the_variable_then_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert cache_folder() == tmp_path / "xdg" / "ecuador-crisis"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "ecuador-crisis"


def test_every_model_that_is_made_here_uses_it() -> None:
    for module in (weights, convert, choice):
        assert vars(module)["cache_folder"] is cache.cache_folder
    for module in (weights, checkpoint):
        assert vars(module)["hub_folder"] is cache.hub_folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[list[str]]]:
    """Models of an invented Hub, `owner/name` -> the files it has; remembers what was asked."""
    has = {"a/both": ["config.json", "model.safetensors", "pytorch_model.bin"]}
    has |= {"a/pickled": ["config.json", "pytorch_model.bin"], "a/none": ["config.json"]}
    asked: dict[str, list[list[str]]] = {}

    def snapshot_download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.setdefault(name, []).append(allow_patterns)
        if name == "a/full":
            raise OSError(errno.ENOSPC, "full")
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in has[name]:  # KeyError: stands for whatever the library throws
            if any(Path(file).match(pattern) for pattern in allow_patterns):
                (folder / file).touch()
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return asked


KINDS = ("model*.safetensors", "pytorch_model*.bin")


def test_the_best_kind_of_weights_is_fetched_and_no_other(hub: dict[str, list[list[str]]]) -> None:
    both = hub_folder("a/both", files=["*.json"], weights=KINDS)
    assert sorted(path.name for path in both.iterdir()) == ["config.json", "model.safetensors"]
    pickled = hub_folder("a/pickled", files=["*.json"], weights=KINDS)
    assert sorted(path.name for path in pickled.iterdir()) == ["config.json", "pytorch_model.bin"]
    assert (len(hub["a/both"]), len(hub["a/pickled"])) == (1, 2)


def test_what_cannot_be_had_is_one_clear_error(hub: dict[str, list[list[str]]]) -> None:
    with pytest.raises(ModelUnavailable, match=r"a/none has no weights.*\n.*pytorch_model"):
        hub_folder("a/none", files=["*.json"], weights=KINDS)
    with pytest.raises(ModelUnavailable, match=r"cannot get the model a/absent.*KeyError"):
        hub_folder("a/absent", files=["*.json"], weights=KINDS)
    with pytest.raises(DiskFull):
        hub_folder("a/full", files=["*.json"], weights=KINDS)


def test_a_sealed_model_is_whole_until_any_bit_of_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "ct2").mkdir(parents=True)
    names = ("config.json", "tokenizer.json", "ct2/model.bin")
    for name in names:
        (folder / name).write_bytes(name.encode() * 10)
    assert not cache.is_sealed(folder)
    cache.seal(folder)
    assert cache.is_sealed(folder)
    for name in (*names, cache.SEAL):
        content = (folder / name).read_bytes()
        for at in (0, len(content) // 2, len(content) - 2):
            damaged = bytearray(content)
            damaged[at] ^= 1
            (folder / name).write_bytes(damaged)
            os.utime(folder / name, ns=(at, at))
            assert not cache.is_sealed(folder), (name, at)
        (folder / name).unlink()
        assert not cache.is_sealed(folder)
        (folder / name).write_bytes(content)
    (folder / "more.json").write_text("{}")
    assert not cache.is_sealed(folder)


@pytest.mark.parametrize("place", ["/proc/cache", "file/below"])
def test_a_cache_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / place  # an absolute path stays one
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(folder))
    with pytest.raises(cache.ModelUnavailable, match="model cache") as caught:
        weights.resolve(weights.WHEEL_MODEL)
    assert str(folder) in str(caught.value) and cache.CACHE_VARIABLE in caught.value.way_out
    with pytest.raises(cache.ModelUnavailable, match="model cache"):
        convert.cached(write_checkpoint(tmp_path / "checkpoint"))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "head.safetensors"])
def test_a_converted_model_whose_side_files_are_damaged_is_made_again(
    tmp_path: Path, name: str
) -> None:
    source = write_checkpoint(tmp_path / "checkpoint")
    made = convert.cached(source, cache_dir=tmp_path / "cache")
    before = (made / name).read_bytes()
    (made / name).write_bytes(bytes([before[0] ^ 1]) + before[1:])
    assert convert.cached(source, cache_dir=tmp_path / "cache") == made
    assert (made / name).read_bytes() == before
    assert [path.name for path in made.parent.iterdir()] == [made.name]
