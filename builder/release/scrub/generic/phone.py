"""Telephone numbers: libphonenumber's metadata, the country's plan, and what is said around.

Sources: libphonenumber for numbers with a plus and for the campaign's region; the plans in
`builder.release.scrub.countries`, because transcribed numbers are grouped in ways it does not
expect. Runs of short numbers said aloud count whatever their value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from builder.release.scrub.candidates import (
    AFTER,
    BEFORE,
    Candidate,
    Token,
    cue_in,
    figures,
    is_amount,
    is_dates,
)
from builder.release.scrub.fold import SPOKEN
from builder.release.scrub.numbers import barred, digit_groups
from builder.release.scrub.recogniser import Context, Span, number

# What is said before a number is given: nouns, "write to …", and invitations to report.
_VERBS = (
    r"llam|marqu?|marc|contact|contat|escrib|comuni|report|timbr|avis|inform|mand|envi|ubic|"
    r"encuentr|busqu|deposit|recarg|yape|pregunt|mensaj|chat|lig|chama|avise|fal[ae]|pas[ae]|anot|"
    r"apunt|repit|atiend|contest|respond|consult|pedi|reserv|dig|texte|tome|guard|agend|agreg|agrega"
)
_NOUNS = (
    r"tel(?:efon[oe]s?|efonicos?|f)?|tlf|fonos?|cel(?:ular(?:es)?)?|cels|moviles|movil|"
    r"whats?(?:app)?s?|wasap|wassap|wsp|wpp|zap|fijo|convencional|lineas?|contactos?|numeros?|"
    r"num|nro|pedidos|informes|info(?:rmacion)?|novedad(?:es)?|denuncias|ventas|reservas|contato|"
    r"celu|fijos|convencionales|pbx|central|telefax|claro|movistar|tuenti|cnt|entel|bitel|indicativo|prefijo|"
    r"codigo(?: y numero| de (?:area|pais|ciudad))?|oficina|consultorio|clinica|farmacia|"
    r"consultas|citas|turnos|emergencias|cualquier \w+"
)
_LINK = (
    r"(?:[^\w\x01]+(?:es|el|la|al|a|de|del|en|mi|su|tu|nuestro|numero|num|nro|no|por|para|este|"
    r"estos?|siguiente|o|y|con|e|meu|o|pelo|ao|para|pro|contacto|telefono|celular|whatsapp|casa|"
    r"mama|papa|tienda|oficina|fijo|abajo|afuera|alla|nomas|porfa|favor|somos|soy|seria|ser|esta))"
)
_CUE = re.compile(
    rf"(?<!\w)(?:{_NOUNS})(?!\w){_LINK}{{0,6}}[^\w\x01]*$"
    rf"|(?<!\w)(?:me\s+)?(?:{_VERBS})\w*(?:[^\w\x01]+\w+){{0,4}}?[^\w\x01]+"
    rf"(?:al|a|para|pro|pelo|no|en el|este)(?:[^\w\x01]+(?:numero|telefono|celular|whatsapp|o|el))*"
    rf"[^\w\x01]*$"
    rf"|(?<!\w)(?:anot|apunt|repit|llam|marqu|marc|timbr|lig)\w*"
    rf"(?:[^\w\x01]+(?:es|el|al|la|este|a|en|me|nos|por|favor|porfa))*[^\w\x01]*$",
    re.IGNORECASE,
)
# Figures close to each other, seven at least, and room for an extension.
_WINDOW = re.compile(r"(?:\+\s?)?\(?[0-9](?:[^0-9]{0,5}[0-9]){6,199}[^0-9]{0,12}[0-9]{0,6}")
# "+57 …", and how it is said: "más cincuenta y siete …", "cero cero cincuenta y siete …"
_PLUS = re.compile(r"(?:\+|(?<!\w)ma[si]s?)[\s.\-()\x02]{0,4}$", re.IGNORECASE)
_LEAST = 7
_LISTED = 4  # what is written in more pieces may be a list
_CUED = range(7, 11)  # figures that make a phone after a cue
_SAID = range(7, 14)  # figures of a spoken phone that is in no plan
_WHOLE = 10  # figures of the longest national numbers of these countries
_SPOKEN_NUMBERS = 5  # spoken numbers in a row that make a phone whatever their value


def claims(candidate: Candidate, context: Context) -> bool:
    """A number of the country's plan, of a neighbour's with its code, or figures after a cue."""
    plan, digits = context.plan, candidate.digits
    if candidate.amount or candidate.public_line:
        return False
    cued = candidate.cued(_CUE)
    if candidate.official or (not cued and _is_listed(candidate, context)):
        return False
    if plan is not None:
        if plan.certain.fullmatch(digits):
            return True
        # "04, 4384485": an amount does not begin with nought
        area = digits[0] == "0" and candidate.whole and candidate.said.count(",") == 1
        sure = cued or area or (not candidate.comma and (candidate.whole or not candidate.spoken))
        if sure and plan.grouped.fullmatch(digits):
            return True
        if sure and plan.mobile.fullmatch(digits) and (cued or not candidate.weak):
            return True
    coded = any(digits.removeprefix("00").startswith(other.code) for other in context.abroad)
    if (
        coded  # commas are said between its pairs; grouped in threes it was an amount
        and not candidate.weak
        and any(other.grouped.fullmatch(digits) for other in context.abroad)
    ):
        return True
    if candidate.size not in _CUED or candidate.comma or candidate.counted:
        return False
    return cued


def _is_listed(candidate: Candidate, context: Context) -> bool:
    """Whether it stands behind what announces a list, and could be one."""
    several = candidate.spoken or candidate.pieces > _LISTED
    return several and context.is_listed(candidate.before)


def leftovers(tokens: list[Token], view: str) -> Iterator[Span]:
    """Yield runs of five or more short numbers most of which were said aloud.

    Lists and counts are no such runs: `builder.release.scrub.spoken` has parted their numbers.
    """
    run: list[Token] = []
    for token in [*tokens, ("", 0, 0)]:
        if token[0] and len(token[0]) <= 4:
            run.append(token)
            continue
        # "… siete, y luego el 911": what is written behind a whole number is another
        size = _size(run)
        while run and not _was_said(run[-1], view) and size - len(run[-1][0]) >= _WHOLE:
            size -= len(run.pop()[0])
        said = sum(_was_said(token, view) for token in run)
        if len(run) >= _SPOKEN_NUMBERS and 2 * said >= len(run) and size in _SAID:
            yield run[0][1], run[-1][2]
        run = []


def _was_said(token: Token, view: str) -> bool:
    return view[token[1] - 1 : token[1]] == SPOKEN


def _size(run: list[Token]) -> int:
    return sum(len(digits) for digits, _, _ in run)


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield what libphonenumber knows: numbers with a plus or 00, and the region's own."""
    if figures(view) < _LEAST:
        return
    view = barred(view)
    for tokens in digit_groups(view):
        start = tokens[0][1]
        plus = _PLUS.search(view[max(0, start - 9) : start])
        if plus:
            yield from _international(tokens, start - len(plus.group()))
        elif tokens[0][0].startswith("00") or (
            len(tokens) > 2 and tokens[0][0] == tokens[1][0] == "0"
        ):
            yield from _international(tokens, start, nought=True)
    if not context.country:
        return
    for window in _WINDOW.finditer(view):  # it is slow, and most text has no number
        offset = max(0, window.start() - 2)  # it looks at what stands before a number
        for start, end in _known_to_libphonenumber(context.country, view[offset : window.end()]):
            if not _is_weak(view, start + offset, end + offset, context):
                yield start + offset, end + offset


