"""After anonymize nothing private is left but the id that assemble never copies."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from release_kit import KEY, OTHER_KEY, Built, quiet
from wide_kit import found, result

import builder.release.anonymize as anonymize_module
from builder.config.campaign import Campaign
from builder.release.anonymize import Anonymised, anonymize
from builder.release.pseudonym import Key
from builder.run.store import Store
from builder.run.workers import pool
from builder.sources.files import find_sources
from builder.sources.ingest import Ingested, ingest

ECUADOR = Campaign.load()
PRIVATE = {"username", "description", "create_time", "upstream_sentiment", "upstream_text"}


@pytest.fixture
def ingested(small: Built, tmp_path: Path) -> tuple[Store, Ingested]:
    store = Store(tmp_path / "work")
    return store, ingest(ECUADOR, find_sources([small.pages]), store, quiet)


def run(
    store: Store,
    ingested: Ingested,
    results: dict[str, pl.DataFrame] | None = None,
    campaign: Campaign = ECUADOR,
    secret: str = KEY,
) -> tuple[pl.DataFrame, Anonymised]:
    done = anonymize(campaign, ingested, found(results), Key(secret.encode()), store, quiet)
    return pl.concat([pl.read_parquet(part) for part in done.parts]), done


def test_no_private_column_is_left(ingested: tuple[Store, Ingested]) -> None:
    frame, done = run(*ingested)
    assert not PRIVATE & set(frame.columns)
    assert done.rows == frame.height == ingested[1].videos
    assert frame["video_id"].n_unique() == frame.height


def test_the_crosswalk_is_complete_and_only_its_owner_reads_it(
    ingested: tuple[Store, Ingested],
) -> None:
    store, _ = ingested
    frame, _ = run(*ingested)
    folder = store.private / "crosswalk"
    parts = sorted(folder.glob("*.parquet"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}
    pairs = pl.concat([pl.read_parquet(part) for part in parts])
    assert pairs.columns == ["id", "video_id"]
    assert pairs.sort("id").equals(frame.select("id", "video_id").sort("id"))


def test_a_crosswalk_that_was_lost_is_made_again(ingested: tuple[Store, Ingested]) -> None:
    store, _ = ingested
    run(*ingested)
    part = next((store.private / "crosswalk").glob("*.parquet"))
    before = part.read_bytes()
    part.unlink()
    run(*ingested)
    assert part.read_bytes() == before


def test_the_crosswalk_follows_the_input(
    ingested: tuple[Store, Ingested], small: Built, tmp_path: Path
) -> None:
    """Fewer videos and back again: the crosswalk is always that of the last run."""
    store, whole = ingested
    run(store, whole)
    pages = tmp_path / "less"
    pages.mkdir()
    (pages / "planted.jsonl").write_bytes((small.pages / "planted.jsonl").read_bytes())
    less = ingest(ECUADOR, find_sources([pages]), store, quiet)
    for now in (less, whole):
        frame, _ = run(store, now)
        parts = sorted((store.private / "crosswalk").glob("*.parquet"))
        pairs = pl.concat([pl.read_parquet(part) for part in parts])
        assert set(pairs["id"]) == set(frame["id"])


def segments(text: str) -> list[dict[str, Any]]:
    half = len(text) // 2
    return [{"start": 0.0, "end": 1.0, "text": text[:half]},
            {"start": 1.0, "end": 2.0, "text": text[half:]}]  # fmt: skip


def test_segments_are_released_only_where_nothing_was_replaced(
    ingested: tuple[Store, Ingested],
) -> None:
    first, second = pl.read_parquet(ingested[1].parts[0])["id"].to_list()[:2]
    clean = "nada que ver en esta calle de la ciudad esta noche"
    dirty = "mi número es 0991234567 y espero la llamada de ustedes"  # cut in two by the segments
    rows = [
        {"id": video, "text": text, "status": "ok", "segments": segments(text)}
        for video, text in ((first, clean), (second, dirty))
    ]
    frame, done = run(*ingested, {"transcribe": result("transcribe", *rows)})
    found = {row["id"]: row for row in frame.iter_rows(named=True)}
    assert found[first]["whisper_text"] == clean and found[first]["segments"]
    assert found[second]["segments"] is None
    assert "[PHONE]" in found[second]["whisper_text"]
    assert done.scrubbed["whisper_text"]["phone"] >= 1


def test_summaries_are_scrubbed_too(ingested: tuple[Store, Ingested]) -> None:
    video = int(pl.read_parquet(ingested[1].parts[0])["id"][0])
    row = {"id": video, "summary": "Escriban a ana@example.com.", "status": "ok"}
    frame, done = run(*ingested, {"summarize": result("summarize", row)})
    assert frame.filter(pl.col("id") == video)["summary"].to_list() == ["Escriban a [EMAIL]."]
    assert done.scrubbed["summary"] == {"email": 1} and done.scrubbed_texts["summary"] == 1


def test_reasons_of_a_stage_do_not_carry_identifiers_out(
    ingested: tuple[Store, Ingested],
) -> None:
    """A stage's reason can quote a file name, and a downloaded file is called after its id."""
    video = int(pl.read_parquet(ingested[1].parts[0])["id"][0])
    row = {"id": video, "status": "failed", "reason": f"cannot decode {video}.mp4 of @sim_x_1a"}
    results = {"transcribe": result("transcribe", row), "sentiment": result("sentiment", row),
               "summarize": result("summarize", row)}  # fmt: skip
    frame, _ = run(*ingested, results)
    mine = frame.filter(pl.col("id") == video).drop("id").row(0, named=True)
    for name, value in mine.items():
        assert str(video) not in str(value), name
        assert "@sim_x_1a" not in str(value), name


