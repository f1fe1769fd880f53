"""Putting a finished release where the user wants it, whole or not at all."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.config.campaign import Campaign
from builder.errors import ContractBroken, ReleaseConflict
from builder.release.manifest import Manifest
from builder.run.store import fsync_folder

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def staging_folder(out: Path) -> Path:
    """A fresh, empty folder beside `out`; what a killed run left there is removed.

    Raises:
        ReleaseConflict: the folder around `out` cannot be written to.
    """
    staging = out.with_name(f".{out.name}.staging")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        recover(out)
        if staging.exists():
            shutil.rmtree(staging)
        staging.mkdir()
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ReleaseConflict(
            f"the output folder cannot be made ({error.strerror})",
            file=out,
            way_out="give a place that can be written to as --out",
        ) from error
    return staging


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """`staging_folder`, removed again when the body fails.

    After `ContractBroken` it stays: the report that says what is broken lies in it.
    """
    staging = staging_folder(out)
    try:
        yield staging
    except ContractBroken:
        raise
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def recover(out: Path) -> None:
    """Undo a replacement that was killed between its two renames."""
    old = out.with_name(f".{out.name}.old")
    if old.exists():
        if out.exists():
            shutil.rmtree(old)
        else:
            os.rename(old, out)


def check_target(out: Path, campaign: Campaign, *, synthetic: bool, replace: bool) -> None:
    """Refuse to write over anything but an earlier build of the same release.

    Args:
        out: the output folder.
        campaign: what is about to be written.
        synthetic: whether it is synthetic.
        replace: the user allows another release to be replaced.

    Raises:
        ReleaseConflict: `out` is a file, holds something else, or another version.
        ManifestProblem: the manifest there was damaged.
    """
    recover(out)
    if not out.exists():
        return
    if not out.is_dir():
        raise ReleaseConflict("the output is a file", file=out, way_out="give a folder as --out")
    if not any(out.iterdir()):
        return
    there = Manifest.find(out)
    if there is None:
        raise ReleaseConflict(
            "the output folder holds something that is not a release",
            file=out,
            way_out="give an empty or new folder as --out",
        )
    ours = (campaign.release_name, campaign.name, campaign.version, synthetic)
    if (there.name, there.campaign, there.version, there.synthetic) == ours or replace:
        return
    kind = "synthetic" if there.synthetic else "real"
    own = "synthetic" if synthetic else "real"
    raise ReleaseConflict(
        f"the output folder already holds {there.name} {there.version} ({kind} data); "
        f"this run would write {campaign.release_name} {campaign.version} ({own} data)",
        file=out,
        way_out="give another --out, or add --replace if the release there may go",
    )


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
    """Move a finished release into place; a reader sees the old one or the new one, whole."""
    if out.exists() and same_content(staging, out):
        shutil.rmtree(staging)
        return
    for path in staging.rglob("*"):
        if path.is_dir():
            fsync_folder(path)
    if not out.exists() or not any(out.iterdir()):
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
