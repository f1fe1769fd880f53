"""A page that is rewritten while it is read is read again, and never believed half."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.toy_stage import quiet

from builder.config.campaign import Campaign
from builder.run.store import Store
from builder.sources import files
from builder.sources import ingest as module
from builder.sources.files import SourceFile, find_sources, read_lines
from builder.sources.ingest import Ingested, ingest
from builder.sources.unchanged import SourceChanged, Watch

DAY = 1_704_844_800  # 2024-01-10


def page(*counts: int) -> str:
    videos = [
        {
            "id": ((DAY + n) << 32) + 4_000_000_000 + n,
            "create_time": DAY + n,
            "region_code": "EC",
            "username": f"sim_{n}",
            "view_count": count,
        }
        for n, count in enumerate(counts)
    ]
    return json.dumps({"data": {"videos": videos, "has_more": False}, "error": {"code": "ok"}})


def run(pages: Path, work: Path) -> Ingested:
    return ingest(Campaign.load(), find_sources([pages]), Store(work), quiet)


def views(result: Ingested) -> list[int]:
    import polars as pl

    return sorted(pl.concat(pl.read_parquet(part) for part in result.parts)["view_count"])


@pytest.fixture
def rewriting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Let the first readings of a.json meet another writer; the returned list counts readings."""

    def install(path: Path, contents: list[str], *, before: bool, age: float = 0.0) -> list[int]:
        calls: list[int] = []
        original = module.READERS["pages"]

        def reading(file: SourceFile, first: int) -> Iterator[Any]:
            calls.append(1)
            text = contents[min(len(calls), len(contents)) - 1]
            if not before:
                yield from original(file, first)
            if len(calls) <= len(contents):
                stamp = path.stat()
                path.write_text(text)
                if age:  # a writer that keeps the old times
                    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            if before:
                yield from original(file, first)

        monkeypatch.setitem(module.READERS, "pages", reading)
        return calls

    return install


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("age", [0.0, 60.0])
def test_a_page_rewritten_while_it_is_read_is_read_again(
    tmp_path: Path, rewriting: Callable[..., list[int]], before: bool, age: float
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.json").write_text(page(1, 2))
    calls = rewriting(pages / "a.json", [page(7, 8)], before=before, age=age)  # as long as before
    result = run(pages, tmp_path / "work")
    assert views(result) == [7, 8] and len(calls) == 2
    assert result.inputs == {"a.json": find_sources([pages])[0].digest()}
    again = run(pages, tmp_path / "work")
    assert views(again) == [7, 8]
    (pages / "a.json").write_text(page(1, 2))  # the old bytes were never read as such
    assert views(run(pages, tmp_path / "work")) == [1, 2]


def test_a_page_that_was_half_written_is_no_damaged_page(
    tmp_path: Path, rewriting: Callable[..., list[int]]
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.json").write_text(page(1))
    rewriting(pages / "a.json", [page(2, 3)[:-20], page(2, 3)], before=True)
    assert views(run(pages, tmp_path / "work")) == [2, 3]


def test_a_page_that_never_rests_is_a_typed_error(
    tmp_path: Path, rewriting: Callable[..., list[int]]
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.json").write_text(page(1))
    rewriting(pages / "a.json", [page(n) for n in range(2, 40)], before=False)
    with pytest.raises(SourceChanged, match="written to") as caught:
        run(pages, tmp_path / "work")
    assert caught.value.file == "a.json" and caught.value.way_out


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for _ in range(50):
        path.write_text(page(1))
        found = find_sources([path])
        watch = Watch(found)
        path.write_text(page(2))
        with pytest.raises(SourceChanged):
            watch.check(found)


def test_a_long_line_is_not_copied_with_every_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it, this would copy a terabyte and the alarm would end it."""
    monkeypatch.setattr(files, "_BLOCK", 512)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * (32 << 20) + b"\n\n  \ny" + b"z" * 1_000)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(100)
    try:
        lines = list(read_lines(find_sources([path])[0]))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    assert [(number, len(line)) for number, line in lines] == [(1, 32 << 20), (4, 1_001)]
