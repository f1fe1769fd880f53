"""Pieces of the charts over days: the time axis, the events, a line or bars a panel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import altair as alt

from builder.analyze.figures.figure import Chart, below, layered, single, titled, values
from builder.analyze.figures.theme import ACCENT, GRID, SOFT, TEXT
from builder.analyze.figures.words import Words

Y_ROOM = 40  # of the labels beside every panel, so that panels below each other are flush
_LETTER, _ROW = 11, 14


# title (may have a colour, may be several lines) and plot
Panel = tuple[alt.TitleParams, Chart]


@dataclass(frozen=True)
class Event:
    """An event as figures mark it."""

    key: str
    date: dt.date
    title: str


@dataclass(frozen=True)
class Days:
    """The days a figure covers, the events in them, and the room for them.

    Attributes:
        first, last: both inclusive.
        events: those to mark.
        width: of the plot, pixels.
        words: the language.
        span: days that a released date stands for; it is drawn in their middle.
    """

    first: dt.date
    last: dt.date
    events: tuple[Event, ...]
    width: int
    words: Words
    span: int = 1

    def at(self, date: dt.date) -> str:
        """Where a released date is drawn."""
        return stamp(date + dt.timedelta(days=self.span // 2))

    def x(self, *, labels: bool) -> alt.X:
        """The axis of days."""
        axis = alt.Axis(
            title=None,
            format="%-d %b",
            labels=labels,
            grid=False,
            tickCount=max(2, min(self.width // 70, (self.last - self.first).days + 1)),
            labelOverlap=True,
            domain=True,
            domainColor=GRID,
        )
        return alt.X("date:T", scale=self._scale(), axis=axis)

    def _scale(self) -> alt.Scale:
        """Half a day beyond both ends, so that no bar is cut."""
        half = dt.timedelta(hours=12)
        start = dt.datetime.combine(self.first, dt.time()) - half
        end = dt.datetime.combine(self.last, dt.time()) + half
        domain = [f"{start.isoformat()}Z", f"{end.isoformat()}Z"]
        return alt.Scale(type="utc", domain=domain, padding=0)

    def stack(self, panels: Sequence[Panel]) -> Chart:
        """Panels below each other, the letters of the events over the plot of the first."""
        drawn: list[Chart] = []
        for place, (title, chart) in enumerate(panels):
            letters = None if place else self._letters()
            if letters is None:
                drawn.append(titled(chart, title))
            else:
                drawn.append(below([titled(single(letters), title), chart], spacing=1))
        return below(drawn, spacing=8)

    def _letters(self) -> alt.Chart | None:
        """A strip with the events' letters, those of near days above each other."""
        rows = self._rows()
        if not rows:
            return None
        levels = max(row["level"] for row in rows) + 1
        letters = alt.Chart(values(rows), width=self.width, height=_ROW * levels)
        return cast(
            "alt.Chart",
            letters.mark_text(fontSize=_LETTER, fontWeight=700, color=TEXT).encode(
                x=self._bare_x(),
                y=alt.Y(
                    "level:Q",
                    scale=alt.Scale(domain=[-0.5, levels - 0.5]),
                    axis=alt.Axis(title=None, labels=False, grid=False, minExtent=Y_ROOM),
                ),
                text="key:N",
            ),
        )

    def rules(self, *, labels: bool) -> alt.Chart:
        """A line on the day of each event."""
        rows = [{"date": stamp(event.date)} for event in self.events]
        lines = alt.Chart(values(rows)).mark_rule(color=SOFT, strokeDash=[2, 3], strokeWidth=1)
        return cast("alt.Chart", lines.encode(x=self.x(labels=labels)))

    def panel(
        self,
        rows: list[dict[str, Any]],
        *,
        height: int,
        labels: bool,
        bars: bool = False,
        percent: bool = False,
    ) -> Chart:
        """A row of days: `rows` hold date and value; the highest day is dotted."""
        values_of = [row["value"] for row in rows]
        top = max((v for v in values_of if v is not None), default=0) or 1
        y = alt.Y(
            "value:Q",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=self._y_axis(top, percent=percent),
        )
        base = alt.Chart(values(rows), width=self.width, height=height)
        x = self.x(labels=labels)
        if bars:
            days = -(-((self.last - self.first).days + 1) // self.span)
            shape: list[alt.Chart] = [
                base.mark_bar(size=max(1.0, min(40.0, 0.78 * self.width / days))).encode(x=x, y=y)
            ]
        else:
            shape = [
                base.mark_area(opacity=0.16).encode(x=x, y=y),
                base.mark_line().encode(x=x, y=y),
            ]
        peak = next((row for row in rows if row["value"] == top), None)
        if peak and not bars:
            shape.append(
                alt.Chart(values([peak]))
                .mark_circle(color=ACCENT, size=44, opacity=1)
                .encode(x=x, y=y)
            )
        layers = [self.rules(labels=labels), *shape] if self.events else shape
        return layered(*layers)

    def _y_axis(self, top: float, *, percent: bool) -> alt.Axis:
        if percent:
            expression = f"format(100 * datum.value, '~r') + '{self.words.percent_sign}'"
            return alt.Axis(
                title=None,
                values=[0, top / 2, top],
                labelExpr=expression,
                minExtent=Y_ROOM,
                maxExtent=Y_ROOM,
            )
        return alt.Axis(
            title=None,
            tickCount=3,
            tickMinStep=1,
            labelExpr=self.words.axis_number(),
            format="~r",
            minExtent=Y_ROOM,
            maxExtent=Y_ROOM,
        )

    def _bare_x(self) -> alt.X:
        return alt.X("date:T", scale=self._scale(), axis=None)

    def _rows(self) -> list[dict[str, Any]]:
        """Each event with the lowest level on which its letter touches no other."""
        days = (self.last - self.first).days + 1
        ends: list[float] = []
        rows = []
        for event in sorted(self.events, key=lambda one: (one.date, one.key)):
            at = self.width * ((event.date - self.first).days + 0.5) / days
            half = _LETTER * 0.36 * len(event.key) + 1.5
            level = next((i for i, end in enumerate(ends) if end <= at - half), len(ends))
            ends[level : level + 1] = [at + half]
            rows.append({"date": stamp(event.date), "key": event.key, "level": level})
        return rows


def stamp(day: dt.date) -> str:
    """A day as Vega reads it whatever the machine's time zone."""
    return f"{day.isoformat()}T00:00:00Z"
