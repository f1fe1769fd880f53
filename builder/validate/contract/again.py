"""Released texts read once more by what cleaned them, in several processes where there are many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from builder.release.scrub.names.find import NameFinder
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.withhold import scrub_safely
from builder.run.cpu import cores
from builder.run.workers.slices import Slices

# Texts up to which other processes would take longer to start than to read.
FEW_TEXTS = 100_000
_PIECE = 5_000


@dataclass(frozen=True)
class FindsIdentifiers:
    """Which texts (String) a scrubber would still change, or fails on (Boolean)."""

    scrubber: Scrubber

    def __call__(self, texts: pl.Series) -> pl.Series:
        """Read some texts."""
        found = scrub_safely(self.scrubber, texts)
        return (found["kinds"].list.len() > 0).fill_null(False) | found["failed"]


@dataclass(frozen=True)
class FindsNames:
    """In which texts (String, no nulls) names are found (Boolean)."""

    finder: NameFinder

    def __call__(self, texts: pl.Series) -> pl.Series:
        """Read some texts."""
        hits = [bool(names) for names in self.finder.find_all(texts.to_list())]
        return pl.Series(hits, dtype=pl.Boolean)


@dataclass(frozen=True)
class _Either:
    """Several readers, called by number: one process does for all of them."""

    readers: tuple[Callable[[pl.Series], pl.Series], ...]

    def __call__(self, asked: tuple[int, pl.Series]) -> pl.Series:
        reader, texts = asked
        return self.readers[reader](texts)


def spread(
    *readers: Callable[[pl.Series], pl.Series], texts: int
) -> tuple[Slices, list[Callable[[pl.Series], pl.Series]]]:
    """Readers that share the work among processes.

    Args:
        readers: can be pickled; what they make of a text does not depend on the others.
        texts: about how many there are to read.

    Returns:
        What must be entered and left around their use, and as many readers.
    """
    many = texts > FEW_TEXTS
    slices = Slices(
        lambda: _Either(readers), cores() if many else 1, "to read the released texts once more"
    )

    def shared(number: int) -> Callable[[pl.Series], pl.Series]:
        def read(texts: pl.Series) -> pl.Series:
            pieces = texts.to_frame().iter_slices(_PIECE)
            asked = ((number, piece.to_series()) for piece in pieces)
            found: pl.Series = pl.concat([pl.Series(dtype=pl.Boolean), *slices.map(asked)])
            return found

        return read

    return slices, [shared(number) for number in range(len(readers))]
