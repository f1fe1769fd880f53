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
        kinds: what the tagger sees.
    """

    words: list[Token]
    plain: list[str]
    known: list[tuple[int, int]]
    kinds: list[Kind]


def read(text: str, known: Phrases) -> Reading:
    """Cut a text into words and look up the known names among them."""
    words, cased = tokens(text)
    bare = plain_words(words)
    spans = known.spans(bare)
    inside = {at for start, end in spans for at in range(start, end)}
    kinds = [Kind(w.form, w.gap, cased, at in inside) for at, w in enumerate(words)]
    return Reading(words, bare, spans, kinds)
