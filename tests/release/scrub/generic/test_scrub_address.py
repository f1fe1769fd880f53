"""Street addresses with a house number."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.address import RECOGNISER
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calle Los Ríos N34-56 y Bolívar", "[ADDRESS]"),
        ("vivo en la mz 12 villa 5", "vivo en la [ADDRESS]"),
        ("manzana doce villa cinco", "[ADDRESS]"),
        ("av. Amazonas 1234 piso", "[ADDRESS] piso"),
        ("carrera 45 # 12-34", "[ADDRESS]"),
        ("calle Olmedo número doscientos diez", "[ADDRESS]"),
        ("la calle 10 de Agosto", "la calle 10 de Agosto"),
        ("en la avenida hay 300 policías", "en la avenida hay 300 policías"),
        ("avenida 9 de octubre", "avenida 9 de octubre"),
        ("calle Bolívar 2024", "calle Bolívar 2024"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}
