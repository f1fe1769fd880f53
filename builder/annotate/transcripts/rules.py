"""What makes a text a transcript: words, near-empty, normalisation for WER, status.

Pure text in, pure text out; used for Whisper's transcripts and for the Research API's alike. The
rules about invented text are in `builder.annotate.transcripts.invented`.

Rules, with their defaults (`TranscriptRules`, the table ``[asr.rules]`` of a profile):

* A *word* is a run of letters or digits (inner apostrophes and hyphens included); in scripts
  written without spaces each character counts.
* No word at all is ``no_speech``.
* Fewer than `min_words` (3) words is ``near_empty``.
* A text that consists of subtitle credits or of one repeated phrase is ``near_empty``, with the
  reason ``subtitle_credit`` or ``repetition``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import regex

from builder.config.options import read_options

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


@dataclass(frozen=True)
class TranscriptRules:
    """Thresholds of the transcript rules; a profile's ``[asr.rules]`` may set any of them.

    Attributes:
        min_words: fewer words than this is near-empty.
        loop_repeats: a phrase of two or more words said this often in a row is a decoding loop.
        loop_word_repeats: the same for a single word (chants are real: "¡Noboa, Noboa!").
        loop_keep: how many repetitions of a loop are kept.
        loop_share: a text of which loops make up at least this share is ``repetition``.
        max_compression_ratio: a segment that zlib shrinks more than this repeats itself.
        silence_no_speech_prob: with a no-speech probability above this and a mean log-probability
            below `silence_avg_logprob`, a segment is text over silence and is dropped.
        silence_avg_logprob: see `silence_no_speech_prob`.
        min_avg_logprob: a segment less certain than this is dropped whatever else it says.
        min_voiced_seconds: a stretch of text with less voice than this in its time is text over
            silence and is dropped.
        voice_slack_seconds: how far its time stamps may be off.
        max_words_per_second: nobody speaks faster than this; a segment that does is invented.
    """

    min_words: int = 3
    loop_repeats: int = 4
    loop_word_repeats: int = 8
    loop_keep: int = 2
    loop_share: float = 0.6
    max_compression_ratio: float = 2.4
    silence_no_speech_prob: float = 0.6
    silence_avg_logprob: float = -1.0
    min_avg_logprob: float = -1.5
    max_words_per_second: float = 8.0
    min_voiced_seconds: float = 0.2
    voice_slack_seconds: float = 0.5

    @classmethod
    def from_table(cls, table: Mapping[str, Any] | None) -> TranscriptRules:
        """Rules from a profile's ``[asr.rules]`` table; missing keys keep their default.

        Raises:
            UsageProblem: the table has a key that is no rule.
        """
        return read_options(cls(), table or {}, "asr.rules")

    def as_dict(self) -> dict[str, float]:
        """The thresholds, for a stage's fingerprint."""
        return asdict(self)


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
