"""Words around a name that tell of it (`cues.toml`), and the words inside one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_CUES: dict[str, list[str]] = {
    name: words.split()
    for name, words in tomllib.loads(
        Path(__file__).with_name("cues.toml").read_text(encoding="utf-8")
    ).items()
}
PARTICLES = frozenset(_CUES["particles"])
INSIDE = PARTICLES - {"y"}
JOINING = INSIDE - {"e"}
CALLED_AFTER = frozenset(_CUES["called_after"])
_TITLES = frozenset(_CUES["titles"])
_RELATIVES = frozenset(_CUES["relatives"])
_WHOSE = frozenset(
    "mi mis tu su nuestro nuestra el la un una meu minha teu tua seu sua o a".split()
)
_CALLED = re.compile(
    r"(?:me|se|te) (?:llamo|llama|llamaba|llamas|chamo|chama|chamava)"
    r"|(?:mi|su|meu|seu) (?:nombre|nome) (?:es|era|e)|(?:chamo|chama) (?:me|se)"
    r"|(?:le|me) (?:dicen|decian|decimos)"
)
_CALLED_ENDS = frozenset(
    "llamo llama llamaba llamas chamo chama chamava es era e me se dicen decian decimos".split()
)
_ALIAS = frozenset(("alias", "apodado", "apodada"))
LAST_OF_CUES = _TITLES | _ALIAS | _RELATIVES | _CALLED_ENDS  # before an announced word stands one


def announces(three: str, two: str, one: str) -> bool:
    """Whether the three words before a word say that it is a name ("me llamo", "mi hijo")."""
    return (
        one in _TITLES
        or one in _ALIAS
        or (one in _RELATIVES and two in _WHOSE)
        or bool(_CALLED.fullmatch(f"{two} {one}"))
        or bool(_CALLED.fullmatch(f"{three} {two} {one}"))
    )
