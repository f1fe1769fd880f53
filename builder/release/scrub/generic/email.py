"""E-mail addresses, written or spelled out ("ana arroba gmail punto com")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.domains import AT_HINT, POINT, TLD, has_at
from builder.release.scrub.recogniser import Context, Recogniser, Span

_AT = r"\s{0,3}(?:@|[(\[{]\s?(?:at|arroba)\s?[)\]}]|(?<!\w)arroba(?!\w))\s{0,3}"
_DOT = rf"\s{{0,3}}(?:\.|(?<!\w){POINT}(?!\w)|[(\[{{]\s?(?:dot|{POINT})\s?[)\]}}])\s{{0,3}}"
_JOIN = rf"(?:\s\.\s|\s+(?:{POINT}|gui[oó]n(?:\s+(?:bajo|medio))?|underscore|underline|hifen)\s+)"
_PROVIDER = r"(?:gmail|hotmail|yahoo|outlook|icloud|live|proton(?:mail)?|msn)(?!\w)"
_PATTERN = re.compile(
    r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w.+%-])[\w.+%-]+(?:{_JOIN}[\w.+%-]+){{0,3}}(?:\s+\x02?\d+|\s+\w(?!\w)){{0,10}}{_AT}"
    rf"(?:[\w-]+(?:{_DOT}[\w-]+){{0,2}}?{_DOT}{TLD}(?:{_DOT}(?:ec|co|mx|ar|pe|br)(?!\w))?"
    rf"|{_PROVIDER})",
    re.IGNORECASE,
)


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield e-mail addresses."""
    if has_at(view):
        for match in _PATTERN.finditer(view):
            yield match.span()


RECOGNISER = Recogniser("email", 10, (AT_HINT,), find)
