"""The topics of a release's videos, out of the folder that `ecuador-crisis topics` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from builder.errors import UsageProblem

TOPICS, ASSIGNMENTS = "topics.csv", "assignments.parquet"
_WAY_OUT = "give the folder that `ecuador-crisis topics` wrote for this release"
_NOBODY = -1  # the number of videos that belong to no topic


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes:
        number: in the assignments.
        label: the name a person gave it; empty: nobody has yet.
        words: its most telling words.
    """

    number: int
    label: str
    words: str


@dataclass(frozen=True)
class Topics:
    """Topics and their videos.

    Attributes:
        names: the topics, in the file's order.
        assignments: lazy frame of video_id and topic, those in a topic only.
    """

    names: tuple[Topic, ...]
    assignments: pl.LazyFrame

    @classmethod
    def read(cls, folder: Path) -> Topics:
        """Topics of a folder.

        Args:
            folder: holds `topics.csv` (topic, label, words) and `assignments.parquet` (video_id,
                topic).

        Raises:
            UsageProblem: a file or a column is missing.
        """
        for name in (TOPICS, ASSIGNMENTS):
            if not (folder / name).is_file():
                raise UsageProblem(
                    f"the topics folder has no {name}", file=folder, way_out=_WAY_OUT
                )
        table = pl.read_csv(folder / TOPICS, infer_schema=False)
        assigned = pl.scan_parquet(folder / ASSIGNMENTS, glob=False)
        _need(table.columns, ("topic", "label", "words"), folder / TOPICS)
        _need(assigned.collect_schema().names(), ("video_id", "topic"), folder / ASSIGNMENTS)
        numbers = table["topic"].cast(pl.Int64, strict=False)
        names = [
            Topic(number, label or "", words or "")
            for number, label, words in zip(numbers, table["label"], table["words"], strict=True)
            if number is not None and number != _NOBODY
        ]
        known = [topic.number for topic in names]
        lines = assigned.select("video_id", pl.col("topic").cast(pl.Int64))
        return cls(tuple(names), lines.filter(pl.col("topic").is_in(known)))


def _need(columns: list[str], wanted: tuple[str, ...], file: Path) -> None:
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UsageProblem(
            f"the file lacks the column(s) {', '.join(missing)}", file=file, way_out=_WAY_OUT
        )
