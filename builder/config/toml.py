"""TOML files of settings: read, checked against a model, and refused with file, key and way out.

The one loader of profiles and campaigns.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from builder.errors import BuilderError


class SettingsTable(BaseModel):
    """A table of settings: unknown keys are refused, and so are values of another type.

    Strict: TOML has types of its own, so `beam_size = "5"`, `5.0` and `true` are mistakes. A whole
    number may stand for a float. Not-a-number and infinity are no settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, error: type[BuilderError], what: str) -> dict[str, Any]:
    """The content of a TOML file.

    Args:
        path: the file.
        error: the kind of error to raise.
        what: what the file is, for the message ("profile").

    Raises:
        error: unreadable, not UTF-8, or not TOML.
    """
    try:
        # Some editors put a byte-order mark first; it says nothing.
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as problem:
        reason, way_out = problem.strerror or type(problem).__name__, "make it readable"
    except UnicodeDecodeError as problem:
        reason, way_out = f"byte {problem.start} is not UTF-8", "save it as UTF-8"
    except (ValueError, RecursionError) as problem:  # also numbers too long, tables too deep
        reason = str(problem) if isinstance(problem, tomllib.TOMLDecodeError) else "not TOML"
        way_out = "correct the file; text values need quotes, tables [brackets]"
    raise error(f"cannot read the {what}: {reason}", file=path, way_out=way_out)


def checked(
    model: type[Model],
    data: Mapping[str, Any],
    error: type[BuilderError],
    *,
    file: Path,
    describes: str,
) -> Model:
    """Data as a model.

    Args:
        model: what it must be.
        data: the file's content.
        error: the kind of error to raise.
        file: the file it came from.
        describes: where the reader finds every field described.

    Raises:
        error: an unknown key, a missing one, or a value of another type or out of bounds. Values
            are not shown: one of them may be a secret in the wrong place.
    """
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise refusal(model, problem, error, file=file, describes=describes) from None


def refusal(
    model: type[BaseModel],
    problem: ValidationError,
    error: type[BuilderError],
    *,
    file: Path,
    describes: str,
    row: str | None = None,
    skip: int = 0,
) -> BuilderError:
    """What `checked` raises: the first mistake, and how many more there are.

    Args:
        model, error, file, describes: as `checked`.
        problem: pydantic's.
        row: where in the file, if it is a table of rows.
        skip: leading parts of the key to leave out (they say the row).
    """
    mistakes = problem.errors(include_input=False, include_context=False, include_url=False)
    first = mistakes[0]
    text = first["msg"].removeprefix("Value error, ")
    way_out = f"correct it; {describes} describes every field"
    if first["type"] == "extra_forbidden":
        text = "there is no such setting"
        way_out = f"known here: {', '.join(known_keys(model, first['loc'][:-1]))}"
    if len(mistakes) > 1:
        text += f" (and {len(mistakes) - 1} more to correct)"
    key = ".".join(str(part) for part in first["loc"][skip:]) or None
    return error(text, file=file, row=row, field=key, way_out=way_out)


def known_keys(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys of the table at a place of a model."""
    for part in loc:
        if isinstance(part, int) or part not in model.model_fields:
            continue  # the row of a list of tables, or a key of a free table
        inner = _model_in(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model a field holds: itself, or in a tuple, a list, a dict or an optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
