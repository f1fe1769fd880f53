"""What numeric identifiers look like in Ecuador: phones, cédulas, RUCs, cards and TikTok ids.

`find_numbers` takes the plain view made by `scrub.fold` and yields (kind, start, end)
triples, which may overlap. Only runs of whole figures count: no identifier starts or ends inside a
figure or a date. Dates, years, amounts and counted things are vetoed where the evidence is weak.

Sources
- Cédula and RUC: Servicio de Rentas Internas, "Estructura del RUC"; Registro Civil. Cédula: two
  digits of province (01-24, 30 for those registered abroad), a third digit 0-6 (6 came into use in
  2017), six of sequence, one check digit: weights 2,1,2,1,2,1,2,1,2, products above 9 less 9, and
  what is missing to the next ten. RUC: a cédula plus branch; or third digit 9 (private companies,
  modulo 11, weights 4,3,2,7,6,5,4,3,2, check digit tenth); or third digit 6 (public bodies,
  modulo 11, weights 3,2,7,6,5,4,3,2, check digit ninth). The SRI has issued company RUCs that fail
  the check, hence a 13-digit number of the right shape ending in 001 counts too.
- Phones: libphonenumber's metadata, plus the national plan (mobile 09 and eight figures, landline
  0, area 2-7, seven figures) because transcribed numbers are grouped in ways it does not expect.
- Cards: ISO/IEC 7812 (Luhn). TikTok ids: the upper 32 bits are the Unix time of creation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from builder.release.scrub.fold import SPOKEN
from builder.release.scrub.written import Found


def luhn(digits: str) -> bool:
    """Tell whether a digit string passes the Luhn check (ISO/IEC 7812)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


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
    for third, weights, branch in (("9", "432765432", 3), ("6", "32765432", 4)):
        if digits[2] == third and int(digits[-branch:]) in range(1, 100):
            total = sum(int(w) * int(d) for w, d in zip(weights, digits, strict=False))
            if (11 - total % 11) % 11 == int(digits[len(weights)]):
                return True
    return False


def is_tiktok_id(digits: str) -> bool:
    """Tell whether a number's upper 32 bits are a Unix time of the years 2016 to 2035."""
    return 1451606400 <= int(digits) >> 32 < 2082758400


_SEP = r"[\s.,\-/()_~|*\x02]{1,4}"
_GROUP = re.compile(rf"[0-9]+(?:{_SEP}[0-9]+)*")
_DIGITS = re.compile("[0-9]+")
_DATE = (
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d\d)"
)
_YEAR = r"(?:19|20)\d\d"
# A candidate that starts with a whole date, or is nothing but dates and years, is no identifier.
_DATES = re.compile(rf"{_DATE}(?:\s[\s\S]*)?|(?:{_DATE}|{_YEAR})(?:[\s,;\-/]+(?:{_DATE}|{_YEAR}))*")
_WHOLE_DATE = re.compile(rf"(?<![\d\-/.]){_DATE}(?![\-/.]?\d)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})+(?:[.,]\d{1,2})?")
_MONEY = re.compile(r"(?:[$€£]|USD|US\$)\s*$", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:%|d[oó]lares|usd|mil(?!\w)|millones|vistas|views|likes|reproducciones|seguidores|"
    r"personas|votos|comentarios|habitantes|visitas|compartidos)",
    re.IGNORECASE,
)
# Seven figures with at most four characters between them: the least a phone, cédula, RUC, card or
# id has. Shared with the vectorised gate.
SEVEN_FIGURES = r"[0-9](?:[^0-9]{0,5}[0-9]){6}"
_ID_CUE = re.compile(
    r"(?:(?<!\w)(?:cedulas?|identidad|identificacion|documento|dni|ruc|c\.\s?i\.?)|(?<!\w)(?-i:CI))"
    r"(?!\w)[^\d\x01]{0,25}$",
    re.IGNORECASE,
)
_PHONE_CUE = re.compile(
    r"(?<!\w)(?:tel(?:efonos?)?|tlf|fono|cel(?:ular(?:es)?)?|movil|whats?app|wasap|wsp|"
    r"llam\w* al?|marc\w* al?|contact\w*|escrib\w* al?)(?!\w)[^\d\x01]{0,15}$"
    r"|(?<!\w)numero(?:\s+es|\s+de\s+\w+)?[\s:]*$",
    re.IGNORECASE,
)
_GOES_ON, _COMES_FROM = re.compile(r"[\-./]\d"), re.compile(r"\d[\-./]$")
_LANDLINE = re.compile(r"0[2-7][2-7]\d{6}")
_MOBILE = re.compile(r"9(?:39|[57][89]|[689]\d)\d{6}")
_SPOKEN_PHONE = 7  # spoken figures in a row that make a phone whatever their value


