"""The language stage on short and odd texts."""

import polars as pl
import pytest

from builder.annotate.language import IDENTIFIERS, Language, load_identifier, quechua_share
from builder.config.profile import LanguageTable
from builder.errors import UsageProblem
from builder.run.local import run_stage
from builder.run.store import Store

TEXTS = {
    1: "El presidente declaró el estado de excepción",
    2: "Hoje não há aulas em nenhuma escola",
    3: "Stay in your homes and lock the door",
    4: "Ñukanchik llaktapi tukuy runakuna kichwa shimita rimanchik",
    5: "Buenos días",
    6: None,
    7: "",
    8: "12345 678",
    9: "🙏🙏🙏",
}


def _run(tmp_path, **settings):
    frame = pl.DataFrame({"id": list(TEXTS), "text": list(TEXTS.values())})
    output, _ = run_stage(
        Language(LanguageTable(**settings)), frame, Store(tmp_path), progress=_silent
    )
    return {row["id"]: row for row in output.to_dicts()}


def _silent(what, total):
    from builder.run.progress import Progress

    return Progress(what, total, stream=None)


def test_languages_of_short_texts(tmp_path):
    rows = _run(tmp_path)
    assert [rows[i]["language"] for i in (1, 2, 3, 4)] == ["es", "pt", "en", "qu"]
    assert all(rows[i]["status"] == "ok" for i in (1, 2, 3, 4))
    assert (rows[5]["status"], rows[5]["language"]) == ("near_empty", "es")


def test_texts_without_a_language(tmp_path):
    rows = _run(tmp_path)
    assert rows[6]["status"] == rows[7]["status"] == rows[9]["status"] == "no_text"
    assert rows[8]["status"] == "undetermined"
    assert {rows[i]["language"] for i in (6, 7, 8, 9)} == {None}


def test_langdetect_is_seeded(tmp_path):
    first = _run(tmp_path / "a", identifier="langdetect")
    assert _run(tmp_path / "b", identifier="langdetect") == first
    assert first[1]["language"] == "es"


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_every_identifier_says_the_same_twice(name):
    identify = load_identifier(name)
    text = "La ciudad está tranquila esta noche y no hay nadie en la calle"
    assert identify(text) == identify(text)
    assert identify(text)[0] == "es"
    assert 0.0 < identify(text)[1] <= 1.0


def test_another_identifier_is_another_fingerprint():
    assert Language(LanguageTable(identifier="langdetect")).fingerprint != Language().fingerprint


def test_unknown_identifier_names_the_known_ones():
    with pytest.raises(UsageProblem, match="lingua"):
        load_identifier("cld9")


@pytest.mark.parametrize(
    "text",
    [
        "La chica de la llanura busca a su mamá hasta mañana",
        "Kiko y Kika viven en Quito con Pikachu y mi wawa",
        "saya tidak tahu apakah dia akan makan siang",
        "thank you for walking with me this Friday",
    ],
)
def test_other_languages_are_not_quechua(text):
    assert quechua_share(text) < 0.5
