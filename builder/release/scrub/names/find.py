"""Which words of a text are the names of private persons.

The tagger proposes; what is around a word and what is known about it decide:

* behind words that announce a name ("me llamo", "mi hijo", "la señora", "don") less is asked of it;
* a name that is wholly a place's, gang's, medium's or institution's is not a person's, unless it is
  announced as one or stands beside another name;
* public persons stay: their whole name, their surname, their other names;
* what was a name once is one everywhere in the text ("Kevin … y Kevin").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from builder.release.scrub.names.cues import CALLED_AFTER, INSIDE, JOINING, PARTICLES
from builder.release.scrub.names.known import Phrases, known, known_persons
from builder.release.scrub.names.many.readings import Readings
from builder.release.scrub.names.many.vocabulary import Vocabulary
from builder.release.scrub.names.marks import Marker
from builder.release.scrub.names.public import PublicPersons, own_words
from builder.release.scrub.names.reading import Reading
from builder.release.scrub.names.tagger import Tagger, shipped
from builder.release.scrub.names.tokens import SPACE

# A text, words of names found elsewhere, and characters that somebody else takes for names.
_Asked = tuple[str, frozenset[str], tuple[tuple[int, int], ...]]
_CHARACTERS = 200_000  # read in one go: tables of a few MB


class Name(NamedTuple):
    """A private person's name in a text.

    Attributes:
        start, end: its characters.
        words: its words without case, accents and particles.
    """

    start: int
    end: int
    words: tuple[str, ...]


class NameFinder:
    """Finds the names of private persons in a text.

    Args:
        figures, public: names that stay besides those of `known/*.toml`; see `PublicPersons`.
        terms: further names that are nobody's (institutions of a campaign).
        tagger: the network; default: the one that comes with the package.
        places: what is known to be no person; default: `known()`.
        lean: how far below a name's score, in 256ths of a nat, a word may be that is no common one.
    """

    def __init__(
        self,
        figures: Iterable[str] = (),
        public: Iterable[str] = (),
        terms: Iterable[str] = (),
        tagger: Tagger | None = None,
        places: Phrases | None = None,
        lean: int = 512,
    ) -> None:
        self._public = PublicPersons(figures, [*known_persons(), *public])
        self._places = places or known()
        extra = tuple(terms)
        if extra:
            self._places = Phrases([*(" ".join(words) for words in self._places.all), *extra])
        self._tagger = tagger or shipped()
        self._marker = Marker(self._tagger, lean)
        self._vocabulary = Vocabulary(self._tagger, self._places)

    def find(
        self,
        text: str,
        also: Set[str] = frozenset(),
        told: Sequence[tuple[int, int]] = (),
    ) -> list[Name]:
        """Names of private persons, from left to right.

        Args:
            text: any text.
            also: words of names found elsewhere (`Roster.words`); they are names here too.
            told: characters that somebody else takes for names.
        """
        return self._read([(text, frozenset(also), tuple(told))])[0]

    def find_all(
        self, texts: Sequence[str], also: Sequence[Set[str]] | None = None
    ) -> list[list[Name]]:
        """`find` for each of many texts, at a fraction of the cost.

        Args:
            texts: any texts; equal ones are read once.
            also: for each of them, see `find`.
        """
        nobody: list[Set[str]] = [frozenset()] * len(texts)
        asked = [
            (text, frozenset(words), ()) for text, words in zip(texts, also or nobody, strict=True)
        ]
        distinct = list(dict.fromkeys(asked))
        found: dict[_Asked, list[Name]] = {}
        for some in _blocks(distinct):
            found.update(zip(some, self._read(some), strict=True))
        return [found[one] for one in asked]

    def _read(self, asked: Sequence[_Asked]) -> list[list[Name]]:
        many = Readings([text for text, _, _ in asked], self._vocabulary, self._places)
        suspects = set(self._marker.suspects(many))
        return [
            self._names(many, at, also, told)
            if at in suspects or told or (also and not also.isdisjoint(many.words(at)))
            else []
            for at, (_, also, told) in enumerate(asked)
        ]

    def _names(
        self, many: Readings, at: int, also: Set[str], told: Sequence[tuple[int, int]]
    ) -> list[Name]:
        reading = many.reading(at)
        marks = self._marker.marks(reading, *many.leads(at))
        for start, end in told:
            _add(marks, reading, start, end)
        if not also and not any(marks):
            return []
        runs = self._runs(reading, marks)
        here = self._public.here(reading.plain)
        runs = [run for run in runs if not self._is_known(reading, run, here)]
        runs = self._everywhere(reading, runs, also)
        return [
            Name(
                reading.words[start].start,
                reading.words[end - 1].end,
                own_words(reading.plain[start:end]),
            )
            for start, end in runs
        ]

    def _runs(self, reading: Reading, marks: list[int]) -> list[tuple[int, int]]:
        """(first, behind last) word of each name, with the particles inside it."""
        runs: list[tuple[int, int]] = []
        at, size = 0, len(marks)
        while at < size:
            if not marks[at] or reading.plain[at] in PARTICLES:
                at += 1
                continue
            end = at + 1
            while end < size and reading.words[end].gap == SPACE:
                if marks[end] == 1 and reading.plain[end] not in PARTICLES:
                    break
                if marks[end]:
                    end += 1
                    continue
                ahead = end
                while ahead < size and ahead - end < 2 and reading.plain[ahead] in INSIDE:
                    ahead += 1
                joined = ahead < size and marks[ahead] and reading.plain[end] in JOINING
                if (
                    end < ahead < size
                    and (joined or marks[ahead] == 2)
                    and reading.words[ahead].gap == SPACE
                ):
                    end = ahead + 1
                    continue
                break
            while end > at + 1 and reading.plain[end - 1] in PARTICLES:
                end -= 1
            runs.append((at, end))
            at = end
        return runs

    def _is_known(self, reading: Reading, run: tuple[int, int], here: Set[str]) -> bool:
        """Whether a name is a public person's, or no person's."""
        start, end = run
        words = own_words(reading.plain[start:end])
        if self._public.is_one(words, here) or self._is_around_public(reading, run):
            return True
        if start and reading.plain[start - 1] in CALLED_AFTER and reading.words[start].gap == SPACE:
            return True  # a street or a school, called after somebody
        places = self._places
        inside = any(first <= start and end <= last for first, last in reading.known)
        if inside:
            return (
                end - start > 1
                or not self._marker.is_announced(reading, start)
                or _long(reading, run)
            )
        whole = tuple(reading.plain[start:end])
        return end - start > 1 and whole in places.all

    def _is_around_public(self, reading: Reading, run: tuple[int, int]) -> bool:
        """Whether a name is a public person's whole name and common words ("… confirmó")."""
        start, end = run
        spans = self._public.phrases.spans(reading.plain[start:end])
        public = {
            start + at for first, last in spans if last - first > 1 for at in range(first, last)
        }
        rest = [at for at in range(start, end) if at not in public]
        return bool(public) and all(self._marker.is_common(reading, at) for at in rest)

    def _everywhere(
        self, reading: Reading, runs: list[tuple[int, int]], also: Set[str]
    ) -> list[tuple[int, int]]:
        """Add what is written like a name found elsewhere in the text."""
        taken = {at for start, end in runs for at in range(start, end)}
        names = {
            reading.plain[at]
            for at in taken
            if reading.plain[at] not in PARTICLES
            and self._tagger.in_lexicon(reading.words[at].form) is None
        }
        names |= {word for word in also if self._tagger.in_lexicon(word) is None}
        if not names:
            return runs
        inside = {at for first, last in reading.known for at in range(first, last)}
        public = {
            at
            for first, last in self._public.phrases.spans(reading.plain)
            for at in range(first, last)
        }
        more = [
            (at, at + 1)
            for at, word in enumerate(reading.plain)
            if word in names
            and at not in taken
            and at not in inside
            and at not in public
            and reading.words[at].is_word
            and not self._public.is_one((word,))
            and (not reading.cased or reading.words[at].form[0].isupper())
        ]
        return sorted([*runs, *more])


def _add(marks: list[int], reading: Reading, start: int, end: int) -> None:
    """Mark the words between two places of the text as a name."""
    inside = [
        at
        for at, word in enumerate(reading.words)
        if word.is_word and word.start < end and word.end > start
    ]
    if inside and not any(marks[at] for at in inside):
        for at in inside:
            marks[at] = 1 if at == inside[0] else 2


def _long(reading: Reading, run: tuple[int, int]) -> bool:
    """Whether the known name around a run is longer than it ("San José" around "José")."""
    start, end = run
    return any(
        first <= start and end <= last and last - first > end - start
        for first, last in reading.known
    )


def _blocks(asked: Sequence[_Asked]) -> Iterator[list[_Asked]]:
    block: list[_Asked] = []
    size = 0
    for one in asked:
        block.append(one)
        size += len(one[0])
        if size >= _CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block
