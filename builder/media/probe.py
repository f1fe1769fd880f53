"""The probe stage: what a downloaded file is, and whether it can be read at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from builder.media.downloads import probe_file
from builder.media.facts import Facts
from builder.media.gone import MARKER, PASSING
from builder.media.workers import give_up
from builder.run.cpu import cores
from builder.run.stage import Stage

MOST_CHILDREN = 8  # each holds FFmpeg in memory


class Probe(Stage):
    """Opens every downloaded file; see `builder.media.facts.STATUSES` for how it can end."""

    name: ClassVar[str] = "probe"
    version: ClassVar[str] = "2"
    input_columns: ClassVar[tuple[str, ...]] = ("path", "size", "mtime_ns")
    output_schema: ClassVar[dict[str, Any]] = {
        "status": pl.String,
        "reason": pl.String,
        "duration_seconds": pl.Float64,
        "n_frames": pl.Int64,
        "has_audio": pl.Boolean,
        "width": pl.Int32,
        "height": pl.Int32,
        "container": pl.String,
        "video_codec": pl.String,
        "audio_codec": pl.String,
    }
    batch_size = 256

    def passing(self, done: pl.DataFrame) -> pl.Series:
        """A file that was not there or could not be read; see `Stage.passing`."""
        marked = (done["reason"] == MARKER).fill_null(False)
        return super().passing(done) | (done["status"].is_in(PASSING) & ~marked)

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """Probe the files of a batch, a child process for each core; see `Stage.rows`."""
        readers = ThreadPoolExecutor(min(cores(), MOST_CHILDREN))
        try:
            return list(readers.map(partial(self.guarded, self.row), batch.iter_rows(named=True)))
        except BaseException:  # Ctrl-C must not wait for the rest of the batch
            readers.shutdown(wait=False, cancel_futures=True)
            give_up()
            raise
        finally:
            readers.shutdown()

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Probe one file; see `Stage.row`."""
        path = record["path"]
        return vars(probe_file(Path(path)) if path else Facts("missing", "no_file"))
