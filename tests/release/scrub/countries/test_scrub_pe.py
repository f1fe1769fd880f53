"""Peru's recognisers: DNI, RUC, plates, phones, at home and as a neighbour."""

from __future__ import annotations

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.pe import cui, ruc  # type: ignore[import-untyped]

from builder.release.scrub.countries.pe import dni_check_letter, is_ruc
from builder.release.scrub.scrubber import Scrubber

HOME = Scrubber(country="PE")
ABROAD = Scrubber(country="EC", neighbours=["PE"])
LETTER = dni_check_letter("10117410")


@pytest.mark.parametrize("scrubber", [HOME, ABROAD])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mi DNI es 10117410", "mi DNI es [DNI]"),
        ("DNI 10.117.410 vencido", "DNI [DNI] vencido"),
        (f"10117410-{LETTER} perdido", "[DNI] perdido"),
        ("10117410-Z perdido", "10117410-Z perdido"),
        ("10117410 vistas", "10117410 vistas"),
        ("sale 10117410 hoy", "sale 10117410 hoy"),
        ("20512333797", "[RUC]"),
        ("20512333798", "20512333798"),
        ("RUC 20512333798", "RUC [RUC]"),
        ("la placa A1B-234", "la placa [PLATE]"),
        ("DNI uno cero uno uno siete cuatro uno cero", "DNI [DNI]"),
    ],
)
def test_at_home_and_as_a_neighbour(scrubber: Scrubber, text: str, expected: str) -> None:
    assert scrubber.scrub(text).text == expected


def test_plates_and_mobiles_without_a_cue_only_at_home() -> None:
    for text in ("A1B-234", "llego 912 345 678"):
        assert HOME.scrub(text).kinds
        assert not ABROAD.scrub(text).kinds


@settings(max_examples=examples(100), deadline=None)
@given(
    st.text("0123456789", min_size=8, max_size=8), st.text("0123456789", min_size=11, max_size=11)
)
def test_check_digits_agree_with_python_stdnum(dni: str, number: str) -> None:
    assert dni_check_letter(dni) == cui.calc_check_digits(dni)[1]
    candidate = "20" + number[2:]
    assert is_ruc(candidate) == ruc.is_valid(candidate)
    good = candidate[:10] + ruc.calc_check_digit(candidate)
    assert is_ruc(good)
