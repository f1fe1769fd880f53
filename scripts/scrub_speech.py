"""Numbers as they are said in Spanish and Portuguese, for the texts of scrub_cases.py."""

from __future__ import annotations

from typing import NamedTuple


class Tongue(NamedTuple):
    """How a language says numbers and letters.

    Attributes:
        units: nought to nine.
        teens: ten and what follows, as far as it is one word each.
        tens: twenty or thirty to ninety, those behind `teens`.
        hundreds: 100 to 900 where something follows; `hundred` is 100 alone.
        joint: between tens and units; with blanks.
        behind: between a hundred and the rest; with blanks.
        sums: what repeats a figure twice and three times.
        six: what is also said for six when figures are read out.
        point, underscore: as said in addresses.
    """

    units: tuple[str, ...]
    teens: tuple[str, ...]
    tens: tuple[str, ...]
    hundreds: tuple[str, ...]
    hundred: str
    joint: str
    behind: str
    sums: tuple[str, str]
    six: str
    months: tuple[str, ...]
    letters: dict[str, str]
    point: str
    underscore: str


def _letters(names: str) -> dict[str, str]:
    return dict(zip("abcdefghijklmnopqrstuvwxyz", names.split(), strict=True))


TONGUES = {
    "es": Tongue(
        tuple("cero uno dos tres cuatro cinco seis siete ocho nueve".split()),
        tuple(
            "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte "
            "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
            "veintiocho veintinueve".split()
        ),
        tuple("treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()),
        tuple(
            "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos "
            "ochocientos novecientos".split()
        ),
        "cien",
        " y ",
        " ",
        ("doble", "triple"),
        "seis",
        tuple(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
            "diciembre".split()
        ),
        _letters(
            "a be ce de e efe ge hache i jota ka ele eme ene o pe cu erre ese te u ve uve equis ye "
            "zeta"
        ),
        "punto",
        "guion bajo",
    ),
    "pt": Tongue(
        tuple("zero um dois três quatro cinco seis sete oito nove".split()),
        tuple("dez onze doze treze quatorze quinze dezesseis dezessete dezoito dezenove".split()),
        tuple("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa".split()),
        tuple(
            "cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos "
            "novecentos".split()
        ),
        "cem",
        " e ",
        " e ",
        ("duplo", "triplo"),
        "meia",
        tuple(
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
            "dezembro".split()
        ),
        _letters(
            "a bê cê dê e efe gê agá i jota ká ele eme ene o pê quê erre esse tê u vê dablio xis "
            "ípsilon zê"
        ),
        "ponto",
        "underline",
    ),
}


def words(value: int, tongue: Tongue = TONGUES["es"]) -> str:
    """A whole number below a million, in words."""
    if value < 10:
        return tongue.units[value]
    if value < 10 + len(tongue.teens):
        return tongue.teens[value - 10]
    if value < 100:
        ten, unit = divmod(value, 10)
        first = tongue.tens[ten - 1 - len(tongue.teens) // 10]
        return first + (tongue.joint + tongue.units[unit] if unit else "")
    if value == 100:
        return tongue.hundred
    if value < 1000:
        hundred, rest = divmod(value, 100)
        first = tongue.hundreds[hundred - 1]
        return first + (tongue.behind + words(rest, tongue) if rest else "")
    thousand, rest = divmod(value, 1000)
    head = "mil" if thousand == 1 else f"{words(thousand, tongue)} mil"
    return head + (f" {words(rest, tongue)}" if rest else "")


def group(digits: str, tongue: Tongue) -> str:
    """Figures as one number, leading noughts said."""
    bare = digits.lstrip("0")
    noughts = [tongue.units[0]] * (len(digits) - len(bare))
    return " ".join([*noughts, *([words(int(bare), tongue)] if bare else [])])
