"""A row stage small enough to kill, and a command that runs it: `python toy_stage.py WORK ROWS`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from builder.run.local import run_stage
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store


class Toy(Stage):
    """Upper-cases a text. Texts starting with "bad" fail; those with "later" fail for a while."""

    name = "toy"
    input_columns = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "shout": pl.String,
        "status": pl.String,
        "reason": pl.String,
    }
    retry_statuses = ("unreachable",)
    batch_size = 3

    def __init__(self, mark: str = "!", *, pause: float = 0.0, reachable: bool = False) -> None:
        self.mark, self.pause, self.reachable = mark, pause, reachable
        self.setups = 0
        self.seen: list[int] = []

    @property
    def params(self) -> dict[str, Any]:
        return {"mark": self.mark}

    def load(self) -> str:
        self.setups += 1
        return "loaded"

    def rows(self, batch: pl.DataFrame) -> Iterable[dict[str, Any]]:
        self.seen += batch["id"].to_list()
        time.sleep(self.pause)
        return super().rows(batch)

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        text = record["text"]
        if text.startswith("bad"):
            return {"status": "failed", "reason": "it_was_bad"}
        if text.startswith("later") and not self.reachable:
            return {"status": "unreachable", "reason": "nobody_answered"}
        return {"shout": text.upper() + self.mark, "status": "ok"}


def inputs(rows: int) -> pl.DataFrame:
    """Rows for the stage, in no particular order."""
    ids = sorted(range(rows), key=lambda n: n * 7919 % 101)
    return pl.DataFrame(
        {"id": ids, "text": [f"text {n}" for n in ids]}, schema={"id": pl.Int64, "text": pl.String}
    )


def quiet(what: str, total: int) -> Progress:
    """A silent progress display."""
    return Progress(what, total, stream=None)


def main() -> None:
    work, rows, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    store = Store(work)
    with store.lock():
        output, report = run_stage(Toy(pause=pause), inputs(rows), store, quiet)
    print(output.height, report.computed)


if __name__ == "__main__":
    main()
