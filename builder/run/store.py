"""Where results live: immutable Parquet parts under `work/<stage>/<fingerprint>/`.

A part is written to a temporary name, fsynced and renamed, so a part that exists is whole, also
after `kill -9`. Its name carries the digest of its content, which is checked before the first use
in a process: a part whose bits were flipped is set aside, and its rows are computed again.

Everything in the folder is private: folders 0700, files 0600.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from builder.errors import UsageProblem, WorkLocked, disk_full_guard
from builder.run.lock import held
from builder.run.stage import Stage

TEMPORARY = ".tmp"
DAMAGED = "damaged"
DIGEST_DIGITS = 12


def write_atomic(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write a file so that it is either whole or not there.

    Args:
        path: final place; the folder is made.
        content: bytes.
        mode: permissions, set before the content is written. None: readable by whoever may enter
            the folder, so that a file in a private folder is private.

    Raises:
        DiskFull: no space left; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with disk_full_guard(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        given = _as_open_as(path.parent) if mode is None else mode
        try:
            with open(temporary, "wb", opener=lambda p, flags: os.open(p, flags, given)) as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    fsync_folder(path.parent)


def _as_open_as(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode) & 0o044 | 0o600


def digest_of(path: Path) -> str:
    """Digest of a file's bytes, as part names carry it: 12 hex digits of SHA-256."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:DIGEST_DIGITS]


def is_whole(part: Path, columns: Iterable[str] = ()) -> bool:
    """Whether a part (`part-<number>-<digest>.parquet`) holds what its name says.

    Args:
        part: the file.
        columns: that it must have, or it is somebody else's.
    """
    try:
        _, number, digest = part.stem.split("-")
        if not number.isdecimal() or digest != digest_of(part):
            return False
        return {*columns} <= {*pq.read_schema(part).names}
    except (OSError, ValueError, pa.ArrowException):
        return False


def set_aside(path: Path) -> None:
    """Move a damaged file to the folder `damaged` beside it, for whoever wants to look."""
    folder = path.parent / DAMAGED
    folder.mkdir(mode=0o700, exist_ok=True)
    os.replace(path, folder / path.name)


def fsync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys in the given order, ending in a newline."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # a lone surrogate (a path that is not UTF-8) becomes its JSON escape
    write_atomic(path, text.encode(errors="backslashreplace"))


