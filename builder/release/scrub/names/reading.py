"""A text as the tagger reads it: its words, and what is known about each."""

from __future__ import annotations

from typing import NamedTuple

from builder.release.scrub.names.features import Kind
from builder.release.scrub.names.known import Phrases, plain_words
from builder.release.scrub.names.tokens import Token, tokens


class Reading(NamedTuple):
    """A text's words.

    Attributes:
        words: where they stand and how they are written.
        plain: without case and accents.
        known: (first, behind last) word of known names of places, gangs, media, institutions.
        cased: whether its capitals tell anything.
    """

    words: list[Token]
    plain: list[str]
    known: list[tuple[int, int]]
    cased: bool

    @property
    def kinds(self) -> list[Kind]:
        """What the tagger sees."""
        inside = {at for start, end in self.known for at in range(start, end)}
        return [Kind(w.form, w.gap, self.cased, at in inside) for at, w in enumerate(self.words)]


def read(text: str, known: Phrases) -> Reading:
    """Cut a text into words and look up the known names among them."""
    words, cased = tokens(text)
    bare = plain_words(words)
    return Reading(words, bare, known.spans(bare), cased)
