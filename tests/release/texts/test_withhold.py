"""No text ends a build: it is scrubbed, or withheld with a reason that is counted."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import polars as pl
import pytest
from fakes.hostile import hostile_row
from fakes.pages import api_pages as page
from release_kit import KEY, build
from wide_kit import found, result

from builder.config.campaign import Campaign
from builder.release.anonymize import anonymize
from builder.release.pseudonym import Key
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.withhold import IDENTIFIER, SCRUBBER, Cleaner, scrub_safely
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest
from builder.validate.contract.leaks import Private
from builder.validate.whole import validate

quiet = functools.partial(Progress, stream=None)
ECUADOR = Campaign.load()


def test_the_repeated_drug_name_is_one_row_not_the_end(tmp_path: Path) -> None:
    rows = [{"voice_to_text": "GSK 123 " * 50}, {}, {"voice_to_text": "ABC-1234 " * 400}]
    built = build(tmp_path, page(tmp_path / "pages", rows))
    assert built.frame("videos").height == 3
    assert built.report["contract"]["verdict"] == "pass"


class Breaks(Scrubber):
    """Fails on one text, as an unforeseen one might."""

    def _pass(self, text: str) -> tuple[str, list[str]]:
        if "veneno" in text:
            raise RuntimeError("scrubbing did not settle")
        return super()._pass(text)


def test_a_text_that_breaks_the_scrubber_is_withheld_and_the_others_are_not() -> None:
    scrubber = Breaks(country="EC")
    texts = pl.Series(
        ["ana@example.com y el veneno 0991234567", None, "hola a ana@example.com", "hola"]
    )
    out = scrub_safely(scrubber, texts)
    assert out["text"].to_list() == [None, None, "hola a [EMAIL]", "hola"]
    assert out["failed"].to_list() == [True, False, False, False]
    cleaner = Cleaner(ECUADOR, frozenset())
    cleaner.scrubber = scrubber
    clean = cleaner.clean(texts)
    assert clean.withheld.to_list() == [SCRUBBER, None, None, None]


def test_a_scrubber_that_fails_ends_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scrubber._pass

    def one_pass(self: Scrubber, text: str) -> tuple[str, list[str]]:
        if "veneno" in text:
            raise RuntimeError("scrubbing did not settle")
        return whole(self, text)

    monkeypatch.setattr(Scrubber, "_pass", one_pass)
    rows = [{"voice_to_text": "el veneno del 0991234567 que todos conocemos"}, {}]
    built = build(tmp_path, page(tmp_path / "pages", rows))
    videos = built.frame("videos").sort("view_count")
    assert videos["transcript_status"].to_list() == ["withheld", "ok"]
    assert videos["exclusion_reason"].to_list() == ["transcript_withheld", None]
    assert videos["transcript"][0] is None
    assert built.manifest["withheld_texts"] == {SCRUBBER: 1}
    assert built.report["privacy"]["withheld_texts"] == {SCRUBBER: 1}
    reasons = built.frame("transcripts").filter(pl.col("status") == "withheld")["reason"]
    assert reasons.to_list() == [SCRUBBER]


@pytest.mark.parametrize(
    "name",
    ["ecuador_2024", "video_id", "train", "1.0.0", "view_count", "0.75", "2024.01", "no_speech"],
)
def test_an_author_called_like_our_own_words_ends_no_build(tmp_path: Path, name: str) -> None:
    built = build(tmp_path, page(tmp_path / "pages", [{"username": name}, {}]))
    assert built.report["contract"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mira lo que dijo #wilmer_q99 ayer en la noche del paro", False),
        ("el archivo está en /home/ana/videos/uno.mp4 dijo ella", False),
        (r"el archivo está en C:\Users\ana\uno.mp4 dijo ella", False),
        ("está en file:///srv/datos/uno.mp4 y no se abre nunca", False),
        ("fuimos y/o volvimos a 80 km/h por la vía a la costa", True),
        ("son las 7/8/9 y el 1/2 de la gente y / o nadie más", True),
    ],
)
def test_what_the_contract_would_refuse_is_withheld(tmp_path: Path, text: str, kept: bool) -> None:
    rows = [{"username": "wilmer_q99", "voice_to_text": text}, {}]
    built = build(tmp_path, page(tmp_path / "pages", rows))
    first = built.frame("videos").sort("view_count")["transcript"][0]
    assert (first == text) if kept else (first is None or "wilmer" not in first)
    assert "/home/" not in (first or "") and "Users" not in (first or "")
    assert built.report["contract"]["verdict"] == "pass"


def test_a_segment_is_scrubbed_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    ingested = ingest(ECUADOR, find_sources([page(tmp_path / "pages", [{}, {}])]), store, quiet)
    first, second = pl.read_parquet(ingested.parts[0])["id"].to_list()[:2]
    # the joined text excuses the number, the segment alone does not
    rows = [
        {"id": first, "status": "ok", "text": "nada que ver en la ciudad esta noche",
         "segments": [{"start": 0.0, "end": 1.0, "text": "958123456"}]},
        {"id": second, "status": "ok", "text": "nada que ver en la ciudad esta noche",
         "segments": [{"start": 0.0, "end": 1.0, "text": "nada que ver en la ciudad esta noche"}]},
    ]  # fmt: skip
    results = {"transcribe": result("transcribe", *rows)}
    done = anonymize(ECUADOR, ingested, found(results), Key(KEY.encode()), store, quiet)
    frame = pl.concat([pl.read_parquet(part) for part in done.parts]).sort("id")
    assert frame["segments"].is_null().to_list() == [True, False]
    assert frame["whisper_status"].to_list() == ["ok", "ok"]
    assert done.withheld == {"segments_withheld_identifier": 1}


def test_a_withheld_summary_takes_its_verdict_along(tmp_path: Path) -> None:
    store = Store(tmp_path / "work")
    pages = page(tmp_path / "pages", [{"username": "wilmer_q99"}])
    ingested = ingest(ECUADOR, find_sources([pages]), store, quiet)
    video = int(pl.read_parquet(ingested.parts[0])["id"][0])
    results = {
        "summarize": result(
            "summarize", {"id": video, "summary": "Está en /home/ana/uno.mp4.", "status": "ok"}
        ),
        "entailment": result(
            "entailment",
            {"id": video, "entailment": "neutral", "entailment_confidence": 0.5, "status": "ok"},
        ),
    }
    done = anonymize(ECUADOR, ingested, found(results), Key(KEY.encode()), store, quiet)
    row = pl.read_parquet(done.parts[0]).row(0, named=True)
    assert (row["summary"], row["summary_status"], row["summary_reason"]) == (
        None, "withheld", IDENTIFIER,
    )  # fmt: skip
    assert row["entailment"] is row["entailment_confidence"] is None


@pytest.mark.long
def test_ten_thousand_hostile_rows_in_one_build(tmp_path: Path) -> None:
    dice = random.Random(10_000)
    rows = [hostile_row(dice, number) for number in range(10_000)]
    built = build(tmp_path, page(tmp_path / "pages", rows))
    counts, dropped = built.manifest["counts"], built.manifest["dropped"]
    assert counts["ingest"]["in"] == 10_000
    assert built.frame("videos").height + sum(dropped.values()) == 10_000
    assert built.report["contract"]["verdict"] == "pass"
    assert built.manifest["withheld_texts"]
    parts = sorted(built.work.glob("ingest/*/part-*.parquet"))
    report = validate(built.release, ECUADOR, Private.of(parts, ECUADOR))
    assert report["contract"]["verdict"] == "pass"


def test_three_hundred_hostile_rows(tmp_path: Path) -> None:
    dice = random.Random(300)
    built = build(tmp_path, page(tmp_path / "pages", [hostile_row(dice, n) for n in range(300)]))
    assert built.frame("videos").height + sum(built.manifest["dropped"].values()) == 300
    assert built.report["contract"]["verdict"] == "pass"
