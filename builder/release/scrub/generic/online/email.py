"""E-mail addresses, written or spelled out ("ana noventa y uno arroba gmail punto com").

The name before the at-sign is read backwards word by word from it, so the work is bounded however
long the text is; what is said for the at-sign may be missing before a mail provider ("ana91
gmail.com").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.domains import AT_HINT, POINT, TLD
from builder.release.scrub.recogniser import Context, Recogniser, Span

_PROVIDERS = (
    r"(?:gmail|hotmail|yahoo|outlook|icloud|live|proton(?:mail)?|msn|hotmeil|gmeil|jimeil|jotmeil)"
)
_PROVIDER = rf"{_PROVIDERS}(?!\w)"
_DOT = rf"\s{{0,3}}(?:\.|(?<!\w){POINT}(?!\w)|[(\[{{]\s?(?:dot|{POINT})\s?[)\]}}])\s{{0,3}}"
_AT = r"@|[(\[{]\s?(?:at|arroba)\s?[)\]}]|(?<!\w)arroba(?!\w)"
_PATTERN = re.compile(
    rf"\s{{0,3}}(?P<at>{_AT})\s{{0,3}}"
    rf"(?:[\w-]+(?:{_DOT}[\w-]+){{0,3}}?{_DOT}{TLD}(?:{_DOT}(?:ec|co|mx|ar|pe|br)(?!\w))?"
    rf"|{_PROVIDERS}\s+(?:com|es|net)(?!\w)|{_PROVIDER})"
    r"|@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)
_NO_AT = re.compile(
    rf"\s+(?:en\s+|a\s+|at\s+|hat\s+)?{_PROVIDERS}(?:{_DOT}|\s)(?:com|es|net)(?!\w)"
    rf"(?:{_DOT}(?:ec|co|mx|ar|pe|br)(?!\w))?",
    re.IGNORECASE,
)
# "correo ana91 uce.edu.ec": only where an address is announced
_BARE = re.compile(
    rf"(?<![\w.@-])(?P<name>(?=[\w.-]*[\d_.])[a-z][\w.-]{{3,40}})\s{{1,2}}(?:[a-z][\w-]{{1,30}}\.){{1,3}}{TLD}",
    re.IGNORECASE,
)
_announced = re.compile(
    r"(?<!\w)(?:correos?|e-?mails?|mail|escrib\w+|escrev\w+|contact\w+|contato|curriculo|"
    r"hojas? de vida)(?!\w)[^\x01]{0,30}$",
    re.IGNORECASE,
).search
_NO_AT_HINT = rf"(?i){_PROVIDERS}"
_has_provider = re.compile(_NO_AT_HINT).search
# Plain searches are many times faster than patterns; each of `_PROVIDERS` holds one.
_PROVIDER_STARTS = ("mail", "meil", "yahoo", "outlook", "icloud", "live", "proton", "msn")
_has_at = re.compile(AT_HINT).search
_WINDOW = 140  # characters before the at-sign that are read
_TOKEN = re.compile(r"\x02?[0-9]+(?![^\W_])|[\w.+%-]+|\S")
_JOINTS = frozenset(
    "punto ponto guion bajo medio raya underscore underline hifen traco . _ - + mas".split()
)
_SIGNS = 24  # at most so many single signs
# Words that stand before an address and are no part of it.
STOPS = frozenset(
    "a al ante bajo con de del desde e el ella en entre es esta este esto hacia hasta la las le "
    "les lo los me mi mis mil muy no nos o para pero por porque que se si sin sobre su sus te "
    "tu tus un una uno unos y ya yo correo correos mail mails email emails electronico "
    "luego entonces ademas dijo direccion cuenta escribe escriban escribanme escribame "
    "escribir escribanos mandame "
    "mandenme mandar manda envia envie envien enviar enviame contacto contactame info "
    "cuando donde mientras aunque hasta porque pues quando onde enquanto embora ate porem "
    "informacion dudas duda cualquier siguiente usa usar abre abrir entra entrar tengo tiene "
    "uso gracias hola oficial nuestro nuestra ao aos as com da das do dos ele ela em escreva "
    "escreve essa esse eu mande meu minha na nas nem os ou pelo pra pro seu sua um uma".split()
)


def _name(view: str, end: int, more: int) -> int | None:
    """Where the name of 1 + `more` words that ends at `end` begins; None if there is none."""
    window = max(0, end - _WINDOW)
    tokens = list(_TOKEN.finditer(view, window, end))
    if not tokens or tokens[-1].end() != end:
        return None
    if window and tokens[0].start() == window:
        tokens = tokens[1:]  # it may be cut

    def word(index: int) -> str:
        return tokens[index].group().lower()

    at, signs, names, start = len(tokens) - 1, 0, 0, None
    while at >= 0:
        said = word(at)
        small = said.lstrip("\x02").isdigit() or len(said) == 1 or said in _JOINTS
        if small and not said[0].isalnum() and said[0] not in "\x02._-+%":
            break
        gap = tokens[at + 1].start() - tokens[at].end() if at + 1 < len(tokens) else 0
        if small and gap > 2 and said.lstrip("\x02").isdigit() and names:
            break  # "15 🔥 ana": what stood between is a blank here
        if small and signs < _SIGNS:
            if len(said) == 1 and said in STOPS and names:
                break
            signs += 1
            if said not in _JOINTS:
                start = tokens[at].start()
        elif not re.match(r"[\w.+%-]", said) or said in STOPS:
            break
        else:
            joined = at + 1 < len(tokens) and word(at + 1) in _JOINTS
            apart = gap > 1
            if names and not joined and (names > more or apart):
                break
            names += 1
            start = tokens[at].start()
        at -= 1
    return start


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield e-mail addresses."""
    low = view.lower()
    if ("@" in view or "arroba" in low or "at" in low) and _has_at(view):
        for match in _PATTERN.finditer(view):
            attached = view[match.start()] == "@"
            more = int((match["at"] or "").lower() == "arroba")
            start = _attached(view, match.start()) if attached else _name(view, match.start(), more)
            if start is not None:
                yield start, match.end()
    if any(name in low for name in _PROVIDER_STARTS) and _has_provider(view):
        for match in _NO_AT.finditer(view):
            start = _name(view, match.start(), 0)
            if start is not None and view[start : match.start()].strip(" ._-"):
                yield start, match.end()
    if "." in view:
        for match in _BARE.finditer(view):
            if _announced(view[max(0, match.start() - 50) : match.start()]):
                yield match.span()


_ATTACHED = re.compile(r"[\w.+%-]{1,80}$")


def _attached(view: str, end: int) -> int | None:
    """Where the word begins that touches an at-sign."""
    found = _ATTACHED.search(view, max(0, end - 80), end)
    return found.start() if found else None


RECOGNISER = Recogniser("email", 10, (AT_HINT, _NO_AT_HINT), find)
