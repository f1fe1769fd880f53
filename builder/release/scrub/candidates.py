"""A candidate: a stretch of figures that could be an identifier, and what speaks for and against.

Dates, years, amounts and counted things are told apart here, in the words of the languages at
hand, because every country's numbers are taken for them.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from builder.release.scrub.fold import SPOKEN

Token = tuple[str, int, int]  # figures, start, end in the view

BEFORE, AFTER = 80, 20  # characters around a candidate that its recognisers read

# Seven figures with at most eight characters between them: the least a phone, a national number, a
# card or an id has. Shared with the vectorised gate.
SEVEN_FIGURES = r"[0-9](?:[^0-9]{0,8}[0-9]){6}"


def figures(view: str) -> int:
    """How many figures a view holds: what needs some is not looked for where there are none."""
    return sum(map(view.count, "0123456789"))


DATE = (
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d\d)"
)
_YEAR = r"(?:19|20)\d\d"
_IS_YEAR = re.compile(_YEAR)
# A candidate that starts with a whole date, or is nothing but dates and years, is no identifier.
_DATES = re.compile(rf"{DATE}(?:\s[\s\S]*)?|(?:{DATE}|{_YEAR})(?:[\s,;\-/]+(?:{DATE}|{_YEAR}))*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})+(?:(?!\1)[.,]\d{1,2})?")
_MONEY = re.compile(r"(?:[$€£]|USD|US\$)\s*$", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:%|(?:de\s+)?(?:d[oó]lares|usd|euros|soles|pesos|bol[ií]vares|centavos|mil(?!\w)|"
    r"mill[oó]n(?:es)?|billones|vistas|views|likes|me gusta|reproducciones|visualizaciones|"
    r"seguidores|suscriptores|personas|gentes?|ciudadan[oa]s|ecuatorian[oa]s|venezolan[oa]s|"
    r"ni[nñ][oa]s|mujeres|hombres|j[oó]venes|familias|hogares|casas|viviendas|vecin[oa]s|alumn[oa]s|"
    r"estudiantes|docentes|votos|votantes|electores|firmas|comentarios|habitantes|visitas|"
    r"compartid[oa]s|usuarios|clientes|afiliad[oa]s|empleos|trabajadores|polic[ií]as|militares|"
    r"agentes|soldados|presos|detenid[oa]s|muert[oa]s|fallecid[oa]s|heridos|v[ií]ctimas|casos|"
    r"delitos|veces|a[nñ]os|meses|d[ií]as|horas|minutos|segundos|metros|kil[oó]metros|km|kilos|"
    r"hect[aá]reas|litros|toneladas|barriles|unidades|dosis|p[aá]ginas|archivos|documentos|"
    r"reais|milh[oõ]es|visualiza[cç][oõ]es|curtidas|pessoas|compartilhamentos|eleitores)(?!\w))",
    re.IGNORECASE,
)
# Papers, laws and public lines that carry numbers of their own.
_OFFICIAL = re.compile(
    r"(?<!\w)(?:expedientes?|causas?|juicios?|procesos?|(?<!cualquier )casos?|decretos?|"
    r"resolucion(?:es)?|oficios?|"
    r"acuerdos?|ley(?:es)?|sentencias?|contratos?|ordenanzas?|tramites?|memorandos?|informe(?!s)|"
    r"registro oficial|facturas?|radicados?|denuncia(?!s)|boletas?|actas?|partes? policial(?:es)?|"
    r"noticias? del delito|licitacion(?:es)?|"
    r"codigos?(?: de)? (?:barras?|productos?|postal|seguridad|verificacion|referencia)|"
    r"series?|lotes?|tickets?|vuelos?|processos?|"
    r"inqueritos?|decretos?|portarias?|isbn|issn|doi)(?!\w)"
    # one more word or number ("Ley Orgánica 3-2023"), and letters of a file's mark. Each part is
    # short and begins where the one before cannot go on: what is tried stays bounded.
    r"(?:[^\w\x01]{1,6}(?:(?!(?:al?|llam|tel|cel|whats|wha|fono|marc|marq|escrib|contact|comunic)"
    r"[a-z]*(?!\w))[a-z]{1,12}|n[°º.]?o?|\d{1,5}))?"
    r"[^\w\x01]{0,6}(?-i:[A-Z][A-Z \-./_]{0,20})?[^a-z\x01]{0,12}$",
    re.IGNORECASE,
)
_PUBLIC_LINE = re.compile(r"1[\s.\-]?[78]00(?:[\s.\-]+\d+)+|1[78]00\d{6}")
_PUBLIC_BEFORE = re.compile(r"(?<!\d)1[\s.\-]?[78]00[^\w\x01]*(?:[a-z]+\W*)?$", re.IGNORECASE)
_LINKS = re.compile(
    r"(?:[^\w\x01]|(?<!\w)(?:es|e|de|del|la|el|mi|su|o|numero|num|nro|no|n|con|ciudadania|"
    r"identidad|al?|que)(?!\w))*"
)
_PIECES = re.compile("[0-9]+")
_GOES_ON, _COMES_FROM = re.compile(r"[\-./]\d"), re.compile(r"\d[\-./]$")


def cue(words: str) -> re.Pattern[str]:
    """A pattern that finds one of `words` (alternatives of a regex) shortly before a candidate.

    Views carry no accents, so the words must not either.
    """
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)(?P<link>[^\d\x01]{{0,25}})$", re.IGNORECASE)


_has_letter = re.compile("[A-Za-z]").search


@lru_cache(maxsize=512)
def cue_in(pattern: re.Pattern[str], before: str) -> re.Match[str] | None:
    """`pattern.search(before)`; candidates that begin at one place ask the same of it."""
    return pattern.search(before) if _has_letter(before) else None


def is_dates(said: str) -> bool:
    """Whether figures are a date with what follows, or nothing but dates and years."""
    return bool(_DATES.fullmatch(said))


def is_year(said: str) -> bool:
    """Whether figures are a year of our time."""
    return bool(_IS_YEAR.fullmatch(said))


def is_amount(said: str) -> bool:
    """Whether figures are grouped in threes, as amounts are."""
    return bool(_THOUSANDS.fullmatch(said))


def is_money(before: str) -> bool:
    """Whether a currency stands right before."""
    return bool(_MONEY.search(before))


def is_counted(after: str) -> bool:
    """Whether what follows is a thing people count."""
    return bool(_COUNTED.match(after))


def is_piece(before: str, after: str) -> bool:
    """Whether the figures are part of something longer, such as an ISBN."""
    return bool(_GOES_ON.match(after) or _COMES_FROM.search(before))


class Candidate:
    """One stretch of whole figures.

    Attributes:
        digits: its figures.
        said: the view it spans, separators included.
        before, after: up to `BEFORE` and `AFTER` characters around it.
        whole: nothing else stands in its run of figures.
        spoken: a part of it was a word.
    """

    def __init__(self, digits: str, said: str, before: str, after: str, whole: bool = True) -> None:
        self.digits, self.said, self.before, self.after = digits, said, before, after
        self.whole = whole
        self.spoken = SPOKEN in said or before.endswith(SPOKEN)
        self.size = len(digits)
        self.comma = "," in said
        self.amount = (self.comma or "." in said) and is_amount(said)  # grouped in threes

    @cached_property
    def counted(self) -> bool:
        """Followed by a thing people count."""
        return is_counted(self.after)

    @cached_property
    def weak(self) -> bool:
        """Money, counted, or a piece of a longer number: without a cue it is not believed."""
        return is_money(self.before) or self.counted or is_piece(self.before, self.after)

    @cached_property
    def pieces(self) -> int:
        """How many whole figures it is made of."""
        return len(_PIECES.findall(self.said))

    @cached_property
    def official(self) -> bool:
        """Behind the name of a paper or a law that has its own numbers."""
        return cue_in(_OFFICIAL, self.before) is not None

    @cached_property
    def public_line(self) -> bool:
        """A free public line ("1800 335 486"), or a piece of one."""
        return bool(_PUBLIC_BEFORE.search(self.before) or _PUBLIC_LINE.fullmatch(self.said))

    def cued(self, pattern: re.Pattern[str]) -> bool:
        """Whether a cue (see `cue`) stands before it; and right before an amount."""
        found = cue_in(pattern, self.before)
        if not found:
            return False
        if self.counted:
            return False
        link = found.groupdict().get("link")
        return link is None or not self.amount or bool(_LINKS.fullmatch(link))
