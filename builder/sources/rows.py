"""A block of raw rows under construction, with the rows that were refused."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import polars as pl

from builder.sources.schema import RAW_SCHEMA

_MAX_NAMED = 1_000


class RowProblem(Exception):
    """One row cannot be taken.

    Args:
        reason: counted in the manifest under this name.
        field: the field at fault.
    """

    def __init__(self, reason: str, field: str) -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


class Seen(NamedTuple):
    """What one page says about the search it belongs to.

    Attributes:
        search: its `search_id`; empty without one.
        file: name of the file it stands in.
        number: of the page within the file, from 1.
        cursor: as given.
        more: its `has_more`.
    """

    search: str
    file: str
    number: int
    cursor: int | None
    more: bool


class Block:
    """Rows of one file, collected column by column.

    Args:
        file: name of the file, for the list of rejected rows.
        synthetic: the rows come from a simulation.
    """

    def __init__(self, file: str, *, synthetic: bool = False) -> None:
        self.file, self.synthetic = file, synthetic
        self.rows = 0
        self.rejected: Counter[str] = Counter()
        self.named: list[dict[str, str]] = []
        self.notes: list[str] = []
        self.seen: list[Seen] = []
        self.scientific = False  # the file shows ids in scientific notation, or many rounded ones
        self._columns: dict[str, list[Any]] = {
            name: [] for name in RAW_SCHEMA if name != "synthetic"
        }
        self._frame: pl.DataFrame | None = None

    @classmethod
    def of(cls, file: str, frame: pl.DataFrame, *, synthetic: bool) -> Block:
        """A block whose rows are already a frame of `RAW_SCHEMA`."""
        block = cls(file, synthetic=synthetic)
        block._frame, block.rows = frame, frame.height
        return block

    def add(self, row: dict[str, Any]) -> None:
        """Take one row; columns it does not mention are null."""
        for name, values in self._columns.items():
            values.append(row.get(name))
        self.rows += 1

    def reject(self, where: str, problem: RowProblem, count: int = 1) -> None:
        """Refuse a row, naming it by position: a refused id is never repeated."""
        self.rejected[problem.reason] += count
        if len(self.named) < _MAX_NAMED:
            self.named.append(
                {
                    "file": self.file,
                    "row": where,
                    "field": problem.field,
                    "reason": problem.reason,
                }
            )

    def frame(self) -> pl.DataFrame:
        """All rows as a frame of `RAW_SCHEMA`."""
        if self._frame is None:
            schema = {name: RAW_SCHEMA[name] for name in self._columns}
            self._frame = pl.DataFrame(self._columns, schema=schema)
        return self._frame.with_columns(synthetic=pl.lit(self.synthetic)).select(
            pl.col(name).cast(dtype) for name, dtype in RAW_SCHEMA.items()
        )
