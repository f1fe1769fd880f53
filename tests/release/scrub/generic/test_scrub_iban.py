"""IBANs."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.iban import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GB82 WEST 1234 5698 7654 32", "[IBAN]"),
        ("de89370400440532013000", "[IBAN]"),
        ("GB83 WEST 1234 5698 7654 32", "GB83 WEST 1234 5698 7654 32"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_it_needs_its_hint() -> None:
    assert RECOGNISER.find
    assert not list(RECOGNISER.find("GB", Context()))
