"""What makes a text a transcript: words, near-empty, normalisation for WER, status.

Pure text in, pure text out; used for Whisper's transcripts and for the Research API's alike. The
rules about invented text are in `builder.annotate.transcripts.invented`.

Rules (thresholds and their defaults: `builder.config.asr.TranscriptRules`, the table
``[asr.rules]`` of a profile):

* A *word* is a run of letters or digits (inner apostrophes and hyphens included); in scripts
  written without spaces each character counts.
* No word at all is ``no_speech``.
* Fewer than `min_words` (3) words is ``near_empty``.
* A text that consists of subtitle credits or of one repeated phrase is ``near_empty``, with the
  reason ``subtitle_credit`` or ``repetition``.
"""

from __future__ import annotations

import unicodedata

import regex

from builder.config.asr import TranscriptRules

# In the dialect that `regex` and polars share: `columns` counts with the same pattern.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = (
    rf"[{UNSPACED}]|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]*"
    rf"(?:['’\-][[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]+)*"
)
_WORD = regex.compile(WORD, regex.V1)
_BRACKETED = regex.compile(r"\[[^\]]{0,60}\]|\([^)]{0,60}\)|♪+")
_THOUSANDS = regex.compile(r"(?<=\d)\s(?=\d{3}(?!\d))")
_NOT_WORD = regex.compile(r"[^\p{L}\p{N}\p{M}\s]+")
_SENTENCE = regex.compile(r"(?<=[.!?…。！？\n])\s+|(?<=[。！？])")


DEFAULT_RULES = TranscriptRules()


def words(text: str | None) -> list[str]:
    """Words of a text, as written.

    Args:
        text: any text; None is empty.

    Returns:
        Words in order. Bracketed stage directions ("[Música]") are not words.
    """
    if not text:
        return []
    found = _WORD.finditer(_BRACKETED.sub(" ", unicodedata.normalize("NFC", text)))
    return [match.group() for match in found]


def near_empty(text: str | None, rules: TranscriptRules = DEFAULT_RULES) -> bool:
    """True when a text has fewer than `rules.min_words` words (also when it has none)."""
    return len(words(text)) < rules.min_words


def sentences(text: str) -> list[str]:
    """A text cut after sentence-ending punctuation; joined with spaces it is the text again."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def normalise(text: str | None) -> str:
    """The text two transcripts are compared by.

    In this order: NFKC; bracketed stage directions and notes (♪) removed; lower case; "%" written
    "por ciento"; all other punctuation, including ¿ and ¡, becomes a space; spaces collapsed;
    separators of thousands removed ("1.000" = "1 000" = "1000"). Accents, ñ and ü are kept: in
    Spanish they change the word (papa, papá; ano, año). Numbers are kept as written: digits and
    number words are different words.

    Args:
        text: any text; None is empty.

    Returns:
        Words separated by single spaces; empty when there is none.
    """
    if not text:
        return ""
    flat = _BRACKETED.sub(" ", unicodedata.normalize("NFKC", text)).lower()
    spaced = _NOT_WORD.sub(" ", flat.replace("%", " por ciento "))
    # last, so that what punctuation leaves ("¼00" is "1 400") reads the same the second time
    return _THOUSANDS.sub("", " ".join(spaced.split()))
