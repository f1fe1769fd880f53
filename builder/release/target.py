"""What a run may write over: nothing, or an earlier build of the same release and nothing else."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from builder.config.campaign import Campaign
from builder.errors import ReleaseConflict, UsageProblem
from builder.release.manifest import AFTERWARDS, Manifest

MOUNTS = Path("/proc/self/mountinfo")
NAMED = 3
FAIL = "fail"


class QualityKept(ReleaseConflict):
    """A release that fails its quality checks would have replaced one that does not."""


def real_place(path: Path) -> Path:
    """Where a path leads, links followed; it need not exist."""
    return Path(os.path.realpath(path))


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether a path is a folder or lies anywhere in it; neither need exist.

    Links are followed. What exists is compared by what it is, not by how it is written: a disk that
    does not tell capitals, or a folder mounted in two places, has two names for one folder.
    """
    inside, folder = real_place(inner), real_place(outer)
    if inside == folder or folder in inside.parents:
        return True
    there = _identity(folder)
    return there is not None and any(
        _identity(place) == there for place in (inside, *inside.parents)
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_entangled(out: Path, others: Iterable[tuple[str, Path]]) -> None:
    """Refuse an output folder that holds what the run reads or keeps: replacing it deletes that.

    Args:
        out: the output folder.
        others: what it is called on the command line, and where it is.

    Raises:
        UsageProblem: naming the first of them.
    """
    for what, path in others:
        if lies_in(path, out):
            raise UsageProblem(
                f"{what} lies inside --out, which is replaced as a whole by every run",
                file=out,
                way_out=f"put {what} and the release in folders beside each other",
            )


def refuse_in_sources(
    written: Iterable[tuple[str, Path]], read: Iterable[tuple[str, Path]]
) -> None:
    """Refuse to write into what is read, or to read what lies among what is written.

    A later run would take its own parts and releases for sources; and `--work` is private.

    Args:
        written: folders a run writes to: what each is called on the command line, and where it is.
        read: sources and clips, folders or files.

    Raises:
        UsageProblem: naming both.
    """
    folders = list(written)
    for what, path in read:
        for name, folder in folders:
            if path.is_dir() and lies_in(folder, path):
                raise UsageProblem(
                    f"{name} lies inside {what}, which is read",
                    file=folder,
                    way_out=f"give a folder outside of {what} as {name}: a later run would read "
                    "what this one writes",
                )
            if lies_in(path, folder):
                raise UsageProblem(
                    f"{what} lies inside {name}, which holds nothing but what runs write",
                    file=folder,
                    way_out=f"move {what} out of it, or give another folder as {name}",
                )


def is_mount_point(folder: Path) -> bool:
    """Whether something is mounted right there, another folder of the same disk included."""
    if os.path.ismount(folder):
        return True
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return False
    places = (line.split(" ")[4] for line in lines)
    return str(folder) in {re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), p) for p in places}


def check_target(
    out: Path, campaign: Campaign, *, synthetic: bool | None = None, replace: bool = False
) -> None:
    """Refuse to write over anything but an earlier build of the same release.

    Args:
        out: the output folder.
        campaign: what is about to be written.
        synthetic: whether it is synthetic; None: not known yet.
        replace: the user allows another release to be replaced.

    Raises:
        ReleaseConflict: `out` is a file, may not be written to, holds another version, or
            anything that is not part of a release.
        ManifestProblem: the manifest there was damaged.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise ReleaseConflict("the output is a file", file=out, way_out="give a folder as --out")
    try:
        if not any(out.iterdir()):
            return
    except OSError as error:
        raise ReleaseConflict(
            f"the output folder cannot be read ({error.strerror})",
            file=out,
            way_out="give another place as --out",
        ) from error
    there = Manifest.find(out)
    if there is None:
        raise ReleaseConflict(
            "the output folder holds something that is not a release",
            file=out,
            way_out="give an empty or new folder as --out",
        )
    refuse_unknown(out, there)
    if not os.access(out, os.W_OK | os.X_OK):
        raise ReleaseConflict(
            "the release in the output folder may not be replaced (Permission denied)",
            file=out,
            way_out="give another place as --out, or the right to write there",
        )
    ours = (campaign.release_name, campaign.name, campaign.version)
    same = (there.name, there.campaign, there.version) == ours
    if replace or (same and synthetic in (None, there.synthetic)):
        return
    kind = "synthetic" if there.synthetic else "real"
    told = "" if synthetic is None else f" ({'synthetic' if synthetic else 'real'} data)"
    raise ReleaseConflict(
        f"the output folder already holds {there.name} {there.version} ({kind} data); "
        f"this run would write {campaign.release_name} {campaign.version}{told}",
        file=out,
        way_out="give another --out, or add --replace if the release there may go",
    )


def refuse_unknown(out: Path, there: Manifest) -> None:
    """Refuse a release folder in which somebody keeps other things: they would be deleted.

    Raises:
        ReleaseConflict: telling how many there are, and some of them.
    """
    unknown = unknown_entries(out, there)
    if not unknown:
        return
    # a name may be the id of a video
    named = ", ".join(re.sub(r"\d{10,}", "…", name) for name in unknown[:NAMED])
    more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
    raise ReleaseConflict(
        f"the output folder holds what is not part of the release there: {named}{more}",
        file=out,
        way_out="move it elsewhere, or give another --out: a run replaces the folder as a whole",
    )


def unknown_entries(out: Path, there: Manifest) -> list[str]:
    """Relative paths of what a manifest does not list; of a foreign folder only the folder."""
    known = {*there.files, *AFTERWARDS}
    folders = {
        "/".join(name.split("/")[:n]) for name in known for n in range(1, name.count("/") + 1)
    }
    unknown: list[str] = []
    for top, inside, names in os.walk(out):
        here = Path(top).relative_to(out)
        files = [(here / name).as_posix() for name in names]
        unknown += [name for name in files if name not in known]
        for name in list(inside):
            relative = (here / name).as_posix()
            if relative not in folders or Path(top, name).is_symlink():
                unknown.append(f"{relative}/")
                inside.remove(name)
    return sorted(unknown)


def keep_the_good(out: Path, verdict: str | None, *, accepted: bool) -> None:
    """Refuse to put a release with failed quality in the place of one without.

    Args:
        out: the output folder; a release there that was validated counts as good unless its own
            report says fail.
        verdict: of the new release's quality checks.
        accepted: the user said it may.

    Raises:
        QualityKept: it must not.
    """
    if verdict != FAIL or accepted or Manifest.find(out) is None:
        return
    try:
        report = json.loads((out / "validation.json").read_text(encoding="utf-8"))
        if report["verdict"] == FAIL:
            return
    except FileNotFoundError:  # never validated
        return
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # nothing says it is bad
    raise QualityKept(
        "the new release fails its quality checks and the release there does not: that one stays",
        file=out,
        way_out="see what failed; if the new release shall replace it all the same, add "
        "--accept-quality",
    )
