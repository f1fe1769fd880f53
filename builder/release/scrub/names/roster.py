"""Who is who in the texts of one video: the same person has the same number in all of them."""

from __future__ import annotations

from collections.abc import Set

_NONE: frozenset[str] = frozenset()


class Roster:
    """Persons met so far, numbered from 1.

    A name with the same words, or all of whose words are in another's (a first name or a surname
    of a full name), is the same person's; where two fit, the one met first.
    """

    def __init__(self) -> None:
        self._persons: list[set[str]] = []

    def tag(self, words: tuple[str, ...]) -> str:
        """What stands for a name in a text."""
        said = set(words)
        fits = [at for at, own in enumerate(self._persons) if said and (said <= own or own <= said)]
        if not fits:
            self._persons.append(said)
            return f"<PERSON_{len(self._persons)}>"
        exact = [at for at in fits if self._persons[at] == said]
        at = (exact or fits)[0]
        self._persons[at] |= said
        return f"<PERSON_{at + 1}>"

    @property
    def words(self) -> Set[str]:
        """Every word of their names."""
        return frozenset(word for own in self._persons for word in own) if self._persons else _NONE
