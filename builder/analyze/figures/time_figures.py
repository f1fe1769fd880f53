"""Figure 1, the timeline, and Figure 4, hashtags over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from builder.analyze import aggregates
from builder.analyze.figures.days import Days
from builder.analyze.figures.figure import Chart, Figure, beside
from builder.analyze.figures.material import Material
from builder.analyze.figures.paper import wrapped
from builder.analyze.figures.theme import SIZE, Layout
from builder.analyze.tables import METRICS

_BESIDE = 54  # left and right of a plot: axis labels, and half a day label
_GUTTER = 26


def figure1(material: Material) -> Figure:
    """Daily videos, and each engagement count as a share of its busiest day."""
    words, daily = material.words, material.daily
    known = [metric for metric in METRICS if daily[f"{metric}_known"].sum()]
    missing = [words(f"metrics.{metric}") for metric in METRICS if metric not in known]
    data = daily.select(
        "date",
        "videos",
        *METRICS,
        *((pl.col(m) / pl.col(m).max()).fill_nan(0.0).alias(f"{m}_normalised") for m in METRICS),
    ).join(_marks(material), on="date", how="left")
    peaks = {m: _peak(daily, m) for m in ("videos", *known)}

    def title(name: str, metric: str) -> str:
        day, value = peaks[metric]
        if not value:
            return words("figure1.quiet", metric=name)
        return words("figure1.peak", metric=name, date=words.day(day), value=words.number(value))

    titles = {"videos": title(words("figure1.videos"), "videos")}
    titles |= {metric: title(words(f"metrics.{metric}"), metric) for metric in known}

    def draw(layout: Layout) -> Chart:
        days = material.days(layout.inner - _BESIDE)
        last = known[-1] if known else "videos"
        counts = days.panel(
            _rows(days, data, "videos"),
            height=100 if layout.phone else 130,
            labels=last == "videos",
            bars=True,
        )
        panels = [(alt.TitleParams(titles["videos"]), counts)]
        panels += [
            (
                alt.TitleParams(titles[metric]),
                days.panel(
                    _rows(days, data, f"{metric}_normalised"),
                    height=48 if layout.phone else 56,
                    labels=metric == last,
                    percent=True,
                ),
            )
            for metric in known
        ]
        return days.stack(panels)

    notes = [words("figure1.note")] if known else []
    if not known:
        notes.append(words("figure1.no_counts"))
    elif missing:
        notes.append(words("figure1.some_counts", metrics=", ".join(missing)))
    return Figure(
        name="figure1",
        title=words("figure1.title"),
        subtitle=words("figure1.subtitle", hundred=words.share(1)),
        n=material.n(material.videos, "videos"),
        notes=(*notes, *material.coarse_days, *material.coarse_counts, *material.hidden),
        alt=words(
            "figure1.alt",
            n=words.number(material.videos),
            window=material.window,
            peaks="; ".join(titles.values()),
        ),
        data=data,
        draw=draw if material.videos else None,
        empty=words("figure1.empty"),
        legend=tuple(f"{e.key} · {words.day(e.date)}: {e.title}" for e in material.events),
    )


def figure4(material: Material) -> Figure:
    """Videos a day with each of the selected hashtags, a panel each."""
    words, tags = material.words, material.chosen_tags
    data = aggregates.hashtag_days(material.tables, tags, material.dates)
    titles: dict[str, str] = {}
    for tag in tags:
        mine = data.filter(pl.col("hashtag") == tag)
        day, value = _peak(mine, "videos")
        titles[tag] = words(
            "figure4.panel",
            tag=tag,
            n=words.number(int(mine["videos"].sum())),
            date=words.day(day),
            peak=words.number(value),
        )

    def draw(layout: Layout) -> Chart:
        panels = [(titles[tag], data.filter(pl.col("hashtag") == tag)) for tag in tags]
        return videos_a_day(material, layout, panels, height=64 if layout.phone else 72)

    return Figure(
        name="figure4",
        title=words("figure4.title"),
        subtitle=words("figure4.subtitle"),
        n=material.n(material.videos, "videos"),
        notes=(words("figure4.note"), *material.coarse_days, *material.hidden) if tags else (),
        alt=words("figure4.alt", panels="; ".join(titles.values())),
        data=data,
        draw=draw if tags else None,
        empty=words("figure4.empty" if material.hashtags.height else "figure3.empty"),
    )


def videos_a_day(
    material: Material, layout: Layout, panels: Sequence[tuple[str, pl.DataFrame]], height: int
) -> Chart:
    """A panel of the videos of each day for every (title, `date` and `videos`).

    In two columns, one below the other on a phone; the days stand below the last of a column.
    """
    columns = 1 if layout.phone else 2
    width = (layout.inner - _GUTTER * (columns - 1)) // columns - _BESIDE
    days = material.days(width)
    titles = [wrapped(title, width + _BESIDE, SIZE, bold=True) for title, _ in panels]
    for start in range(0, len(titles), columns):  # panels side by side stand at one height
        lines = max(len(title) for title in titles[start : start + columns])
        for place, title in enumerate(titles[start : start + columns], start):
            titles[place] = [" "] * (lines - len(title)) + title
    stacks = []
    for column in range(columns):
        mine = [data for _, data in panels[column::columns]]
        if not mine:
            continue
        drawn = [
            (
                alt.TitleParams(title),
                days.panel(
                    _rows(days, data, "videos"), height=height, labels=place == len(mine) - 1
                ),
            )
            for place, (title, data) in enumerate(zip(titles[column::columns], mine, strict=True))
        ]
        stacks.append(days.stack(drawn))
    return beside(stacks, spacing=_GUTTER)


def _rows(days: Days, data: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    return [
        {"date": days.at(day), "value": value} for day, value in data.select("date", column).rows()
    ]


def _peak(daily: pl.DataFrame, column: str) -> tuple[dt.date, int]:
    """The first day with the largest sum, and that sum."""
    top = daily.sort(column, "date", descending=[True, False], nulls_last=True).row(0, named=True)
    return top["date"], int(top[column] or 0)


def _marks(material: Material) -> pl.DataFrame:
    """date, event: the keys of the events of a day."""
    rows: dict[dt.date, list[str]] = {}
    for event in material.events:
        rows.setdefault(material.released(event.date), []).append(event.key)
    return pl.DataFrame(
        {"date": list(rows), "event": [" ".join(keys) for keys in rows.values()]},
        schema={"date": pl.Date, "event": pl.String},
    )
