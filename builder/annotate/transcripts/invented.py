"""Text that Whisper invents, and how it is told from speech.

Three kinds, each with its rule (thresholds in `rules.TranscriptRules`):

* *Subtitle credits*: "Subtítulos realizados por la comunidad de Amara.org". Patterns are data, in
  ``phantoms.toml``.
* *Loops*: a phrase repeated by a decoder that found no way on. A run of at least `loop_repeats`
  equal n-grams (`loop_word_repeats` for one word) is cut to `loop_keep`; what zlib still shrinks by
  more than `max_compression_ratio` goes round in wider circles, and is dropped.
* *Text over silence*: the decoder doubts that there was speech and doubts its own words.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from builder.annotate.transcripts.rules import (
    DEFAULT_RULES,
    normalise,
    sentences,
    words,
)
from builder.config.asr import TranscriptRules

PHANTOMS = Path(__file__).with_name("phantoms.toml")
MAX_LOOP_WORDS = 12  # longest phrase looked for in a loop


@dataclass(frozen=True)
class Cleaned:
    """A text after the rules.

    Attributes:
        text: what is left.
        reasons: what was removed, most telling first: ``subtitle_credit``, ``repetition``.
        loop_share: share of the words that stood in loops, 0 to 1.
    """

    text: str
    reasons: tuple[str, ...] = ()
    loop_share: float = 0.0


@lru_cache
def _patterns(kind: str) -> re.Pattern[str]:
    table = tomllib.loads(PHANTOMS.read_text(encoding="utf-8"))
    return re.compile("|".join(f"(?:{pattern})" for pattern in table[kind]))


def is_credit(sentence: str) -> bool:
    """True when one sentence is a subtitle credit."""
    return bool(_patterns("credit").fullmatch(normalise(sentence)))


def is_sign_off(text: str) -> bool:
    """True when a whole text is a sign-off Whisper likes to invent ("Gracias por ver el video")."""
    return bool(_patterns("sign_off").fullmatch(normalise(text)))


def compression_ratio(text: str) -> float:
    """Bytes of a text over bytes of its zlib form (OpenAI Whisper's measure); 0 when empty."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def find_loops(
    tokens: list[str], rules: TranscriptRules = DEFAULT_RULES
) -> list[tuple[int, int, int]]:
    """Runs of one phrase repeated back to back.

    Args:
        tokens: normalised words.
        rules: how many repetitions are too many.

    Returns:
        (start, length of the phrase, repetitions), not overlapping, in order.
    """
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < len(tokens):
        best: tuple[int, int, int] | None = None
        for size in range(1, min(MAX_LOOP_WORDS, (len(tokens) - at) // 2) + 1):
            phrase = tokens[at : at + size]
            repeats = 1
            while tokens[at + repeats * size : at + (repeats + 1) * size] == phrase:
                repeats += 1
            enough = rules.loop_word_repeats if size == 1 else rules.loop_repeats
            # "no no no no" is also "no no" twice: only the shortest phrase names the loop.
            if repeats >= enough and len(set(phrase)) > (size > 1):
                best = (at, size, repeats)
                break
        if best is None:
            at += 1
        else:
            found.append(best)
            at += best[1] * best[2]
    return found


def clean_text(text: str, rules: TranscriptRules = DEFAULT_RULES) -> Cleaned:
    """Remove what the text rules know to be invented.

    Args:
        text: a transcript or one segment of it.
        rules: thresholds.

    Returns:
        The text without credits, loops cut short. A text that is only a sign-off is left as it
        is: without the sound there is no telling (`judge_segment` has the sound's numbers).
    """
    parts = sentences(text)
    kept = [part for part in parts if not is_credit(part)]
    reasons = ["subtitle_credit"] if len(kept) < len(parts) else []
    text = " ".join(kept)
    text, share = _cut_loops(text, rules)
    if share:
        reasons.append("repetition")
    return Cleaned(text, tuple(reasons), share)


def _cut_loops(text: str, rules: TranscriptRules) -> tuple[str, float]:
    tokens = text.split()
    flat = [normalise(token) or token for token in tokens]
    loops = find_loops(flat, rules)
    if not loops:
        return text, 0.0
    drop: set[int] = set()
    looped = 0
    for start, size, repeats in loops:
        looped += size * repeats
        drop.update(range(start + size * rules.loop_keep, start + size * repeats))
    kept = [token for place, token in enumerate(tokens) if place not in drop]
    return " ".join(kept), looped / len(tokens)


def judge_segment(
    text: str,
    avg_logprob: float,
    no_speech_prob: float,
    seconds: float,
    rules: TranscriptRules = DEFAULT_RULES,
) -> tuple[str, str | None]:
    """Decide on one decoded segment.

    Args:
        text: its text.
        avg_logprob: mean log-probability of its tokens.
        no_speech_prob: the model's probability that there is no speech.
        seconds: length of the sound it was decoded from.
        rules: thresholds.

    Returns:
        (text to keep, reason): the reason is None when nothing was taken; an empty text means the
        segment is dropped. Reasons: ``silence``, ``uncertain``, ``too_fast``,
        ``subtitle_credit``, ``repetition``.
    """
    if not words(text):
        return "", None
    doubt = no_speech_prob > rules.silence_no_speech_prob
    if doubt and avg_logprob < rules.silence_avg_logprob:
        return "", "silence"
    if doubt and is_sign_off(text):
        return "", "silence"
    if avg_logprob < rules.min_avg_logprob:
        return "", "uncertain"
    if len(words(text)) > max(rules.max_words_per_second * seconds, rules.min_words):
        return "", "too_fast"
    cleaned = clean_text(text, rules)
    if cleaned.loop_share >= rules.loop_share:
        return "", "repetition"
    # Not the same words back to back, and nothing new all the same.
    if compression_ratio(cleaned.text) > rules.max_compression_ratio:
        return "", "repetition"
    return cleaned.text, cleaned.reasons[0] if cleaned.reasons else None
