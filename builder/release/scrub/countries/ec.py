"""Ecuador: cédula, RUC, plates, telephone numbers.

Sources
- Cédula and RUC: Servicio de Rentas Internas, "Estructura del RUC"; Registro Civil. Cédula: two
  digits of province (01-24, 30 for those registered abroad), a third digit 0-6 (6 came into use in
  2017), six of sequence, one check digit: weights 2,1,2,1,2,1,2,1,2, products above 9 less 9, and
  what is missing to the next ten. RUC: a cédula plus branch; or third digit 9 (private companies,
  modulo 11, weights 4,3,2,7,6,5,4,3,2, check digit tenth); or third digit 6 (public bodies,
  modulo 11, weights 3,2,7,6,5,4,3,2, check digit ninth). The SRI has issued company RUCs that fail
  the check, hence a 13-digit number of the right shape ending in 001 counts too.
- Plates: Agencia Nacional de Tránsito: three letters, the first the province (all but D and F), and
  three or four figures; motorbikes two letters, three figures, one letter.
- Phones: national plan (mobile 09 and eight figures, landline 0, area 2-7, seven figures).
"""

from __future__ import annotations

import re

from builder.release.scrub import plates
from builder.release.scrub.candidates import Candidate, cue
from builder.release.scrub.checks import luhn, weighted
from builder.release.scrub.recogniser import FIGURE, Context, Country, PhonePlan, Recogniser, number

_CUE = cue(r"cedulas?|identidad|identificacion|documento|dni|ruc|c\.\s?i\.?|(?-i:CI)")
_MOBILE = re.compile(r"9(?:39|[57][89]|[689]\d)\d{6}")
_COMPANIES = (("9", (4, 3, 2, 7, 6, 5, 4, 3, 2), 3), ("6", (3, 2, 7, 6, 5, 4, 3, 2), 4))


def _province(digits: str) -> bool:
    return 1 <= int(digits[:2]) <= 24 or digits[:2] == "30"


def is_cedula(digits: str) -> bool:
    """Tell whether ten digits are a well-formed cédula with the right check digit."""
    if len(digits) != 10 or not _province(digits) or digits[2] > "6":
        return False
    return luhn(digits)  # the same sum: odd places doubled, the tenth completes the ten


def is_ruc(digits: str) -> bool:
    """Tell whether thirteen digits are a RUC (see the module docstring for the three kinds)."""
    if len(digits) != 13 or not _province(digits):
        return False
    if digits[2] in "69" and digits.endswith("001"):
        return True
    if is_cedula(digits[:10]) and "001" <= digits[10:] <= "099":
        return True
    for third, weights, branch in _COMPANIES:
        if digits[2] == third and int(digits[-branch:]) in range(1, 100):
            check = (11 - weighted(digits, weights) % 11) % 11
            if check == int(digits[len(weights)]):
                return True
    return False


def _cedula(candidate: Candidate, context: Context) -> bool:
    """Ten figures after a cue; or, at home, with the check digit and unlike a mobile."""
    digits = candidate.digits
    if candidate.cued(_CUE):
        return True
    if candidate.official or candidate.public_line:
        return False
    if context.country != "EC" or candidate.amount or candidate.comma or not is_cedula(digits):
        return False
    return not (digits[0] == "0" and _MOBILE.fullmatch(digits[1:])) and not candidate.weak


def _ruc(candidate: Candidate, context: Context) -> bool:
    """Thirteen figures that are a RUC, or that follow a cue."""
    plain = not candidate.comma and not candidate.amount and not candidate.official
    return (plain and is_ruc(candidate.digits)) or candidate.cued(_CUE)


_PLATES = plates.patterns(
    r"(?P<let>[A-Z]{3})(?P<gap>\s?[\-.]\s?|\s{0,2})(?P<num>\d{3,4})"
    r"|(?P<mlet>[A-Z]{2})(?:\s?-\s?|\s{0,2})\d{3}(?:\s?-\s?|\s{0,2})[A-Z]",
    r"[ABCEG-Z](?:[\s.\-]?[A-Z]){2}[\s.\-\x02]{0,3}\d(?:[\s.\-\x02]{0,2}\d){2,3}",
)


def _no_plate(letters: str) -> bool:
    return letters[0] in "DF" or letters in plates.NOT_PLATES


COUNTRY = Country(
    "EC",
    (
        number("cedula", 90, _cedula, 20, sizes=range(10, 11)),
        number("ruc", 70, _ruc, 30, sizes=range(13, 14)),
        Recogniser(
            "plate",
            100,
            (
                (
                    FIGURE,
                    r"[A-Z]{3}\s?\.?\s?[0-9]{3}|[A-Za-z]{3}(?:\s?-\s?)?[0-9]{3}"
                    r"|[A-Z]{2}(?:\s?-\s?|\s{0,2})[0-9]{3}(?:\s?-\s?|\s{0,2})[A-Z]",
                ),
                plates.CUE_HINT,
                plates.NAMED_HINT,
            ),
            plates.finder(*_PLATES, "EC", _no_plate),
        ),
    ),
    PhonePlan(
        code="593",
        certain=re.compile(r"09\d{8}"),
        grouped=re.compile(r"0[2-7][2-7]\d{6}|(?:00)?5930?[2-79]\d{7,8}"),
        mobile=_MOBILE,
    ),
)
