"""What both `evaluate` measurements share: checked input, optional references, no leftovers.

`evaluate` itself cannot take a column that is None, and an error in the middle of `compute` leaves
its cache file locked. The classes in `cards/` mix `Checked` in before `evaluate.Measurement`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from builder.measure.inputs import EmptyInput, MissingValue, as_list, codes, same_length

NO_REFERENCE = ""
"""Stands for a reference that was not given: a column of `evaluate` cannot hold None."""


class Checked:
    """Mixin for `evaluate.Measurement`; every batch is checked before anything of it is stored.

    Class attributes:
        columns: names of the features besides `references`.
        label_names: closed list of `references`.
    """

    columns: ClassVar[tuple[str, ...]]
    label_names: ClassVar[tuple[str, ...]]

    def check_columns(self, batch: dict[str, list[Any]]) -> dict[str, Any]:
        """Check and convert the values of a batch; raises a `MeasurementProblem`."""
        return dict(batch)

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Add rows. Nothing of the batch is kept when any of it is refused.

        Args:
            predictions: not used; `evaluate.combine` passes it.
            references: gold labels, or None.
            columns: the measurement's columns.

        Raises:
            MeasurementProblem: None, empty, unequal lengths, scores outside [0, 1], unknown labels.
        """
        del predictions
        batch = {name: as_list(columns.pop(name, None), name) for name in self.columns}
        _no_more(columns, self.columns)
        gold = None if references is None else as_list(references, "references")
        n = same_length(batch if gold is None else batch | {"references": gold})
        if gold is not None:
            codes(gold, self.label_names, "references")
        checked = self.check_columns(batch)
        checked["references"] = [NO_REFERENCE] * n if gold is None else gold
        super().add_batch(**checked)  # type: ignore[misc]

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Add one row; `reference` (or `references`) is its gold label or None."""
        del prediction
        gold = columns.pop("references", reference)
        self.add_batch(
            references=None if gold is None else [gold],
            **{name: [value] for name, value in columns.items()},
        )

    def compute(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> Any:
        """Compute the measurement over the rows given here and those added before.

        Args:
            predictions: not used; `evaluate.combine` passes it.
            references: gold labels, or None.
            columns: the measurement's columns and settings.

        Raises:
            MeasurementProblem: see `add_batch`. The module can be used again afterwards.
        """
        del predictions
        given = {name: columns[name] for name in self.columns if columns.get(name) is not None}
        if given or references is not None:
            for name in self.columns:
                columns.setdefault(name, None)
        elif not len(self):  # type: ignore[arg-type]
            raise EmptyInput(
                "nothing to measure: no row was added",
                way_out=f"pass {', '.join(self.columns)}, or call add_batch first",
            )
        try:
            if given or references is not None:
                self.add_batch(
                    references=references, **{name: columns.pop(name) for name in self.columns}
                )
            else:
                for name in self.columns:
                    columns.pop(name, None)
            return super().compute(**columns)  # type: ignore[misc]
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Drop what was stored, unlock and remove its file."""
        own: Any = self
        own.writer = own.data = own.buf_writer = None
        paths = [*(own.file_paths or []), *([own.cache_file_name] if own.cache_file_name else [])]
        locks = [*(own.filelocks or []), *([own.filelock] if own.filelock else [])]
        for path in paths:
            with suppress(OSError):
                Path(path).unlink()
        for lock in locks:
            lock.release()
        own.file_paths = own.filelocks = own.cache_file_name = own.filelock = None
        own.selected_feature_format = None


def gold_of(references: Sequence[str]) -> list[str] | None:
    """References as stored: None when no batch had any.

    Raises:
        MissingValue: some rows have one and others have none.
    """
    missing = [row for row, gold in enumerate(references) if gold == NO_REFERENCE]
    if not missing:
        return list(references)
    if len(missing) == len(references):
        return None
    raise MissingValue(
        f"{len(missing):,} of {len(references):,} rows have no reference",
        row=missing[0],
        field="references",
        way_out="give references with every batch, or with none",
    )


def _no_more(columns: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in columns:
        raise MissingValue(
            f"{name!r} is not a column of this measurement",
            field=name,
            way_out=f"columns: {', '.join((*known, 'references'))}; settings go to compute",
        )
