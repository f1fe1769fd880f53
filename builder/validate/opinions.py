"""Do the two sentiment models agree? Neither is the truth; the released label is the first's."""

from __future__ import annotations

from typing import Any

import polars as pl

from builder.measure.annotators import cohen_kappa, percent_agreement
from builder.measure.scores import confusion
from builder.validate.release import Tables
from ecuador_crisis_tiktok import SENTIMENT_LABELS as LABELS


def second_opinion(release: Tables) -> dict[str, Any] | None:
    """Agreement of `label` and `second_label` over the videos that have both.

    Returns:
        None where the release has no second opinion; else ``rows`` (videos with both labels),
        ``agreement`` (share of them with the same label) and ``kappa`` (Cohen 1960), null where
        they cannot be computed; ``confusion``: first label -> second label -> videos; ``first``
        and ``second``: model -> videos it labelled of these.
    """
    there = release.scan("sentiment")
    if "second_label" not in there.collect_schema().names():
        return None
    number = {name: index for index, name in enumerate(LABELS)}
    codes = [
        pl.col(column).replace_strict(number, default=None, return_dtype=pl.Int64).alias(name)
        for column, name in (("label", "first"), ("second_label", "second"))
    ]
    both = there.select(*codes, "model", "second_model").drop_nulls(["first", "second"]).collect()
    first, second = both["first"].to_numpy(), both["second"].to_numpy()
    matrix = confusion(second, first, len(LABELS)).astype(int).tolist()
    return {
        "rows": both.height,
        "agreement": percent_agreement(first, second),
        "kappa": cohen_kappa(first, second, len(LABELS)),
        "confusion": {
            name: dict(zip(LABELS, row, strict=True))
            for name, row in zip(LABELS, matrix, strict=True)
        },
        "first": _counted(both["model"]),
        "second": _counted(both["second_model"]),
    }


def _counted(models: pl.Series) -> dict[str, int]:
    counted = models.drop_nulls().value_counts(sort=False).sort(models.name)
    return {str(name): int(rows) for name, rows in counted.iter_rows()}
