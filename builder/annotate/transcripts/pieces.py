"""Cuts transcripts and summaries into sentence-like pieces.

Automatic transcripts often have no punctuation at all: a piece then ends after a number of words,
preferably before a connective.
"""

from __future__ import annotations

import re

from builder.annotate.transcripts.rules import words

# A period ends a sentence unless an abbreviation, an initial or a digit stands before it.
_END = re.compile(r"(?<=[.!?…])[\"'»”)\]]*\s+|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(«\"])(?:sr|sra|srta|sres|dr|dra|ing|lic|abg|econ|gral|cnel|crnl|tnte|av|avda|etc|art|"
    r"núm|num|no|p|pág|ee|uu|ej|a\.m|p\.m|mr|mrs|ms|st|[a-zñ])\.$",
    re.IGNORECASE,
)
_CONNECTIVES = frozenset(
    "y e pero porque entonces que cuando aunque mientras pues donde como si ya and but because so "
    "then when mas porém então".split()
)


def has_words(text: str | None) -> bool:
    """Whether a text holds a word with a letter: emoji, digits and punctuation alone are none."""
    return any(any(letter.isalpha() for letter in word) for word in words(text))


def pieces(text: str, *, max_words: int = 40) -> list[str]:
    """Cut a text into sentences, and sentences of more than `max_words` words into stretches.

    Args:
        text: any text.
        max_words: the most words of a piece.

    Returns:
        Non-empty pieces in order; each has a word, and every word of the text is in one of them.
    """
    found: list[str] = []
    for sentence in _sentences(text):
        found.extend(_stretches(sentence, max_words))
    return [piece for piece in found if words(piece)]


def _sentences(text: str) -> list[str]:
    out: list[str] = []
    pending = ""
    for part in _END.split(text):
        pending = f"{pending} {part.strip()}" if pending else part.strip()
        if not _ABBREVIATION.search(pending):
            out.append(pending)
            pending = ""
    if pending:
        out.append(pending)
    return [part for part in out if part]


def _stretches(sentence: str, max_words: int) -> list[str]:
    """Even stretches of at most `max_words` words, each end moved back to a connective nearby."""
    tokens = sentence.split()
    out: list[str] = []
    start = 0
    while len(tokens) - start > max_words:
        left = len(tokens) - start
        stop = start + -(-left // -(-left // max_words))
        for back in range(stop, max(start + 1, stop - max_words // 3), -1):
            if tokens[back].strip(",;:").casefold() in _CONNECTIVES:
                stop = back
                break
        out.append(" ".join(tokens[start:stop]))
        start = stop
    out.append(" ".join(tokens[start:]))
    return out
