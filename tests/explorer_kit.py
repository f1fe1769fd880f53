"""What the explorer's tests share: a release with labels, and its page read back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
from release_kit import rewrite, table

from builder.analyze.explorer.pack import unpack, unpack_json
from ecuador_crisis_tiktok import SENTIMENT_LABELS

HOSTILE = (
    "</script><script>window.taken=1</script><img src=x onerror=window.taken=2> \u2028 \u2029 "
    "\u202eatrapser\u2066 & <!-- <script> ]]> `${1}` \\u003c"
)


def fill(release: Path) -> pl.DataFrame:
    """Invented labels, languages and texts, so that every filter has something to do."""
    rewrite(release, "videos", _filled)
    return table(release, "videos")


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    at = pl.int_range(pl.len())
    spoken = pl.Series(["es"] * 7 + ["en", "pt", None])
    ok = at % 4 != 3
    confidence = ((at * 37) % 101 / 100).cast(pl.Float32)
    return frame.with_columns(
        transcript=pl.when(ok).then(pl.format("texto inventado {} {}", at, pl.lit("palabra " * 9))),
        transcript_status=pl.when(ok).then(pl.lit("ok")).otherwise(pl.lit("missing")),
        transcript_source=pl.when(ok & (at % 3 == 0)).then(pl.lit("api")).when(ok)
        .then(pl.lit("whisper")),
        language=pl.when(ok).then(pl.lit(spoken).gather(at % 10)),
        sentiment=pl.when(ok & (at % 11 != 5)).then(
            pl.lit(pl.Series(SENTIMENT_LABELS)).gather((at * at + at // 5) % 3)
        ),
    ).with_columns(
        sentiment_confidence=pl.when(pl.col("sentiment").is_not_null()).then(confidence),
        low_confidence=pl.when(pl.col("sentiment").is_not_null()).then(confidence < 0.75),
    )  # fmt: skip


def write_topics(folder: Path, videos: pl.DataFrame) -> Path:
    """A folder as `topics` writes it, every fourth video in no topic."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "topics.csv").write_text(
        'topic,label,size,words\n-1,,9,\n0,Toque de queda,9,"toque, queda"\n1,,9,"carcel, guia"\n',
        encoding="utf-8",
    )
    topic = pl.int_range(pl.len()) % 4 - 2
    lines = videos.select("video_id", topic=topic.clip(-1, 1).cast(pl.Int64))
    lines.write_parquet(folder / "assignments.parquet")
    return folder


def data_in(page: Path) -> dict[str, Any]:
    """The data of a page, its columns and samples unpacked."""
    html = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    data["columns"] = {name: unpack(text) for name, text in data["columns"].items()}
    data["samples"] = unpack_json(data["samples"])
    return data
