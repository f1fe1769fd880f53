"""Ecuador's recognisers: cédula, RUC, plates, phones, at home and as a neighbour."""

from __future__ import annotations

import pytest
from stdnum.ec import ci, ruc  # type: ignore[import-untyped]

from builder.release.scrub.countries.ec import is_cedula, is_ruc
from builder.release.scrub.scrubber import Scrubber

HOME = Scrubber(country="EC")
ABROAD = Scrubber(country="PE", neighbours=["EC"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1710034065", "[CEDULA]"),
        ("mi cédula es 171003406-5", "mi cédula es [CEDULA]"),
        ("1710034066", "1710034066"),
        ("cédula 1710034066", "cédula [CEDULA]"),
        ("1710034065001", "[RUC]"),
        ("en GSK-123", "en [PLATE]"),
        ("en DEF-123", "en DEF-123"),
        ("al 0991234567", "al [PHONE]"),
    ],
)
def test_at_home(text: str, expected: str) -> None:
    assert HOME.scrub(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1710034065", "1710034065"),
        ("cédula 1710034065", "cédula [CEDULA]"),
        ("1790011674001", "[RUC]"),
        ("PBC-1234", "PBC-1234"),
        ("la placa PBC-1234", "la placa [PLATE]"),
    ],
)
def test_as_a_neighbour_a_cue_or_a_long_shape_is_needed(text: str, expected: str) -> None:
    assert ABROAD.scrub(text).text == expected


def test_check_digits_agree_with_python_stdnum() -> None:
    for body in ("171003406", "090123456", "240567890", "301234567"):
        for last in "0123456789":
            assert is_cedula(body + last) == ci.is_valid(body + last)
    for number in ("1790011674001", "1760001550001", "1710034065001"):
        assert is_ruc(number) and ruc.is_valid(number)
