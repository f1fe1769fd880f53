"""Licence plates: what every country's have in common.

A plate written as one word or with a dash is believed; a spaced one must be in capitals, not
shouted and no year, or follow "placa". The plates of a neighbouring country need "placa".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from builder.release.scrub.recogniser import Context, Span

CUE_HINT = "[Pp][Ll][Aa][Cc][Aa]"
_CUE = re.compile(r"placas?(?!\w)[^\d\x01]{0,25}$", re.IGNORECASE)
_CAPITALS_BEFORE = re.compile(r"[A-Z]{2,}[^\w\x01]+$")
# Capitals with figures behind are a plate of their own, no shouting: "GSK 123 GSK 123".
_CAPITALS_AFTER = re.compile(r"[^\w\x01]+[A-Z]{2,}+(?!\s?-?\s?\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
# Three letters and figures that are no plate: ISO-9001, COP 28, "SON 178 GUARDIAS".
NOT_PLATES = frozenset(
    "ECU COP USD EUR ISO UTC GMT CNN BBC ONU IVA SRI CNE FBI CIA DEA UFC NBA NFL MLB ANT AMT ATM "
    "UPC GYE UIO BMW PSC PIB WTI TEL CEL SMS SOS VIH LEY ART ANO MIL DIA RUC LOS LAS UNA UNO DOS "
    "SON HAY POR CON SIN QUE MAS FUE VAN HAN ERA SUS MIS TUS NOS LES ESO ESA ESE VER IBA OJO PAZ "
    "LUZ REY MES ENE MAR ABR MAY JUN JUL AGO SEP OCT NOV THE AND HOY MUY TAN ASI AUN RTX GTX PBX "
    "VAR API AIR BUS TOP VOL NRO NUM PAG CAP KIT".split()
)
NOT_PLATES_PT = frozenset(
    "BRL STF TSE PEC CPI PRF PMS CPF RGS SUS DDD CEP UTI OAB PIS INS BRT UMA DOS DAS NOS NAS COM "
    "SEM SAO FOI ERA TEM VAI MEU SEU DEZ ATE HOJ FEV ABR MAI AGO SET OUT DEZ".split()
)


def patterns(shape: str, spelled: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile a country's plates.

    Args:
        shape: alternatives with the groups `let` (letters), `gap` and `num` (figures) of the usual
            plate, or `mlet` (letters) of a further kind (motorbikes).
        spelled: a plate whose signs are said one by one after "placa".
    """
    written = re.compile(rf"(?<![^\W_])(?<!#)(?:{shape})(?![^\W_])", re.IGNORECASE)
    said = re.compile(
        rf"placas?(?!\w)[^\d\x01]{{0,25}}?(?<![^\W_])(?P<plate>{spelled})(?![^\W_])", re.IGNORECASE
    )
    return written, said


def finder(
    written: re.Pattern[str],
    said: re.Pattern[str],
    country: str,
    refused: Callable[[str], bool],
) -> Callable[[str, Context], Iterator[Span]]:
    """A recogniser's `find` for the plates of a country; `refused` tells letters that start none.

    See `patterns` for the groups of `written`.
    """

    def find(view: str, context: Context) -> Iterator[Span]:
        for match in written.finditer(view):
            before = view[max(0, match.start() - 35) : match.start()]
            cued = bool(_CUE.search(before))
            letters = match["let"] or match["mlet"]
            if refused(letters.upper()) or not (cued or context.country == country):
                continue
            if cued or _stands(view, match, letters, before):
                yield match.span()
        for match in said.finditer(view):
            yield match.span("plate")

    return find


def _stands(view: str, match: re.Match[str], letters: str, before: str) -> bool:
    if match["mlet"]:
        return match.group().isupper()
    year = _YEAR.fullmatch(match["num"])
    if year and not letters.isupper():
        return False
    if match["gap"].isspace():
        shouted = _CAPITALS_BEFORE.search(before) or _CAPITALS_AFTER.match(view, match.end())
        return not (year or shouted or not letters.isupper())
    return True
