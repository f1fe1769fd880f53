"""Is a model's answer a summary: not empty, a refusal, cut off, too long, in another language?"""

from __future__ import annotations

import re
import unicodedata

from builder.annotate.transcripts.pieces import has_words
from builder.annotate.transcripts.rules import words

_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_LEAD = re.compile(
    r"^\s*(?:\*\*|#+\s*)?(?:resumen|summary|resumo)\s*(?:\*\*)?\s*:\s*(?:\*\*)?\s*", re.IGNORECASE
)
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffd]")
_QUOTES = "\"'«»“”`* \n\t"
_REFUSAL = re.compile(
    r"^\W*(?:lo siento|lamento|disculpa|perd[oó]n|desculpe|sinto muito|i'?m sorry|sorry"
    r"|i apologi[sz]e|no puedo|no me es posible|no es posible (?:resumir|ayudar)|i can(?:no|')t"
    r"|i am unable|i'm unable|n[ãa]o posso|as an? (?:ai|language model)|please provide"
    r"|como (?:modelo|ia|una? (?:ia|inteligencia|asistente))"
    r"|por favor,? (?:proporci|comparte|env[ií]a))",
    re.IGNORECASE,
)
_FUNCTION_WORDS = {
    "es": "el la los las de del que y en un una por con para se su sus no al lo más pero como fue "
    "es está",
    "en": "the of and to in that is was for with as on his her their this it by from are has not "
    "he she",
    "pt": "o os as do da dos das que e em um uma por com para se não mais mas como foi é está ao "
    "na no pelo",
    "fr": "le la les de des du que et en un une pour avec dans se son ses ne pas est au plus mais "
    "qui sur",
    "it": "il lo la gli le di del della che e in un una per con si suo non al più ma come è sono "
    "nel",
    "de": "der die das und in den von zu mit sich auf für ist nicht ein eine als auch es an dem "
    "des im",
}
_SETS = {code: frozenset(text.split()) for code, text in _FUNCTION_WORDS.items()}
_MIN_EVIDENCE = 3


def clean(answer: str) -> str:
    """An answer without a reasoning block, a "Resumen:" lead and surrounding quotes."""
    # lone surrogates and U+FFFD are no characters: no file can hold the first
    sound = _NO_CHARACTER.sub("", answer)
    text = _LEAD.sub("", _THINKING.sub("", sound))
    return " ".join(text.strip(_QUOTES).split())


def check(answer: str, text: str, *, language: str, finish: str | None) -> str:
    """Judge a cleaned answer.

    Args:
        answer: what `clean` returned.
        text: the transcript it should summarise.
        language: ISO 639-1 code it must be in.
        finish: the endpoint's finish reason.

    Returns:
        A status: `ok`, `empty`, `refused`, `cut_off`, `too_long` (longer than the transcript), or
        `wrong_language`.
    """
    if finish == "content_filter":
        return "refused"
    if not has_words(answer):
        return "empty"
    if _REFUSAL.match(answer):
        return "refused"
    if finish == "length":
        return "cut_off"
    if len(answer) > len(text):
        return "too_long"
    return "ok" if plausible_language(answer, language) else "wrong_language"


def plausible_language(answer: str, language: str) -> bool:
    """False when a text is clearly not in a language: another script, or another's function words.

    Short answers, and languages without a word list here, get the benefit of the doubt.
    """
    letters = [letter for letter in answer if letter.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    if latin < len(letters) / 2:
        return language not in _SETS
    if language not in _SETS:
        return True
    counted = {
        code: sum(word in known for word in map(str.casefold, words(answer)))
        for code, known in _SETS.items()
    }
    best = max(counted.values())
    return best < _MIN_EVIDENCE or counted[language] >= 0.75 * best
