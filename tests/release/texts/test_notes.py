"""A release names no file that may be somebody's, and no folder of the machine it was made on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from release_kit import KEY, Built, build, content
from wide_kit import found, result

from builder.config.campaign import Campaign
from builder.release.anonymize import anonymize
from builder.release.pseudonym import Key
from builder.release.texts.notes import WITHHELD, labels, public_name, released_notes
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest

ECUADOR = Campaign.load()
ROWS = "id,whisper_voice_to_text\n{},una frase larga que cualquiera entiende\n"


def some_id(number: int) -> int:
    return ((ECUADOR.window.start_ts + 90_000 + number) << 32) + 5


def two_csvs(folder: Path, name: str) -> tuple[Path, ...]:
    """Two files of one name in two folders: their names are made longer by their paths."""
    paths = []
    for number, where in enumerate(("marlon_t77", "otra")):
        path = folder / where / name
        path.parent.mkdir(parents=True)
        path.write_text(ROWS.format(some_id(number)), encoding="utf-8")
        paths.append(path)
    return tuple(paths)


@pytest.mark.parametrize("name", ["ecuador.csv", "marlon_t77.csv", "Videos de Marlon.csv"])
def test_two_csvs_of_one_name_leave_no_path_and_no_name(tmp_path: Path, name: str) -> None:
    first, second = two_csvs(tmp_path / "in", name)
    built = build(tmp_path / "out", first, sources=(first, second))
    told = b"".join(content(built.release).values()).decode("utf-8", errors="replace")
    assert "marlon" not in told.lower()
    assert str(tmp_path) not in told
    assert len(built.manifest["notes"]) >= 2
    assert built.report["contract"]["verdict"] == "pass"


def test_a_page_named_after_its_author(tmp_path: Path) -> None:
    when = ECUADOR.window.start_ts + 90_000
    video = {
        "id": when << 32, "create_time": when, "region_code": "EC", "username": "wilmer.q99",
        "video_description": "x", "hashtag_names": [], "view_count": 1, "like_count": 1,
        "comment_count": 1, "share_count": 1, "voice_to_text": "una frase larga que se entiende",
    }  # fmt: skip
    page = tmp_path / "pages" / "wilmer.q99" / "wilmer.q99.json"
    page.parent.mkdir(parents=True)
    body = {"data": {"videos": [video], "has_more": True, "search_id": "1", "cursor": 1}}
    page.write_text(json.dumps(body | {"error": {"code": "ok"}}))
    built = build(tmp_path, tmp_path / "pages")
    assert built.report["contract"]["verdict"] == "pass"
    assert "wilmer" not in json.dumps(built.manifest)
    assert any("has_more" in note for note in built.manifest["notes"])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("2024-01-09.jsonl", "2024-01-09.jsonl"),
        ("pages/page-000001.json.gz", "page-000001.json.gz"),
        ("March2025_Github.csv", "March2025_Github.csv"),
        ("/srv/x/ecuador.csv", "ecuador.csv"),
        ("ana.json", "source file 1 (pages)"),
        ("Ana Pérez.csv", "source file 1 (CSV)"),
        ("day_of_ana.json", "source file 1 (pages)"),
    ],
)
def test_what_a_source_is_called(name: str, label: str) -> None:
    assert labels([name]) == {name: label}


@pytest.mark.parametrize(
    "note",
    ["read 'ana@example.com' as id", "/home/ana/x.csv: read", "not used: 'marlon_t77'",
     f"row {some_id(3)} was merged"],
)  # fmt: skip
def test_a_note_with_an_identifier_is_withheld(note: str) -> None:
    assert released_notes([note, "fine"], [], ECUADOR, {"marlon_t77"}) == [WITHHELD, "fine"]


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("/home/ana/models/base@sha256:12ab", "base@sha256:12ab"),
        (r"C:\modelos\x.gguf", "x.gguf"),
        ("~/models/x", "x"),
        ("Systran/faster-whisper-base@abc", "Systran/faster-whisper-base@abc"),
        ("joeddav/xlm (ctranslate2 int8)", "joeddav/xlm (ctranslate2 int8)"),
    ],
)
def test_a_model_is_called_by_its_name(name: str, public: str) -> None:
    assert public_name(name) == public


def test_the_path_of_a_model_stands_in_no_row(small: Built, tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    ingested = ingest(ECUADOR, find_sources([small.pages]), store)
    video = int(pl.read_parquet(ingested.parts[0])["id"][0])
    row: dict[str, Any] = {
        "id": video, "summary": "Algo.", "status": "ok", "model": "/home/ana/models/gemma@x",
    }  # fmt: skip
    results = {"summarize": result("summarize", row)}
    done = anonymize(ECUADOR, ingested, found(results), Key(KEY.encode()), store)
    models = pl.concat([pl.read_parquet(p, columns=["summary_model"]) for p in done.parts])
    assert set(models["summary_model"].drop_nulls()) == {"gemma@x"}


@pytest.mark.parametrize(
    "first",
    [
        "https://www.tiktok.com/@ana.q99/video/7320000000000000001,hola a todos los vecinos",
        "@ana.q99,llame al vecino de la esquina",
        "7320000000000000001,hola vecinos del barrio",
        "1,mi vecina Ana Quishpe de la calle tercera dijo que no vuelve nunca más al barrio",
    ],
)
def test_a_csv_without_header_is_refused_without_quoting_it(
    tmp_path: Path, cli: Callable[..., Any], first: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{first}\n{first}\n", encoding="utf-8")
    done = cli("regenerate", path, "--work", tmp_path / "w", "--out", tmp_path / "o")
    assert done.code != 0
    assert "first line holds values" in done.err + done.out
    for word in ("ana", "Quishpe", "vecin", "732000", "tiktok"):
        assert word not in (done.err + done.out).replace(str(tmp_path), "")
