"""Licence plates: what every country's have in common.

A plate written as one word or with a dash is believed; a spaced one must be in capitals, not
shouted and no year, or follow "placa". The plates of a neighbouring country need "placa".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from builder.release.scrub.recogniser import FIGURE, Context, Span
from builder.release.scrub.spoken import NumberWords, number_words

_WORDS = r"(?:placas?|matriculas?|patentes?)"
CUE_HINT = r"(?i)placa|matr[ií]cula|patente"
_figures = re.compile("[0-9]{2}").search  # every country's plate has two in a row
_figure = re.compile(FIGURE).search
_CUE = re.compile(rf"{_WORDS}(?!\w)[^\d\x01]{{0,25}}$", re.IGNORECASE)
# Two names of letters that are no other words, close to each other, and a number near.
NAMED_HINT = (
    "",
    r"(?i)(?:be|ce|efe|ge|hache|jota|ka|eme|ene|pe|cu|erre?|uve|equis|ye|zeta|ceta|xis|dablio|aga)"
    r"[\s,.\-]{1,4}(?:[a-z]{1,9}[\s,.\-]{1,4}(?:[a-z]{1,6}[\s,.\-]{1,4})?)?"
    r"(?:be|ce|efe|ge|hache|jota|ka|eme|ene|pe|cu|erre?|uve|equis|ye|zeta|ceta|griega|u|ve)[\s,.\-]",
)
# What carries letters and figures of its own: "vuelo AVA 1234", "unidad UPC 123".
_OTHERS = re.compile(
    r"(?<!\w)(?:vuelos?|flight|voos?|unidad(?:es)?|unidades?|rutas?|lineas?|movil|patrullero|patrulla|"
    r"bloques?|aeronaves?|avion(?:es)?|helicopteros?|modelos?|canal|ley(?:es)?|decretos?|oficios?|"
    r"resolucion(?:es)?|articulos?|codigos?|normas?|expedientes?|procesos?|radio|salas?|aulas?|"
    r"pabellon(?:es)?|tramos?|brigadas?|grupos?|operativos?|version|serie|lotes?|vagon|tren(?:es)?|"
    r"barcos?|buques?|lanchas?|fragatas?|puertas?|referencia|ref|facturas?|pedidos?|guias?|casos?|"
    r"plan|proyecto|curso|materia|paralelo|bus(?:es)?|cooperativa|contenedor(?:es)?|equipos?)(?!\w)"
    r"[^\w\x01]+(?:[a-z]{1,12}[^\w\x01]+){0,2}$",
    re.IGNORECASE,
)
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
        rf"{_WORDS}(?!\w)[^\d\x01]{{0,25}}?(?<![^\W_])(?P<plate>{spelled})(?![^\W_])", re.IGNORECASE
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
        if not _figure(view):
            return
        at_home, low = context.country == country, view.lower()
        worded = any(word in low for word in ("placa", "matricula", "patente"))
        if not at_home and not worded:
            return
        for match in written.finditer(view) if _figures(view) else ():
            before = view[max(0, match.start() - 35) : match.start()]
            cued = bool(_CUE.search(before))
            letters = match["let"] or match["mlet"]
            if not cued and _OTHERS.search(before):
                continue
            if refused(letters.upper()) or not (cued or at_home):
                continue
            if cued or _stands(view, match, letters, before):
                yield match.span()
        for match in said.finditer(view) if worded else ():
            yield match.span("plate")
        if at_home:  # once, whatever neighbours there are
            yield from _spelled(view, number_words(context.languages))

    return find


def _spelled(view: str, words: NumberWords) -> Iterator[Span]:
    """Yield plates whose letters are named ("pe be ce \x021234"), two of them or with a cue."""
    if not words.letters:
        return
    for match in _spelling(words).finditer(view):
        named = [name.lower() for name in match.group("a", "b", "c") if name]
        odd = sum(name in words.odd_letters for name in named)
        before = view[max(0, match.start() - 35) : match.start()]
        cued = _CUE.search(before)
        if cued or (odd >= 2 and len(named) == 3 and not _OTHERS.search(before)):
            yield match.span()


@lru_cache(maxsize=4)
def _spelling(words: NumberWords) -> re.Pattern[str]:
    names = sorted((*words.letters, *"abcdefghijklmnopqrstuvwxyz"), key=lambda name: -len(name))
    name, gap = rf"(?:{'|'.join(names)})(?![^\W_])", r"[\s,.\-]{1,4}"
    return re.compile(
        rf"(?<![^\W_])(?P<a>{name}){gap}(?P<b>{name})(?:{gap}(?P<c>{name}))?"
        rf"[\s,.\-\x02]{{1,5}}\d(?:[\s,.\-\x02]{{0,3}}\d){{2,3}}(?(c)|(?:[\s,.\-]{{1,3}}(?![aeouy]\b){name})?)(?!\d)",
        re.IGNORECASE,
    )


def _stands(view: str, match: re.Match[str], letters: str, before: str) -> bool:
    if match["mlet"]:
        return match.group().isupper()
    year = _YEAR.fullmatch(match["num"])
    if year and not letters.isupper():
        return False
    if "." in match["gap"] and not letters.isupper():
        return False
    if match["gap"].isspace():
        shouted = _CAPITALS_BEFORE.search(before) or _CAPITALS_AFTER.match(view, match.end())
        return not (year or shouted or not letters.isupper())
    return True
