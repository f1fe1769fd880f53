"""Words of a text, as every text analysis counts them.

A text is composed (NFC) and lower-cased. Links, e-mail addresses, @handles and #hashtags are not
words: they, punctuation, emoji and line breaks end a phrase, so that no n-gram reaches across one.
A word is a run of letters, marks and figures; an apostrophe inside it belongs to it ("don't").
Words are compared without accents ("más" is "mas", "está" is "esta") but with ñ and ç, which are
letters of their own ("año" is not "ano").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

import polars as pl

STOP_LANGUAGES = ("es", "pt", "en")

_NO_WORDS = (
    r"https?://\S+",
    r"www\.\S+",
    r"\S+@\S+\.\S+",
    r"[@＠]\s?[\p{L}\p{N}_.]+",
    r"[#＃][\p{L}\p{M}\p{N}_]+",
)
_BREAK = " | "
# In this order: a word, or whatever stands between words and ends the phrase.
_TOKEN = r"[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*|[^\s\p{L}\p{M}\p{N}]+|[\r\n]+"
_ACCENTED = "áàâäãåéèêëíìîïóòôöõúùûüýÿ’"
_BARE = "aaaaaaeeeeiiiiooooouuuuyy'"


def folded(words: pl.Expr) -> pl.Expr:
    """Lower-case words without accents; ñ and ç stay."""
    return words.str.replace_many(list(_ACCENTED), list(_BARE))


def phrases(texts: pl.Expr) -> pl.Expr:
    """Every text as a list of words; what ends a phrase is a list element that is no word.

    Args:
        texts: String; null stays null.

    Returns:
        List(String). `is_word` tells the words.
    """
    plain = texts.str.normalize("NFC").str.to_lowercase()
    for pattern in _NO_WORDS:
        plain = plain.str.replace_all(pattern, _BREAK)
    return plain.str.extract_all(_TOKEN)


def is_word(tokens: pl.Expr) -> pl.Expr:
    """Whether an element of `phrases` is a word, and not what ends a phrase."""
    return tokens.str.contains(r"^[\p{L}\p{M}\p{N}]")


@lru_cache
def stop_words(languages: Sequence[str] = STOP_LANGUAGES) -> frozenset[str]:
    """Words that carry no topic, folded; the lists are the data files beside this module.

    Args:
        languages: ISO 639-1 codes out of `STOP_LANGUAGES`.
    """
    folder = resources.files("builder.analyze.text") / "stopwords"
    words: set[str] = set()
    for code in languages:
        lines = (folder / f"{code}.txt").read_text(encoding="utf-8").splitlines()
        words.update(word for line in lines for word in line.partition("#")[0].split())
    table = pl.DataFrame({"word": sorted(words)}, schema={"word": pl.String})
    lowered = pl.col("word").str.normalize("NFC").str.to_lowercase()
    return frozenset(table.select(folded(lowered))["word"].to_list())
