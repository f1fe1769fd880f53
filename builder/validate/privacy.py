"""What the scrubber replaced, and how many videos could be found again by asking the API again.

A record is at risk when nobody else shares its combination of released facts: somebody with access
to the same API can list all videos and look for that combination.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.sources.schema import COUNTS
from builder.validate.release import Release


def _rounded(column: str, digits: int) -> pl.Expr:
    """A count rounded to `digits` significant digits."""
    value = pl.col(column)
    magnitude = value.cast(pl.Float64).clip(1).log10().floor()
    unit = pl.lit(10.0).pow((magnitude - (digits - 1)).clip(0))
    return ((value / unit).round() * unit).alias(column)


def check_privacy(release: Release) -> dict[str, Any]:
    """Privacy figures of a release.

    Returns:
        ``scrubbed`` (field -> kind -> replacements), ``scrubbed_texts``,
        ``scrub_countries`` (``loaded`` and ``missing`` ISO codes), ``hashtags_folded``, and
        ``uniqueness``: a list of {facts, unique, share}, exact facts first, then coarser ones.
        The list is empty when the release has no counts and no duration.
    """
    lazy = release.scan("metadata").select("date", *COUNTS, "duration_seconds")
    rows = int(lazy.select(pl.len()).collect().item())
    present = lazy.select(pl.all().count()).collect().row(0, named=True)
    counts = [c for c in COUNTS if present[c]]
    duration = ["duration_seconds"] if present["duration_seconds"] else []
    facts: list[tuple[str, list[pl.Expr]]] = []
    if counts or duration:
        exact = [pl.col(c) for c in counts]
        date = pl.col("date")
        seconds = [pl.col(c) for c in duration]
        facts.append((_words("date", counts, duration), [date, *exact, *seconds]))
        if duration:
            facts.append((_words("date", counts, []), [date, *exact]))
        if counts:
            for digits in (2, 1):
                name = _words("date", [f"counts to {digits} significant digit(s)"], duration)
                coarse = [_rounded(c, digits) for c in counts]
                facts.append((name, [date, *coarse, *seconds]))
            week = date.dt.truncate("1w").alias("date")
            name = "week + counts to 1 significant digit, no duration"
            facts.append((name, [week, *(_rounded(c, 1) for c in counts)]))
    uniqueness = []
    for name, columns in facts:
        # 64-bit hashes instead of the values: five million rows stay small in memory
        keys = lazy.select(pl.struct(columns).hash(0).alias("key"))
        alone = keys.group_by("key").len().filter(pl.col("len") == 1).select(pl.len())
        unique = int(alone.collect(engine="streaming").item())
        uniqueness.append({"facts": name, "unique": unique, "share": round(unique / rows, 4)})
    manifest = release.manifest
    countries = manifest.scrub_countries
    return {
        "scrubbed": manifest.scrubbed,
        "scrubbed_texts": manifest.scrubbed_texts,
        "scrub_countries": countries.model_dump() if countries else {},
        "hashtags_folded": manifest.hashtags_folded,
        "uniqueness": uniqueness,
    }


def _words(date: str, counts: list[str], duration: list[str]) -> str:
    names = [date, *(["all counts"] if len(counts) == len(COUNTS) else counts)]
    return " + ".join([*names, *(["duration"] if duration else [])])
