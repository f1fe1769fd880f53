"""A row stage that does to its process what a text says; importable by the child that runs it."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from builder.errors import StageFailed
from builder.run.stage import Stage

ROOM = 1 << 30


class Poison(Stage):
    """Upper-cases a text, or dies of it.

    Args:
        log: a file that gets a line for every row that is begun.
        cured: no text is poisonous any more.
        dies_loading: the model kills the process.
    """

    name = "poison"
    input_columns = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "shout": pl.String,
        "status": pl.String,
        "reason": pl.String,
    }
    batch_size = 4

    def __init__(self, log: Path, *, cured: bool = False, dies_loading: bool = False) -> None:
        self.log, self.cured, self.dies_loading = log, cured, dies_loading

    def load(self) -> int:
        if self.dies_loading:
            os.kill(os.getpid(), signal.SIGSEGV)
        return os.getpid()

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        text = record["text"]
        with self.log.open("a") as lines:
            lines.write(f"{self.loaded} {text}\n")
        if not self.cured:
            _suffer(text)
        return {"shout": text.upper(), "status": "ok"}


def _suffer(text: str) -> None:
    if text.startswith("segv"):
        os.kill(os.getpid(), signal.SIGSEGV)
    elif text.startswith("exit"):
        os._exit(7)
    elif text.startswith("hang"):
        time.sleep(3_600)
    elif text.startswith("slow"):
        time.sleep(1.1)
    elif text.startswith("refuse"):
        raise StageFailed("no graphics card", field="device", way_out="buy one")
    elif text.startswith("eat"):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, resource.RLIM_INFINITY))
        held = []
        while True:
            held.append(bytearray(1 << 26))


def texts(*words: str) -> pl.DataFrame:
    """Rows 1, 2, … with these texts."""
    return pl.DataFrame({"id": range(1, len(words) + 1), "text": words})
