"""Colombia's recognisers: cédula, NIT, plates, phones, at home and as a neighbour."""

from __future__ import annotations

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.co import nit  # type: ignore[import-untyped]

from builder.release.scrub.countries.co import is_nit, nit_check_digit
from builder.release.scrub.scrubber import Scrubber

HOME = Scrubber(country="CO")
ABROAD = Scrubber(country="EC", neighbours=["CO"])
NIT = "900123456-" + nit_check_digit("900123456")
WRONG = "900123456-" + str((int(NIT[-1]) + 1) % 10)


@pytest.mark.parametrize("scrubber", [HOME, ABROAD])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mi cédula 52.345.678 es", "mi cédula [CEDULA] es"),
        ("C.C. 1.023.456.789", "C.C. [CEDULA]"),
        ("tengo 52.345.678 razones", "tengo 52.345.678 razones"),
        ("documento: 1.023.456 personas", "documento: 1.023.456 personas"),
        (f"empresa {NIT}", "empresa [NIT]"),
        (f"empresa {WRONG}", f"empresa {WRONG}"),
        (f"NIT {WRONG}", "NIT [NIT]"),
        ("placa XYZ12D", "placa [PLATE]"),
    ],
)
def test_at_home_and_as_a_neighbour(scrubber: Scrubber, text: str, expected: str) -> None:
    assert scrubber.scrub(text).text == expected


def test_mobiles_and_motorbikes_without_a_cue_only_at_home() -> None:
    for text in ("es 300 123 4567", "XYZ12D"):
        assert HOME.scrub(text).kinds
        assert not ABROAD.scrub(text).kinds


@settings(max_examples=examples(100), deadline=None)
@given(st.text("0123456789", min_size=8, max_size=9))
def test_check_digit_agrees_with_python_stdnum(body: str) -> None:
    assert nit_check_digit(body) == nit.calc_check_digit(body)
    assert is_nit(body + nit_check_digit(body))
