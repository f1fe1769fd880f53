"""Spoken numbers: number words in a view become figures, and what people say between them a blank.

The words are data (`number_words.toml`), one table a language; a campaign's languages choose which
are read. "cero nueve eh noventa y ocho, doble 7 guion mil doscientos" is a run of numbers; a list
or a count ("artículos uno, dos y cinco") is told apart here and its numbers stay alone. What the
figures then are, `builder.release.scrub.numbers` and its recognisers say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from builder.release.scrub.announced import ANNOUNCED, is_announced, reads_on
from builder.release.scrub.candidates import cue_in
from builder.release.scrub.fold import BREAK, SPOKEN, Folded

_LANGUAGES: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("number_words.toml").read_text(encoding="utf-8")
)
_SEP = r"[\s,.;:…\-/'\"#=_()*|~+?!¿¡]"
_END = r"(?![^\W_])"
_LONGEST_GAP = 60
# What is said before a number that is dialled, whatever else stands there ("grupo de WhatsApp").
_DIALLED = r"(?:whats|wasap|wsp|tel|cel|llam|marc|marq|escrib|contact|comunic|fono|pedid|zap|lig)"
_dialled = re.compile(rf"(?<!\w){_DIALLED}|(?<!\w)(?:al|numero(?! gan))(?!\w)", re.I).search
_DRAWN = 5  # different numbers parted by commas: a lottery, where nobody speaks of telephones
_WHOLE = 10  # figures of the longest telephone numbers and cédulas
_IDENTIFIER = 7  # figures: what has less is no number that a list could be mistaken for
_TIMES_OR_MORE = 9  # a number repeated by "doble" has one or two figures, its result at most these


class _Number(NamedTuple):
    """One number of a run: where it stands in the view, its figures, and whether it was a word."""

    start: int
    end: int
    figures: str
    word: bool


def _any(words: Iterable[str]) -> str:
    """Alternatives, longest first: without look-around (Rust has none) none shadows another."""
    return "|".join(sorted(set(words), key=lambda word: (-len(word), word)))


class NumberWords:
    """The number words of some languages.

    Args:
        languages: ISO 639-1 codes; those without a table add nothing.

    Attributes:
        hint: three number words or figures in a row, or one beside four figures. Shared with the
            vectorised gate, so it holds no look-around and no \\b: there it may match inside words,
            which only widens the gate. None if no language has a table.
        hints: this one, and a wider one where an identifier is announced.
        alone: the words that may begin a number.
        letters: name of a letter -> the letter.
        odd_letters: those names that are no other word.
    """

    def __init__(self, languages: tuple[str, ...]) -> None:
        tables = [_LANGUAGES[code] for code in languages if code in _LANGUAGES]
        self._values: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self.letters: dict[str, str] = {}
        self.hint: str | None = None
        self.hints: tuple[tuple[str, str], ...] = ()
        self.alone: frozenset[str] = frozenset()
        for table in tables:
            for part in ("words", "tens", "behind_tens", "hundreds"):
                self._values = table[part] | self._values
            self._times |= table["times"]
            self.letters |= table["letters"]
        words_too = {word for table in tables for word in table["words_too"]}
        self.odd_letters = frozenset(self.letters) - words_too
        if not tables:
            return
        phrases = [_phrase(table) for table in tables]
        self._thousands = frozenset(table["thousand"] for table in tables)
        self._joints = frozenset(table["and"] for table in tables)
        fillers = "|".join(filler for table in tables for filler in table["fillers"])
        times = _any(self._times)
        number = rf"(?:(?:{times})\s+)?(?:{'|'.join(phrases)}|[0-9]+)"
        self._number = re.compile(rf"(?<![^\W_@#])(?:{number}){_END}", re.IGNORECASE)
        self._gap = re.compile(
            rf"{_SEP}{{0,8}}(?:(?:{fillers}){_END}{_SEP}{{1,8}}){{0,4}}", re.IGNORECASE
        )
        self._listed = re.compile(
            rf"(?<!\w)(?:{'|'.join(table['listed'] for table in tables)})\w*"
            rf"(?:[^\w\x01]+(?!{_DIALLED})[a-z]+){{0,4}}[^\w\x01]*$",
            re.IGNORECASE,
        )
        self._last = re.compile(rf"\s+(?:{'|'.join(self._joints)}|o|ou|e|u)\s+", re.IGNORECASE)
        words = [
            *(word for table in tables for part in ("words", "tens", "hundreds")
              for word in table[part]),
            *self._thousands,
        ]  # fmt: skip
        self.alone = frozenset([*words, *self._times])
        alone = _any(words)
        atom = rf"(?:{alone}|[0-9]+)"
        between = rf"{_SEP}{{1,8}}(?:(?:{fillers}|{times}){_SEP}{{1,8}}){{0,4}}"
        first, last = "(?:^|[^a-z0-9])", "(?:[^a-z0-9]|$)"
        self.hint = (
            rf"(?i){first}{atom}(?:{between}{atom}){{2}}{last}"
            rf"|[0-9]{{4}}{between}(?:{alone}){last}|{first}(?:{alone}){between}[0-9]{{4}}"
            rf"|(?:{times})\s+[0-9]"
        )
        anything = rf"{_SEP}{{1,8}}(?:(?:{fillers}|{times}|[a-z]{{1,12}}){_SEP}{{1,8}}){{0,4}}"
        read_out = rf"(?i){first}{atom}(?:{anything}{atom}){{2}}{last}"
        self.hints = (("", self.hint), (rf"(?i)(?:^|[^a-z]){ANNOUNCED}(?:[^a-z]|$)", read_out))

    def is_listed(self, before: str) -> bool:
        """Whether what stands before a number announces a list, a game or a count."""
        return self.hint is not None and cue_in(self._listed, before) is not None

    def _value(self, said: str) -> int:
        total = part = 0
        for word in said.split():
            if word in self._thousands:
                total, part = total + (part or 1) * 1000, 0
            elif word not in self._joints:
                part += self._values[word]
        return total + part

    def _read(self, match: re.Match[str]) -> _Number:
        said = match.group().lower()
        first = said.split()[0]
        times = self._times.get(first, 1)
        if times > 1:
            said = said[len(first) :].strip()
        figures = said if said[0].isdigit() else str(self._value(said))
        if times > 1 and len(figures) * times <= _TIMES_OR_MORE:
            figures *= times
        return _Number(match.start(), match.end(), figures, not match.group()[0].isdigit())

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        """`_number.finditer`, asked only where a word can begin a number."""
        done = 0
        for word in _WORD.finditer(text):
            start = word.start()
            if start >= done and (word.group().lower() in self.alone or text[start] in _FIGURES):
                match = self._number.match(text, start)
                if match:
                    done = match.end()
                    yield match

    def _runs(self, text: str) -> Iterable[list[_Number]]:
        """Numbers with nothing between them but separators and fillers."""
        run: list[_Number] = []
        for match in self._matches(text):
            number = self._read(match)
            if number.word and self._is_part_of_a_name(text, number, run):
                continue
            if not number.word and _TAGGED.search(text, max(0, number.start - 2), number.start):
                yield run  # the year of "#quito_2024"
                run = []
                continue
            if run:
                gap = text[run[-1].end : number.start]
                amount = not run[-1].word and number.word and gap.isspace()
                if amount and text[number.start : number.end].lower().split()[0] in self._thousands:
                    run.pop()  # "20 mil": an amount, and neither a number of a run
                    yield run
                    run = []
                    continue
                if not self._joins(text, run, number, gap):
                    yield run
                    run = []
            run.append(number)
        yield run

    def _joins(self, text: str, run: list[_Number], other: _Number, gap: str) -> bool:
        """Whether a run and the number behind it may belong to one identifier."""
        one = run[-1]
        if len(gap) > _LONGEST_GAP:
            return False
        if not self._gap.fullmatch(gap):
            ends, sizes = (one.end, other.end), (len(one.figures), len(other.figures))
            return reads_on(text, gap, ends, sizes) and self._is_announced(text, run)
        if not _LETTER.search(gap) or (one.word and other.word):
            return True
        # "$1.500.000 y luego 9/1/2024": written figures are joined by hesitation only
        amount = _GROUPED.search(text[max(0, one.start - 2) : one.start]) or _GROUPED.match(
            text[other.end : other.end + 2][::-1]
        )
        # No amount begins with nought; two that do are two numbers ("02 234 5678 y 04 …"). What
        # is announced as one is one, until it is whole.
        one_number = (
            sum(len(number.figures) for number in run) < _WHOLE
            and (run[0].figures[0] == "0" or self._is_announced(text, run))
            and (other.figures[0] != "0" or run[0].figures[0] != "0")
        )
        and_then = _AND.search(gap) and not one_number
        return not (amount or and_then or "+" in gap)

    def _is_announced(self, text: str, run: list[_Number]) -> bool:
        before = text[max(0, run[0].start - 60) : run[0].start]
        return is_announced(before) and not self.is_listed(before)

    def _is_part_of_a_name(self, text: str, number: _Number, run: list[_Number]) -> bool:
        """Whether a number word belongs to a username or a domain ("uno@…", "dos.com")."""
        after = text[number.end : number.end + 2]
        if after[:1] in ("@", "_"):
            return True
        if (
            after[:1] == "."
            and after[1:].isalpha()
            and not self._number.match(text, number.end + 1)
        ):
            return True
        before = text[max(0, number.start - 2) : number.start]
        chained = bool(run) and run[-1].end == number.start - 1
        return before[-1:] == "." and before[:1].isalnum() and not chained

    def _is_list(self, run: list[_Number], text: str) -> bool:
        """Whether numbers are counted or listed one by one, and no figures of one identifier."""
        size = sum(len(number.figures) for number in run)
        if len(run) < 3 or size < _IDENTIFIER or not any(number.word for number in run):
            return False
        values = [int(number.figures[:9]) for number in run]
        steps = [b - a for a, b in pairwise(values)]
        if _is_count(values, steps):
            return True
        if run[0].figures.startswith("0") or self._is_announced(text, run):
            return False
        if len(run) >= 4 and min(steps) > 0:
            return True
        gaps = [text[a.end : b.start] for a, b in pairwise(run)]
        if len(run) >= 4 and self._last.fullmatch(gaps[-1]) and all("," in g for g in gaps[:-1]):
            return True
        before = text[max(0, run[0].start - 60) : run[0].start]
        apart = len(run) >= _DRAWN and all(g.strip() == "," for g in gaps)
        if apart and len({*values}) == len(values) and min(values) and max(values) > 9:
            return not _dialled(before)
        nought = any(number.figures[0] == "0" for number in run)  # read out, not listed
        return not (nought and size > _IDENTIFIER) and self.is_listed(before)

    def read(self, folded: Folded) -> Folded:
        """Write number words as figures, each marked with `SPOKEN`, and fillers as a blank.

        "cero nueve eh, noventa y ocho 76 tres" becomes "␂0 ␂9 ␂98 76 ␂3"; the numbers of a list
        are parted by `BREAK`. Other text is unchanged.
        """
        if self.hint is None:
            return folded
        text = folded.text
        if not _figure(text) and self.alone.isdisjoint(_WORD.findall(text.lower())):
            return folded
        parts: list[str] = []
        starts: list[int] = []  # view span behind every new character
        ends: list[int] = []
        done = 0

        def keep(first: int, upto: int) -> None:
            parts.append(text[first:upto])
            starts.extend(range(first, upto))
            ends.extend(range(first + 1, upto + 1))

        def put(new: str, first: int, upto: int) -> None:
            parts.append(new)
            starts.extend([first] * len(new))
            ends.extend([upto] * len(new))

        for run in self._runs(text):
            if not run:
                continue
            listed = self._is_list(run, text)
            for place, number in enumerate(run):
                before = run[place - 1] if place else None
                gap = text[before.end : number.start] if before else ""
                if before and listed and (before.word or number.word or _LISTING.fullmatch(gap)):
                    put(BREAK, before.end, number.start)
                elif before and (before.word or number.word or _LETTER.search(gap)):
                    put(" ", before.end, number.start)
                else:
                    keep(done, number.start)
                done = number.end
                if number.word:
                    put(SPOKEN + number.figures, number.start, number.end)
                else:
                    keep(number.start, number.end)
        if not parts:
            return folded
        keep(done, len(text))
        if folded.starts is not None and folded.ends is not None:
            starts = [folded.starts[start] for start in starts]
            ends = [folded.ends[end - 1] for end in ends]
        return Folded("".join(parts), starts, ends)


def _is_count(values: list[int], steps: list[int]) -> bool:
    """Whether somebody counts: equal steps, or steps of one begun anew ("1 2 3 1 2 3")."""
    if steps[0] and steps.count(steps[0]) == len(steps):
        return True
    lengths = [1]
    for step in steps:
        if abs(step) == 1:
            lengths[-1] += 1
        else:
            lengths.append(1)
    return min(lengths) >= 3


_WORD = re.compile(r"[^\W_]+")
_figure = re.compile("[0-9]").search
_FIGURES = frozenset("0123456789")
_LETTER = re.compile("[a-zA-Z]")
_TAGGED = re.compile("[a-zA-Z]_$")
_GROUPED = re.compile(r"[0-9][.,/:]$")
_AND = re.compile(
    r"(?<!\w)(?:[ye]|[ou](?!\s+se[aj])|ou(?!\s+seja)|luego|despues|entonces|depois|entao)(?!\w)",
    re.IGNORECASE,
)
_LISTING = re.compile(r"[\s,;.yYeEoOuU]+")


def _phrase(table: dict[str, Any]) -> str:
    """A whole number below a million, as a pattern."""
    joint = table["and"]
    units = [word for word, value in table["words"].items() if 0 < value < 10]
    small = [word for word, value in table["words"].items() if value]
    behind = _any([*units, *table["behind_tens"]])
    tens = rf"(?:{_any(table['tens'])})(?:\s+{joint}\s+(?:{behind}){_END})?"
    below = rf"(?:{tens}|(?:{_any(small)})){_END}"
    hundreds = rf"(?:{_any(table['hundreds'])}){_END}(?:\s+(?:{joint}\s+)?{below})?"
    rest = rf"(?:{hundreds}|{below})"
    thousands = rf"(?:{rest}\s+)?{table['thousand']}{_END}(?:\s+(?:{joint}\s+)?{rest})?"
    nought = _any(word for word, value in table["words"].items() if not value)
    return rf"{thousands}|{hundreds}|{below}|(?:{nought}){_END}"


@lru_cache
def number_words(languages: tuple[str, ...]) -> NumberWords:
    """The number words of some languages, compiled once."""
    return NumberWords(languages)
