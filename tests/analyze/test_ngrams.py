"""Phrases of captions: what counts, and what may not leave."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from builder.analyze import ngrams
from builder.analyze.captions import ngrams_of, released_ngrams
from builder.analyze.ngrams import caption_ngrams
from builder.config.campaign import Campaign
from builder.errors import UsageProblem
from builder.release.scrub.scrubber import Scrubber
from builder.validate.release import Tables


def written(folder: Path, captions: list[tuple[str | None, str]], name: str = "part-0") -> Path:
    """An ingest part of (author, caption)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    pl.DataFrame(
        {
            "id": [1_000 + n for n in range(len(captions))],
            "username": [author for author, _ in captions],
            "description": [caption for _, caption in captions],
            "hashtags": [[] for _ in captions],
        },
        schema={
            "id": pl.Int64,
            "username": pl.String,
            "description": pl.String,
            "hashtags": pl.List(pl.String),
        },
    ).write_parquet(path)
    return path


def found(
    parts: list[Path], usernames: frozenset[str] = frozenset(), **limits: int
) -> dict[str, tuple[int, int]]:
    top = caption_ngrams(parts, None, usernames, Scrubber(country="EC"), **limits).top
    return {row["ngram"]: (row["videos"], row["authors"]) for row in top.iter_rows(named=True)}


def many(caption: str, times: int, authors: int = 7) -> list[tuple[str | None, str]]:
    return [(f"invented_{n % authors}", caption) for n in range(times)]


def test_phrases_count_videos_and_authors(tmp_path: Path) -> None:
    part = written(
        tmp_path,
        [
            *many("Toque de queda en Quito. Calles vacías, calles vacías", 12),
            *many("TOQUE DE QUEDA en quito!! calles vacias", 8, authors=9),
        ],
    )
    assert found([part]) == {
        "calles vacías": (20, 8),
        "toque de queda": (20, 8),
        "queda en quito": (20, 8),
    }


def test_what_ends_a_phrase_is_not_crossed(tmp_path: Path) -> None:
    caption = (
        "noche larga #ecuador barrio seguro @alguien.x casa grande https://example.org/a fin feliz"
    )
    assert set(found([written(tmp_path, many(caption, 10))])) == {
        "noche larga",
        "barrio seguro",
        "casa grande",
        "fin feliz",
    }


@pytest.mark.parametrize(
    ("caption", "times", "authors"),
    [
        ("palabra escasa", 9, 9),
        ("mi poema privado", 40, 4),
        ("clave 1234 secreta", 40, 9),
        ("jaja jaja", 40, 9),
        ("el de la", 40, 9),
        ("hola persona_q77", 40, 9),
        ("escriba juanperezlopezgarcia hoy", 40, 9),
    ],
)
def test_rare_private_and_empty_phrases_stay(
    caption: str, times: int, authors: int, tmp_path: Path
) -> None:
    part = written(tmp_path, many(caption, times, authors))
    names = frozenset({"juanperezlopezgarcia", "persona_q77", "persona", "q77"})
    assert found([part], names) == {}


def test_authors_who_are_unknown_are_not_counted(tmp_path: Path) -> None:
    part = written(tmp_path, [(None, "frase repetida")] * 50)
    assert found([part]) == {}


def test_only_the_wanted_videos_count_and_parts_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [written(tmp_path, many("noche larga", 8, 8), f"part-{n}") for n in range(3)]
    assert found(parts) == {"noche larga": (24, 8)}
    ids = pl.Series([1_000, 1_001, 1_002, 1_003, 1_004])
    chosen = caption_ngrams(parts, ids, frozenset(), Scrubber(country="EC"))
    assert chosen.top["videos"].to_list() == [15] and chosen.captions == 15
    # the sums are the same however often they are merged
    monkeypatch.setattr(ngrams, "_BATCH", 2)
    monkeypatch.setattr(ngrams, "_MERGE_AT", 1)
    assert found(parts) == {"noche larga": (24, 8)}


def test_no_captions_is_no_error(tmp_path: Path) -> None:
    part = written(tmp_path, [(None, "")])
    result = caption_ngrams([part], None, frozenset(), Scrubber(country="EC"))
    assert (result.captions, result.top.height) == (0, 0)
    assert caption_ngrams([], None, frozenset(), Scrubber(country="EC")).top.height == 0


def test_a_distinctive_username_of_the_campaign_takes_a_phrase_out(tmp_path: Path) -> None:
    part = written(tmp_path, [*many("saludos inventedlonguser", 30), ("inventedlonguser", "ya")])
    assert ngrams_of([part], None, Campaign.load()).top.is_empty()


def test_another_builds_work_folder_is_refused(tmp_path: Path) -> None:
    work = tmp_path / "work"
    written(work / "ingest" / "a", many("noche larga", 12))
    (work / "private" / "crosswalk").mkdir(parents=True)
    pairs = pl.DataFrame({"id": [1_000, 1_001], "video_id": ["aa", "bb"]})
    pairs.write_parquet(work / "private" / "crosswalk" / "part-000000.parquet")
    release = tmp_path / "release" / "metadata"
    release.mkdir(parents=True)
    pl.DataFrame({"video_id": ["cc"]}).write_parquet(release / "train.parquet")
    with pytest.raises(UsageProblem, match="not used to build this release"):
        released_ngrams(Tables(release.parent, 0.75), work, Campaign.load())
    pl.DataFrame({"video_id": ["aa", "bb"]}).write_parquet(release / "train.parquet")
    assert released_ngrams(Tables(release.parent, 0.75), work, Campaign.load()).captions == 2


def test_a_phrase_with_a_private_persons_name_stays_where_it_is(tmp_path: Path) -> None:
    said = [*many("Justicia para Yuleisi Quishpe en todo Guayaquil", 15),
            *many("El presidente Daniel Noboa habla hoy", 15)]  # fmt: skip
    top = ngrams_of([written(tmp_path, said)], None, Campaign.load()).top
    phrases = " | ".join(top["ngram"].to_list()).casefold()
    assert "quishpe" not in phrases and "yuleisi" not in phrases
    assert "daniel noboa" in phrases
