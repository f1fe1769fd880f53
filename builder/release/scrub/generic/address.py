"""Street addresses with a house number; a street alone is public.

"calle Los Ríos N34-56 y Bolívar", "mz 12 villa 5", "av. Amazonas 1234", "carrera 45 # 12-34".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.recogniser import FIGURE, Context, Hint, Recogniser, Span

_STREETS = (
    r"calles?|avenidas?|av|avda|pasajes?|psje|jiron|jr|carreras?|cra|kra|cl|transversal|diagonal|"
    r"callejon|malecon|urbanizacion|ciudadela|cdla|rua|travessa|alameda|sector|barrio|conjunto"
)
_STREET = rf"(?<!\w)(?:{_STREETS})(?!\w)\.?\s+"
_NUM = r"\x02?\d{1,5}(?:\s?-\s?\d{1,4})?[A-Za-z]?(?!\w)"
_NUMBER_WORD = r"(?:#|(?:numero|nro|num|no|n)(?!\w)\.?\s?[°º]?)"
_NAME = r"(?:[A-Za-z][\w.]{0,20}[\s,]+|\x02?\d{1,2}\s+de\s+){1,6}?"
_CAPITAL = r"(?:(?:de|la|los|las|el|del|y|San|Santa)\s+|[A-Z][\w.]*\s+){1,5}"
_BLOCK = r"(?:mz|mza|manzana|bloque|quadra|q)"
_HOUSE = r"(?:villa|solar|casa|lotes?|lt|sl|v|departamento|depto|dpto|torre|lote)"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # a number with its word, or Quito's letter and two numbers
        rf"(?i){_STREET}{_NAME}(?:{_NUMBER_WORD}\s?{_NUM}|[NSEO]\d{{1,3}}[A-Z]?\s?-\s?\d{{1,4}}(?!\w))",
        # a bare one behind a capitalised name, which is no year
        rf"(?<!\w)(?i:{_STREETS})(?!\w)\.?\s+{_CAPITAL}(?!(?:19|20)\d\d(?!\d))\x02?\d{{2,5}}(?:-\d{{1,4}})?"
        r"(?![\w.,:]?\d|\s*(?:[a-z]{4,}s)(?!\w)|\s?%|\w)",
        # Brazil's: "rua Antunes, 338"
        r"(?<!\w)(?i:rua|avenida|av|travessa|alameda)(?!\w)\.?\s+(?:(?:d[aeo]s?|e)\s+|[A-Z]\w*\s+){0,5}?[A-Z]\w*,\s*"
        r"(?!(?:19|20)\d\d(?!\d))\d{1,5}(?=\s*(?:[.,;!?)-]|$|(?:apto?|casa|bloco|bairro|fundos)(?!\w)))",
        # Colombia's: "carrera 45 # 12-34"
        rf"(?i){_STREET}\x02?\d{{1,3}}\s?[A-Za-z]?(?:\s?(?:bis|sur|norte))?\s*(?:#|no\.?|numero|con)\s*\x02?\d{{1,3}}"
        r"(?:\s?[A-Z]?\s?-?\s?\x02?\d{1,3})?(?!\w)",
        # blocks and houses
        rf"(?i)(?<!\w){_BLOCK}(?!\w)\.?\s*(?:[A-Z]{{1,2}}(?!\w)|{_NUM})[\s,.y]{{1,4}}(?:la\s+)?{_HOUSE}(?!\w)\.?\s*"
        rf"(?:{_NUMBER_WORD}\s?)?{_NUM}",
    )
)
_CORNER = re.compile(
    r"\s(?:y|e|con|entre|esquina)\s(?:la\s|el\s|av\.?\s|avenida\s|calle\s)?"
    r"(?:[A-Z]\w+(?:\s[A-Z]\w+)?|\x02?\d{1,3})(?!\w)"
)
# A street's word is common: figures, or the word for a number, must stand in its text too.
_figure = re.compile(FIGURE).search
_HINTS: tuple[Hint, ...] = (
    (
        rf"{FIGURE}|(?i:n[uú]m|nro)",
        rf"(?i)(?:^|[^a-záéíóúñ])(?:{_STREETS})[^a-záéíóúñ#][^\n#]{{0,90}}"
        r"(?:[^#\w][NSEO]?[0-9]|número|numero|nro|num|#\s?[0-9])",
    ),
    (
        rf"(?i)(?:^|[^a-záéíóúñ]){_BLOCK}\W",
        rf"(?i)(?:^|[^a-záéíóúñ]){_BLOCK}\W[^\n]{{0,45}}"
        r"(?:villa|solar|casa|lote|lt|sl|v|depart|depto|dpto|torre)\W",
    ),
)
_needs = re.compile("|".join(f"(?:{hint[1].removeprefix('(?i)')})" for hint in _HINTS), re.I).search


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield streets with a house number."""
    if _figure(view) and _needs(view):
        for pattern in _PATTERNS:
            for match in pattern.finditer(view):
                corner = _CORNER.match(view, match.end())
                yield match.start(), corner.end() if corner else match.end()


RECOGNISER = Recogniser("address", 48, _HINTS, find)
