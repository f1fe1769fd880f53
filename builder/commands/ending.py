"""How a command ends: one readable message and an exit code, whatever happened."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from builder.errors import BuilderError

INTERRUPTED = 130
# signals that ask a process to end, as a shell counts them: 128 + number
ASKED_TO_END = {128 + number: number for number in (signal.SIGTERM, signal.SIGHUP)}
_MEDIA = re.compile(r"\.(?:3gp|aac|avi|flac|flv|m4[av]|mk[av]|mov|mp[34]|mpe?g|og[ga]|opus|ts|wav"
                    r"|web[am]|wm[av])$", re.IGNORECASE)  # fmt: skip
_ID = re.compile(r"\d{10,}")


def run_and_exit(app: Callable[..., Any], arguments: Sequence[str], debug: bool) -> None:
    """Run the application; returns only after success.

    Args:
        app: a typer application.
        arguments: its command line.
        debug: print tracebacks too.

    Raises:
        SystemExit: 1 failed, 2 usage, 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal.
    """
    with _signals_end_like_ctrl_c():
        try:
            app(args=list(arguments), standalone_mode=True)
        except BuilderError as error:
            _stop(f"error: {error}", error.exit_code, debug)
        except KeyboardInterrupt:
            _stop("interrupted; run the same command again to continue", INTERRUPTED)
        except SystemExit as stop:  # typer turns Ctrl-C into a silent exit
            if stop.code == INTERRUPTED:
                _stop("interrupted; run the same command again to continue", INTERRUPTED)
            if stop.code in ASKED_TO_END:
                name = signal.Signals(ASKED_TO_END[stop.code]).name
                told = f"terminated ({name}); run the same command again to continue"
                _stop(told, stop.code)
            raise
        except OSError as error:
            _stop(f"error: {_in_words(error)}", 1, debug)
        except Exception as error:  # noqa: BLE001 - the last line of defence, shown as one message
            # the message of an unknown error could quote private data: only its type is shown
            told = f"error: unexpected {type(error).__name__}; run again with --debug and report it"
            _stop(told, 1, debug)


def _stop(message: str, code: int, debug: bool = False) -> NoReturn:
    with contextlib.suppress(OSError, ValueError):  # nobody may be there to read it
        if debug:
            traceback.print_exc()
        print(message, file=sys.stderr, flush=True)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # else the interpreter would fail at it again, later
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


@contextlib.contextmanager
def _signals_end_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP raise, so that what is open is closed and the ledger tells the truth."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    previous = {}
    for number in ASKED_TO_END.values():
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP: so do we
            previous[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _in_words(error: OSError) -> str:
    """An error of the operating system that nobody named: what and where, without private names."""
    what = error.strerror or type(error).__name__
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output any more"
    if error.filename is None:
        return f"the system refused ({what})\n  Way out: check disk, permissions and output"
    path = Path(os.fsdecode(error.filename))
    if _MEDIA.search(path.name):  # named by somebody's id or username
        path = path.parent
    shown = _ID.sub("…", str(path)).encode(errors="backslashreplace").decode()
    return f"{what} [file {shown}]\n  Way out: check that path, its kind and its permissions"
