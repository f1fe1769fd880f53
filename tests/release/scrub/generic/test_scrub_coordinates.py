"""Coordinates as precise as a house."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.coordinates import RECOGNISER
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("estoy en -2.1894, -79.8891 ya", "estoy en [COORDINATES] ya"),
        ("coordenadas 2.18940 79.88910", "coordenadas [COORDINATES]"),
        ("2°11'22'' S 79°53'20'' W", "[COORDINATES]"),
        (
            "latitud menos dos punto uno ocho nueve, longitud menos ochenta punto dos uno",
            "[COORDINATES]",
        ),
        ("1.234, 2.345 y 3.456", "1.234, 2.345 y 3.456"),
        ("subió de 2,189 a 79,889", "subió de 2,189 a 79,889"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}
