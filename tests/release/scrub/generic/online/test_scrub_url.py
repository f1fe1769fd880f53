"""Links and domains, written, spaced and spoken."""

from __future__ import annotations

import pytest

from builder.release.scrub.generic.online.url import RECOGNISER
from builder.release.scrub.recogniser import Context
from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ve a https://a.test/x?y=1.", "ve a [URL]."),
        ("miblog . com", "[URL]"),
        ("miblog punto com", "[URL]"),
        ("hola.Mundo EE.UU.", "hola.Mundo EE.UU."),
    ],
)
def test_it_without_any_country(text: str, expected: str) -> None:
    result = SCRUBBER.scrub(text)
    assert result.text == expected
    assert set(result.kinds) <= {RECOGNISER.kind}


def test_where_com_is_a_word_a_full_stop_before_it_is_one() -> None:
    assert RECOGNISER.find
    text = "Cheguei aqui. Com ele"
    assert list(RECOGNISER.find(text, Context(languages=("es",))))
    assert not list(RECOGNISER.find(text, Context(languages=("pt",))))
    assert list(RECOGNISER.find("meublog . com", Context(languages=("pt",))))
