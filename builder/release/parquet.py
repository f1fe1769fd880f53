"""Released Parquet: sorted rows in, deterministic shards out.

zstd, page index, content-defined chunking (so that the Hub's storage keeps unchanged pages of a
new version), row groups of at most 64 MiB before compression.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ecuador_crisis_tiktok import SCHEMA_VERSION, SPLIT, features_of

ROW_GROUP_BYTES = 64 << 20
ROW_GROUP_ROWS = 100_000
SHARD_ROWS = 1_000_000


def arrow_schema(
    config: str, optional: tuple[str, ...], version: str = SCHEMA_VERSION
) -> pa.Schema:
    """Arrow schema of a config, without metadata: old and new `datasets` disagree about it."""
    return features_of(config, optional, version).arrow_schema.remove_metadata()


class ConfigWriter:
    """Writes one config as `<folder>/<config>/train-NNNNN-of-NNNNN.parquet`.

    Args:
        folder: the release folder.
        config: name of the config.
        optional: optional columns of this release.
        total_rows: rows that will be written; decides the number of shards.
    """

    def __init__(
        self, folder: Path, config: str, optional: tuple[str, ...], total_rows: int
    ) -> None:
        self.schema = arrow_schema(config, optional)
        self.total = total_rows
        self.shards = max(1, -(-total_rows // SHARD_ROWS))
        self.shard_rows = -(-total_rows // self.shards) if total_rows else 1
        self.folder = folder / config
        self.folder.mkdir(parents=True)
        self.files: dict[str, int] = {}
        self.uncompressed = 0
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._writer: Any = None
        self._room = 0
        self._group_rows = ROW_GROUP_ROWS

    def __enter__(self) -> ConfigWriter:
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; columns are selected and cast to the schema."""
        table = frame.select(self.schema.names).to_arrow().cast(self.schema)
        if table.num_rows and not self.files:
            per_row = max(1, table.nbytes // table.num_rows)
            self._group_rows = max(1_000, min(ROW_GROUP_ROWS, ROW_GROUP_BYTES // per_row))
        self.uncompressed += table.nbytes
        self._pending.append(table)
        self._pending_rows += table.num_rows
        while self._pending_rows >= self._group_rows:
            self._flush(self._group_rows)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            while self._pending_rows:
                self._flush(self._group_rows)
            if not self.files:
                self._open()  # an empty config is an empty file with a schema
        if self._writer is not None:
            self._writer.close()

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._pending)
        if self._writer is None or not self._room:
            self._open()
        take = min(rows, self._room, table.num_rows)
        self._writer.write_table(table.slice(0, take).combine_chunks(), row_group_size=take)
        self._room -= take
        self.files[next(reversed(self.files))] += take
        self._pending = [table.slice(take)]
        self._pending_rows = table.num_rows - take

    def _open(self) -> None:
        if self._writer is not None:
            self._writer.close()
        name = f"{SPLIT}-{len(self.files):05d}-of-{self.shards:05d}.parquet"
        self.files[f"{self.folder.name}/{name}"] = 0
        self._room = self.shard_rows
        self._writer = pq.ParquetWriter(
            self.folder / name,
            self.schema,
            compression="zstd",
            compression_level=3,
            write_page_index=True,
            use_content_defined_chunking=True,
            version="2.6",
        )
