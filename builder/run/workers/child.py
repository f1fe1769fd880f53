"""The child process of a pool: given a function once, it answers one call after the other.

Everything comes and goes as pickles: the function, then arguments over stdin; over stdout pairs of
an answer and an error, one of them None. Both ends are the same program of the same user.
"""

from __future__ import annotations

import io
import os
import pickle

from builder.run.workers.start import answers, end_with_parent


def serve() -> None:
    """Answer until stdin closes."""
    out = answers()
    end_with_parent()
    asked = io.BufferedReader(io.FileIO(0, closefd=False), 1 << 20)
    function = pickle.load(asked)
    with os.fdopen(out, "wb") as told:
        while True:
            try:
                argument = pickle.load(asked)
            except EOFError:
                return
            try:
                answer = pickle.dumps((function(argument), None), pickle.HIGHEST_PROTOCOL)
            except Exception as error:  # noqa: BLE001 - the parent decides what becomes of it
                answer = pickle.dumps((None, error), pickle.HIGHEST_PROTOCOL)
            told.write(answer)
            told.flush()


if __name__ == "__main__":
    try:
        serve()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)
