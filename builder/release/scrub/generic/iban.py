"""Bank accounts: ISO 13616 (IBAN), check digits modulo 97; Presidio's own recogniser serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from builder.release.scrub.recogniser import FIGURE, Context, Recogniser, Span

_HINT = "[A-Za-z]{2}[0-9]{2}"
_needs = re.compile(_HINT).search
_UPPER = {ord(char): char.upper() for char in "abcdefghijklmnopqrstuvwxyz"}


@lru_cache(maxsize=1)
def _presidio() -> Any:
    from presidio_analyzer.predefined_recognizers import IbanRecognizer  # a second to import

    return IbanRecognizer(supported_entity="iban")


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield IBANs, in either case."""
    if _needs(view):
        for result in _presidio().analyze(view.translate(_UPPER), ["iban"]):
            yield result.start, result.end


RECOGNISER = Recogniser("iban", 40, ((FIGURE, _HINT),), find)
