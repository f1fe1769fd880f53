"""Colombia: cédula de ciudadanía, NIT, plates, telephone numbers.

Sources
- Cédula de ciudadanía: Registraduría Nacional: up to ten figures without a check digit, so a cue is
  needed; shorter ones than seven figures (the oldest cards) are not looked for.
- NIT: DIAN, Orden Administrativa 4 of 1989: up to ten figures and a check digit. Figures from the
  right times 3,7,13,17,19,23,29,37,41,43, modulo 11; a remainder of 2 or more is taken from 11.
- Plates: Resolución 3275 of 2008, Ministerio de Transporte: three letters, three figures;
  motorbikes three letters, two figures, one letter.
- Phones: Resolución CRC 5826 of 2019: mobiles ten figures beginning with 3, landlines with 60.
"""

from __future__ import annotations

import re

from builder.release.scrub import plates
from builder.release.scrub.candidates import Candidate, cue
from builder.release.scrub.checks import weighted
from builder.release.scrub.recogniser import FIGURE, Context, Country, PhonePlan, Recogniser, number

_CEDULA_CUE = cue(r"cedulas?|ciudadania|identidad|identificacion|documento|c\.\s?c\.?|(?-i:CC)")
_NIT_CUE = cue(r"nits?|n\.\s?i\.\s?t\.?|tributaria")
_NIT_WEIGHTS = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43)
_SET_APART = re.compile(r"\d\s?-\s?\d$")


def nit_check_digit(digits: str) -> str:
    """The check digit of the figures of a NIT."""
    rest = weighted(digits[::-1], _NIT_WEIGHTS) % 11
    return str(rest if rest < 2 else 11 - rest)


def is_nit(digits: str) -> bool:
    """Tell whether nine to eleven digits end in the check digit of the others."""
    return 9 <= len(digits) <= 11 and nit_check_digit(digits[:-1]) == digits[-1]


def _cedula(candidate: Candidate, context: Context) -> bool:
    """Seven to ten figures after a cue."""
    return candidate.cued(_CEDULA_CUE)


def _nit(candidate: Candidate, context: Context) -> bool:
    """Nine to eleven figures after a cue; or a company's, its check digit set apart and right."""
    if candidate.cued(_NIT_CUE):
        return True
    apart = _SET_APART.search(candidate.said) and not candidate.comma and not candidate.weak
    return bool(
        apart
        and candidate.size == 10
        and candidate.digits[0] in "89"  # companies: 800… and 900…
        and is_nit(candidate.digits)
    )


_PLATES = plates.patterns(
    r"(?P<let>[A-Z]{3})(?P<gap>\s?[\-.]\s?|\s{0,2})(?P<num>\d{3})"
    r"|(?P<mlet>[A-Z]{3})\s?-?\s?\d{2}[A-Z]",
    r"[A-Z](?:[\s.\-]?[A-Z]){2}[\s.\-\x02]{0,3}\d[\s.\-\x02]{0,2}\d[\s.\-\x02]{0,2}[\dA-Z]",
)

COUNTRY = Country(
    "CO",
    (
        number("cedula", 90, _cedula, 26, sizes=range(7, 11)),
        number("nit", 66, _nit, 28, sizes=range(9, 12)),
        Recogniser(
            "plate",
            100,
            (
                (
                    FIGURE,
                    r"[A-Z]{3}\s?\.?\s?[0-9]{3}|[A-Za-z]{3}(?:\s?-\s?)?[0-9]{3}"
                    r"|[A-Z]{3}\s?-?\s?[0-9]{2}[A-Z]",
                ),
                plates.CUE_HINT,
                plates.NAMED_HINT,
            ),
            plates.finder(*_PLATES, "CO", lambda letters: letters in plates.NOT_PLATES),
        ),
    ),
    PhonePlan(
        code="57",
        certain=re.compile(r"60[1-8]\d{7}"),
        grouped=re.compile(r"(?:00)?573\d{9}"),
        mobile=re.compile(r"3[0-5]\d{8}"),
    ),
)
