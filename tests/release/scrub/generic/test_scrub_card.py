"""Payment cards."""

from __future__ import annotations

import pytest

from builder.release.scrub.candidates import Candidate
from builder.release.scrub.generic.card import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4539 1488 0343 6467", "[CARD]"),
        ("4539 1488 0343 6468", "4539 1488 0343 6468"),
        ("4539148803436467", "[CARD]"),
        ("4539.1488.0343.6467", "[CARD]"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


@pytest.mark.parametrize("said", ["0000000000000000", "4539,1488,0343,6467"])
def test_zeros_and_lists_are_no_cards(said: str) -> None:
    digits = said.replace(",", "")
    assert RECOGNISER.claims
    assert not RECOGNISER.claims(Candidate(digits, said, "", ""), Context())
