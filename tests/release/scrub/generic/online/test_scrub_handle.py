"""@handles, but for public figures."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.online.handle import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber(allowed_handles=["PresidenciaX"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("soy @juan.perez_99.", "soy [HANDLE]."),
        ("@PresidenciaX y @presidenciax", "@PresidenciaX y @presidenciax"),
        ("una arroba de papa", "una arroba de papa"),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_it_reads_whom_it_may_leave_from_the_context() -> None:
    assert RECOGNISER.find
    assert list(RECOGNISER.find("de @ana_x", Context())) == [(3, 9)]
    assert not list(RECOGNISER.find("de @ana_x", Context(allowed_handles={"ana_x"})))
