"""Child processes that end with their parent, however it ends."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import builder
from builder.errors import StageFailed


def start(
    command: Sequence[str],
    what_for: str,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    socket: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that imports this package, asked over stdin and heard over stdout.

    Args:
        command: a program and its arguments.
        what_for: said where none can be started: "to …".
        environment: variables set for it.
        socket: a descriptor it is asked and heard over instead; then its stderr is ours.

    Raises:
        StageFailed: no process can be started.
    """
    home = str(Path(builder.__path__[0]).parent)
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    pipe = subprocess.PIPE if socket is None else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL if socket is None else None,
            pass_fds=() if socket is None else (socket,),
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
            start_new_session=True,  # Ctrl-C is for the parent
        )
    except OSError as error:
        raise StageFailed(
            f"no process could be started {what_for}",
            way_out="too many processes or too little memory; end some and run again",
        ) from error


def answers() -> int:
    """In a child: where answers go; whatever a library prints goes nowhere."""
    found = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return found


def end_with_parent() -> None:
    """In a child: end when the parent is gone; killed, it cannot say so."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
