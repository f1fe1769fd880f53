"""index.html: all tables and figures of a release on one page that needs nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import quote

import jinja2
import polars as pl
from markupsafe import Markup

from builder.analyze.figures.figure import Figure
from builder.analyze.figures.material import Material
from builder.analyze.figures.theme import PHONE, WIDE
from builder.analyze.figures.words import Words

_ROWS = 100  # of a figure's numbers on the page; the CSV file has all


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        name: of its file and of its section in the texts, such as `table1`.
        data: its rows.
        notes: lines below it.
        empty: why there are no rows.
    """

    name: str
    data: pl.DataFrame
    notes: tuple[str, ...] = ()
    empty: str = ""


@dataclass(frozen=True)
class Drawn:
    """A figure with its SVG files, wide and narrow."""

    figure: Figure
    wide: bytes
    narrow: bytes


def render_page(
    material: Material, tables: Sequence[Table], drawn: Sequence[Drawn], *, inline: bool = True
) -> bytes:
    """The page.

    Args:
        material: the release.
        tables: Table 1 and 2.
        drawn: the figures.
        inline: the SVGs lie in the page; else it shows the files beside it.
    """
    words = material.words
    figures = [
        {
            "name": one.figure.name,
            "title": one.figure.title,
            "alt": one.figure.told,
            "wide": _address(one.wide, f"{one.figure.name}.svg", inline=inline),
            "narrow": _address(one.narrow, f"{one.figure.name}-{PHONE.name}.svg", inline=inline),
            "columns": one.figure.data.columns,
            "rows": _cells(one.figure.data.head(_ROWS), words),
            "more": words(
                "more_rows", shown=words.number(_ROWS), all=words.number(one.figure.data.height)
            )
            if one.figure.data.height > _ROWS
            else "",
        }
        for one in drawn
    ]
    shown = [
        {
            "name": table.name,
            "title": words(f"{table.name}.title"),
            "columns": [words(f"{table.name}.{column}") for column in table.data.columns],
            "rows": _cells(table.data, words, names=True),
            "notes": table.notes,
            "empty": table.empty,
        }
        for table in tables
    ]
    page = page_template("figures/page.html.jinja").render(
        words=words,
        title=words("page_title", name=material.name, version=material.version),
        lead=words(
            "page_lead",
            title=material.title,
            n=words.number(material.videos),
            window=material.window,
        ),
        synthetic=material.synthetic,
        tables=shown,
        figures=figures,
        files=inline,
        wide=WIDE.width,
        breakpoint=WIDE.width - 100,
    )
    return page.encode()


def page_template(file: str) -> jinja2.Template:
    """The template of a page of this room, by its path below `builder/analyze`."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = resources.files("builder.analyze").joinpath(file)
    return environment.from_string(template.read_text(encoding="utf-8"))


def _address(svg: bytes, file: str, *, inline: bool) -> Markup:
    """Where a picture is: in the address itself, or in a file beside the page."""
    if not inline:
        return Markup(file)
    return picture_address(svg)


def picture_address(svg: bytes) -> Markup:
    """A picture as an address that needs no file."""
    # no space and no comma: a srcset would end there
    return Markup("data:image/svg+xml," + quote(svg.decode(), safe="=:/;.()[]*+!$@?{}"))


def _cells(data: pl.DataFrame, words: Words, *, names: bool = False) -> list[list[tuple[str, str]]]:
    """Rows of (text, class of the cell): numbers as the language writes them."""
    return [
        [
            (
                _cell(value, column, words, names=names),
                "n" if isinstance(value, int | float) else "",
            )
            for column, value in row.items()
        ]
        for row in data.iter_rows(named=True)
    ]


def _cell(value: Any, column: str, words: Words, *, names: bool) -> str:
    if value is None:
        return "–"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        if column == "share" and names:
            return words.share(value)
        return words.number(value, 2 if abs(value) >= 10 or names else 3)
    if isinstance(value, int):
        return words.number(value)
    if names and column == "metric":
        return words(f"metrics.{value}")
    if names and column == "hashtag":
        return f"#{value}"
    return str(value)
