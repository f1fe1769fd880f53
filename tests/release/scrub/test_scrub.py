"""The scrubber, case by case: what goes, what stays, and how it behaves as an object."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys

import polars as pl
import pytest

from builder.release.scrub.checks import luhn
from builder.release.scrub.countries.ec import is_cedula, is_ruc
from builder.release.scrub.domains import TLDS
from builder.release.scrub.generic.online.tiktok_id import is_tiktok_id
from builder.release.scrub.scrubber import Scrubber


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber(
        allowed_handles=["DanielNoboaOk", "@lassoguillermo"],
        allowed_terms=["ECU 911", "Daniel Noboa"],
        usernames=["@Juanito_Perez99", "rosa.quispe", "esta", "danielnoboaok", "noboa"],
        country="EC",
        neighbours=["PE", "CO"],
    )


CASES = [
    ("Sígueme en @juan.perez_99. Hola", "Sígueme en [HANDLE]. Hola"),
    ("＠rosita y @\u200bmaria", "[HANDLE] y [HANDLE]"),
    ("mi cuenta @ maria_jose", "mi cuenta [HANDLE]"),
    ("sígueme @ mariajose hoy", "sígueme [HANDLE] hoy"),
    ("soy @mаrіа_x", "soy [HANDLE]"),  # Cyrillic letters inside
    ("búscame como arroba juanito guion bajo uio", "búscame como [HANDLE]"),
    ("mira tiktok.com/@alguien123 ya", "mira [URL] ya"),
    ("t.me/grupo wa.me/593991234567", "[URL] [URL]"),
    ("entra a https://ejemplo.test/a?b=1.", "entra a [URL]."),
    ("miblog.com.ec y miblog . com . ec", "[URL] y [URL]"),
    ("en miblog punto com punto ec", "en [URL]"),
    ("miblog。com", "[URL]"),
    ("ana.paz@ejemplo.com.ec", "[EMAIL]"),
    ("ana.paz @ ejemplo . com hoy", "[EMAIL] hoy"),
    ("ana arroba gmail punto com", "[EMAIL]"),
    ("ana punto paz 99 arroba hotmail punto com punto ec, sí", "[EMAIL], sí"),
    ("ana [at] ejemplo [dot] com", "[EMAIL]"),
    ("al 0991234567.", "al [PHONE]."),
    ("099 123 4567, 09-91-23-45-67 y 0.9.9.1.2.3.4.5.6.7", "[PHONE], [PHONE] y [PHONE]"),
    ("+593 99 123 4567 / +593 (0)99 123 4567", "[PHONE] / [PHONE]"),
    ("(02) 234-5678 y 04 2345678", "[PHONE] y [PHONE]"),
    ("+34 612 345 678 y +1 415 555 2671", "[PHONE] y [PHONE]"),
    ("llama al 2345678", "llama al [PHONE]"),
    ("0️⃣9️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣❤️ fin", "[PHONE]❤️ fin"),
    ("٠٩٩١٢٣٤٥٦٧ y ０９９１２３４５６７", "[PHONE] y [PHONE]"),
    ("O99l234567", "[PHONE]"),
    ("0\u200b9\u200d9\u03361 2345 67", "[PHONE]"),
    ("cero nueve nueve ocho siete seis cinco cuatro tres dos", "[PHONE]"),
    (
        "cero nueve, noventa y ocho, setenta y seis, cincuenta y cuatro, treinta y dos",
        "[PHONE]",
    ),
    ("es 09 98 76 cinco cuatro tres dos ya", "es [PHONE] ya"),
    ("siete dos nueve cuatro uno cinco ocho", "[PHONE]"),
    ("cédula 171003406-5", "cédula [CEDULA]"),
    ("1710034065 y 1710034065001", "[CEDULA] y [RUC]"),
    ("C.I. 1234567890 mal oída", "C.I. [CEDULA] mal oída"),
    ("RUC 1790011674001 y 1760001550001", "RUC [RUC] y [RUC]"),
    ("PBC-1234 pbc1234 GSK 123 IA123B", "[PLATE] [PLATE] [PLATE] [PLATE]"),
    ("la placa gsk 123", "la placa [PLATE]"),
    ("placa P B C 1 2 3 4 y placa pbc uno dos tres cuatro", "placa [PLATE] y placa [PLATE]"),
    ("cédula uno siete uno cero cero tres cuatro cero seis cinco", "cédula [CEDULA]"),
    ("en tiktok como @ juanita hoy", "en tiktok como [HANDLE] hoy"),
    ("4539 1488 0343 6467 o 4539-1488-0343-6467", "[CARD] o [CARD]"),
    ("GB82 WEST 1234 5698 7654 32 y de89370400440532013000", "[IBAN] y [IBAN]"),
    ("id 7318345678901234567, 123456789012345678", "id [ID], [ID]"),
    ("Juanito_Perez99 dijo; ROSA.QUISPE.", "[USERNAME] dijo; [USERNAME]."),
    ("rоsа.quisре", "[USERNAME]"),  # Cyrillic look-alikes
    ("BH82 ZZQX ABCD EFGH JKLM NP", "[IBAN]"),  # hardly a figure in it
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_identifiers_are_replaced(scrubber: Scrubber, text: str, expected: str) -> None:
    assert scrubber.scrub(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "#ecuador #quito_2024 #ecu911 #noboa #PES2017 #toquedequeda",
        "@DanielNoboaOk, ＠danielnoboaok. y @LassoGuillermo",
        "danielnoboaok y Daniel Noboa con Rafael Correa",
        "2024-01-09, 9/1/2024, 09-01-2024 y 9 de enero de 2024 a las 15:30:00",
        "2024-01-09 2024-01-10 2023, 2024, 2025, 2026",
        "$1.500.000, 20 mil dólares, USD 1000, US$ 958123456",
        "1,258,724,739 vistas, 53.617.894 likes y 53617894 comentarios",
        "131 guardias, 178 funcionarios, 22 bandas, 1-0, 50%, 3-2 y 1-1",
        "ECU 911, ECU-911, ecu911, 911, COVID-19, FIFA 2026, ISO-9001, COP 28, DEF-123",
        "SON 178 GUARDIAS. MAS DE 131 REHENES EN LAS 7 CARCELES",
        "tod@s l@s amig@s, 30 @ de arroz, una arroba de papa, arrobas",
        "ISBN 978-9978-12-345-6, +1.000.000 de vistas, 1 500 000 dólares, 10.05.2024",
        "hola.Mundo EE.UU. S.A. a.m. Dr.Juan no.se",
        "uno dos tres cuatro cinco seis siete ocho nueve diez",
        "dos tres cuatro personas y dos mil veinticuatro",
        "en este punto es que dijo. Como siempre. Ecuador",
        "está aquí: 👍🏽👨‍👩‍👧 ñandú ½ 3º ①",
        "",
        "   \n\t",
        "\ufeff\u200b",
    ],
)
def test_ordinary_text_survives_byte_for_byte(scrubber: Scrubber, text: str) -> None:
    assert scrubber.scrub(text) == (text, ())


def test_the_rest_of_the_text_is_untouched(scrubber: Scrubber) -> None:
    text = "cafe\u0301 ﬁn ½\u200b @ana_x ＡＢＣ 🇪🇨\u00a0é"
    assert scrubber.scrub(text).text == text.replace("@ana_x", "[HANDLE]")


def test_the_gate_lets_every_case_through(scrubber: Scrubber) -> None:
    column = scrubber.scrub_column(pl.Series([text for text, _ in CASES]))
    assert column["text"].to_list() == [expected for _, expected in CASES]


def test_one_kind_per_replacement(scrubber: Scrubber) -> None:
    result = scrubber.scrub("@ana_x 0991234567 y ana@ejemplo.com")
    assert result.kinds == ("handle", "phone", "email")
    assert set(result.kinds) <= set(scrubber.kinds)


def test_partly_overlapping_findings_leave_nothing(scrubber: Scrubber) -> None:
    assert scrubber.scrub("@ana.0991234567 x").text == "[HANDLE] x"
    assert scrubber.scrub("https://a.test/0991234567?u=ana@b.test z").text == "[EMAIL] z"


def test_tags_in_the_input_are_opaque() -> None:
    scrubber = Scrubber(usernames=["phone", "id"])
    text = "cédula [CEDULA], [PHONE] 2024 [ID]"
    assert scrubber.scrub(text) == (text, ())
    assert scrubber.scrub("phone [PHONE]").text == "[USERNAME] [PHONE]"


def test_accented_words_are_not_usernames(scrubber: Scrubber) -> None:
    assert scrubber.scrub("está esta").text == "está [USERNAME]"
    column = scrubber.scrub_column(pl.Series(["él está", "ella esta", "está 🔥", "esta 🔥"]))
    assert column["text"].to_list() == ["él está", "ella [USERNAME]", "está 🔥", "[USERNAME] 🔥"]


def test_cedula_and_ruc_check_digits() -> None:
    assert is_cedula("1710034065")
    assert not is_cedula("1710034066")
    assert not is_cedula("2510034065")  # no such province
    assert is_ruc("1790011674001")
    assert is_ruc("1760001550001")
    assert not is_ruc("1710034065000")
    assert luhn("4539148803436467")
    assert is_tiktok_id("7318345678901234567")
    assert not is_tiktok_id("1234567890123456789")


def test_the_column_keeps_rows_nulls_and_types(scrubber: Scrubber) -> None:
    texts = pl.Series("t", ["hola", None, "al 0991234567", "", "al 0991234567", None])
    column = scrubber.scrub_column(texts)
    assert column.schema == {"text": pl.String, "kinds": pl.List(pl.String)}
    assert column["text"].to_list() == ["hola", None, "al [PHONE]", "", "al [PHONE]", None]
    assert column["kinds"].to_list() == [[], [], ["phone"], [], ["phone"], []]


@pytest.mark.parametrize("texts", [[], [None, None]])
def test_the_column_takes_empty_and_null_series(
    scrubber: Scrubber, texts: list[str | None]
) -> None:
    column = scrubber.scrub_column(pl.Series(texts, dtype=pl.String))
    assert column.schema == {"text": pl.String, "kinds": pl.List(pl.String)}
    assert column["text"].to_list() == texts


def test_wrong_types_are_refused(scrubber: Scrubber) -> None:
    with pytest.raises(TypeError, match="String series"):
        scrubber.scrub_column(pl.Series([1]))
    with pytest.raises(TypeError, match="str"):
        scrubber.scrub(None)  # type: ignore[arg-type]


def test_a_pickled_scrubber_works(scrubber: Scrubber) -> None:
    scrubber.scrub("@ana_x")
    copy = pickle.loads(pickle.dumps(scrubber))
    assert copy.scrub("@ana_x y @DanielNoboaOk").text == "[HANDLE] y @DanielNoboaOk"


def test_many_usernames_are_looked_up_not_searched_for() -> None:
    scrubber = Scrubber(usernames=[f"usuaria_{number}" for number in range(200_000)])
    column = scrubber.scrub_column(pl.Series(["dice usuaria_199999 hoy", "nada"] * 500))
    assert column["text"][0] == "dice [USERNAME] hoy"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a." * 50_000,
        "1 " * 5_000,
        "9" * 50_000,
        "dos " * 5_000,
        "@ " * 50_000,
        "e\u0301" * 50_000,
        "treinta" + " " * 100_000,
        "a@" * 50_000,
        "a " * 50_000 + "arroba",
        "placa " * 5_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_monotonous_texts_do_not_make_the_patterns_backtrack_for_ever(
    scrubber: Scrubber, text: str
) -> None:
    once = scrubber.scrub(text).text
    assert scrubber.scrub(once).text == once


def test_nothing_asks_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the scrubber opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Scrubber().scrub("ana@ejemplo.com, ejemplo.com").kinds == ("email", "url")


def test_importing_the_module_imports_no_presidio() -> None:
    code = (
        "import sys, builder.release.scrub.scrubber as s;"
        "s.Scrubber(usernames=['a'], country='EC');"
        "sys.exit(any(m in sys.modules for m in ('presidio_analyzer', 'spacy', 'phonenumbers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_tld_list_has_no_twins() -> None:
    assert len(TLDS) == len(set(TLDS))
