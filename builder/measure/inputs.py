"""What a measurement may be given, and the typed errors for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from builder.errors import BuilderError
from builder.measure.scores import Floats, Ints

_TOLERANCE = 1e-6  # float32 scores that left a softmax may stand this far outside [0, 1]
_ROW_SUM = 1e-3


class MeasurementProblem(BuilderError, ValueError):
    """A measurement was given something it cannot measure. Also a ValueError, as `evaluate` users
    expect."""


class EmptyInput(MeasurementProblem):
    """Nothing to measure."""


class MissingValue(MeasurementProblem):
    """A value is None or NaN, or a column that is needed was not given."""


class UnequalLengths(MeasurementProblem):
    """Columns that belong together have different lengths."""


class ScoreOutOfRange(MeasurementProblem):
    """A score lies outside [0, 1], or a row of probabilities does not sum to 1."""


class UnknownLabel(MeasurementProblem):
    """A label outside the closed list."""


def same_length(columns: Mapping[str, Sequence[Any]]) -> int:
    """Check that columns are equally long and not empty.

    Args:
        columns: name -> values.

    Returns:
        Their length.

    Raises:
        UnequalLengths: they differ; EmptyInput: they have no row.
    """
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise UnequalLengths(
            f"columns have different lengths: {told}", way_out="give one value a row in each"
        )
    n = next(iter(lengths.values()), 0)
    if not n:
        raise EmptyInput(
            f"nothing to measure: {', '.join(lengths) or 'no column'} empty",
            way_out="give at least one row",
        )
    return n


def as_list(values: Iterable[Any] | None, name: str) -> list[Any]:
    """A column as a list.

    Raises:
        MissingValue: it is None; MeasurementProblem: a single text or number in place of a column.
    """
    if values is None:
        raise MissingValue(f"{name} was not given", field=name, way_out=f"pass {name}=[…]")
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise MeasurementProblem(
            f"{name} is a single value, not a column", field=name, way_out=f"pass {name}=[value]"
        )
    tolist = getattr(values, "tolist", None)
    return list(tolist()) if callable(tolist) else list(values)


def codes(labels: Sequence[Any], names: Sequence[str], field: str) -> Ints:
    """Labels as class numbers.

    Args:
        labels: texts.
        names: the closed list; its order gives the numbers.
        field: what to call the column in an error.

    Returns:
        Shape (n,).

    Raises:
        MissingValue, UnknownLabel: naming the first such row.
    """
    known = {name: number for number, name in enumerate(names)}
    try:
        return np.fromiter((known[label] for label in labels), dtype=np.int64, count=len(labels))
    except (KeyError, TypeError):
        pass
    for row, label in enumerate(labels):
        if label is None:
            raise MissingValue("a label is None", row=row, field=field, way_out=_leave_out(field))
        if not isinstance(label, str) or label not in known:
            raise UnknownLabel(
                f"unknown label {str(label)[:40]!r}",
                row=row,
                field=field,
                way_out=f"known labels: {', '.join(names)}",
            )
    raise AssertionError("unreachable: one of the labels was not known")  # pragma: no cover


def confidences(scores: Sequence[Any], field: str = "scores") -> Floats:
    """Scores as an array within [0, 1].

    Raises:
        MissingValue: None or NaN; ScoreOutOfRange: outside [0, 1]; MeasurementProblem: no number.
    """
    array = _floats(scores, field)
    if array.ndim != 1:
        raise MeasurementProblem(
            f"{field} must be one number a row, got shape {array.shape}", field=field
        )
    bad = np.flatnonzero((array < -_TOLERANCE) | (array > 1 + _TOLERANCE))
    if bad.size:
        raise ScoreOutOfRange(
            f"score {array[bad[0]]:g} lies outside [0, 1] ({bad.size:,} such)",
            row=int(bad[0]),
            field=field,
            way_out="give probabilities, not logits or percentages",
        )
    return np.clip(array, 0.0, 1.0)


def probabilities(scores: Sequence[Any], classes: int, field: str = "scores") -> Floats:
    """Rows of class probabilities, shape (n, classes), each summing to 1.

    Raises:
        EmptyInput, MissingValue, ScoreOutOfRange, MeasurementProblem (another shape).
    """
    array = _floats(scores, field)
    if array.size == 0:
        raise EmptyInput("nothing to measure", field=field, way_out="give at least one row")
    if array.ndim != 2 or array.shape[1] != classes:
        raise MeasurementProblem(
            f"{field} must have the shape (rows, {classes}), got {array.shape}", field=field
        )
    within = (array >= -_TOLERANCE) & (array <= 1 + _TOLERANCE)
    bad = np.flatnonzero(~within.all(axis=1) | (np.abs(array.sum(axis=1) - 1) > _ROW_SUM))
    if bad.size:
        raise ScoreOutOfRange(
            f"row {np.round(array[bad[0]], 4).tolist()} is no probability distribution "
            f"({bad.size:,} such)",
            row=int(bad[0]),
            field=field,
            way_out="give softmax probabilities, one row a pair",
        )
    return np.clip(array, 0.0, 1.0)


def _floats(scores: Sequence[Any], field: str) -> Floats:
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        missing = [row for row, value in enumerate(scores) if value is None]
        if missing:
            raise MissingValue(
                "a score is None", row=missing[0], field=field, way_out=_leave_out(field)
            ) from error
        raise MeasurementProblem(
            f"{field} holds something that is no number, or rows of different lengths", field=field
        ) from error
    if np.isnan(array).any():
        row = int(np.argwhere(np.isnan(array))[0][0])
        raise MissingValue(
            "a score is None or NaN", row=row, field=field, way_out=_leave_out(field)
        )
    return array


def _leave_out(field: str) -> str:
    return f"leave rows without {field} out, in every column"


def fraction(value: float, field: str) -> float:
    """A setting that must lie within [0, 1].

    Raises:
        ScoreOutOfRange: it does not.
    """
    if not 0.0 <= value <= 1.0:  # NaN fails too
        raise ScoreOutOfRange(f"{field} {value:g} lies outside [0, 1]", field=field)
    return float(value)
