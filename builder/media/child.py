"""The child process that opens downloads: asked over stdin, answers over stdout.

It imports nothing but PyAV and numpy, so it starts fast. A request is a line of JSON
(`ask`: probe | sound | frames, `path`; for frames `count` and `size` too). An answer is a letter,
the length of what follows, and that, again and again: ``S`` sound (float32), ``I`` a picture (RGB),
``E`` end of either, ``F`` facts (JSON), ``P`` a problem (its status), ``B`` a sign of life.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builder.run.workers.start import answers, end_with_parent

HEADER = struct.Struct("<cI")
# Sound sent at once, 8 seconds of it: every message wakes the parent. A pipe holds a megabyte at
# most, so a parent that does not listen stops the child.
SOUND_BYTES = 1 << 19
MOST_PARTS = 512  # that one writev takes: 1,024 on Linux
# A picture of 65,535 x 65,535 pixels must not take the machine with it.
MEMORY_BYTES = 6 << 30


def serve() -> None:
    """Answer until stdin closes."""
    out = answers()
    end_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    if limit == resource.RLIM_INFINITY or limit > MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, limit))
    from builder.media.facts import probe_here
    from builder.media.formats import MediaProblem
    from builder.media.frames import decode_frames
    from builder.media.sound import decode_sound

    def send(kind: bytes, *payload: Any) -> None:
        parts = [memoryview(part).cast("B") for part in payload]
        size = sum(len(part) for part in parts)
        rest = [memoryview(HEADER.pack(kind, size)), *filter(len, parts)]
        while rest:
            written = os.writev(out, rest[:MOST_PARTS])
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if rest:
                rest[0] = rest[0][written:]

    send(b"B")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        path = Path(request["path"])
        try:
            if request["ask"] == "probe":
                send(b"F", json.dumps(asdict(probe_here(path, lambda: send(b"B")))).encode())
                continue
            if request["ask"] == "frames":
                for picture in decode_frames(path, request["count"], request["size"]):
                    send(b"I", picture)
                send(b"E")
                continue
            beat = _paced(send)
            held: list[Any] = []
            size = 0
            for samples in decode_sound(path):
                beat()
                held.append(samples)
                size += samples.nbytes
                if size >= SOUND_BYTES:
                    send(b"S", *held)
                    held, size = [], 0
            if size:
                send(b"S", *held)
            send(b"E")
        except MediaProblem as problem:
            send(b"P", problem.status.encode())
        except MemoryError:
            send(b"P", b"corrupt")


def _paced(send: Callable[..., None]) -> Callable[[], None]:
    """A sign of life at most once a second."""
    last = [time.monotonic()]

    def beat() -> None:
        if time.monotonic() - last[0] > 1:
            last[0] = time.monotonic()
            send(b"B")

    return beat


if __name__ == "__main__":
    try:
        serve()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(0)
