"""Every field of a campaign with what it means: read from the models and their docstrings.

A field stands once in the code, with its meaning beside it; docs/campaign.md and the file that
`new-campaign` writes are made from here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from builder.config.campaign import Campaign

_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): (.*)$")
# Files of their own in the folder.
OTHER_FILES = ("keywords", "paper", "words")


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        table: dotted name of its table in campaign.toml; empty at the top.
        name: its key.
        kind: its type in words.
        required: there is no default.
        default: what it is without being said.
        meaning: from the docstring of its model.
        listed: its table may stand many times, as ``[[table]]``.
    """

    table: str
    name: str
    kind: str
    required: bool
    default: Any
    meaning: str
    listed: bool = False

    @property
    def path(self) -> str:
        """Dotted name."""
        return f"{self.table}.{self.name}" if self.table else self.name


def fields(
    model: type[BaseModel] = Campaign, table: str = "", *, listed: bool = False
) -> Iterator[Field]:
    """Every field of the model, those of its tables after its own, in their order."""
    meanings = _meanings(model)
    tables: list[tuple[type[BaseModel], str, bool]] = []
    for name, info in model.model_fields.items():
        inner = _model_in(info.annotation)
        if inner is not None:
            many = get_origin(info.annotation) is not None
            tables.append((inner, f"{table}.{name}" if table else name, many))
            continue
        default = info.get_default(call_default_factory=True) if not info.is_required() else None
        yield Field(
            table=table,
            name=name,
            kind=_in_words(info.annotation),
            required=info.is_required(),
            default=None if default is PydanticUndefined else default,
            meaning=meanings.get(name, ""),
            listed=listed,
        )
    for inner, name, many in tables:
        yield from fields(inner, name, listed=many)


def table_meaning(table: str) -> str:
    """What a table is, from the docstring of its model's owner."""
    model: type[BaseModel] = Campaign
    meaning = ""
    for part in table.split("."):
        meaning = _meanings(model).get(part, "")
        model = _model_in(model.model_fields[part].annotation) or model
    return meaning


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The section ``Attributes:`` of a docstring: name -> text on one line."""
    lines = (inspect.getdoc(model) or "").splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("Attributes")), len(lines))
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines[start + 1 :]:
        if entry := _ENTRY.match(line):
            names = entry[1].split(", ")
            found.update(dict.fromkeys(names, entry[2]))
        elif line.startswith(" " * 8):
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
        elif line.strip():
            break
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model a field is, or holds many of; None for values."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    if get_origin(annotation) is tuple:
        return _model_in(get_args(annotation)[0])
    return None


_WORDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}


def _in_words(annotation: Any) -> str:
    """A type as somebody who writes TOML says it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return ""
    if annotation is Any:
        return "anything"
    if isinstance(annotation, type) and origin is None:
        if issubclass(annotation, BaseModel):
            return f"{{ {', '.join(annotation.model_fields)} }}"
        return _WORDS.get(annotation.__name__, annotation.__name__)
    if origin is tuple:
        return f"list of {_in_words(inner[0])}"
    if origin is dict:
        return f"table of {_in_words(inner[0])} to {_in_words(inner[1])}"
    if str(origin) == "typing.Literal":
        return " or ".join(f'"{value}"' for value in inner)
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _in_words(inner[0])
    if inner:  # a union
        return " or ".join(filter(None, map(_in_words, inner)))
    return "value"
