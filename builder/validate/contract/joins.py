"""The normalised configs join back to `videos` exactly, in one streaming pass."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.validate.contract.check import Check, Problem, shown
from builder.validate.release import Release

_WAY_OUT = "build the release again: the configs come from different builds or were edited"

# config -> (filter, {column of videos: column of the config}); video_id is added to all
_JOINED: dict[str, tuple[pl.Expr | None, dict[str, str]]] = {
    "transcripts": (
        pl.col("is_preferred"),
        {
            "transcript": "text",
            "transcript_source": "source",
            "transcript_status": "status",
            "language": "language",
        },
    ),
    "sentiment": (
        None,
        {
            "sentiment": "label",
            "sentiment_confidence": "confidence",
            "low_confidence": "low_confidence",
        },
    ),
    "summaries": (
        None,
        {
            "summary": "summary",
            "summary_method": "method",
            "entailment": "entailment",
            "entailment_confidence": "entailment_confidence",
        },
    ),
}


def check_joins(release: Release) -> Iterator[Check]:
    """Compare every config with `videos`, row by row; all follow the order of `videos`."""
    metadata = schema.features_of("metadata", release.optional, release.manifest.schema_version)
    yield _compare(release, "metadata", None, {c: c for c in metadata if c != "video_id"})
    for config, (only, columns) in _JOINED.items():
        yield _compare(release, config, only, columns)


def _compare(release: Release, config: str, only: pl.Expr | None, columns: dict[str, str]) -> Check:
    check = Check(f"{config} joins back to videos exactly")
    theirs = _Rows(release, config)
    needed = ["video_id", *columns]
    for videos in release.batches("videos", needed):
        rows = theirs.of(videos["video_id"])
        if only is not None:
            rows = rows.filter(only)
        side = rows.select(
            "video_id",
            *(pl.col(src).alias(f"_{c}") for c, src in columns.items()),
            pl.lit(True).alias("_there"),
        )
        joined = videos.join(side, on="video_id", how="left", maintain_order="left")
        absent = joined.filter(pl.col("_there").is_null())
        for row in absent.head(20).iter_rows(named=True):
            problem = Problem(config, row["video_id"], "video_id", "has no row here", _WAY_OUT)
            check.fail(problem)
        check.count += max(absent.height - 20, 0)
        for column in columns:
            wrong = joined.filter(pl.col(column).ne_missing(pl.col(f"_{column}")))
            for row in wrong.head(20).iter_rows(named=True):
                value = f"videos: {shown(row[column], 30)}; here: {shown(row[f'_{column}'], 30)}"
                check.fail(Problem(config, row["video_id"], column, value, _WAY_OUT))
            check.count += max(wrong.height - 20, 0)
    for row in theirs.left().head(20).iter_rows(named=True):
        value = "no such video, or out of order"
        check.fail(Problem(config, row["video_id"], "video_id", value, _WAY_OUT))
    return check


class _Rows:
    """Hands out a config's rows for consecutive batches of videos."""

    def __init__(self, release: Release, config: str) -> None:
        self._batches = release.batches(config)
        self._empty = release.scan(config).head(0).collect()
        self._waiting: pl.DataFrame | None = next(self._batches, None)

    def of(self, ids: pl.Series) -> pl.DataFrame:
        wanted = ids.to_frame("video_id")
        found: list[pl.DataFrame] = []
        while self._waiting is not None:
            mine = self._waiting.join(wanted, on="video_id", how="semi", maintain_order="left")
            rest = self._waiting.join(wanted, on="video_id", how="anti", maintain_order="left")
            found.append(mine)
            if rest.height:
                self._waiting = rest
                break
            self._waiting = next(self._batches, None)
        return pl.concat(found) if found else self._empty

    def left(self) -> pl.DataFrame:
        rest = [self._waiting] if self._waiting is not None else []
        rest += list(self._batches)
        return pl.concat([frame.select("video_id") for frame in (self._empty, *rest)])
