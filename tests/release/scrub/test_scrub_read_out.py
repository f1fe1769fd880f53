"""Identifiers as they are read out and disguised, by kinds that once stayed; and what must stay."""

from __future__ import annotations

import pytest

from builder.release.scrub.scrubber import Scrubber

ECUADOR = Scrubber(
    country="EC", neighbours=["PE", "CO"], usernames=["luisavila1990", "elecciones2023"]
)
BRAZIL = Scrubber(country="BR", neighbours=["EC", "PE", "CO"], languages=["pt", "es"])


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        # what is announced as one identifier is no list, though it rises
        (
            "la tarjeta cuatro mil ciento veintisiete... siete mil quinientos sesenta y nueve... "
            "siete mil setecientos noventa y siete... nueve mil ochocientos once",
            "la tarjeta [CARD]",
        ),
        ("cuenta corriente 22, 30, 32, 58 digamos, 41", "cuenta corriente [ACCOUNT]"),
        ("tomen nota: 09 68 63 espérate 26 38. Gracias", "tomen nota: [PHONE]. Gracias"),
        ("contesta el cincuenta y uno nueve 11 89 53 15", "contesta el [PHONE]"),
        # figures of which most are letters
        ("RUC Olll3OO737OOl", "RUC [RUC]"),
        ("CI 2OO/l93/lOl9", "CI [CEDULA]"),
        # addresses without their sign, where one is announced
        ("correo rosaguaman50 uce.edu.ec gracias", "correo [EMAIL] gracias"),
        ("gracias Luisavila-1990 por el dato", "gracias [USERNAME] por el dato"),
    ],
)
def test_it_leaves(text: str, scrubbed: str) -> None:
    assert ECUADOR.scrub(text).text == scrubbed


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("meu CPF é 5 24 então zero oito oitenta né 28 é zero seis", "meu CPF é [CPF]"),
        ("o CPF dele, 486.731.992.98, foi usado", "o CPF dele, [CPF], foi usado"),
        ("whatsapp 7 é  19 é  72  71 é  00 deixa eu ver  sessenta e um", "whatsapp [PHONE]"),
        ("moro na rua Figueira, 655", "moro na [ADDRESS]"),
    ],
)
def test_it_leaves_portuguese(text: str, scrubbed: str) -> None:
    assert BRAZIL.scrub(text).text == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "no hay punto com ni punto net que valga",
        "las elecciones 2023 fueron así",
        "los artículos uno, dos, cinco, veinte, treinta y cuarenta",
        "llegaron a la avenida Quito, 15 detenidos en total",
        "el decreto 1.234.567,89 dólares",
    ],
)
def test_it_stays(text: str) -> None:
    assert ECUADOR.scrub(text).text == text


def test_what_stands_between_a_figure_and_a_name_said_parts_them() -> None:
    for between in ("🔥", "cuando"):
        text = f"son las 15 {between} ana arroba gmail punto com"
        assert ECUADOR.scrub(text).text == f"son las 15 {between} [EMAIL]"


def test_what_follows_a_whole_number_is_another() -> None:
    text = "0991234567 y luego 131 guardias"
    assert ECUADOR.scrub(text).text == "[PHONE] y luego 131 guardias"
