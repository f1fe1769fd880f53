"""One figure: what it says in words and numbers, and how it is drawn in a given room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import altair as alt
import polars as pl

from builder.analyze.figures.theme import Layout

Chart = alt.Chart | alt.LayerChart | alt.HConcatChart | alt.VConcatChart | alt.ConcatChart


@dataclass(frozen=True)
class Figure:
    """A figure, or the reason why there is none.

    Attributes:
        name: of its files, such as `figure1`.
        title, subtitle: what it shows.
        n: what it stands on ("n = 51,479 videos.").
        notes: lines below it: definitions, normalisation.
        alt: its message in numbers, for those who cannot see it.
        data: its numbers, as written to the CSV file; the columns do not depend on the language.
        draw: makes the drawing; None when there is nothing to draw.
        empty: why there is nothing to draw.
        legend: lines above the notes that belong to the drawing, such as the events.
    """

    name: str
    title: str
    subtitle: str
    n: str
    notes: tuple[str, ...]
    alt: str
    data: pl.DataFrame
    draw: Callable[[Layout], Chart] | None = None
    empty: str = ""
    legend: tuple[str, ...] = field(default=())

    @property
    def told(self) -> str:
        """The text for those who cannot see it."""
        return f"{self.title}. {self.alt if self.draw else self.empty}"


def values(rows: list[dict[str, Any]]) -> alt.Data:
    """Inline data of a chart."""
    data: alt.Data = alt.Data(values=rows)  # type: ignore[no-untyped-call]
    return data


def layered(*layers: alt.Chart, title: alt.TitleParams | None = None) -> alt.LayerChart:
    """Layers as one chart."""
    chart = cast("alt.LayerChart", alt.layer(*layers))
    return chart if title is None else chart.properties(title=title)
