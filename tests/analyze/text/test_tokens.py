"""Words of a text."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.analyze.text.tokens import STOP_LANGUAGES, folded, is_word, phrases, stop_words


def words(text: str) -> list[str]:
    frame = pl.DataFrame({"text": [text]}).select(token=phrases(pl.col("text"))).explode("token")
    return frame.drop_nulls().filter(is_word(pl.col("token")))["token"].to_list()


def fold(word: str) -> str:
    return str(pl.DataFrame({"w": [word]}).select(folded(pl.col("w")))["w"][0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("¡Último minuto!", ["último", "minuto"]),
        ("don't stop", ["don't", "stop"]),
        ("ver https://example.org/x?y=1 ya", ["ver", "ya"]),
        ("@alguien.mas dice #toquedequeda hola", ["dice", "hola"]),
        ("correo a nadie@example.org hoy", ["correo", "a", "hoy"]),
        ("más\U0001f6a8allá", ["más", "allá"]),
        ("", []),
        ("🚨🚨 ... !!!", []),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


def test_accents_fold_but_letters_of_their_own_stay() -> None:
    assert [fold(w) for w in ("más", "está", "pingüino", "não", "coração")] == [
        *("mas", "esta", "pinguino", "nao", "coraçao")
    ]
    assert fold("año") == "año" != "ano"


def test_stop_words_are_compared_as_they_are_folded() -> None:
    stop = stop_words()
    assert {"de", "mas", "esta", "nao", "voce", "the", "don't", "que"} <= stop
    assert not {"ecuador", "quito", "noboa", "queda", "noche", "guerra", "paz"} & stop
    assert stop == frozenset().union(*(stop_words((code,)) for code in STOP_LANGUAGES))


@settings(max_examples=examples(60), deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_lower_case_words_whatever_its_form(text: str) -> None:
    found = words(text)
    assert all(word.strip() and not any(c.isspace() for c in word) for word in found)
    assert not any(word.startswith(("#", "@")) for word in found)
    assert found == words(unicodedata.normalize("NFC", text))
