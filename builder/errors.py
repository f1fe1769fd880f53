"""Every way this package refuses to go on: a closed list of typed errors.

An error names what it knows of file, row and field, and the way out. Its text never holds a raw
id, a username or a secret: rows are named by their position.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BuilderError(Exception):
    """Base of all errors the command line prints as one readable message (exit code 1).

    Args:
        problem: what is wrong, one sentence.
        file: the file or folder concerned.
        row: where in the file, in the reader's words ("line 7, video 3").
        field: the column or key concerned.
        way_out: what the reader can do about it.
    """

    exit_code = 1

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        row: str | int | None = None,
        field: str | None = None,
        way_out: str = "",
    ) -> None:
        self.problem, self.file, self.row, self.field, self.way_out = (
            problem,
            None if file is None else str(file),
            None if row is None else str(row),
            field,
            way_out,
        )
        super().__init__(str(self))

    def __str__(self) -> str:
        where = ", ".join(
            f"{label} {value}"
            for label, value in (("file", self.file), ("row", self.row), ("field", self.field))
            if value
        )
        text = f"{self.problem} [{where}]" if where else self.problem
        return f"{text}\n  Way out: {self.way_out}" if self.way_out else text


class UsageProblem(BuilderError):
    """The command was asked for something it cannot mean (exit code 2)."""

    exit_code = 2


class CampaignError(BuilderError):
    """A campaign folder is missing, incomplete or contradicts itself."""


class EmptySource(BuilderError):
    """A source holds no file we can read, or no video survived ingest."""


class UnreadablePage(BuilderError):
    """An API page is truncated, not JSON, or not shaped like a Research API response."""


class ErrorPage(BuilderError):
    """A saved page is an error response of the API, so its day is not complete."""


class MissingColumn(BuilderError):
    """A CSV lacks a column that nothing else can supply."""


class SpreadsheetDamage(BuilderError):
    """The ids of a CSV went through a spreadsheet and cannot be recovered."""


class KeyProblem(BuilderError):
    """The pseudonym key is missing, unsafe, or is not the key earlier ids were made with."""


class ReleaseConflict(BuilderError):
    """The output folder holds something this run must not overwrite."""


class ContractBroken(BuilderError):
    """A release does not keep the contract of its schema."""


class StageFailed(BuilderError):
    """A stage cannot run at all (as opposed to a row that fails, which is a row with a status)."""


class WorkLocked(BuilderError):
    """Another process is building in the same work folder."""


class DiskFull(BuilderError):
    """No space is left where the result is written."""


@contextmanager
def disk_full_guard(where: Path) -> Iterator[None]:
    """Turn "no space left" errors raised by any writer into `DiskFull`.

    Args:
        where: the folder being written, named in the error.

    Raises:
        DiskFull: when the body raised ENOSPC, EDQUOT or EFBIG, also when wrapped by a library.
    """
    try:
        yield
    except BuilderError:
        raise
    except Exception as error:
        if _is_disk_full(error):
            raise DiskFull(
                "no space left on the disk; nothing half-written was kept",
                file=where,
                way_out="free some space (or point --work/--out at another disk) and run the same "
                "command again: it continues where it stopped",
            ) from error
        raise


def _is_disk_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if "No space left on device" in str(error) or "os error 28" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
