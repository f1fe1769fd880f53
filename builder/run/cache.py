"""The model cache: where made models are kept, and how models come from the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from builder.errors import BuilderError, StageFailed, disk_full_guard
from builder.run.store import fsync_folder

CACHE_VARIABLE = "ECUADOR_CRISIS_CACHE"
SEAL = "seal.json"


class ModelUnavailable(StageFailed):
    """A model's files are not where they should be, and cannot be had."""


def cache_folder() -> Path:
    """Folder for models made here (assembled, converted) and for what was measured about them.

    ``$ECUADOR_CRISIS_CACHE``, else ``ecuador-crisis`` in the user's cache folder
    (``$XDG_CACHE_HOME``, else ``~/.cache``). It can be deleted at any time. Downloads lie in the
    Hub's own cache (``$HF_HOME``), where other programs share them.
    """
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ecuador-crisis"


@contextmanager
def writing_cache(folder: Path) -> Iterator[None]:
    """Name the cache, and the way to another one, when it cannot be written to.

    Raises:
        ModelUnavailable: no right to write there, or it is no folder.
        DiskFull: no space left.
    """
    try:
        with disk_full_guard(folder):
            yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename)) if error.filename else folder
        if not (named.is_relative_to(folder) or folder.is_relative_to(named)):
            raise  # some other file
        raise ModelUnavailable(
            f"the model cache cannot be written to ({error.strerror or type(error).__name__})",
            file=folder,
            way_out=f"set {CACHE_VARIABLE} to a folder you can write to; it may be deleted at any "
            "time",
        ) from error


def seal(folder: Path) -> None:
    """Write down the digest of every file of a model made here; done last."""
    sums = {name: file_sha256(folder / name) for name in _files(folder)}
    (folder / SEAL).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")


def is_sealed(folder: Path) -> bool:
    """Whether a model made here is whole: every file there, and no bit of it changed.

    Reads all of it once in a process: about a second for a gigabyte.
    """
    try:
        sums = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        if not isinstance(sums, dict) or sorted(sums) != _files(folder):
            return False
        return all(file_sha256(folder / name) == digest for name, digest in sums.items())
    except (OSError, ValueError, RecursionError):
        return False


def make_sealed(target: Path, make: Callable[[Path], None]) -> None:
    """Make a model's folder in the cache, whole or not at all.

    Args:
        target: the folder; one that is there and whole stays.
        make: writes the model into a folder it is given (not there yet), and syncs its files.

    Raises:
        ModelUnavailable, DiskFull: as `writing_cache`; nothing half-written is kept.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with writing_cache(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            make(temporary)
            seal(temporary)
            if not is_sealed(target):  # damaged, or of a version that did not seal
                shutil.rmtree(target, ignore_errors=True)
            # Another process may have finished first: its folder is as good as ours.
            with suppress(OSError):
                os.replace(temporary, target)
            fsync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def file_sha256(path: Path) -> str:
    """SHA-256 of a large file, hex; read once in a process while it stays as it is."""
    stat = path.stat()
    return _sha256(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=1024)
def _sha256(path: str, size: int, mtime_ns: int, ctime_ns: int) -> str:
    # the other arguments are there for the cache: a replaced file is another file
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _files(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(name for path in paths if (name := path.relative_to(folder).as_posix()) != SEAL)


def hub_folder(
    name: str, revision: str | None = None, *, files: Sequence[str], weights: Sequence[str]
) -> Path:
    """The local folder of a Hub model, downloaded into the Hub's own cache if need be.

    Args:
        name: ``owner/name``.
        revision: commit or tag; None is the newest.
        files: patterns of the files wanted beside the weights.
        weights: patterns of weight files, the best kind first; only the first kind that the model
            has is fetched.

    Raises:
        ModelUnavailable: no such model or revision, no weights in it, or the Hub is not reachable.
        DiskFull: no space left for it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE

    try:
        with disk_full_guard(Path(HF_HUB_CACHE)):
            for kind in weights:
                wanted = [*files, kind]
                folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
                if any(folder.glob(kind)):
                    return folder
    except BuilderError:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"cannot get the model {name} from the Hugging Face Hub ({type(error).__name__})",
            way_out="check the name, the revision and the network (HF_ENDPOINT, HF_HUB_OFFLINE); "
            "for a gated model log in with `hf auth login`; without a network use a local folder, "
            "or --profile offline",
        ) from error
    raise ModelUnavailable(
        f"the Hub's model {name} has no weights of a kind this package reads",
        way_out=f"it needs {' or '.join(weights)}; name another model",
    )
