"""Geographic coordinates: a latitude and a longitude of three decimals or more, or in degrees.

Three decimals are about a hundred metres: less is a district, not a house.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.candidates import figures
from builder.release.scrub.recogniser import FIGURE, Context, Hint, Recogniser, Span

_SIDE = r"(?:\s?(?:[NSEWO](?!\w)|norte|sur|este|oeste))?"
_DECIMAL = r"(?P<{0}>(?:menos\s+|-\s?)?\d{{1,3}}[.,]\d{{3,}})"
_LAT, _LON = _DECIMAL.format("lat"), _DECIMAL.format("lon")
_BOTH = (
    rf"(?:(?P<c1>[NS])\s?)?{_LAT}(?P<s1>{_SIDE})[\s,;/|y]{{1,4}}(?:(?P<c2>[EWO])\s?)?{_LON}(?P<s2>{_SIDE})"
    r"(?![\w]|[.,]\d)"
)
_PAIR, _NEXT = (re.compile(start + _BOTH, re.IGNORECASE) for start in (r"(?<![\w.,])", "(?=-)"))
_PART = r"\d{1,3}(?:\s{0,2}\d{1,2}\s{0,2}['′’\s]?)(?:\s{0,2}\d{1,2}(?:[.,]\d+)?\s{0,2}[\"″”'′’]*)?"
_DEGREES = re.compile(
    rf"(?<!\d){_PART}\s?(?-i:[NS]|norte|sur)(?!\w)[\s,;y]{{1,4}}{_PART}\s?(?-i:[EWO]|este|oeste)(?!\w)"
)
_SAID = r"\x02?\d(?:[\s.,\x02]{0,3}\d){3,14}"
_SPOKEN = re.compile(
    rf"(?:(?<!\w)(?:lat(?:itud(?:e)?)?)(?!\w)[^\d\x01]{{0,20}}?(?:menos\s+)?{_SAID}[^\d\x01]{{0,25}}?"
    rf"(?<!\w)lon(?:g(?:itud(?:e)?)?)?(?!\w)[^\d\x01]{{0,20}}?|menos\s+{_SAID}[^\d\x01]{{1,12}}menos\s+){_SAID}",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"(?:coordenad|ubicaci|latitud|gps|posici|localiza)\w*[^\x01]{0,40}$", re.IGNORECASE
)
_HINTS: tuple[Hint, ...] = (
    (
        FIGURE,
        r"(?i)[0-9][.,][0-9]{3,}[^0-9]{1,9}[0-9]{1,3}[.,][0-9]{3}"
        r"|[0-9]\s?[°º˚'′’].{0,30}[0-9]\s?[°º˚'′’]",
    ),
    r"(?i)latitud|(?:^|\s)lat\W",
    ("(?i)menos", r"(?i)menos\s.{0,80}menos\s"),
)


def _is_pair(match: re.Match[str], before: str) -> bool:
    values = []
    for part in ("lat", "lon"):
        figures = re.sub(r"[^\d.,]", "", match[part]).replace(",", ".")
        values.append(float(figures))
    if values[0] > 90 or values[1] > 180:
        return False
    signed = match["lat"][0] in "-mM" or match["lon"][0] in "-mM"
    sided = match["s1"] or match["s2"] or match["c1"] or match["c2"]
    return bool(signed or sided or _CUE.search(before))


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield pairs of coordinates."""
    if figures(view) < 4:
        return
    at = 0
    while match := _PAIR.search(view, at):
        while match:
            at = match.end()
            if _is_pair(match, view[max(0, match.start() - 60) : match.start()]):
                yield match.span()
            match = _NEXT.match(view, at)  # one behind the other, with nothing between
    for pattern in (_DEGREES, _SPOKEN):
        for match in pattern.finditer(view):
            yield match.span()


RECOGNISER = Recogniser("coordinates", 44, _HINTS, find)
