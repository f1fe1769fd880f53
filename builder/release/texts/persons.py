"""Names of private persons out of the columns of a slice of rows, the same number in all of a row.

The transcripts are read first, then the summary: who has a number there keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from builder.release.scrub.names.replace import Cut, Finder, cuts, in_pieces, replaced
from builder.release.scrub.names.roster import Roster
from builder.release.texts.withhold import IDENTIFIER, Cleaned, Cleaner, scrub_safely

PERSON = "person"  # the kind as reports count it


def rosters(rows: int) -> list[Roster]:
    """Nobody met yet, for so many rows."""
    return [Roster() for _ in range(rows)]


@dataclass(frozen=True)
class Named:
    """A column without names.

    Attributes:
        clean: the texts, their kinds with `PERSON` once for each name.
        made: row -> what was replaced; only rows in which something was.
    """

    clean: Cleaned
    made: dict[int, list[Cut]]


class Persons:
    """Replaces names in texts the identifiers have left.

    Args:
        finder: finds the names.
        cleaner: looks once more: without a name in it a number can read otherwise.
    """

    def __init__(self, finder: Finder, cleaner: Cleaner) -> None:
        self._finder, self._cleaner = finder, cleaner

    def column(self, clean: Cleaned, people: Sequence[Roster]) -> Named:
        """A String column after the scrubber; `people` (one a row) learn who was met."""
        texts: list[str | None] = clean.text.to_list()
        kinds: list[list[str]] = clean.kinds.to_list()
        made: dict[int, list[Cut]] = {}
        for row, text in enumerate(texts):
            found = cuts(self._finder, text, people[row]) if text else []
            if text and found:
                made[row] = found
                texts[row] = replaced(text, found)
                kinds[row] = [*kinds[row], *[PERSON] * len(found)]
        withheld: list[str | None] = clean.withheld.to_list()
        rows = list(made)
        again = scrub_safely(
            self._cleaner.scrubber, pl.Series([texts[r] for r in rows], dtype=pl.String)
        )
        for row, text, more in zip(
            rows, again["text"].to_list(), again["kinds"].to_list(), strict=True
        ):
            if not more and text is not None:
                continue
            texts[row] = self._settled(text, people[row])
            kinds[row] = [*kinds[row], *more]
            withheld[row] = IDENTIFIER if texts[row] is None else withheld[row]
        result = replace(
            clean,
            text=pl.Series(clean.text.name, texts, dtype=pl.String),
            kinds=pl.Series(clean.kinds.name, kinds, dtype=pl.List(pl.String)),
            withheld=pl.Series(clean.withheld.name, withheld, dtype=pl.String),
        )
        return Named(result, made)

    def _settled(self, text: str | None, person: Roster) -> str | None:
        """A text in which neither names nor identifiers are found; None if that has no end."""
        for _ in range(4):
            if text is None:
                return None
            found = cuts(self._finder, text, person)
            text = replaced(text, found)
            done = self._cleaner.scrubber.scrub(text)
            if not found and not done.kinds:
                return text
            text = done.text
        return None

    def segments(
        self, segments: pl.Series, whole: Cleaned, named: Named, people: Sequence[Roster]
    ) -> pl.Series:
        """The segments of a column with the same names replaced.

        Args:
            segments: List(Struct) with a field `text`.
            whole: the column before names were replaced.
            named: and after.
            people: who was met in each row.

        Returns:
            As many lists; null where a name remains in the segments of one.
        """
        done: dict[int, list[dict[str, Any]] | None] = {}
        for row, (text, pieces) in enumerate(zip(whole.text.to_list(), segments, strict=True)):
            if pieces is None or text is None:
                continue
            items = list(pieces)
            said = [item["text"] or "" for item in items]
            joined = " ".join(said)
            same = _bare(joined) == _bare(text)
            made = named.made.get(row, []) if same else cuts(self._finder, joined, people[row])
            if not made:
                continue
            new = in_pieces(said, text if same else joined, made)
            left = [
                {**item, "text": piece}
                for item, piece in zip(items, new, strict=True)
                if piece.strip()
            ]
            again = " ".join(item["text"] for item in left)
            done[row] = None if self._finder.find(again) else left
        if not done:
            return segments
        lists = segments.to_list()
        for row, items_ in done.items():
            lists[row] = items_
        return pl.Series(segments.name, lists, dtype=segments.dtype)


def _bare(text: str) -> str:
    return "".join(text.split())
