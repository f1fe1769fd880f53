"""Whose names stay: public persons, by their whole name or as much of it as is enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from builder.release.scrub.names.cues import PARTICLES
from builder.release.scrub.names.known import Phrases


class PublicPersons:
    """Whose names stay.

    Args:
        figures: full names of which the surname alone is enough ("Daniel Noboa").
        others: full names that are left where two of their words are said, or the surname alone in
            a text that has the whole name; a name of one word ("Fito") is enough by itself.
    """

    def __init__(self, figures: Iterable[str], others: Iterable[str] = ()) -> None:
        figures = list(figures)
        self.phrases = Phrases([*figures, *others])
        short = Phrases(figures).all
        self._people = [
            (frozenset(own_words(words)), surnames(words), words in short)
            for words in sorted(self.phrases.all)
        ]
        self._words = {word for whole, _, _ in self._people for word in whole}

    def here(self, words: Sequence[str]) -> frozenset[str]:
        """Every word of the names of those whose whole name stands in a text."""
        found = (words[start:end] for start, end in self.phrases.spans(words))
        return frozenset(word for name in found if len(name) > 1 for word in own_words(name))

    def is_one(self, words: Iterable[str], here: Set[str] = frozenset()) -> bool:
        """Whether words (no particles) are the name of one of them.

        Args:
            words: of a name, in any order.
            here: see `here`.
        """
        said = frozenset(words)
        if not said or not said <= self._words:
            return False
        if said <= here:
            return True
        return any(
            said <= whole and said & last and (enough or len(said) > 1 or len(whole) == 1)
            for whole, last, enough in self._people
        )


def surnames(words: tuple[str, ...]) -> frozenset[str]:
    """The words of a full name by which a person is called alone."""
    own = [word for word in words if word not in PARTICLES]
    if len(own) <= 2:
        return frozenset(own[-1:])
    return frozenset(own[-2:])


def own_words(words: Iterable[str]) -> tuple[str, ...]:
    """The words of a name that are no particles."""
    return tuple(word for word in words if word not in PARTICLES)
