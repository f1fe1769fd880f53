"""One figure: what it says in words and numbers, and how it is drawn in a given room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import polars as pl

from builder.analyze.figures.theme import Layout

# A Vega-Lite specification. Altair makes the single marks; putting them together is done on the
# specifications, since altair copies all of a chart each time it becomes a part of another one,
# which took longer than drawing.
Chart = dict[str, Any]


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
    """Inline data of a chart.

    A tuple: altair copies every list of a chart, row by row, each time a chart becomes a part of
    another one.
    """
    data: alt.Data = alt.Data(values=tuple(rows))  # type: ignore[no-untyped-call]
    return data


def layered(*layers: alt.Chart, title: alt.TitleParams | None = None) -> Chart:
    """Marks of one size on top of each other."""
    chart = _together("layer", [single(layer) for layer in layers])
    for size in ("width", "height"):
        sizes = [layer.pop(size) for layer in chart["layer"] if size in layer]
        if sizes:
            chart[size] = sizes[0]
    return chart if title is None else titled(chart, title)


def titled(chart: Chart, title: alt.TitleParams) -> Chart:
    """The chart with a title."""
    return chart | {"title": title.to_dict(validate=False)}


def below(charts: Sequence[Chart], spacing: float) -> Chart:
    """Charts below each other."""
    return _together("vconcat", charts) | {"spacing": spacing}


def beside(charts: Sequence[Chart], spacing: float) -> Chart:
    """Charts side by side; one is itself."""
    return charts[0] if len(charts) == 1 else _together("hconcat", charts) | {"spacing": spacing}


def single(chart: alt.Chart) -> Chart:
    """A mark as a chart."""
    # checking against Vega-Lite's schema takes longer than drawing; the tests do it
    context: dict[str, Any] = {"top_level": False, "datasets": {}}
    spec: Chart = chart.to_dict(validate=False, context=context)
    return spec | {"datasets": context["datasets"]}


def _together(how: str, charts: Sequence[Chart]) -> Chart:
    """Charts as one; their data is named in one place, once."""
    datasets: dict[str, Any] = {}
    parts = [dict(chart) for chart in charts]
    for part in parts:
        datasets |= part.pop("datasets", {})
    return {"datasets": datasets, how: parts}