@lru_cache(maxsize=8)
def _presidio(region: str) -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer  # a second to import

    return PhoneRecognizer(supported_entity="phone", supported_regions=(region,))


@lru_cache(maxsize=1024)
def _known_to_libphonenumber(region: str, window: str) -> tuple[Span, ...]:
    """What it finds in a stretch of a view; text that repeats itself is asked once."""
    return tuple((one.start, one.end) for one in _presidio(region).analyze(window, ["phone"]))


def _international(tokens: list[Token], start: int, nought: bool = False) -> Iterator[Span]:
    """Yield the longest valid number after a plus sign or 00; a bare long one counts unproven."""
    import phonenumbers  # takes a tenth of a second to load; the gate needs this module without it

    digits, best = "", 0
    for part, _, end in tokens:
        digits += part
        if len(digits) > 15:
            break
        number = digits.removeprefix("00") if nought else digits
        if len(number) >= 8:
            try:
                parsed = phonenumbers.parse("+" + number)
            except phonenumbers.NumberParseException:
                continue
            unproven = len(tokens) == 1 and len(number) >= 10 and not nought
            if phonenumbers.is_valid_number(parsed) or unproven:
                best = end
    if best:
        yield start, best


def _is_weak(view: str, start: int, end: int, context: Context) -> bool:
    """Tell whether a libphonenumber match could as well be an ordinary number.

    Kept are numbers with a plus, a leading 0, the country code, a cue ("llámame al"), or the shape
    of a mobile; dates, thousands, money and counted things ("53.617.894 likes") are weak.
    """
    said, before = view[start:end], view[max(0, start - BEFORE) : start]
    digits = re.sub(r"\D", "", said)
    one = Candidate(digits, said, before, view[end : end + AFTER])
    if one.official or one.public_line:
        return True
    if _is_listed(one, context) and not cue_in(_CUE, before):
        return True
    abroad = context.plan is not None and digits.startswith(context.plan.code)
    if is_dates(said) or (is_amount(said) and not abroad):
        return True
    if "+" in said or digits[0] == "0" or abroad or cue_in(_CUE, before):
        return False
    if one.weak:
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


RECOGNISER = number("phone", 80, claims, 40, sizes=range(7, 16), find=find, leftovers=leftovers)
