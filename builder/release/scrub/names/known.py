"""Names that are nobody's private name: places, gangs, media, institutions, and public persons.

Lists are data (`known/*.toml`, `known/places.txt`); a campaign adds its own persons. They are read
for every campaign: the news of one country speaks of the others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from builder.release.scrub.names.tokens import Token, plain, tokens

KNOWN = Path(__file__).parent / "known"
SECTIONS = ("places", "gangs", "media", "institutions")
Words = tuple[str, ...]


class Phrases:
    """Names of one or more words, found in a text by their words."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.all = {words for phrase in phrases if (words := words_of(phrase))}
        self._by_two: dict[Words, list[Words]] = {}
        for words in sorted(self.all, key=lambda words: (-len(words), words)):
            self._by_two.setdefault(words[:2], []).append(words)
        self._firsts = {words[0] for words in self.all}
        self.longest = max(map(len, self.all), default=1)

    def begun(self, words: Sequence[str]) -> int:
        """How many words the longest name has that some words begin with; 0: none does."""
        for phrase in self._by_two.get(tuple(words[:2]), ()):
            if tuple(words[: len(phrase)]) == phrase:
                return len(phrase)
        return 1 if tuple(words[:1]) in self.all else 0

    def spans(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """(first, behind last) word of each name, the longest first, without overlaps."""
        found, at = [], 0
        while at < len(words):
            may = words[at] in self._firsts
            size = self.begun(words[at : at + self.longest]) if may else 0
            if size:
                found.append((at, at + size))
            at += size or 1
        return found


def words_of(phrase: str) -> Words:
    """The words of a name, without case and accents."""
    return tuple(plain(token.form) for token in tokens(phrase)[0] if token.is_word)


def plain_words(text: Sequence[Token]) -> list[str]:
    """The words of a text, without case and accents."""
    return [plain(token.form) for token in text]


def section(name: str) -> list[str]:
    """All names of a section, of all countries."""
    found: list[str] = []
    for path in sorted(KNOWN.glob("*.toml")):
        lines = tomllib.loads(path.read_text(encoding="utf-8"))[name].split("\n")
        found += [phrase.strip() for line in lines for phrase in line.split(",")]
    if name == "places":
        found += [
            line
            for line in (KNOWN / "places.txt").read_text(encoding="utf-8").split("\n")
            if not line.startswith("#")
        ]
    return sorted({phrase for phrase in found if phrase})


@cache
def known() -> Phrases:
    """Places, gangs, media, institutions."""
    return Phrases(phrase for name in SECTIONS for phrase in section(name))


@cache
def known_persons() -> tuple[str, ...]:
    """Public persons of history and of the world's news, for every campaign."""
    return tuple(section("persons"))
