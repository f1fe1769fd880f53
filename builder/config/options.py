"""Settings of a dataclass read from a profile's table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from builder.errors import UsageProblem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def read_options(defaults: Options, table: Mapping[str, Any], where: str) -> Options:
    """A dataclass with some fields set from a profile's table.

    Args:
        defaults: the instance to start from.
        table: field -> value.
        where: the table's name, for the error.

    Raises:
        UsageProblem: a key that is no field.
    """
    known = [field.name for field in fields(defaults)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise UsageProblem(
            f"unknown setting(s): {', '.join(unknown)}",
            field=where,
            way_out=f"known settings: {', '.join(known)}",
        )
    return replace(defaults, **table)
