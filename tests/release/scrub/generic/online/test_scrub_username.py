"""Known usernames."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.online.username import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber(
    usernames=["rosa.quispe"],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dice ROSA.QUISPE; hoy", "dice [USERNAME]; hoy"),
        ("#rosa.quispe y rosa", "#[USERNAME] y rosa"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_without_usernames_nothing_is_one() -> None:
    assert RECOGNISER.find
    assert not list(RECOGNISER.find("rosa.quispe", Context()))