def write_frame(path: Path, frame: pl.DataFrame, *, mode: int | None = None) -> None:
    """Write one Parquet file atomically; `mode` as for `write_atomic`."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    write_atomic(path, buffer.getvalue(), mode=mode)


class Store:
    """The work folder of one build.

    Args:
        work: its path; made if missing, closed to other users.

    Attributes:
        damaged: parts that were set aside by this process.

    Raises:
        UsageProblem: it is a file, may not be made, or belongs to somebody else.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.damaged: list[Path] = []
        self._checked: set[Path] = set()
        self._next: dict[Path, int] = {}  # number of the next part of a folder, once known
        self._known_ranges: dict[Path, dict[str, tuple[int, int]]] = {}
        with disk_full_guard(work):
            try:
                work.mkdir(mode=0o700, parents=True, exist_ok=True)
                _close(work)
                next(work.iterdir(), None)
            except OSError as error:
                raise UsageProblem(
                    f"the work folder cannot be made or used ({error.strerror})",
                    file=work,
                    way_out="give another folder as --work: one that you own and can write to",
                ) from error

    @property
    def private(self) -> Path:
        """Folder of the key and the crosswalk, mode 0700; never released."""
        return _private(self.work / "private")

    def folder(self, stage: str, fingerprint: str) -> Path:
        """`work/<stage>/<fingerprint>`, made if missing, temporaries of killed runs removed."""
        with disk_full_guard(self.work / stage):
            folder = _private(_private(self.work / stage) / fingerprint)
        self._next.pop(folder, None)
        _remove_temporaries(folder)
        return folder

    def parts(self, stage: Stage) -> list[Path]:
        """The stage's finished parts, oldest first; the damaged ones are set aside.

        A part is read and hashed once in a process: about a second for a gigabyte.
        """
        found = sorted((self.work / stage.name / stage.fingerprint).glob("part-*.parquet"))
        whole = []
        for part in found:
            if part not in self._checked:
                if not is_whole(part, ("id", "input_digest", *stage.output_schema)):
                    set_aside(part)
                    self.damaged.append(part)
                    continue
                self._checked.add(part)
            whole.append(part)
        return whole

    def add_part(self, stage: Stage, frame: pl.DataFrame) -> Path:
        """Keep one computed batch (columns `id`, `input_digest`, and the stage's output)."""
        folder = self.work / stage.name / stage.fingerprint
        if folder not in self._next:  # counted once: listing every time would be quadratic
            numbers = [int(part.name.split("-")[1]) for part in self.parts(stage)]
            self._next[folder] = max(numbers, default=-1) + 1
        number = self._next[folder]
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:DIGEST_DIGITS]
        path = folder / f"part-{number:06d}-{digest}.parquet"
        write_atomic(path, buffer.getvalue())
        self._checked.add(path)
        self._next[folder] = number + 1
        return path

    def results(
        self, stage: Stage, ids: pl.Series | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Latest row of every (id, input_digest).

        Args:
            stage: whose results.
            ids: only rows of these ids; the parts that cannot hold one are not opened. None: all.
            columns: output columns to read; None: all.

        Returns:
            `id`, `input_digest` and the output columns.
        """
        wanted = stage.output_schema if columns is None else columns
        schema = {
            "id": pl.Int64,
            "input_digest": pl.String,
            **{name: stage.output_schema[name] for name in wanted},
        }
        parts = self.parts(stage)
        if ids is not None:
            low, high = ids.min(), ids.max()
            ranges = self._ranges(stage, parts)
            parts = [p for p in parts if low is not None and _meets(ranges[p.name], low, high)]
        if not parts:
            return pl.DataFrame(schema=schema)
        frames = [pl.read_parquet(part, columns=list(schema), glob=False) for part in parts]
        if ids is not None:
            mine = ids.rename("id").to_frame()
            frames = [frame.join(mine, on="id", how="semi") for frame in frames]
        return pl.concat(frames).unique(["id", "input_digest"], keep="last", maintain_order=True)

    def _ranges(self, stage: Stage, parts: list[Path]) -> dict[str, tuple[int, int]]:
        """Lowest and highest id of each part, by its name; each footer is read once."""
        known = self._known_ranges.setdefault(self.work / stage.name / stage.fingerprint, {})
        for part in parts:
            if part.name not in known:
                known[part.name] = _id_range(part)
        return known

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the work folder for this process; released by the kernel when it dies.

        What killed runs left is removed, and what others could read is closed to them.

        Raises:
            WorkLocked: another process holds it, or the file system cannot lock.
            UsageProblem: something in it belongs to somebody else.
        """
        with held(self.work / ".lock") as mine:
            if not mine:
                raise WorkLocked(
                    "another build is running in this work folder",
                    file=self.work,
                    way_out="wait for it to end, or give this one another --work",
                )
            _remove_temporaries(self.work)
            _close_all(self.work)
            yield


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _remove_temporaries(work: Path) -> None:
    """What a kill left half-written, wherever it lies; nobody else writes under the lock."""
    for top, folders, files in os.walk(work):
        for name in [name for name in folders if _is_temporary(name)]:
            shutil.rmtree(Path(top, name))
            folders.remove(name)
        for name in filter(_is_temporary, files):
            Path(top, name).unlink(missing_ok=True)


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(TEMPORARY)


def _close(path: Path) -> None:
    """Take everybody else's rights to a file or folder away. Links are left as they are."""
    mode = stat.S_IMODE(path.lstat().st_mode)
    if mode & 0o077 and not path.is_symlink():
        path.chmod(mode & 0o700)


def _close_all(work: Path) -> None:
    try:
        _close(work.resolve())
        for top, folders, files in os.walk(work):
            for name in (*folders, *files):
                with suppress(FileNotFoundError):
                    _close(Path(top, name))
    except PermissionError as error:
        raise UsageProblem(
            "the work folder holds private data that others can read, and it is not yours to close",
            file=work,
            way_out=f"let its owner run: chmod -R go= {work}; or give another --work",
        ) from error


def _meets(span: tuple[int, int], low: Any, high: Any) -> bool:
    return bool(span[0] <= high and low <= span[1])


def _id_range(part: Path) -> tuple[int, int]:
    """Lowest and highest id of a part, from its footer; everything where the footer cannot tell."""
    with pq.ParquetFile(part) as parquet:
        footer = parquet.metadata
        at = footer.schema.to_arrow_schema().get_field_index("id")
        found = [footer.row_group(i).column(at).statistics for i in range(footer.num_row_groups)]
    if any(one is None or not one.has_min_max for one in found):
        return -(1 << 63), (1 << 63) - 1
    return min((one.min for one in found), default=0), max((one.max for one in found), default=0)
