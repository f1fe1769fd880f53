"""Names of private persons out of the columns of a slice of rows, the same number in all of a row.

The transcripts are read first, then the summary: who has a number there keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import polars as pl

from builder.release.scrub.names.replace import (
    Cut,
    Finder,
    cuts,
    cuts_of_all,
    in_pieces,
    replaced,
)
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
        held = (clean.text.str.len_bytes() > 0).arg_true()
        said = dict(zip(held.to_list(), clean.text.gather(held).to_list(), strict=True))
        every = cuts_of_all(self._finder, list(said.values()), [people[row] for row in said])
        made = {row: found for row, found in zip(said, every, strict=True) if found}
        if not made:
            return Named(clean, made)
        rows = list(made)
        texts: list[str | None] = [replaced(said[row], made[row]) for row in rows]
        kinds = [
            [*before, *[PERSON] * len(made[row])]
            for row, before in zip(rows, clean.kinds.gather(rows).to_list(), strict=True)
        ]
        withheld = clean.withheld.gather(rows).to_list()
        again = scrub_safely(self._cleaner.scrubber, pl.Series(texts, dtype=pl.String))
        for at, (text, more) in enumerate(
            zip(again["text"].to_list(), again["kinds"].to_list(), strict=True)
        ):
            if not more and text is not None:
                continue
            texts[at] = self._settled(text, people[rows[at]])
            kinds[at] += more
            withheld[at] = IDENTIFIER if texts[at] is None else withheld[at]
        result = replace(
            clean,
            text=_changed(clean.text, rows, texts),
            kinds=_changed(clean.kinds, rows, kinds),
            withheld=_changed(clean.withheld, rows, withheld),
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
        rows: list[_Pieces] = []
        apart: list[_Pieces] = []
        for row, (text, pieces) in enumerate(zip(whole.text.to_list(), segments, strict=True)):
            if pieces is None or text is None:
                continue
            items = list(pieces)
            joined = " ".join(item["text"] or "" for item in items)
            if _bare(joined) == _bare(text):
                rows.append(_Pieces(row, items, text, named.made.get(row, [])))
            else:
                apart.append(_Pieces(row, items, joined, []))
        theirs = [people[one.row] for one in apart]
        every = cuts_of_all(self._finder, [one.text for one in apart], theirs)
        rows += [one._replace(made=made) for one, made in zip(apart, every, strict=True)]
        left = {one.row: one.left() for one in rows if one.made}
        again = [" ".join(item["text"] for item in items) for items in left.values()]
        found = self._finder.find_all(again)
        done = {
            row: None if names else items
            for (row, items), names in zip(left.items(), found, strict=True)
        }
        if not done:
            return segments
        lists = segments.to_list()
        for row, items_ in done.items():
            lists[row] = items_
        return pl.Series(segments.name, lists, dtype=segments.dtype)


def _changed(column: pl.Series, rows: list[int], values: Sequence[Any]) -> pl.Series:
    """A column with other values in some rows: few, so the others are not written anew."""
    new = pl.DataFrame(
        {
            "row": pl.Series(rows, dtype=pl.UInt32),
            "new": pl.Series(values, dtype=column.dtype),
            "is_new": True,
        }
    )
    both = column.alias("old").to_frame().with_row_index("row")
    both = both.join(new, on="row", how="left", maintain_order="left")
    value = pl.when("is_new").then("new").otherwise("old").alias(column.name)
    return both.select(value).to_series()


class _Pieces(NamedTuple):
    """The segments of a row, the text they add up to, and what to replace in it."""

    row: int
    items: list[dict[str, Any]]
    text: str
    made: list[Cut]

    def left(self) -> list[dict[str, Any]]:
        """The segments without names; none that held nothing but the rest of one."""
        new = in_pieces([item["text"] or "" for item in self.items], self.text, self.made)
        return [
            {**item, "text": piece}
            for item, piece in zip(self.items, new, strict=True)
            if piece.strip()
        ]


def _bare(text: str) -> str:
    return "".join(text.split())
