"""TikTok ids."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.online.tiktok_id import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id 7318345678901234567", "id [ID]"),
        ("7318 345678901 234567", "[ID]"),
        ("1234567 89012", "1234567 89012"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_long_figures_are_ids_whatever_their_time() -> None:
    assert RECOGNISER.find
    assert list(RECOGNISER.find("x 12345678901234567 y", Context())) == [(2, 19)]
