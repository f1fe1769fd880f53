"""Links and bare domains: written, spaced ("miblog . com") or spoken ("miblog punto com")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from builder.release.scrub.domains import (
    LABEL,
    POINT,
    SPOKEN_WORDS,
    STRONG_WORDS,
    SURE,
    TLD,
)
from builder.release.scrub.recogniser import Context, Recogniser, Span

_STRONG = rf"{STRONG_WORDS}(?![\w-])"
_SPOKEN_TLD = rf"{SPOKEN_WORDS}(?![\w-])"
_PATH = r"(?:[:/?#][^\s\x01<>\"']*)?"
_END = r"(?<![.,;:!?)\]'])"
# A path said aloud: "tiktok punto com barra juanito guion bajo 99".
_SAID_PATH = (
    r"(?:\s+(?:barra|diagonal|slash)\s+(?:arroba\s+|@\s?)?[\w.]*\w"
    rf"(?:\s+(?:{POINT}|gui[oó]n(?:\s+bajo)?|underscore|underline)\s+[\w.]*\w){{0,3}}"
    r"(?:\s+\x02?\d+){0,4}){0,4}"
)
# "no hay punto com que valga": no name of a site
_NO_LABEL = (
    rf"(?:hay|ni|no|un|el|ese|este|solo|es|y|o|con|de|del|sin|na|nem|tem|um|esse)\s+{POINT}\s"
)
_HINT = (
    rf"(?i):\s?/\s?/|www\s?\.|\S\.[a-z][a-z]|\.\s{{0,2}}{STRONG_WORDS}(?:[^a-z]|$)"
    rf"|{POINT}\s+{SPOKEN_WORDS}(?:[^a-z]|$)"
)
_needs = re.compile(_HINT).search


@lru_cache
def _pattern(com_is_a_word: bool) -> re.Pattern[str]:
    # "cheguei. Com ele": where "com" is a word, only a dot with blanks on both sides is spelled.
    dot = r"\s{1,2}\.\s{1,2}" if com_is_a_word else r"\s{0,2}\.\s{0,2}"
    return re.compile(
        rf"(?:h(?:tt|xx)ps?|ftp)\s?:\s?/\s?/\s?[^\s\x01<>\"']+{_END}|www\s?\.\s?[^\s\x01<>\"']+{_END}"
        rf"|(?<![\w@.-])(?:{LABEL}\.)+{SURE}{_PATH}{_END}{_SAID_PATH}"
        rf"|(?<![\w@.-])(?:{LABEL}\.){{2,}}{TLD}{_PATH}{_END}"
        rf"|(?<![\w@.-])(?:{LABEL}\.)+{TLD}/[^\s\x01<>\"']*{_END}"
        rf"|(?<![\w@.-]){LABEL}(?:{dot}{LABEL}){{0,2}}?{dot}{_STRONG}"
        rf"(?:{dot}(?:ec|br)(?!\w))?(?:\s?/\s?[^\s\x01]*)?{_END}"
        rf"|(?<![\w@.-])(?!{_NO_LABEL}){LABEL}(?:\s+{POINT}\s+{LABEL}){{0,3}}?\s+{POINT}\s+{_SPOKEN_TLD}"
        rf"(?:\s+{POINT}\s+(?:ec|br)(?!\w))?{_SAID_PATH}",
        re.IGNORECASE,
    )


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield links and bare domains."""
    low = view.lower()
    if ("." in view or ":" in view or "nto" in low) and _needs(view):
        for match in _pattern("pt" in context.languages).finditer(view):
            yield match.span()


RECOGNISER = Recogniser("url", 20, (_HINT,), find)
