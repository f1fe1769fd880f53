"""Reading a release folder for the checks, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

import ecuador_crisis_tiktok as schema
from builder.release.k_anonymity import QUASI_IDENTIFIERS
from builder.release.manifest import Manifest

BATCH_ROWS = 100_000


class Tables:
    """The Parquet files of a folder laid out as a release; it need not be one yet.

    Args:
        folder: its path.
        threshold: sentiment confidences under it are flagged.
    """

    def __init__(self, folder: Path, threshold: float) -> None:
        self.folder, self.threshold = folder, threshold

    def files(self, config: str) -> list[Path]:
        """Parquet files of a config, in order."""
        return sorted((self.folder / config).glob("*.parquet"))

    def scan(self, config: str) -> pl.LazyFrame:
        """Lazy frame over a config."""
        return pl.scan_parquet(self.files(config), glob=False)


class Release(Tables):
    """A release folder with a readable manifest.

    Args:
        folder: its path.

    Raises:
        UsageProblem: the folder does not exist or is not a release.
        ManifestProblem: its manifest lacks a key, or holds something else under it.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.read(folder)
        super().__init__(folder, self.manifest.sentiment_threshold)

    @property
    def optional(self) -> tuple[str, ...]:
        """Optional columns this release carries."""
        return tuple(self.manifest.optional_columns)

    @property
    def facts(self) -> list[str]:
        """Columns of `metadata` by which a video could be found again: what the API shows too."""
        own = schema.CONFIG_COLUMNS["metadata"]
        return [*QUASI_IDENTIFIERS, *(column for column in self.optional if column in own)]

    def columns(self, config: str, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of a config, whole."""
        return self.scan(config).select(columns).collect()

    def batches(self, config: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """A config in file order, at most BATCH_ROWS rows at a time."""
        for path in self.files(config):
            with pq.ParquetFile(path) as parquet:
                wanted = list(columns) if columns is not None else None
                for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                    yield pl.DataFrame(batch)
