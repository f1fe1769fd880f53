"""Brazil: CPF, CNPJ, RG, plates, telephone numbers.

Sources
- CPF: Receita Federal: nine figures and two check digits. The first is the sum of the figures times
  10 to 2, the second of ten figures times 11 to 2: each 11 minus the sum modulo 11, and 0 where
  that is above 9. Eleven equal figures pass the sum and are nobody's.
- CNPJ: Receita Federal: twelve figures and two check digits, weights 5,4,3,2,9,…,2 and
  6,5,4,3,2,9,…,2. The CNPJ with letters, given out from July 2026, is not looked for.
- RG: state registries, seven to nine figures, the last may be an X; no common check digit, so it
  needs a cue.
- Plates: Resolução CONTRAN 780 of 2019 (Mercosul): three letters, a figure, a letter, two figures;
  before: three letters, four figures.
- Phones: Resolução Anatel 749 of 2022: two figures of area (11-99, none ends in 0), mobiles nine
  figures beginning with 9, landlines eight beginning with 2-5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub import plates
from builder.release.scrub.candidates import Candidate, cue
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

_CPF_CUE = cue(r"cpfs?|c\.\s?p\.\s?f\.?|cadastro de pessoas?")
_CNPJ_CUE = cue(r"cnpjs?|c\.\s?n\.\s?p\.\s?j\.?|cadastro nacional")
_RG_WORDS = r"(?-i:RG)|r\.\s?g\.|rg n\w*|meu rg|registro geral|identidade|documento"
_RG_CUE = cue(_RG_WORDS)
_RG_WITH_X = re.compile(
    rf"(?<!\w)(?:{_RG_WORDS})(?!\w)[^\d\x01]{{0,25}}(?P<rg>\d{{1,2}}\.?\d{{3}}\.?\d{{3}}\s?-?\s?X)(?!\w)",
    re.IGNORECASE,
)
_DOWN = (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
_CNPJ_DOWN = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def _check(digits: str, weights: tuple[int, ...]) -> str:
    value = 11 - weighted(digits, weights) % 11
    return str(value if value < 10 else 0)


def is_cpf(digits: str) -> bool:
    """Tell whether eleven digits are a CPF with the right check digits."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return digits[9] == _check(digits[:9], _DOWN[1:]) and digits[10] == _check(digits[:10], _DOWN)


def is_cnpj(digits: str) -> bool:
    """Tell whether fourteen digits are a CNPJ with the right check digits."""
    if len(digits) != 14 or len(set(digits)) == 1:
        return False
    first, second = _check(digits[:12], _CNPJ_DOWN[1:]), _check(digits[:13], _CNPJ_DOWN)
    return digits[12:] == first + second


def _cpf(candidate: Candidate, context: Context) -> bool:
    """Eleven figures that are a CPF, or that follow a cue."""
    if candidate.cued(_CPF_CUE):
        return True
    plain = not candidate.amount and not candidate.comma and not candidate.weak
    return plain and is_cpf(candidate.digits)


def _cnpj(candidate: Candidate, context: Context) -> bool:
    """Fourteen figures that are a CNPJ, or that follow a cue."""
    plain = not candidate.comma and not candidate.amount
    return candidate.cued(_CNPJ_CUE) or (plain and is_cnpj(candidate.digits))


def _rg(candidate: Candidate, context: Context) -> bool:
    """Seven to nine figures after a cue."""
    return candidate.cued(_RG_CUE)


def _rg_with_x(view: str, context: Context) -> Iterator[Span]:
    """Yield RGs whose check sign is an X."""
    for match in _RG_WITH_X.finditer(view):
        yield match.span("rg")


_PLATES = plates.patterns(
    r"(?P<let>[A-Z]{3})(?P<gap>\s?[\-.]\s?|\s{0,2})(?P<num>\d{4})"
    r"|(?P<mlet>[A-Z]{3})(?:\s?-\s?|\s{0,2})\d[A-Z]\d{2}",
    r"[A-Z](?:[\s.\-]?[A-Z]){2}[\s.\-\x02]{0,3}\d[\s.\-\x02]{0,2}[\dA-Z](?:[\s.\-\x02]{0,2}\d){2}",
)


def _no_plate(letters: str) -> bool:
    return letters in plates.NOT_PLATES_PT or letters in plates.NOT_PLATES


COUNTRY = Country(
    "BR",
    (
        number("cpf", 65, _cpf, 24, sizes=range(11, 12)),
        number("cnpj", 64, _cnpj, 32, sizes=range(14, 15)),
        number("rg", 94, _rg, 36, sizes=range(7, 10), find=_rg_with_x),
        Recogniser(
            "plate",
            100,
            (
                (
                    FIGURE,
                    r"[A-Z]{3}\s?\.?\s?[0-9]{4}|[A-Za-z]{3}(?:\s?-\s?)?[0-9]{4}"
                    r"|[A-Z]{3}(?:\s?-\s?|\s{0,2})[0-9][A-Z][0-9]{2}",
                ),
                plates.CUE_HINT,
                plates.NAMED_HINT,
            ),
            plates.finder(*_PLATES, "BR", _no_plate),
        ),
    ),
    PhonePlan(
        code="55",
        certain=re.compile(r"0?[1-9][1-9]9[6-9]\d{7}"),
        grouped=re.compile(r"0[1-9][1-9][2-5]\d{7}|(?:00)?55[1-9][1-9](?:9\d{8}|[2-5]\d{7})"),
        # a landline with its area is believed like a mobile without one
        mobile=re.compile(r"9[6-9]\d{7}|[1-9][1-9][2-5]\d{7}"),
    ),
)
