"""Telephones without a plan of the country: plus, cue, spoken."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.phone import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+593 99 123 4567", "[PHONE]"),
        ("+34 612 345 678", "[PHONE]"),
        ("llama al 2345678", "llama al [PHONE]"),
        ("siete dos nueve cuatro uno cinco ocho", "[PHONE]"),
        ("uno dos tres cuatro cinco seis siete", "uno dos tres cuatro cinco seis siete"),
        ("53.617.894 likes", "53.617.894 likes"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_a_country_without_a_module_has_libphonenumbers_mobiles() -> None:
    chile = Scrubber(country="CL")
    assert chile.missing_countries == ("CL",)
    assert chile.scrub("es 9 6123 4567").text == "es [PHONE]"
    assert chile.scrub("vi 53617894 cosas").text == "vi 53617894 cosas"
    assert SCRUBBER.scrub("es 9 6123 4567").text == "es 9 6123 4567"
    assert RECOGNISER.find
    assert list(RECOGNISER.find("+34 612 345 678", Context())) == [(0, 15)]
