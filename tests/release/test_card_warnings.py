"""What a build was warned of stands in its card, without the names of files."""

from __future__ import annotations

from pathlib import Path

from fakes.pages import page, video, write_pages
from release_kit import build, read_json

from builder.release.card import _warning

OTHERS = frozenset(("probe", "transcribe", "language", "sentiment", "summarize", "entailment"))


def test_a_stopped_crawl_is_in_manifest_and_card(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    made = page([video(1)], more=True, search_id="q")
    write_pages(pages / "maria.perez" / "wilmer.json", made, style="page")
    built = build(tmp_path, pages, skip=OTHERS)
    (note,) = read_json(built.release / "MANIFEST.json")["notes"]
    assert "has_more: true" in str(note)
    card = (built.release / "README.md").read_text(encoding="utf-8")
    assert "**Warning:** 1 search(es) stopped before their end" in card
    assert "wilmer" not in card
    assert "maria" not in card


def test_only_warnings_are_repeated() -> None:
    assert _warning("a.csv: read 'id' as id") is None
    assert _warning("maria.csv: WARNING: 3 texts (a.json, b.json in x) are damaged") == (
        "3 texts are damaged"
    )
