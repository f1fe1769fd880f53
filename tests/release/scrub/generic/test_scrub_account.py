"""Bank accounts behind their words."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.account import RECOGNISER
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "cuenta de ahorros del Banco Pichincha número 2201234567",
            "cuenta de ahorros del Banco Pichincha número [ACCOUNT]",
        ),
        ("depositen a la cuenta 22 0123 4567", "depositen a la cuenta [ACCOUNT]"),
        (
            "mi cuenta corriente es dos dos cero uno dos tres cuatro cinco seis siete",
            "mi cuenta corriente es [ACCOUNT]",
        ),
        ("su cuenta tiene 1.234.567 dólares", "su cuenta tiene 1.234.567 dólares"),
        ("la cuenta nacional creció 2.345.678", "la cuenta nacional creció 2.345.678"),
        ("cuenta con 2345678 seguidores", "cuenta con 2345678 seguidores"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}
