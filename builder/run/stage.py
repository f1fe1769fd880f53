"""What a row stage is: a step that gives every video one result row.

A stage is a small class. `run.local` (and `run.on_ray`) feed it batches; `run.store` keeps what it
returns. A row that fails is a row with a status and a reason, never an exception: exceptions are
for a stage that cannot run at all (`StageFailed`).
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import polars as pl

STAGE_NAMES = (
    "ingest",
    "probe",
    "transcribe",
    "language",
    "sentiment",
    "summarize",
    "entailment",
    "anonymize",
    "assemble",
    "validate",
)


def fingerprint(*parts: Any) -> str:
    """Stable 16-hex-digit digest of anything JSON can hold (dates and paths as text)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Stage(ABC):
    """One verb applied to every video.

    Class attributes:
        name: the stage's name on the command line and in `work/<name>/`.
        version: changed by hand when the same input would give another output.
        input_columns: columns read besides `id`; their values decide whether a row is up to date.
        output_schema: columns written besides `id` and `input_digest`; must hold `status`.
        retry_statuses: statuses of passing faults, computed again by the next run.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    input_columns: ClassVar[tuple[str, ...]]
    output_schema: ClassVar[dict[str, Any]]
    retry_statuses: ClassVar[tuple[str, ...]] = ()
    batch_size: int = 64

    @property
    def params(self) -> dict[str, Any]:
        """Everything that changes the output, JSON-able; part of the fingerprint."""
        return {}

    @property
    def fingerprint(self) -> str:
        """Digest of name, version and parameters: the folder its results live in."""
        return fingerprint(self.name, self.version, self.params)

    def setup(self) -> None:  # noqa: B027 - most stages have nothing to load
        """Load what is expensive (a model). Called once, and only if there is work to do."""

    def order(self, pending: pl.DataFrame) -> pl.DataFrame:
        """The order pending rows are worked in; a function of the input alone. Default: by id."""
        return pending.sort("id")

    @abstractmethod
    def __call__(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Compute one batch.

        Args:
            batch: `id` (int64) and `input_columns`.

        Returns:
            `id` and the columns of `output_schema`, one row for every row of the batch.
        """
