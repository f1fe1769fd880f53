"""All tables and figures of a release, as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from builder.analyze.figures.bar_figures import figure2, figure3, figure5
from builder.analyze.figures.figure import Figure
from builder.analyze.figures.material import Material
from builder.analyze.figures.page import Drawn, Table, render_page
from builder.analyze.figures.paper import Paper, Sheet, sheet
from builder.analyze.figures.sentiment_figures import sentiment_figures
from builder.analyze.figures.theme import PHONE, WIDE
from builder.analyze.figures.time_figures import figure1, figure4
from builder.analyze.tables import table1, table2
from builder.review.sheet import tame
from builder.run.store import write_atomic

INDEX = "index.html"


def tables_of(material: Material) -> list[Table]:
    """Table 1 and Table 2."""
    words = material.words
    first = table1(material.daily, material.paper)
    second = table2(material.hashtags, material.videos, material.paper)
    generic = ", ".join(f"#{tag}" for tag in material.generic)
    note = words("table2.note", generic=generic) if generic else words("table2.note_none")
    known = bool(first["total"].count())
    return [
        Table(
            "table1",
            first,
            ((words("table1.note"),) if material.paper else ())
            + material.coarse_counts
            + material.hidden,
            "" if known else words("table1.empty"),
        ),
        Table(
            "table2",
            second,
            (note, *material.hidden),
            "" if second.height else words("table2.empty"),
        ),
    ]


def figures_of(material: Material) -> list[Figure]:
    """Figures 1 to 5 and the sentiment figures."""
    paper = [make(material) for make in (figure1, figure2, figure3, figure4, figure5)]
    return [*paper, *sentiment_figures(material)]


def paper_of(material: Material) -> Paper:
    """What is printed around every figure of this release."""
    return Paper(material.source, material.synthetic, material.words)


def write_all(
    material: Material, folder: Path, told: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Every table, figure and the page.

    Args:
        material: the release.
        folder: where to; made if missing, files of the same name are replaced.
        told: called with the name of each figure when it is written.

    Returns:
        Names of the files written, in order.
    """
    paper, written = paper_of(material), []

    def write(name: str, content: bytes) -> None:
        write_atomic(folder / name, content)
        written.append(name)

    tables = tables_of(material)
    for table in tables:
        write(f"{table.name}.csv", _csv(table.data))
    drawn = []
    for figure in figures_of(material):
        wide, narrow = sheet(figure, WIDE, paper), sheet(figure, PHONE, paper)
        for one, stem in ((wide, figure.name), (narrow, f"{figure.name}-{PHONE.name}")):
            write(f"{stem}.svg", one.svg())
            write(f"{stem}.png", one.png())
            write(f"{stem}-dark.png", one.png(dark=True))
        write(f"{figure.name}.csv", _csv(figure.data))
        drawn.append(Drawn(figure, wide.svg(), narrow.svg()))
        told(figure.name)
    write(INDEX, render_page(material, tables, drawn))
    return written


def _csv(data: pl.DataFrame) -> bytes:
    """A CSV file; no hashtag or phrase of it is a formula to a spreadsheet."""
    texts = [name for name, kind in data.schema.items() if kind == pl.String]
    tamed = [data[name].map_elements(tame, return_dtype=pl.String) for name in texts]
    return data.with_columns(tamed).write_csv().encode()


def write_pictures(material: Material, folder: Path) -> list[Figure]:
    """For a release: SVG files of the figures there is something to draw for, and their page.

    Returns:
        The figures written.
    """
    paper = paper_of(material)
    drawn: list[Drawn] = []
    for figure in figures_of(material):
        if figure.draw is None:
            continue
        sheets: Sequence[Sheet] = [sheet(figure, layout, paper) for layout in (WIDE, PHONE)]
        wide, narrow = (one.svg() for one in sheets)
        write_atomic(folder / f"{figure.name}.svg", wide)
        write_atomic(folder / f"{figure.name}-{PHONE.name}.svg", narrow)
        drawn.append(Drawn(figure, wide, narrow))
    page = render_page(material, tables_of(material), drawn, inline=False)
    write_atomic(folder / INDEX, page)
    return [one.figure for one in drawn]
