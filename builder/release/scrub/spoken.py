"""Spoken numbers: runs of number words in a view become figures.

The words are data (`number_words.toml`), one table a language; a campaign's languages choose which
are read. What the figures then are, `builder.release.scrub.numbers` and its recognisers say.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from builder.release.scrub.fold import SPOKEN, Folded

_LANGUAGES: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("number_words.toml").read_text(encoding="utf-8")
)
_BLANKS = re.compile(r"\s+")
_LETTERS = re.compile("[a-z]+")


class NumberWords:
    """The number words of some languages.

    Args:
        languages: ISO 639-1 codes; those without a table add nothing.

    Attributes:
        hint: four numbers in a row, at least one of them a word. Shared with the vectorised gate,
            so it holds no look-around and no \\b: there it may match inside words, which only
            widens the gate. None if no language has a table.
    """

    def __init__(self, languages: tuple[str, ...]) -> None:
        tables = [_LANGUAGES[code] for code in languages if code in _LANGUAGES]
        self._values: dict[str, int] = {}
        behind: dict[str, int] = {}
        compounds, joints = [], []
        for table in tables:
            self._values |= table["words"] | table["tens"]
            units = {w: v for w, v in table["words"].items() if 0 < v < 10}
            behind |= units | table["behind_tens"]
            joints.append(table["and"])
            compounds.append(
                rf"(?:{'|'.join(table['tens'])})\s+{table['and']}\s+"
                rf"(?:{'|'.join([*table['behind_tens'], *units])})"
            )
        self._behind = self._values | behind
        self.hint: str | None = None
        if not tables:
            return
        # Longest first: without look-around (Rust has none) "dos" must not shadow a longer word.
        alone = sorted(self._values, key=lambda word: (-len(word), word))
        word = "(?:" + "|".join([*compounds, *alone]) + ")"
        joint = "|".join(dict.fromkeys(joints))
        between = rf"[\s,.;:\-]{{1,4}}(?:(?:{joint})\s+)?"
        self.hint = rf"(?i)(?:{word}|[0-9]+)(?:{between}(?:{word}|[0-9]+)){{3,}}"
        self._joint = re.compile(rf"\s+(?:{joint})\s+")
        self._run = re.compile(
            rf"(?<![^\W_])(?:{word}|[0-9]+)(?![^\W_])(?:{between}(?:{word}|[0-9]+)(?![^\W_])){{3,}}",
            re.IGNORECASE,
        )
        self._number = re.compile(rf"{word}|[0-9]+", re.IGNORECASE)

    def _value(self, said: str) -> int:
        parts = self._joint.split(said.lower())
        return self._values[parts[0]] + (self._behind[parts[1]] if len(parts) > 1 else 0)

    def read(self, folded: Folded) -> Folded:
        """Write runs of four or more spoken numbers as figures, each word marked with `SPOKEN`.

        "cero nueve, noventa y ocho 76 tres" becomes "␂0 ␂9 ␂98 76 ␂3"; other text is unchanged.
        A run needs two words, so lists of figures keep their own separators.
        """
        text = folded.text
        if sum(word in self._values for word in _LETTERS.findall(text.lower())) < 2:
            return folded
        parts: list[str] = []
        source: list[tuple[int, int]] = []  # view span behind every new character
        done = 0

        def keep(upto: int) -> None:
            parts.append(text[done:upto])
            source.extend((index, index + 1) for index in range(done, upto))

        for run in self._run.finditer(text):
            numbers = list(self._number.finditer(text, run.start(), run.end()))
            if sum(not number.group()[0].isdigit() for number in numbers) < 2:
                continue
            for number in numbers:
                if number is numbers[0]:
                    keep(number.start())
                else:
                    parts.append(" ")
                    source.append((done, number.start()))
                done = number.end()
                said = _BLANKS.sub(" ", number.group())
                figures = said if said[0].isdigit() else f"{SPOKEN}{self._value(said)}"
                parts.append(figures)
                if said[0].isdigit():
                    source.extend((i, i + 1) for i in range(number.start(), number.end()))
                else:
                    source.extend([number.span()] * len(figures))
        if not parts:
            return folded
        keep(len(text))
        spans = [folded.original_span(start, end) for start, end in source]
        return Folded("".join(parts), [start for start, _ in spans], [end for _, end in spans])


@lru_cache
def number_words(languages: tuple[str, ...]) -> NumberWords:
    """The number words of some languages, compiled once."""
    return NumberWords(languages)
