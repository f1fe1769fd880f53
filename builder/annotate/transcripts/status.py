"""Status of a transcript by its text alone: words and the rules about invented text together."""

from __future__ import annotations

from builder.annotate.transcripts.invented import clean_text
from builder.annotate.transcripts.rules import DEFAULT_RULES, near_empty, words
from builder.config.asr import TranscriptRules


def transcript_status(
    text: str | None, rules: TranscriptRules = DEFAULT_RULES
) -> tuple[str, str | None]:
    """Status of a transcript by its text alone.

    Args:
        text: the transcript as its source gave it.
        rules: thresholds.

    Returns:
        (status, reason): ``ok`` with None; ``no_speech`` with ``no_text``; ``near_empty`` with
        ``few_words``, ``subtitle_credit`` or ``repetition``.
    """
    if not words(text):
        return "no_speech", "no_text"
    cleaned = clean_text(text or "", rules)
    if near_empty(cleaned.text, rules):
        return "near_empty", cleaned.reasons[0] if cleaned.reasons else "few_words"
    if "repetition" in cleaned.reasons and cleaned.loop_share >= rules.loop_share:
        return "near_empty", "repetition"
    return "ok", None
