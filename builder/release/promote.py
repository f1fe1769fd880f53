"""Putting a finished release where the user wants it, whole or not at all."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from builder.errors import BuilderError, ReleaseConflict, WorkLocked, disk_full_guard
from builder.release.manifest import Manifest
from builder.release.target import is_mount_point, real_place, refuse_unknown
from builder.run.lock import held
from builder.run.store import fsync_folder

REJECTED = "rejected"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def claimed(out: Path) -> Iterator[Path]:
    """Hold the place of a release for this process; released by the kernel when it dies.

    What killed runs left beside it is removed. That the place can be written to is known from then
    on: nothing expensive was done yet.

    Args:
        out: the output folder, or a link to it.

    Yields:
        The folder itself, links followed.

    Raises:
        ReleaseConflict: nothing can be written or replaced there.
        WorkLocked: another process is building there.
    """
    place = real_place(out)
    if place.is_symlink():
        raise ReleaseConflict(
            "the output is a link that leads to itself", file=out, way_out="give another --out"
        )
    if is_mount_point(place):
        raise ReleaseConflict(
            "the output folder is a mount point, which cannot be replaced by another folder",
            file=out,
            way_out=f"give a folder inside it: --out {out / (out.name or 'release')}",
        )
    with ExitStack() as stack:
        try:
            with disk_full_guard(place.parent):
                for made in _make_parents(place):
                    stack.callback(_remove_if_empty, made)
                lock = held(place.with_name(f".{place.name}.lock"), leave_no_trace=True)
                mine = stack.enter_context(lock)
                if mine:
                    recover(place)
                    _remove_stagings(place)
        except OSError as error:
            raise ReleaseConflict(
                f"the output folder cannot be made ({error.strerror})",
                file=out,
                way_out="give a place that can be written to as --out",
            ) from error
        if not mine:
            raise WorkLocked(
                "another build is writing to this output folder",
                file=out,
                way_out="wait for it to end, or give this one another --out",
            )
        yield place


def staging_folder(out: Path) -> Path:
    """A fresh, empty folder beside `out`, for this process alone.

    Raises:
        ReleaseConflict: the folder around `out` cannot be written to.
    """
    staging = out.with_name(f".{out.name}.{os.getpid()}.staging")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
    except OSError as error:
        raise ReleaseConflict(
            f"the output folder cannot be made ({error.strerror})",
            file=out,
            way_out="give a place that can be written to as --out",
        ) from error
    return staging


@contextmanager
def staged(out: Path, rejected: Path) -> Iterator[Path]:
    """`staging_folder`, removed again when the body fails.

    Args:
        out: the output folder.
        rejected: where a release goes that was finished and must not be put in place, so that its
            report can be read; an earlier one there is removed.
    """
    staging = staging_folder(out)
    try:
        yield staging
    except BuilderError:
        if Manifest.find(staging) is not None:
            with suppress(OSError):  # the first error is the one to hear of
                _move(staging, rejected)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def recover(out: Path) -> None:
    """Undo a replacement that was killed between its two renames."""
    old = out.with_name(f".{out.name}.old")
    if old.exists():
        if out.exists():
            shutil.rmtree(old)
        else:
            os.rename(old, out)


def same_content(one: Path, other: Path) -> bool:
    """Whether two release folders hold the same files with the same bytes."""
    names = [
        sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        for folder in (one, other)
    ]
    return names[0] == names[1] and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in names[0]
    )


def promote(staging: Path, out: Path) -> None:
    """Move a finished release into place; a reader sees the old one or the new one, whole.

    Raises:
        ReleaseConflict: since the run began somebody put other things into `out`.
    """
    there = Manifest.find(out)
    if there is not None:
        refuse_unknown(out, there)
    elif out.exists() and any(out.iterdir()):
        raise ReleaseConflict(
            "the output folder was filled with something else while this run was working",
            file=out,
            way_out="give an empty or new folder as --out; what is computed stays",
        )
    if out.exists() and same_content(staging, out):
        shutil.rmtree(staging)
        return
    for path in staging.rglob("*"):
        if path.is_dir():
            fsync_folder(path)
    if there is None:
        os.rename(staging, out)
    elif not _exchange(staging, out):
        old = out.with_name(f".{out.name}.old")
        os.rename(out, old)
        os.rename(staging, out)
        shutil.rmtree(old)
    else:
        shutil.rmtree(staging)
    fsync_folder(out.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux); False where it cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def _move(folder: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(folder, target)


def _make_parents(out: Path) -> list[Path]:
    """Make the folders above `out`; those that were missing, outermost first."""
    missing = [folder for folder in reversed(out.parents) if not folder.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _remove_stagings(out: Path) -> None:
    """What killed runs left. Whoever holds the lock is the only one at work here."""
    start, end = f".{out.name}.", ".staging"
    for path in out.parent.iterdir():
        middle = path.name[len(start) : -len(end)]
        mine = path.name.startswith(start) and path.name.endswith(end) and middle.isdigit()
        if mine or path.name == f".{out.name}.staging":
            shutil.rmtree(path)