def _classify(digits: str, said: str, before: str, after: str) -> str | None:
    """Name the kind of one candidate, or None.

    `digits` are its figures, `said` the view text it spans, `before` and `after` its surroundings.
    """
    size, comma = len(digits), "," in said
    if _DATES.fullmatch(said):
        return None
    if size == 19 and said != digits and is_tiktok_id(digits):
        return "id"
    if _THOUSANDS.fullmatch(said) and not _ID_CUE.search(before):
        return None
    cued, amount = _ID_CUE.search(before), _MONEY.search(before) or _COUNTED.match(after)
    mobile = _MOBILE.fullmatch(digits[-9:]) and digits[:-9] in ("", "0")
    # Without a cue, a leading 0 or a plus, a number must not be a piece of a longer one (ISBN).
    weak = amount or _GOES_ON.match(after) or _COMES_FROM.search(before)
    if size == 10 and not comma and is_cedula(digits) and not mobile and (cued or not weak):
        return "cedula"
    if digits.startswith("09") and size == 10:
        return "cedula" if cued else "phone"
    if size == 9 and not comma and _LANDLINE.fullmatch(digits):
        return "phone"
    if size == 13 and not comma and is_ruc(digits):
        return "ruc"
    if cued and size in (10, 13):
        return "cedula" if size == 10 else "ruc"
    if digits.startswith(("593", "00593")) and not comma:
        national = digits.removeprefix("00").removeprefix("593").removeprefix("0")
        if len(national) in (8, 9) and national[0] in "2345679":
            return "phone"
    if 13 <= size <= 19 and digits[0] != "0" and not set(said) & set(".,/_|*~()") and luhn(digits):
        tokens = _DIGITS.findall(said)
        if len(tokens) == 1 or max(map(len, tokens)) <= 6:
            return "card"
    if 7 <= size <= 10 and not comma and _PHONE_CUE.search(before) and not _COUNTED.match(after):
        return "phone"
    return "phone" if size == 9 and mobile and not comma and not weak else None


def find_numbers(text: str) -> Iterator[Found]:
    """Yield phones, cédulas, RUCs, cards and ids: every run of whole figures that is one."""
    for group in _GROUP.finditer(text):
        tokens = [
            (token.group(), token.start(), token.end())
            for token in _DIGITS.finditer(text, group.start(), group.end())
        ]
        size = sum(len(token) for token, _, _ in tokens)
        if size < 7:
            continue
        plus = re.search(r"\+[\s.\-()]{0,3}$", text[max(0, group.start() - 4) : group.start()])
        if plus:
            yield from _international(tokens, text, group.start() - len(plus.group()))
        # No identifier starts or ends inside a date: "2024-01-[09 2024-01-10]" is no phone.
        dates = [date.span() for date in _WHOLE_DATE.finditer(text, group.start(), group.end())]
        inside = {at for first, last in dates for at in range(first + 1, last)}
        named: list[Found] = []
        for first, (token, start, _) in enumerate(tokens):
            if len(token) >= 17:
                named.append(("id", start, start + len(token)))
            if len(token) >= 17 or start in inside:
                continue
            before, digits = text[max(0, start - 45) : start], ""
            for part, _, end in tokens[first:]:
                digits += part
                if len(digits) > 19:
                    break
                if len(digits) >= 7 and end not in inside:
                    kind = _classify(digits, text[start:end], before, text[end : end + 20])
                    if kind:
                        named.append((kind, start, end))
        yield from named
        for kind, start, end in _spoken(tokens, text):
            if not any(first <= start and end <= last for _, first, last in named):
                yield kind, start, end


def _international(tokens: list[tuple[str, int, int]], text: str, start: int) -> Iterator[Found]:
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
        yield "phone", start, best


def is_weak_phone(text: str, start: int, end: int) -> bool:
    """Tell whether a libphonenumber match could as well be an ordinary number.

    Kept are numbers with a plus, a leading 0, the country code, a cue ("llámame al"), or the shape
    of a mobile; dates, thousands, money and counted things ("53.617.894 likes") are weak.
    """
    said, before = text[start:end], text[max(0, start - 45) : start]
    digits = re.sub(r"\D", "", said)
    if _DATES.fullmatch(said) or (_THOUSANDS.fullmatch(said) and digits[:3] != "593"):
        return True
    if "+" in said or digits[0] == "0" or digits.startswith("593") or _PHONE_CUE.search(before):
        return False
    if _MONEY.search(before) or _COUNTED.match(text, end):
        return True
    if _GOES_ON.match(text, end) or _COMES_FROM.search(before):
        return True
    return not _MOBILE.fullmatch(digits)


def _spoken(tokens: list[tuple[str, int, int]], text: str) -> Iterator[Found]:
    """Yield runs of seven or more short numbers that were said aloud, unless somebody counts."""
    run: list[tuple[str, int, int]] = []
    for token in [*tokens, ("", 0, 0)]:
        if token[0] and len(token[0]) <= 2:
            run.append(token)
            continue
        said = sum(text[start - 1 : start] == SPOKEN for _, start, _ in run)
        values = [int(figures) for figures, _, _ in run]
        steps = {b - a for a, b in pairwise(values)}
        counting = len(steps) == 1 and steps != {0}
        if len(run) >= _SPOKEN_PHONE and said >= 2 and not counting:
            yield "phone", run[0][1], run[-1][2]
        run = []
