"""Known usernames: whole tokens equal, ignoring case, to one of the campaign's accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.release.scrub.recogniser import Context, Recogniser, Span

# A username as a whole token: dots inside, never at its ends, where they are punctuation.
TOKEN = r"[A-Za-z0-9_]+(?:\.+[A-Za-z0-9_]+)*"
_PATTERN = re.compile(rf"(?<![#\w]){TOKEN}(?!\w)")  # a hashtag is no username


def find(view: str, context: Context) -> Iterator[Span]:
    """Yield known usernames."""
    if context.usernames:
        for match in _PATTERN.finditer(view):
            if match.group().lower() in context.usernames:
                yield match.span()


# No hint: the scrubber looks the tokens of a column up in the list of usernames.
RECOGNISER = Recogniser("username", 1000, (), find)
