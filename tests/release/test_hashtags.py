"""Which hashtags leave the house, and which terms a video matches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from builder.config.campaign import Campaign
from builder.release.hashtags import (
    TagNames,
    allowed_hashtags,
    distinctive_usernames,
    known_usernames,
    matched_terms,
    normalised,
    shared_usernames,
)
from builder.release.scrub.scrubber import Scrubber

ECUADOR = Campaign.load()


def tags(*lists: list[str] | None) -> list[list[str] | None]:
    frame = pl.DataFrame({"t": lists}, schema={"t": pl.List(pl.String)})
    return frame.select(normalised(pl.col("t")))["t"].to_list()


def test_hashtags_are_lower_case_without_signs_each_once_in_order() -> None:
    assert tags(["Quito", "#quito", " ＃ECUADOR ", "", "#", "quito"], [], None) == [
        ["quito", "ecuador"],
        [],
        None,
    ]


def test_composed_and_decomposed_letters_are_the_same_tag() -> None:
    assert tags(["atenci\u00f3n", "atencio\u0301n"]) == [["atenci\u00f3n"]]


def parts_of(tmp_path: Path, rows: list[tuple[str | None, list[str] | None]]) -> list[Path]:
    """Ingest parts, two of them, so that decisions are seen to span parts."""
    frame = pl.DataFrame(
        {
            "id": range(len(rows)),
            "username": [name for name, _ in rows],
            "hashtags": [found for _, found in rows],
        },
        schema={"id": pl.Int64, "username": pl.String, "hashtags": pl.List(pl.String)},
    )
    half = len(rows) // 2
    paths = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    frame.head(half).write_parquet(paths[0])
    frame.tail(len(rows) - half).write_parquet(paths[1])
    return paths


def allowed(
    tmp_path: Path, rows: list[tuple[str | None, list[str] | None]], campaign: Campaign = ECUADOR
) -> tuple[frozenset[str], dict[str, int]]:
    parts = parts_of(tmp_path, rows)
    names = known_usernames(parts)
    personal = names - shared_usernames(parts, campaign, names)
    return allowed_hashtags(parts, campaign, personal, Scrubber(country="EC"))


def test_rare_tags_are_folded_and_the_rest_counted_over_all_parts(tmp_path: Path) -> None:
    rows = [
        (f"u{i}", ["often", *(["four"] if i < 4 else []), "Five" if i % 2 else "#five"])
        for i in range(5)
    ]
    kept, folded = allowed(tmp_path, rows)
    assert kept == {"often", "five"}
    assert folded == {"rare": 1}


def test_a_tag_repeated_within_one_video_counts_once(tmp_path: Path) -> None:
    kept, _ = allowed(tmp_path, [("a", ["loud", "LOUD", "#loud", "Loud", "lOud"]), ("b", [])])
    assert kept == frozenset()


def test_k_comes_from_the_campaign(tmp_path: Path) -> None:
    privacy = ECUADOR.privacy.model_copy(update={"min_hashtag_videos": 2})
    campaign = ECUADOR.model_copy(update={"privacy": privacy})
    rows = [("a", ["two", "one"]), ("b", ["two"])]
    assert allowed(tmp_path, rows, campaign)[0] == {"two"}


def test_campaign_terms_stay_however_rare(tmp_path: Path) -> None:
    kept, folded = allowed(tmp_path, [("a", ["choneros"]), ("b", None)])
    assert kept == {"choneros"} and not folded


def test_a_tag_that_spells_a_username_stays_only_among_many_authors(tmp_path: Path) -> None:
    rows = (
        [("Maria_99", ["maria_99"])] * 30
        + [
            (f"author{i}", ["lalocutora", "maria_99"] if i < 18 else ["lalocutora"])
            for i in range(25)
        ]
        + [("lalocutora", [])]
    )
    kept, folded = allowed(tmp_path, rows)
    assert kept == {"lalocutora"}  # 25 authors; maria_99 has 19
    assert folded == {"spells_a_username": 1}


def test_a_username_with_dots_is_recognised_without_them(tmp_path: Path) -> None:
    rows = [(name, ["juanperezec"]) for name in ("juan.perez.ec", "a", "b", "c", "d")]
    kept, folded = allowed(tmp_path, rows)
    assert kept == frozenset() and folded == {"spells_a_username": 1}


def test_one_author_does_not_make_a_tag_frequent(tmp_path: Path) -> None:
    kept, folded = allowed(
        tmp_path, [("a", ["mine"])] * 30 + [(f"u{i}", ["ours"]) for i in range(5)]
    )
    assert kept == {"ours"} and folded == {"rare": 1}


@pytest.mark.parametrize(
    ("username", "tag"),
    [
        ("wilmerquishpe", "wilmerquishpe99"),
        ("wilmer_quishpe", "justiciaparawilmerquishpe"),
        ("wilmer.quishpe99", "wilmerquishpe"),
        ("wilmer.quishpe99", "wilmerquíshpe99oficial"),
    ],
)
def test_a_tag_that_holds_or_extends_a_username_is_folded(
    username: str, tag: str, tmp_path: Path
) -> None:
    rows = [(username, ["quito"])] + [(f"u{i}", [tag, "quito"]) for i in range(6)]
    kept, folded = allowed(tmp_path, rows)
    assert kept == {"quito"} and folded == {"spells_a_username": 1}
    many = [(username, [])] + [(f"u{i}", [tag]) for i in range(25)]
    assert allowed(tmp_path, many)[0] == {tag}  # everybody's word


def test_short_names_and_campaign_terms_are_held_by_no_tag(tmp_path: Path) -> None:
    rows = [
        ("ana", []),
        ("choneros", []),
        *((f"u{i}", ["banano", "loschoneros"]) for i in range(6)),
    ]
    assert allowed(tmp_path, rows)[0] == {"banano", "loschoneros"}


@pytest.mark.parametrize("username", ["ecuador", "noticias", "noticiasecuador", "ecuador_2024"])
def test_a_username_of_ordinary_words_takes_no_word_away(username: str, tmp_path: Path) -> None:
    rows = [(username, ["ecuador"])]
    rows += [(f"u{i}", ["ecuador", "noticias"]) for i in range(25)]
    rows += [(f"v{i}", ["noticiasecuador24", "vivaecuador"]) for i in range(6)]
    kept, _ = allowed(tmp_path, rows)
    assert kept == {"ecuador", "noticias", "noticiasecuador24", "vivaecuador"}


def test_a_tag_that_is_a_phone_number_is_folded(tmp_path: Path) -> None:
    kept, folded = allowed(tmp_path, [(f"u{i}", ["0991234567", "ecuador"]) for i in range(8)])
    assert kept == {"ecuador"} and folded == {"holds_an_identifier": 1}


def test_no_rows_no_tags(tmp_path: Path) -> None:
    assert allowed_hashtags([], ECUADOR, frozenset(), Scrubber(country="EC")) == (frozenset(), {})
    assert allowed(tmp_path, [("a", None), ("b", [])]) == (frozenset(), {})


@pytest.mark.parametrize(
    ("username", "scrubbed"),
    [
        ("maria", False),  # a word
        ("maria_99", True),
        ("juan.perez", True),
        ("lalocutoradequito", True),  # no word is that long
        ("a_1", True),
        ("a1", False),  # too short to tell
        ("20240109", False),  # a number
        ("danielnoboaok", False),  # a public figure
        ("toquedequeda", False),  # a campaign term
    ],
)
def test_usernames_looked_for_as_bare_words(username: str, scrubbed: bool, tmp_path: Path) -> None:
    parts = parts_of(tmp_path, [(username, []), ("x", [])])
    shared = shared_usernames(parts, ECUADOR, known_usernames(parts))
    assert (username in distinctive_usernames(frozenset({username}), shared)) is scrubbed


def terms(
    description: str | None, hashtags: list[str] | None, campaign: Campaign = ECUADOR
) -> object:
    frame = pl.DataFrame(
        {"description": [description], "hashtags": [hashtags]},
        schema={"description": pl.String, "hashtags": pl.List(pl.String)},
    )
    return matched_terms(frame, campaign).to_list()[0]


@pytest.mark.parametrize(
    ("description", "hashtags", "expected"),
    [
        ("nada", [], []),
        (None, ["TOQUEDEQUEDA"], ["toquedequeda"]),
        ("dicen que Fito escapó", [], ["fito"]),
        ("fitofarmacia y artefitos", [], []),
        ("#fito,", [], ["fito"]),
        ("José  Adolfo\nMacías no aparece", [], ["jose adolfo macias"]),
        ("Colón Pico; colonpico", [], ["colonpico"]),
        ("NOBOA y fito", ["choneros"], ["fito", "choneros", "noboa"]),  # the campaign's order
        ("fito", None, None),  # a source without hashtags cannot tell
    ],
)
def test_matched_terms(
    description: str | None, hashtags: list[str] | None, expected: list[str] | None
) -> None:
    assert terms(description, hashtags) == expected


def test_terms_with_accents_and_signs_are_found_too() -> None:
    """Other campaigns have other terms: accents, dots, emoji."""
    words = ("inundación", "dr. house", "s.o.s", "🌊")
    keywords = tuple(ECUADOR.keywords[0].model_copy(update={"term": word}) for word in words)
    campaign = ECUADOR.model_copy(update={"keywords": keywords})
    assert terms("La INUNDACIÓN llegó", [], campaign) == ["inundación"]
    assert terms("la inundacion", [], campaign) == ["inundación"]
    assert terms("Dr. House, s.o.s", [], campaign) == ["dr. house", "s.o.s"]
    assert terms("sxoxs", [], campaign) == []
    assert terms("una ola 🌊 enorme", [], campaign) == ["🌊"]


@pytest.mark.parametrize(
    "tag",
    "justiciaparayuleisi kevinquishpe BrayanGuamán99 qepd_jostin wilmerpatricioquishpe".split(),
)
def test_a_tag_that_is_a_private_persons_name_is_folded(tag: str, tmp_path: Path) -> None:
    names = TagNames(ECUADOR)
    assert names.names_one(tag)
    rows = [(f"u{i}", [tag, "quito"]) for i in range(6)]
    parts = parts_of(tmp_path, rows)
    nobody, scrubber = frozenset[str](), Scrubber(country="EC")
    kept, folded = allowed_hashtags(parts, ECUADOR, nobody, scrubber, names)
    assert kept == {"quito"} and folded == {"names_a_person": 1}
    # left in where the profile leaves names in, and where it is everybody's word
    assert len(allowed_hashtags(parts, ECUADOR, nobody, scrubber)[0]) == 2
    many = parts_of(tmp_path, [(f"u{i}", [tag]) for i in range(25)])
    assert len(allowed_hashtags(many, ECUADOR, nobody, scrubber, names)[0]) == 1


@pytest.mark.parametrize(
    "tag",
    (
        "danielnoboa danielnoboaok rafaelcorrea fernandovillavicencio jorgeglas pabloescobar "
        "lionelmessi santodomingo sanjose esmeraldas rosablanca luzdelsol justiciasocial "
        "justiciaecuador fuerzaecuador casometastasis toquedequeda quito_ecuador 2024 kevin"
    ).split(),
)
def test_a_tag_of_a_public_person_a_place_or_words_stays(tag: str) -> None:
    assert not TagNames(ECUADOR).names_one(tag)
