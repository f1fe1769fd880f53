"""Locks that the kernel releases when their holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.errors import WorkLocked

_TRIES = 100


@contextmanager
def held(path: Path, *, leave_no_trace: bool = False) -> Iterator[bool]:
    """Hold an exclusive lock on a file while the body runs.

    Args:
        path: the lock file, mode 0600; made if missing, in a folder that exists.
        leave_no_trace: remove the file afterwards.

    Yields:
        False when another process holds it.

    Raises:
        WorkLocked: the file system has no locks.
        OSError: the file cannot be made.
    """
    descriptor = _open(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            if leave_no_trace:  # while it is held: whoever waits for it looks again
                with suppress(OSError):
                    path.unlink()
            os.close(descriptor)


def _open(path: Path) -> int | None:
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the file may have been removed by its last holder since it was opened
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        except OSError as error:
            os.close(descriptor)
            raise WorkLocked(
                f"this file system cannot lock files ({error.strerror})",
                file=path.parent,
                way_out="give a folder on another disk",
            ) from error
        os.close(descriptor)
    return None
