"""The vectorised gate: which texts of a column can hold an identifier at all.

It only ever asks for less than a recogniser does, so that what it holds back `Scrubber.scrub` would
not change. Most texts of a campaign stop here, hence the care for speed: patterns are joined where
one automaton answers them all, costly ones are asked where a cheap one was found, and usernames
are looked up among distinct words.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable

import polars as pl

from builder.release.scrub.fold import fold
from builder.release.scrub.generic.online.username import (
    JOINTS,
    LITTLE,
    PIECE,
    PIECES,
    TOKEN,
    head,
)
from builder.release.scrub.recogniser import Hint

ACCENTED, BARE = "áéíóúüñÁÉÍÓÚÜÑ", "aeiouunAEIOUUN"
# Texts of these characters read the same folded, but for the accents. All others are folded first.
_ORDINARY = rf"^[\x20-\x7e\t\n\r¿¡“”‘’«»{ACCENTED}]*$"
_AROUND = ".,;:!?\"'()[]«»…"  # touch a word and belong to none
_SEED = 5  # signs by which the beginning of a name is known
_LEAST_HEAD = 6  # letters of a username that is looked for without its figures, which may be said
_token, _piece = re.compile(TOKEN), re.compile(PIECE)


class Gate:
    """Tells suspects from texts that hold nothing.

    Args:
        hints: of the recognisers; each finding needs one of them in its text.
        usernames: lower-case names without @, looked for as whole tokens.
        respelled: those without separators that are looked for in other spellings too.
        number_words: words behind a name that may be its figures, said.
    """

    def __init__(
        self,
        hints: Iterable[Hint],
        usernames: Collection[str],
        respelled: Collection[str],
        number_words: Collection[str] = (),
    ) -> None:
        joined: dict[str, list[str]] = {}
        self._asked: dict[str, None] = {}
        for hint in hints:
            if isinstance(hint, str):
                joined.setdefault("", []).append(hint)
            elif hint[0]:
                joined.setdefault(hint[0], []).append(hint[1])
            else:
                self._asked[hint[1]] = None
        self._first = {first: tuple(dict.fromkeys(then)) for first, then in joined.items() if first}
        if "" in joined:
            self._asked["|".join(f"(?:{hint})" for hint in dict.fromkeys(joined[""]))] = None
        self._usernames = frozenset(usernames)
        self._names = sorted(respelled)
        self._seeds = frozenset(n[:size] for n in self._names for size in range(1, _SEED + 1))
        self._known = frozenset(self._names)
        heads = {head(name) for name in self._names} - self._known
        self._heads = frozenset(name for name in heads if len(name) >= _LEAST_HEAD)
        self._numbers = frozenset(number_words)

    def suspects(self, texts: pl.Series) -> pl.Series:
        """Return a Boolean series, false only where nothing can be found (null: false)."""
        ordinary = texts.str.contains(_ORDINARY).fill_null(True)
        plain = texts.str.replace_many(list(ACCENTED), list(BARE))
        if not ordinary.all():
            odd = (~ordinary).arg_true()
            plain = plain.scatter(odd, [fold(text).text for text in texts.gather(odd)])
        suspect = pl.Series([False]).new_from_index(0, len(plain))
        for pattern in self._asked:
            suspect |= plain.str.contains(pattern).fill_null(False)
        for first, patterns in self._first.items():
            rows = (plain.str.contains(first).fill_null(False) & ~suspect).arg_true()
            if rows.len():
                few = plain.gather(rows)
                hit = pl.Series([False]).new_from_index(0, rows.len())
                for pattern in patterns:
                    hit |= few.str.contains(pattern)
                suspect = suspect.scatter(rows.filter(hit), True)
        if self._usernames:
            suspect = suspect.scatter(self._named(plain, suspect), True)
        return suspect

    def _named(self, plain: pl.Series, suspect: pl.Series) -> pl.Series:
        """Rows in which a word is a username, or neighbouring ones make up one of `respelled`."""
        lists = plain.str.to_lowercase().str.split(" ")
        row, chunk = pl.col("row"), pl.col("chunk")
        words = (
            pl.DataFrame(
                {"row": pl.int_range(len(plain), dtype=pl.UInt32, eager=True), "chunk": lists}
            )
            .filter(~suspect & plain.is_not_null())
            .explode("chunk")
            .filter(chunk != "")
        )
        hits: list[str] = []
        open_: list[str] = []
        names, seeds = self._usernames, self._seeds
        for word in words["chunk"].unique():
            plain_word = word.strip(_AROUND)
            if plain_word in names:
                hits.append(word)
                continue
            simple = plain_word.isalnum() and plain_word.isascii()
            if simple and plain_word[:_SEED] not in seeds:
                continue
            found, states = self._step((), word)
            if found or (not simple and self._is_named(word)):
                hits.append(word)
            elif states:
                open_.append(word)
        rows = words.filter(chunk.is_in(hits))["row"].unique()
        if not open_:
            return rows
        behind = [
            pl.when(row.shift(-step) == row).then(chunk.shift(-step)).alias(f"{step}")
            for step in range(1, PIECES + 2 * len(JOINTS))
        ]
        chains = words.with_columns(behind).filter(chunk.is_in(open_) & pl.col("1").is_not_null())
        kinds = chains.select("chunk", "1").unique()
        going = [pair for pair in kinds.iter_rows() if self._chain(pair) is not False]
        if not going:
            return rows
        keys = pl.DataFrame(going, schema={"chunk": pl.String, "1": pl.String}, orient="row")
        chains = chains.join(keys, on=["chunk", "1"], how="semi")
        made = [at for at, *chain in chains.iter_rows() if self._chain(chain)]
        return pl.concat([rows, pl.Series(made, dtype=pl.UInt32)]).unique()

    def _is_named(self, word: str) -> bool:
        return any(token in self._usernames for token in _token.findall(word))

    def _chain(self, chain: Iterable[str | None]) -> bool | None:
        """Whether words begin and make up a name; None if more of them could."""
        states: tuple[str, ...] = ()
        for place, word in enumerate(chain):
            if word is None:
                return False
            found, states = self._step(states, word, begins=place == 0)
            if found:
                return True
            if not states:
                return False
        return None

    def _step(
        self, states: tuple[str, ...], word: str, begins: bool = True
    ) -> tuple[bool, tuple[str, ...]]:
        """Go on with one more word.

        Args:
            states: beginnings of names that end where the word begins.
            word: may hold several pieces.
            begins: whether a name may begin in this word.

        Returns:
            Whether a name is complete, and the beginnings at the end of the word.
        """
        ascii_word = word.isalnum() and word.isascii()
        for piece in (word,) if ascii_word else _piece.findall(word):
            if piece in JOINTS:
                continue
            if piece in self._numbers and any(state in self._heads for state in states):
                return True, ()
            if piece in LITTLE:
                states = ()
                continue
            grown = [state + piece for state in states]
            if begins:
                grown.append(piece)
            if any(name in self._known for name in grown):
                return True, ()
            states = tuple(name for name in grown if self._begins(name))
        return False, states

    def _begins(self, start: str) -> bool:
        at = bisect_left(self._names, start)
        return at < len(self._names) and self._names[at].startswith(start)
