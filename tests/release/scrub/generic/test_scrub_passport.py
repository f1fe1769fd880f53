"""Passports."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.passport import RECOGNISER
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pasaporte A1234567 vencido", "pasaporte [PASSPORT] vencido"),
        ("el número de pasaporte es AB 123 4567", "el número de pasaporte es [PASSPORT]"),
        ("pasaporte be uno dos tres cuatro cinco seis siete", "pasaporte [PASSPORT]"),
        ("el pasaporte cuesta 90 dólares", "el pasaporte cuesta 90 dólares"),
        ("pasaportes en 2024", "pasaportes en 2024"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}
