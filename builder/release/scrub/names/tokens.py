"""Words of a text as the tagger sees them: where they stand, how they are written, what parts them.

A transcript comes as Whisper writes it, or without any capitals and full stops (API transcripts).
Which of the two is decided for the whole text: capitals tell nothing where all words have them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

PERSON = re.compile(r"<PERSON_[0-9]+>")
_WORDS = re.compile(
    rf"(?P<tag>{PERSON.pattern}|\[[A-Z_]+\])"
    r"|(?P<mark>[@#][\w.]+|(?:https?://|www\.)\S+)"
    r"|[^\W_]+(?:['’´`-][^\W_]+)*"
)
_STOPS = re.compile(r"[.!?…\n]")
_STOP = re.compile(rf"{_STOPS.pattern}|^\s*$")
SPACE, PAUSE, FULL_STOP = 0, 1, 2
_TAG, _MARK = "\x01", "\x02"  # a tag of an earlier pass; a hashtag, handle or link


class Token(NamedTuple):
    """One word.

    Attributes:
        start, end: its characters in the text.
        form: as written; in a text without telling capitals lower case.
        gap: what parts it from the word before: SPACE, PAUSE (a comma) or FULL_STOP (or nothing).
    """

    start: int
    end: int
    form: str
    gap: int

    @property
    def is_word(self) -> bool:
        """Whether it is a word a person could be called."""
        return self.form[0] not in (_TAG, _MARK) and not self.form[0].isdigit()


def tokens(text: str) -> tuple[list[Token], bool]:
    """The words of a text, and whether its capitals tell anything."""
    spans = cut(text)
    written = [form for _, _, form in spans if form[0].isalpha()]
    capitals = sum(form[0].isupper() for form in written)
    cased = capitals > 0 and (capitals * 10 < len(written) * 7 or len(written) < 4)
    if cased and len(written) >= 4 and sum(form.isupper() for form in written) * 2 > len(written):
        cased = False
    done, before = [], -1
    for start, end, form in spans:
        gap = gap_of(text[before:start]) if before >= 0 else FULL_STOP
        done.append(Token(start, end, form if cased else form.lower(), gap))
        before = end
    return done, cased


def cut(text: str) -> list[tuple[int, int, str]]:
    """(start, end, form as written) of every word; none runs over a blank."""
    spans = []
    for found in _WORDS.finditer(text):
        start, end = found.span()
        kind = found.lastgroup
        spans.append((start, end, _TAG if kind == "tag" else _MARK if kind else found.group()))
    return spans


def gap_of(between: str) -> int:
    """What characters between two words part them by."""
    if between == " ":
        return SPACE
    return FULL_STOP if _STOP.search(between) else PAUSE


def stops(between: str) -> bool:
    """Whether one of the characters between two words ends a sentence."""
    return bool(_STOPS.search(between))


@lru_cache(maxsize=1 << 17)
def plain(word: str) -> str:
    """A word without case and accents; ñ and ç stay letters of their own no longer."""
    if word.isascii():
        return word.lower()
    marks = unicodedata.normalize("NFKD", word.lower())
    return "".join(char for char in marks if not unicodedata.combining(char))
