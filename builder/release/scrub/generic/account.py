"""Bank accounts: no check digit is shared by banks, so the words before a number decide."""

from __future__ import annotations

import re

from builder.release.scrub.candidates import Candidate
from builder.release.scrub.recogniser import Context, number

_BANK = (
    r"banco|banca|cooperativa|coop|pichincha|guayaquil|pacifico|produbanco|bolivariano|austro|"
    r"banecuador|internacional|jep|jardin azuayo|bancolombia|davivienda|nequi|daviplata|bcp|bbva|"
    r"interbank|scotiabank|yape|plin|caixa|itau|bradesco|nubank|agencia"
)
_CUE = re.compile(
    r"(?<!\w)(?:cuentas?|ctas?|conta)(?!\w)\W*(?:de\s+|del\s+)?"
    rf"(?:ahorros?|aho|corrientes?|cte|bancaria|poupanca|corrente|virtual|basica|{_BANK}|numero|num|nro|no)"
    r"(?!\w)[^\d\x01]{0,60}$"
    r"|(?<!\w)(?:deposit|transf|transfer|consign|don)\w*[^\d\x01]{0,30}(?:cuentas?|ctas?|conta)(?!\w)[^\d\x01]{0,30}$"
    r"|(?<!\w)(?:cuentas?|ctas?|conta)(?!\w)(?:[^\w\x01]+(?:es|la|el|numero|e))*[^\w\x01]*$"
    rf"|(?<!\w)(?:{_BANK})(?!\w)[^\d\x01]{{0,25}}(?:cuenta|cta|ahorros?|corriente|numero|nro|#)[^\d\x01]{{0,20}}$"
    r"|(?<!\w)(?:chave\s+)?pix(?!\w)[^\d\x01]{0,20}$",
    re.IGNORECASE,
)


def claims(candidate: Candidate, context: Context) -> bool:
    """Seven to nineteen figures behind the words of a bank account."""
    several = not candidate.comma or candidate.pieces > 2  # "22, 30, 32": read out
    return several and not candidate.amount and candidate.cued(_CUE)


RECOGNISER = number("account", 88, claims, 19)
