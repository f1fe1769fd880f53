"""Ten thousand hostile rows in one build: none stops it, and every one is accounted for."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.pages import NOON, page, tiny_campaign, video

from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest

TEXTS = (
    "GSK 123 " * 50,
    "=1+1;hola",
    "a" * 20_000,
    "\u202e\u0000\ufeff\ufffd",
    "😀" * 500,
    "<script>alert(1)</script>",
    "novecientos " * 300,
    "{{ 7 * 7 }} {% raw %} ---\n- x: y",
    "\r\n\t\v\f\x1b[31m",
    "ecuador_2024",
    "x\ud83d y\udc00",
    "1.0.0",
    "",
    "nan",
)
ANYTHING: tuple[Any, ...] = (None, True, -1, 0, 2**63, 2**70, 1e308, "", "x", [], {}, [[1]], "NaN")
FIELDS = (
    "id",
    "create_time",
    "username",
    "region_code",
    "video_description",
    "like_count",
    "view_count",
    "hashtag_names",
    "video_duration",
    "voice_to_text",
)


def hostile_video(number: int, chance: random.Random) -> Any:
    """A video with some fields that are something else; now and then no video at all."""
    if chance.random() < 0.02:
        return chance.choice(ANYTHING)
    made = video(number * 7_919 + 1, NOON + number % 40_000)
    for field in chance.sample(FIELDS, chance.randrange(4)):
        made[field] = chance.choice(
            [*ANYTHING, *TEXTS, [chance.choice(TEXTS), None, 7], -(2**40), "1e9"]
        )
    return made


def hostile_cells(number: int, chance: random.Random) -> list[str]:
    """Cells of a CSV: damaged ids, wrong numbers, too few, too many."""
    exact = (NOON + number % 40_000) << 32 | chance.getrandbits(32)
    ids = [str(exact)] * 12 + [str(exact)[:15] + "0000", f" {exact} ", "", "x", "-1"]
    cells = [
        chance.choice(ids),
        chance.choice(TEXTS).encode("utf-8", "ignore").decode(),
        chance.choice(["10", "300", "-1", "nan", "1e400", "x", "", "0x10", "1_000"]),
        chance.choice(["positive", "Neutral", "neg", "happy", "", "=cmd"]),
    ]
    if chance.random() < 0.03:
        return cells[: chance.randrange(1, 4)]
    return [*cells, "more"] if chance.random() < 0.02 else cells


def write_hostile(folder: Path, rows: int, seed: int) -> int:
    """Half in pages, half in CSVs; returns the rows written."""
    folder.mkdir(parents=True)
    chance = random.Random(seed)
    half = rows // 2
    with (folder / "a.jsonl").open("w", encoding="utf-8") as out:
        for start in range(0, half, 100):
            made = [hostile_video(n, chance) for n in range(start, start + 100)]
            out.write(json.dumps(page(made)) + "\n")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "AI Summary", "Number of frames", "Sentiment label"])
    for number in range(half):
        cells = hostile_cells(number, chance)
        # a row without any content is no row: spreadsheets end in such lines
        writer.writerow(cells if any(cell.strip() for cell in cells) else ["x", *cells])
    (folder / "b.csv").write_bytes(buffer.getvalue().encode())
    return rows


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_hostile_rows_are_all_accounted_for(tmp_path: Path, seed: int) -> None:
    written = write_hostile(tmp_path / "in", 10_000, seed)
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    found = find_sources([tmp_path / "in"])
    result = ingest(tiny_campaign(), found, Store(tmp_path / "work"), quiet)
    assert result.rows_in == written
    assert result.rows_in == result.videos + sum(result.dropped.values()) + result.merged
    assert result.videos > written // 10
    kept = pl.concat([pl.read_parquet(part) for part in result.parts])
    texts = kept.select(pl.selectors.string()).unpivot()["value"].drop_nulls()
    assert not texts.str.contains("\ufffd", literal=True).any()
    assert kept["id"].is_unique().all()
