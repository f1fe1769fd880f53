"""E-mail addresses, written and spelled out."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.online.email import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ana@ejemplo.test.com ya", "[EMAIL] ya"),
        ("ana arroba gmail punto com", "[EMAIL]"),
        ("ana arroba gmail ponto com ponto br", "[EMAIL]"),
        ("tod@s", "tod@s"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_it_finds_the_address_alone() -> None:
    assert RECOGNISER.find
    assert list(RECOGNISER.find("de ana@ejemplo.com hoy", Context())) == [(3, 18)]
