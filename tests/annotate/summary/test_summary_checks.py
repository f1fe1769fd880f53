"""What counts as a summary, and how waiting times are read."""

from __future__ import annotations

import datetime as dt

import pytest

from builder.annotate.summary.checks import check, clean, plausible_language
from builder.annotate.summary.endpoint import retry_after

LONG = "palabra " * 100


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("El presidente habla de la crisis en el país y de la policía.", "ok"),
        ("Perdón y olvido es lo que pide la gente de Guayaquil al presidente.", "refused"),
        ("Lo siento, no puedo resumir este contenido.", "refused"),
        ("I'm sorry, but I can't help with that.", "refused"),
        ("Como modelo de lenguaje, no tengo opiniones.", "refused"),
        ("", "empty"),
        ("...", "empty"),
        ("🔥🔥", "empty"),
        (
            "O presidente falou sobre a crise e disse que não há mais aulas no país.",
            "wrong_language",
        ),
        ("Президент объявил чрезвычайное положение в стране.", "wrong_language"),
        ("palabra " * 200, "too_long"),
        ("Noboa habla.", "ok"),
    ],
)
def test_check(answer: str, status: str) -> None:
    assert check(clean(answer), LONG, language="es", finish="stop") == status


def test_finish_reasons() -> None:
    assert check("El presidente", LONG, language="es", finish="length") == "cut_off"
    assert check("El presidente", LONG, language="es", finish="content_filter") == "refused"


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("<think>hmm\n</think>\n\nTexto.", "Texto."),
        ("<think>never ends", ""),
        ("**Resumen:** «Texto dos.»", "Texto dos."),
        ("Resumen: Texto", "Texto"),
        ("Resumen de la noche en Quito.", "Resumen de la noche en Quito."),
        ('"Texto   con\nsaltos"', "Texto con saltos"),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_languages_without_a_list_get_the_benefit_of_the_doubt() -> None:
    assert plausible_language("Ñukanchik llaktapi kawsanchik tukuy runakuna", "qu")
    assert plausible_language("Президент объявил", "ru")
    assert plausible_language("The president and the people of the country", "en")


def test_retry_after_as_seconds_date_or_nonsense() -> None:
    now = dt.datetime(2024, 1, 9, 12, 0, 0, tzinfo=dt.UTC)
    read = [
        retry_after({"retry-after": value}, lambda: now)
        for value in ("2.5", "Tue, 09 Jan 2024 12:00:30 GMT", "soon", "", "-3",
                      "Tue, 09 Jan 2024 11:00:00 GMT")
    ]  # fmt: skip
    assert read == [2.5, 30.0, None, None, 0.0, 0.0]
    assert retry_after({}) is None
