"""Ids of a CSV that a spreadsheet rounded: they would invent videos.

A spreadsheet keeps 15 digits of a number. The last four of an id become zeros (cut off, or rounded
to the nearest), and the row turns up as a video of its own beside the real one. One id in 10,000
ends in 0000 by chance, so zeros alone convict nobody: besides them it takes another id with the
same first digits, or a file in which other ids show that it went through a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from builder.sources.ids import ROUNDED_TO
from builder.sources.schema import ROLE_API, ROLE_CSV


def rounded_rows(frame: pl.DataFrame, spreadsheets: Collection[int]) -> pl.DataFrame:
    """The rows whose id is not believed.

    Args:
        frame: rows of `RAW_SCHEMA`; those about ids close to each other are all in it.
        spreadsheets: numbers of the files that show ids in scientific notation, or far more ids
            ending in 0000 than chance gives.

    Returns:
        `position` of rows from CSVs. An id that an API page holds as well is exact.
    """
    ends_in_zeros = pl.col("id") % ROUNDED_TO == 0
    suspects = frame.filter((pl.col("role") == ROLE_CSV) & ends_in_zeros).select("id", "position")
    if suspects.is_empty():
        return suspects.select("position")
    exact = frame.filter(pl.col("role") == ROLE_API).select("id")
    suspects = suspects.join(exact, on="id", how="anti")
    others = frame.filter(~ends_in_zeros)["id"].unique().sort()
    # What was cut off lies less than 10,000 above, what was rounded up less than 5,000 below.
    low = others.search_sorted(suspects["id"] - ROUNDED_TO // 2, side="left")
    high = others.search_sorted(suspects["id"] + ROUNDED_TO, side="left")
    told = (pl.col("position") // 2**32).is_in(list(spreadsheets))
    return suspects.filter(pl.Series(high > low) | told).select("position")
