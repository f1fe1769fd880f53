"""Coarser dates, counts and durations: fewer videos can be found again by what is known of them.

One function, used by everything: `assemble` writes what it returns, the contract asks that it
changes nothing more, and the privacy report applies it to show what each step would buy.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import polars as pl

from builder.sources.schema import ALL_COUNTS

EXACT, OMIT = "exact", "omit"
# unit of a released date -> how polars calls it; finer resolutions release the day as well
_UNITS = {"week": "1w", "month": "1mo"}
TIMES = {"hour": "1h", "second": "1s"}
# What tells the duration as well as `duration_seconds` does.
_TELL_DURATION = ("n_frames", "segments")
# Texts, and what whoever holds a text can compute from it as finely as we did; in the tables and,
# with whose it is in front, in the rows they are made of.
_TEXTS = (
    "transcript text summary segments n_words words language_confidence avg_logprob "
    "no_speech_prob compression_ratio score_negative score_neutral score_positive"
).split()
_TELL_TEXT = (*_TEXTS, *(f"{source}_{name}" for source in ("whisper", "api") for name in _TEXTS))
_CONFIDENCES = (
    *("confidence", "sentiment_confidence", "entailment_confidence", "second_confidence"),
)
_CELLS = 20  # a confidence is floored to a twentieth, so that none passes a threshold by it


class Policy(Protocol):
    """How coarse; the fields of `config.campaign.Privacy` and of a manifest's `privacy`."""

    @property
    def date_resolution(self) -> str:
        """second, hour, day, week or month."""

    @property
    def round_counts(self) -> str | int:
        """`exact`, `omit`, or significant digits."""

    @property
    def round_duration(self) -> str | int:
        """`exact`, `omit`, or seconds of the grid."""

    @property
    def author_pseudonym(self) -> bool:
        """Whether `author_id` is released."""

    @property
    def texts(self) -> bool:
        """Whether transcripts and summaries are released."""

    @property
    def min_k(self) -> int:
        """Videos that at least share every released combination; `k_anonymity` sees to it."""


def coarsen(frame: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """A frame as coarse as the policy asks.

    Args:
        frame: any of `date` (Date), `published_at` (Datetime), the counts (Int64),
            `duration_seconds`, `n_frames`, `author_id`, texts and what tells them; other columns
            stay as they are.
            Coarse dates fall together: whoever needs rows sorted by date sorts afterwards.
        policy: how coarse.

    Returns:
        The rows in their order. Values that are left out are null; `published_at` and `author_id`
        are dropped where the policy does not release them. Applied twice it changes nothing more.
    """
    gone = [] if policy.date_resolution in TIMES else ["published_at"]
    gone += [] if policy.author_pseudonym else ["author_id"]
    kept = frame.drop([column for column in gone if column in frame.columns])
    changes = coarse(list(kept.columns), policy, dict(kept.schema))
    return kept.with_columns(changes)


def coarse(columns: list[str], policy: Policy, dtypes: dict[str, Any]) -> list[pl.Expr]:
    """The expressions that `coarsen` applies to these columns."""
    changes: list[pl.Expr] = []
    gone: tuple[str, ...] = _TELL_DURATION if policy.round_duration != EXACT else ()
    gone += ("duration_seconds",) if policy.round_duration == OMIT else ()
    gone += () if policy.texts else _TELL_TEXT
    for column in columns:
        value = pl.col(column)
        if column == "date" and policy.date_resolution in _UNITS:
            changes.append(value.dt.truncate(_UNITS[policy.date_resolution]))
        elif column == "published_at":
            changes.append(value.dt.truncate(TIMES[policy.date_resolution]))
        elif column in ALL_COUNTS and policy.round_counts != EXACT:
            digits = policy.round_counts
            changes.append(
                _digits(column, digits) if isinstance(digits, int) else _none(column, dtypes)
            )
        elif column == "duration_seconds" and isinstance(policy.round_duration, int):
            unit = policy.round_duration
            changes.append(((value / unit).round() * unit).cast(dtypes[column]))
        elif column in _CONFIDENCES and not policy.texts:
            # a float32 at the edge of a cell can lie a hair under it
            cell = (value.cast(pl.Float64) * _CELLS + 1e-4).floor() / _CELLS
            changes.append(cell.cast(dtypes[column]))
        elif column in gone:
            changes.append(_none(column, dtypes))
    return changes


def coarse_day(day: dt.date, resolution: str) -> dt.date:
    """The date that stands for a day: the Monday of its ISO week, the first of its month, or it."""
    if resolution == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if resolution == "month" else day


def in_words(policy: Policy) -> dict[str, str]:
    """Column -> what its values are, for the columns that the policy makes coarser."""
    told: dict[str, str] = {}
    if policy.date_resolution == "week":
        told["date"] = "coarsened: the Monday of the ISO week it was published in"
    elif policy.date_resolution == "month":
        told["date"] = "coarsened: the first day of the month it was published in"
    if isinstance(policy.round_counts, int):
        digits = f"{policy.round_counts} significant digit{'s' * (policy.round_counts > 1)}"
        told |= dict.fromkeys(ALL_COUNTS, f"coarsened: rounded to {digits}")
    elif policy.round_counts == OMIT:
        told |= dict.fromkeys(ALL_COUNTS, "left out of this release: always null")
    if isinstance(policy.round_duration, int):
        told["duration_seconds"] = f"coarsened: rounded to {policy.round_duration} s"
    elif policy.round_duration == OMIT:
        told["duration_seconds"] = "left out of this release: always null"
    if policy.round_duration != EXACT:
        told |= dict.fromkeys(_TELL_DURATION, "left out: it would tell the exact duration")
    if not policy.texts:
        told |= dict.fromkeys(_TEXTS, "left out of this release: always null")
        told |= dict.fromkeys(_CONFIDENCES, "coarsened: down to a twentieth")
    return told


def _none(column: str, dtypes: dict[str, Any]) -> pl.Expr:
    return pl.lit(None, dtypes[column]).alias(column)


def _digits(column: str, digits: int) -> pl.Expr:
    """Whole numbers rounded to significant digits, halves away from zero; in whole numbers."""
    value = pl.col(column)
    length = value.abs().cast(pl.String).str.len_bytes().cast(pl.Int64)
    unit = pl.lit(10, pl.Int64).pow((length - digits).clip(0))
    return (((value + unit // 2) // unit) * unit).cast(pl.Int64).alias(column)
