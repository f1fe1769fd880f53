"""Telephone numbers: libphonenumber's metadata, the country's plan, and what is said around.

Sources: libphonenumber for numbers with a plus and for the campaign's region; the plans in
`builder.release.scrub.countries`, because transcribed numbers are grouped in ways it does not
expect. Runs of short numbers said aloud count whatever their value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from builder.release.scrub.candidates import (
    Candidate,
    Token,
    is_amount,
    is_counted,
    is_dates,
    is_money,
    is_piece,
)
from builder.release.scrub.fold import SPOKEN
from builder.release.scrub.numbers import digit_groups
from builder.release.scrub.recogniser import Context, Span, number

_CUE = re.compile(
    r"(?<!\w)(?:tel(?:efon[oe]s?)?|tlf|fono|cel(?:ular(?:es)?)?|movil|whats?(?:app)?|wasap|wsp|zap|"
    r"llam\w* al?|marc\w* al?|contact\w*|escrib\w* al?|lig\w* (?:para|pro|no)|contat\w*)(?!\w)"
    r"[^\d\x01]{0,15}$"
    r"|(?<!\w)numero(?:\s+es|\s+de\s+\w+|\s+e)?[\s:]*$",
    re.IGNORECASE,
)
# Figures close to each other, seven at least, and room for an extension.
_WINDOW = re.compile(r"(?:\+\s?)?\(?[0-9](?:[^0-9]{0,5}[0-9]){6,}[^0-9]{0,12}[0-9]{0,6}")
_PLUS = re.compile(r"\+[\s.\-()]{0,3}$")
_CUED = range(7, 11)  # figures that make a phone after a cue
_SPOKEN_PHONE = 7  # spoken figures in a row that make a phone whatever their value


def claims(candidate: Candidate, context: Context) -> bool:
    """A number of the country's plan, or seven to ten figures after a cue."""
    plan, digits = context.plan, candidate.digits
    if candidate.amount:
        return False
    if plan is not None:
        if plan.certain.fullmatch(digits):
            return True
        if not candidate.comma and (
            plan.grouped.fullmatch(digits) or (plan.mobile.fullmatch(digits) and not candidate.weak)
        ):
            return True
    if candidate.size not in _CUED or candidate.comma or candidate.counted:
        return False
    return candidate.cued(_CUE)


def leftovers(tokens: list[Token], view: str) -> Iterator[Span]:
    """Yield runs of seven or more short numbers that were said aloud, unless somebody counts."""
    run: list[Token] = []
    for token in [*tokens, ("", 0, 0)]:
        if token[0] and len(token[0]) <= 2:
            run.append(token)
            continue
        said = sum(view[start - 1 : start] == SPOKEN for _, start, _ in run)
        values = [int(figures) for figures, _, _ in run]
        steps = {b - a for a, b in pairwise(values)}
        counting = len(steps) == 1 and steps != {0}
        if len(run) >= _SPOKEN_PHONE and said >= 2 and not counting:
            yield run[0][1], run[-1][2]
        run = []


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield what libphonenumber knows: numbers with a plus, and the region's own."""
    for tokens in digit_groups(view):
        start = tokens[0][1]
        plus = _PLUS.search(view[max(0, start - 4) : start])
        if plus:
            yield from _international(tokens, start - len(plus.group()))
    if not context.country:
        return
    presidio = _presidio(context.country)
    for window in _WINDOW.finditer(view):  # it is slow, and most text has no number
        offset = max(0, window.start() - 2)  # it looks at what stands before a number
        for result in presidio.analyze(view[offset : window.end()], ["phone"]):
            first, last = result.start + offset, result.end + offset
            if not _is_weak(view, first, last, context):
                yield first, last


@lru_cache(maxsize=8)
def _presidio(region: str) -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer  # a second to import

    return PhoneRecognizer(supported_entity="phone", supported_regions=(region,))


def _international(tokens: list[Token], start: int) -> Iterator[Span]:
    """Yield the longest valid number after a plus sign; a bare long one counts unproven."""
    import phonenumbers  # takes a tenth of a second to load; the gate needs this module without it

    digits, best = "", 0
    for part, _, end in tokens:
        digits += part
        if len(digits) > 15:
            break
        if len(digits) >= 8:
            try:
                parsed = phonenumbers.parse("+" + digits)
            except phonenumbers.NumberParseException:
                continue
            unproven = len(tokens) == 1 and len(digits) >= 10
            if phonenumbers.is_valid_number(parsed) or unproven:
                best = end
    if best:
        yield start, best


def _is_weak(view: str, start: int, end: int, context: Context) -> bool:
    """Tell whether a libphonenumber match could as well be an ordinary number.

    Kept are numbers with a plus, a leading 0, the country code, a cue ("llámame al"), or the shape
    of a mobile; dates, thousands, money and counted things ("53.617.894 likes") are weak.
    """
    said, before = view[start:end], view[max(0, start - 45) : start]
    digits = re.sub(r"\D", "", said)
    abroad = context.plan is not None and digits.startswith(context.plan.code)
    if is_dates(said) or (is_amount(said) and not abroad):
        return True
    if "+" in said or digits[0] == "0" or abroad or _CUE.search(before):
        return False
    after = view[end : end + 20]
    if is_money(before) or is_counted(after) or is_piece(before, after):
        return True
    if context.plan is None:
        return not _is_mobile(digits, context.country)
    return not context.plan.mobile.fullmatch(digits)


def _is_mobile(digits: str, region: str) -> bool:
    """Whether libphonenumber's metadata of a country without a plan here call it a mobile."""
    import phonenumbers

    try:
        kind = phonenumbers.number_type(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
    types = phonenumbers.PhoneNumberType
    return kind in (types.MOBILE, types.FIXED_LINE_OR_MOBILE)


RECOGNISER = number("phone", 80, claims, 40, find=find, leftovers=leftovers)