def test_up_to_date_parts_are_not_computed_again(ingested: tuple[Store, Ingested]) -> None:
    _, done = run(*ingested)
    before = [part.stat().st_mtime_ns for part in done.parts]
    _, again = run(*ingested)
    assert [part.stat().st_mtime_ns for part in again.parts] == before
    assert again == done


@pytest.mark.parametrize("change", ["key", "rules", "results"])
def test_another_key_rule_or_result_is_another_stage(
    ingested: tuple[Store, Ingested], change: str
) -> None:
    _, done = run(*ingested)
    more: dict[str, Any] = {}
    if change == "key":
        more["secret"] = OTHER_KEY
    elif change == "rules":
        privacy = ECUADOR.privacy.model_copy(update={"min_hashtag_videos": 9})
        more["campaign"] = ECUADOR.model_copy(update={"privacy": privacy})
    else:
        video = int(pl.read_parquet(ingested[1].parts[0])["id"][0])
        row = {"id": video, "summary": "Algo.", "status": "ok"}
        more["results"] = {"summarize": result("summarize", row)}
    _, other = run(*ingested, **more)
    assert other.parts != done.parts


def test_texts_of_the_card_change_nothing(ingested: tuple[Store, Ingested]) -> None:
    _, done = run(*ingested)
    texts = ECUADOR.texts.model_copy(update={"summary": "Otra cosa."})
    _, again = run(*ingested, campaign=ECUADOR.model_copy(update={"texts": texts}))
    assert again.parts == done.parts


def test_several_processes_leave_the_same_bytes(
    ingested: tuple[Store, Ingested], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, raw = ingested
    alone = run(Store(tmp_path / "alone"), raw)[1]
    monkeypatch.setattr(anonymize_module, "FEW_ROWS", 0)
    monkeypatch.setattr(anonymize_module, "SLICE_ROWS", raw.videos // 3 + 1)
    monkeypatch.setattr(anonymize_module, "cores", lambda: 2)
    together = run(Store(tmp_path / "together"), raw)[1]
    pairs = list(zip(alone.parts, together.parts, strict=True))
    assert pairs and all(one.read_bytes() == other.read_bytes() for one, other in pairs)
    assert (alone.scrubbed, alone.withheld) == (together.scrubbed, together.withheld)
    # what is done is not done again, and starts nobody
    monkeypatch.setattr(pool, "COMMAND", ("no-such-program",))
    assert run(Store(tmp_path / "together"), raw)[1].rows == raw.videos
