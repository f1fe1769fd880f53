"""@handles, written or spelled out ("arroba juanito guion bajo uio"), but for public figures'.

An account can be given without any at-sign: "sígueme como juanito99", "mi usuario es juanito_99".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.domains import AT_HINT, NAME, POINT, has_at
from builder.release.scrub.recogniser import Context, Recogniser, Span

_CUE = (
    r"(?:sigue(?:me|nos|lo|la)?|sigan(?:me|nos)?|segue|siga(?:m)?|usuari[oa]|cuenta|conta|perfil|"
    r"tik\s?tok|instagram|insta|ig|twitter)"
)
_JOIN = rf"(?:{POINT}|gui[oó]n(?:\s+(?:bajo|medio))?|raya(?:\s+baja)?|underscore|underline|hifen)"
_PATTERN = re.compile(
    rf"(?<![\w@.])@+(?P<a>{NAME})|(?<=\w)@(?P<b>(?=\w[\w.]{{2}}){NAME})|(?<=\.)@(?P<f>{NAME})"
    rf"|(?<![\w@])@\s{{1,3}}(?P<c>(?=[^\W\d][\w.]*[\d_]|[^\W\d]\w*\.\w){NAME})"
    rf"|(?<!\w){_CUE}(?:\s+como)?\s*:?\s*@\s{{1,3}}(?P<d>[^\W\d]\w{NAME})"
    r"|(?<!una )(?<!uma )(?<!cada )(?<!media )(?<!meia )(?<!\d )(?<!por )(?<!la )(?<!\w)arroba\s+"
    r"(?P<e>(?!(?:de|del|do|da|en|em|y|o|e|es|a|la|el|que|con|com|por|para)(?!\w))[\w.]*\w"
    rf"(?:\s+{_JOIN}\s+{NAME}){{0,3}}(?:\s+\x02\d+){{0,4}})",
    re.IGNORECASE,
)
_SITE = r"(?:tik\s?tok|instagram|insta|ig|twitter|x|facebook|face|fb|youtube|telegram|kwai|redes)"
_IN = rf"(?:\s+(?:en|por|de|no|na|pelo|do)\s+(?:mi\s+|el\s+|las\s+|la\s+|todas\s+las\s+)?{_SITE})?"
_FOLLOW = (
    r"(?:s[ií]g(?:ue|an|uen)(?:me|nos|lo|la|los)|b[uú]s(?:ca|quen|can|que)(?:me|nos|lo|la)?|"
    r"(?:me|nos|lo|la)\s+(?:sig(?:ue|an|uen)|encuentra[ns]?|busca[ns]?|hallan)|encu[eé]ntr(?:a|en)(?:me|nos|lo|la)|"
    r"agr[eé]g(?:a|ue|uen)(?:me|nos)|aparezco|estoy|estamos|sale|salgo|segue|siga(?:m)?|procura(?:m)?|"
    r"me\s+(?:segue|acha)(?:m)?)"
)
_NAMED = re.compile(
    rf"(?<!\w)(?:{_FOLLOW}{_IN}(?:\s+tambien)?\s+como"
    rf"|(?:mi|tu|su|nuestro|nuestra|meu|minha|el|o)\s+(?:usuario|user|username|nick|arroba|perfil|cuenta|conta|canal)"
    rf"{_IN}\s+(?:es|e|se llama|chama|:)"
    rf"|(?:usuario|user|username|nick){_IN}\s*:)\s*:?\s+"
    rf"(?P<name>(?!@|arroba)[\w.]*\w(?:\s+{_JOIN}\s+[\w.]*\w|\s+(?-i:[A-Z])\w+){{0,3}}(?:\s*\x02?\d+){{0,6}})",
    re.IGNORECASE,
)
_NAMED_GATE = (
    r"(?i)(?:sig|sígu|sígan|busc|búsc|busq|encuentr|encuéntr|agreg|agrég|aparezco|estoy|estamos|sale|salgo|"
    r"segue|procura|hallan|acha)[^\n]{0,45}\scomo\s"
    r"|(?:mi|tu|su|nuestr[oa]|meu|minha|el|o)\s+(?:usuario|user|username|nick|arroba|perfil|cuenta|conta|canal)"
    r"\s[^\n]{0,60}(?:es|e|chama|llama|:)[\s:]"
    r"|(?:usuario|user|username|nick)[^\n]{0,60}:"
)
_NAMED_FIRST = r"(?i)\scomo\s|usuario|user|nick|arroba|perfil|cuenta|conta|canal"
# Plain searches are many times faster than patterns.
_NEEDED = (
    "como", "usuario", "user", "nick", "arroba", "perfil", "cuenta", "conta",
    "canal",
)  # fmt: skip
_needs_name = re.compile(_NAMED_GATE).search
# Words that follow "como" or "es" and name no account, whatever else they say.
_PLAIN = frozenset(
    "a al algo alguien asi aqui ahi antes ayer bien buena bueno cada candidato candidata casi "
    "casos como con cosa creadora creador cualquiera cuando de del desde dia donde el ella "
    "ellos en era es esa ese esta estaba este esto falsa falso familia gente grande gratis ha "
    "hace hoy igual invitado invitada la las le lo locos loco los mas me medio mejor mi mismo "
    "muchos muy nada ni nino no nos nueva nuevo nunca o oficial otra otro otros para parte pero "
    "persona poco por presidente presidenta primero privada privado publica publico pueda "
    "puedan puedas puede puedo que quien quiera quieran quieras quiere quieres se ser si "
    "siempre sin sea sobre solo son su sus tal tambien te testigo todo todos tu un una uno unos "
    "ustedes verificada verificado vieja viejo y ya yo voluntario voluntaria sospechoso "
    "desaparecido desaparecida responsable loca lider rehen os as um uma nao sempre ele ela "
    "assim tudo muito pra fosse novo nova".split()
)
_ACCOUNT = re.compile(r"[\d_.\x02]|\s")


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield handles whose lower-case name is not allowed."""
    low = view.lower()
    if ("@" in view or "arroba" in low or "at" in low) and has_at(view):
        for match in _PATTERN.finditer(view):
            if match[match.lastgroup or 0].lower() not in context.allowed_handles:
                start = match.start() if match["d"] is None else view.index("@", match.start())
                yield start, match.end()  # without the word that made a spaced @ plain
    if any(word in low for word in _NEEDED) and _needs_name(view):
        for match in _NAMED.finditer(view):
            name = match["name"].lower()
            if name in context.allowed_handles or _is_plain(name):
                continue
            yield match.span("name")


def _is_plain(name: str) -> bool:
    """Whether what was taken for an account is an ordinary word, or too short for one."""
    first = re.split(r"\s", name)[0]
    if first in _PLAIN or first.isdigit():
        return True
    return not _ACCOUNT.search(name) and len(name) < 5


RECOGNISER = Recogniser("handle", 30, (AT_HINT, (_NAMED_FIRST, _NAMED_GATE)), find)
