"""A crawl that stopped is noticed, however its pages are spread over files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.pages import page, tiny_campaign, video, write_pages

from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest
from builder.sources.rows import Seen
from builder.sources.searches import stopped_searches


def crawl(folder: Path, search: str, *, pages: int = 12, ended: bool, first: int = 0) -> None:
    for number in range(1, pages + 1):
        more = number < pages or not ended
        made = page([video(first + number)], more=more, cursor=number * 100, search_id=search)
        write_pages(folder / f"page-{number}.json", made, style="page")


def notes(root: Path) -> list[str]:
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    found = ingest(tiny_campaign(), find_sources([root / "in"]), Store(root / "work"), quiet)
    return [note for note in found.notes if "has_more" in note]


@pytest.mark.parametrize("ended", [True, False])
def test_one_page_a_file(tmp_path: Path, ended: bool) -> None:
    crawl(tmp_path / "in" / "2024-01-09", "a", ended=ended)
    crawl(tmp_path / "in" / "2024-01-10", "b", ended=True, first=50)
    found = notes(tmp_path)
    assert len(found) == (not ended)
    if not ended:
        assert "WARNING: 1 search(es) stopped" in found[0]
        assert "(page-12.json in 2024-01-09)" in found[0]


def test_two_searches_in_one_folder_are_judged_apart(tmp_path: Path) -> None:
    for name, search, more in (("a1", "a", True), ("a2", "a", False), ("b1", "b", True)):
        made = page([video(ord(search))], more=more, search_id=search, cursor=int(name[1]) * 100)
        write_pages(tmp_path / "in" / f"{name}.json", made, style="page")
    (note,) = notes(tmp_path)
    assert "b1.json" in note
    assert "a2.json" not in note


def test_the_same_search_id_in_two_folders_is_two_searches(tmp_path: Path) -> None:
    crawl(tmp_path / "in" / "x", "7", ended=False)
    crawl(tmp_path / "in" / "y", "7", ended=True)
    (note,) = notes(tmp_path)
    assert "page-12.json in x)" in note


def seen(*pages: tuple[str, int, bool], search: str = "s", **more: Any) -> list[Seen]:
    return [Seen(search, file, more.get("number", 1), cursor, said) for file, cursor, said in pages]


def test_names_that_are_no_numbers_are_ordered_by_the_cursor() -> None:
    assert not stopped_searches(seen(("f3.json", 100, True), ("0a.json", 200, False)))
    assert stopped_searches(seen(("f3.json", 100, True), ("0a.json", 200, True)))


def test_pages_without_a_search_id_are_judged_by_folder() -> None:
    assert not stopped_searches(seen(("1.json", 1, True), ("2.json", 2, False), search=""))
    assert stopped_searches(seen(("1.json", 1, True), ("2.json", 2, True), search=""))


def test_files_of_several_pages_without_a_search_id_are_judged_one_by_one() -> None:
    stopped = [Seen("", "mon.jsonl", 1, 1, True), Seen("", "mon.jsonl", 2, 2, True)]
    whole = [Seen("", "tue.jsonl", 1, 1, True), Seen("", "tue.jsonl", 2, 2, False)]
    (note,) = stopped_searches([*stopped, *whole])
    assert "mon.jsonl" in note
    assert "tue.jsonl" not in note
