"""@handles, written or spelled out ("arroba juanito guion bajo uio"), but for public figures'."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.domains import AT_HINT, NAME, POINT, has_at
from builder.release.scrub.recogniser import Context, Recogniser, Span

_CUE = (
    r"(?:sigue(?:me|nos|lo|la)?|sigan(?:me|nos)?|segue|siga(?:m)?|usuari[oa]|cuenta|conta|perfil|"
    r"tik\s?tok|instagram|insta|ig|twitter)"
)
_PATTERN = re.compile(
    rf"(?<![\w@.])@+(?P<a>{NAME})|(?<=\w)@(?P<b>(?=\w[\w.]{{2}}){NAME})|(?<=\.)@(?P<f>{NAME})"
    rf"|(?<![\w@])@\s{{1,3}}(?P<c>(?=[^\W\d][\w.]*[\d_]|[^\W\d]\w*\.\w){NAME})"
    rf"|(?<!\w){_CUE}(?:\s+como)?\s*:?\s*@\s{{1,3}}(?P<d>[^\W\d]\w{NAME})"
    r"|(?<!una )(?<!uma )(?<!cada )(?<!media )(?<!meia )(?<!\d )(?<!por )(?<!la )(?<!\w)arroba\s+"
    r"(?P<e>(?!(?:de|del|do|da|en|em|y|o|e|es|a|la|el|que|con|com|por|para)(?!\w))[\w.]*\w"
    rf"(?:\s+(?:{POINT}|gui[oó]n\s+bajo|underscore|underline)\s+{NAME}){{0,3}})",
    re.IGNORECASE,
)


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield handles whose lower-case name is not allowed."""
    if not has_at(view):
        return
    for match in _PATTERN.finditer(view):
        if match[match.lastgroup or 0].lower() not in context.allowed_handles:
            start = match.start() if match["d"] is None else view.index("@", match.start())
            yield start, match.end()  # without the word that made a spaced @ plain


RECOGNISER = Recogniser("handle", 30, (AT_HINT,), find)
