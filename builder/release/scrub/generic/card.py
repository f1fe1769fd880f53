"""Payment cards: ISO/IEC 7812, 13 to 19 figures with the Luhn check."""

from __future__ import annotations

import re

from builder.release.scrub.candidates import SEVEN_FIGURES, Candidate, cue
from builder.release.scrub.checks import luhn
from builder.release.scrub.recogniser import FIGURE, Context, Recogniser

_CUE = cue("tarjetas?|visa|mastercard|cartao|cartoes")
_DIGITS = re.compile("[0-9]+")


def claims(candidate: Candidate, context: Context) -> bool:
    """A number in one piece or in groups of at most six figures: it passes Luhn or has a cue."""
    digits, said = candidate.digits, candidate.said
    if digits[0] == "0" or candidate.amount or candidate.official:
        return False
    if (candidate.comma or not luhn(digits)) and not candidate.cued(_CUE):
        return False
    tokens = _DIGITS.findall(said)
    return len(tokens) == 1 or max(map(len, tokens)) <= 6


def settles(candidate: Candidate) -> bool:
    """Printed as on a card, 4-4-4-4 or 4-6-5, and it passes Luhn."""
    sizes = [len(token) for token in _DIGITS.findall(candidate.said)]
    return sizes in ([4, 4, 4, 4], [4, 6, 5]) and luhn(candidate.digits)


RECOGNISER = Recogniser(
    "card",
    60,
    ((FIGURE, SEVEN_FIGURES),),
    claims=claims,
    turn=50,
    sizes=range(13, 20),
    settles=settles,
)
