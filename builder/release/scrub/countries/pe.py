"""Peru: DNI, RUC, plates, telephone numbers.

Sources
- DNI: RENIEC: eight figures; on the card a check sign follows, a letter (older cards) or a figure.
  The sum of the figures times 3,2,7,6,5,4,3,2, modulo 11, chooses it out of "KJIHGFEDCBA" or
  "65432110987". Eight bare figures are anything, so they need a cue; with the right letter none.
- RUC: SUNAT: eleven figures beginning with 10, 15, 16, 17 or 20; the last is
  (11 - sum modulo 11) modulo 10 of the others times 5,4,3,2,7,6,5,4,3,2.
- Plates: Decreto Supremo 017-2008-MTC: a letter, two letters or figures, three figures.
- Phones: national plan: mobiles nine figures beginning with 9; Lima 01 and seven figures, elsewhere
  0, two figures of area, six figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub import plates
from builder.release.scrub.candidates import Candidate, cue, figures
from builder.release.scrub.checks import weighted
from builder.release.scrub.recogniser import (
    FIGURE,
    Context,
    Country,
    PhonePlan,
    Recogniser,
    Span,
    number,
)

_DNI_CUE = cue(r"dnis?|d\.\s?n\.\s?i\.?|documento|identidad|identificacion")
_RUC_CUE = cue(r"rucs?|r\.\s?u\.\s?c\.?|contribuyente")
_WITH_LETTER = re.compile(r"(?<![\w.\-])(\d{8})\s?-?\s?([A-Ka-k])(?![\w])")


def dni_check_letter(digits: str) -> str:
    """The letter that belongs to the eight figures of a DNI."""
    return "KJIHGFEDCBA"[weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2)) % 11]


def is_ruc(digits: str) -> bool:
    """Tell whether eleven digits are a RUC with the right check digit."""
    if len(digits) != 11 or digits[:2] not in ("10", "15", "16", "17", "20"):
        return False
    return (11 - weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 10 == int(digits[10])


def _dni(candidate: Candidate, context: Context) -> bool:
    """Eight figures, or nine with the check figure, after a cue."""
    return candidate.cued(_DNI_CUE)


def _lettered(view: str, context: Context) -> Iterator[Span]:
    """Yield DNIs followed by the letter that belongs to them."""
    for match in _WITH_LETTER.finditer(view) if figures(view) >= 8 else ():
        if dni_check_letter(match[1]) == match[2].upper():
            yield match.span()


def _ruc(candidate: Candidate, context: Context) -> bool:
    """Eleven figures that are a RUC, or that follow a cue."""
    if candidate.cued(_RUC_CUE):
        return True
    plain = not candidate.comma and not candidate.amount and not candidate.weak
    return plain and is_ruc(candidate.digits)


_PLATES = plates.patterns(
    r"(?P<let>[A-Z]{3})(?P<gap>\s?[\-.]\s?|\s{0,2})(?P<num>\d{3})"
    r"|(?P<mlet>[A-Z](?:[A-Z]\d|\d[A-Z]|\d\d))\s?-?\s?\d{3}",
    r"[A-Z](?:[\s.\-\x02]{0,2}[A-Z0-9]){2}(?:[\s.\-\x02]{0,3}\d){3}",
)

COUNTRY = Country(
    "PE",
    (
        number("dni", 92, _dni, 22, sizes=range(8, 10), find=_lettered),
        number("ruc", 70, _ruc, 30, sizes=range(11, 12)),
        Recogniser(
            "plate",
            100,
            (
                (
                    FIGURE,
                    r"[A-Z][A-Z0-9]{2}\s?\.?\s?[0-9]{3}|[A-Za-z][A-Za-z0-9]{2}(?:\s?-\s?)?[0-9]{3}",
                ),
                plates.CUE_HINT,
                plates.NAMED_HINT,
            ),
            plates.finder(*_PLATES, "PE", lambda letters: letters in plates.NOT_PLATES),
        ),
    ),
    PhonePlan(
        code="51",
        certain=re.compile(r"01[2-7]\d{6}"),
        grouped=re.compile(r"0[4-8]\d[2-7]\d{5}|(?:00)?519\d{8}"),
        mobile=re.compile(r"9\d{8}"),
    ),
)
