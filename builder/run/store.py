"""Where results live: immutable Parquet parts under `work/<stage>/<fingerprint>/`.

A part is written to a temporary name, fsynced and renamed, so a part that exists is whole, also
after `kill -9`. Its name carries the digest of its content.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from builder.errors import UsageProblem, WorkLocked, disk_full_guard
from builder.run.stage import Stage

TEMPORARY = ".tmp"


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that it is either whole or not there.

    Args:
        path: final place; the folder is made.
        content: bytes.
        mode: permissions, set before the content is written.

    Raises:
        DiskFull: no space left; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with disk_full_guard(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb", opener=lambda p, flags: os.open(p, flags, mode)) as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    fsync_folder(path.parent)


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


def write_frame(path: Path, frame: pl.DataFrame, *, mode: int = 0o644) -> None:
    """Write one Parquet file atomically."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    write_atomic(path, buffer.getvalue(), mode=mode)


class Store:
    """The work folder of one build.

    Args:
        work: its path; made if missing.

    Raises:
        UsageProblem: it is a file, or may not be made.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self._next: dict[Path, int] = {}  # number of the next part of a folder, once known
        self._known_ranges: dict[Path, dict[str, tuple[int, int]]] = {}
        try:
            work.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise UsageProblem(
                f"the work folder cannot be made ({error.strerror})",
                file=work,
                way_out="give another folder as --work",
            ) from error

    @property
    def private(self) -> Path:
        """Folder of the key and the crosswalk, mode 0700; never released."""
        folder = self.work / "private"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def folder(self, stage: str, fingerprint: str) -> Path:
        """`work/<stage>/<fingerprint>`, made if missing, temporaries of killed runs removed."""
        folder = self.work / stage / fingerprint
        with disk_full_guard(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._next.pop(folder, None)
        for leftover in folder.glob(f".*{TEMPORARY}"):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink(missing_ok=True)
        return folder

    def parts(self, stage: Stage) -> list[Path]:
        """The stage's finished parts, oldest first."""
        return sorted((self.work / stage.name / stage.fingerprint).glob("part-*.parquet"))

    def add_part(self, stage: Stage, frame: pl.DataFrame) -> Path:
        """Keep one computed batch (columns `id`, `input_digest`, and the stage's output)."""
        folder = self.work / stage.name / stage.fingerprint
        if folder not in self._next:  # counted once: listing every time would be quadratic
            numbers = [int(part.name.split("-")[1]) for part in self.parts(stage)]
            self._next[folder] = max(numbers, default=-1) + 1
        number = self._next[folder]
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:12]
        path = folder / f"part-{number:06d}-{digest}.parquet"
        write_atomic(path, buffer.getvalue())
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
        frames = [pl.read_parquet(part, columns=list(schema)) for part in parts]
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

        Raises:
            WorkLocked: another process holds it.
        """
        with open(self.work / ".lock", "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise WorkLocked(
                    "another build is running in this work folder",
                    file=self.work,
                    way_out="wait for it to end, or give this one another --work",
                ) from error
            yield


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
