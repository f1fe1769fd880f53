"""Dates of birth."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.birth import RECOGNISER
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nací el 3 de mayo de 1998", "nací el [BIRTH]"),
        ("nací el tres de mayo de mil novecientos noventa y ocho aquí", "nací el [BIRTH] aquí"),
        ("fecha de nacimiento: 03/05/1998", "fecha de nacimiento: [BIRTH]"),
        ("nascida em 4 de março de 1990", "nascida em [BIRTH]"),
        ("el 3 de mayo de 1998", "el 3 de mayo de 1998"),
        ("nací en Quito", "nací en Quito"),
        ("la ciudad nació el 6 de diciembre de 1534", "la ciudad nació el 6 de diciembre de 1534"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}
