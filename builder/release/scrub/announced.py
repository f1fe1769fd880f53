"""What is said before an identifier that is read out, and what nobody says while reading one.

Fillers are endless ("chuta", "aguanta", "deixa ver"): where an identifier is announced, a word or
two between its figures need not be known, unless they carry the sentence on.
"""

from __future__ import annotations

import re

from builder.release.scrub.candidates import AFTER, is_counted

# Shared with the vectorised gate, so it holds no look-around.
ANNOUNCED = (
    r"(?:cuentas?|ctas?|conta|cedulas?|ciudadania|identidad|documento|tarjetas?|visa|mastercard|cartao|"
    r"ruc|nit|dni|cpf|rg|cnpj|pasaportes?|pix|telefon\w+|telf?|cel(?:ular(?:es)?)?|whats\w*|wasap\w*|"
    r"wsp|zap|fij[oa]|fixo|convencional|llam\w{1,6}|marqu\w{1,6}|escrib\w{1,6}|comuni\w{1,8}|"
    r"contact\w{1,8}|contatos?|chama|fala|anota|pedidos|encomendas|recados?|timbr\w{1,6}|"
    r"lig(?:a|ue|uem|ar)|(?:mi|su|tu|este|meu|seu|esse) numero)"
)
_announced = re.compile(rf"(?<!\w){ANNOUNCED}(?!\w)[^\x01\d]{{0,40}}$", re.IGNORECASE).search
_READ_OUT = 3  # figures of a number as identifiers are read out
_QUIET = re.compile(r"[\s,.…;\-]{0,4}(?:[a-z]{1,12}[\s,.…;\-]{1,4}){1,2}", re.IGNORECASE)
_WORD = re.compile("[a-z]+")
# Words that carry a sentence on.
_UNSAID = frozenset(
    "a al ante bajo como con contra cuando de del desde donde en entre esta estan fue fueron ha "
    "hace han hasta hay la las le les lo los mas me mi mil pero por porque que quien se sin sobre "
    "son su sus tiene tienen tuvo una unas unos ao aos as com da das do dos em foi foram mais mas "
    "na nas nos os para pelo pela quando quem sao sem seu sua tem uma veces anos dias horas vezes "
    "llego llegaron vino vinieron murio murieron tenia teve chegou".split()
)


def is_announced(before: str) -> bool:
    """Whether an identifier is announced by what stands before a number."""
    return bool(_announced(before))


def reads_on(text: str, gap: str, ends: tuple[int, int], sizes: tuple[int, int]) -> bool:
    """Whether a gap between two numbers is a word or two of somebody who reads figures out.

    Args:
        text: a view.
        gap: what stands between the numbers.
        ends: where each ends in the view.
        sizes: how many figures each has.
    """
    return bool(
        max(sizes) <= _READ_OUT
        and _QUIET.fullmatch(gap)
        and _UNSAID.isdisjoint(_WORD.findall(gap.lower()))
        and not any(is_counted(text[end : end + AFTER]) for end in ends)
    )
