"""Sentiment by day, phase, language and hashtag, with intervals; low confidence apart."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from math import ceil
from typing import Any

import altair as alt
import polars as pl

from builder.analyze import sentiment_over_time as over
from builder.analyze.figures.days import Y_ROOM, Days
from builder.analyze.figures.figure import Chart, Figure, beside, layered, values
from builder.analyze.figures.material import Material
from builder.analyze.figures.paper import text_width
from builder.analyze.figures.theme import LABEL_COLOURS, PAPER, SIZE, SOFT, TEXT, Layout
from ecuador_crisis_tiktok import SENTIMENT_LABELS

_ROW = 30
_BESIDE = 54
_LANGUAGES = 8


def sentiment_figures(material: Material) -> list[Figure]:
    """All four."""
    return [by_day(material), by_phase(material), by_language(material), by_hashtag(material)]


def by_day(material: Material) -> Figure:
    """A panel a label: line and band for high confidence, dashed for low."""
    words = material.words
    data = over.by_day(material.tables)
    shown = data.filter(pl.col("of") >= over.MIN_VIDEOS)

    def draw(layout: Layout) -> Chart:
        width = layout.inner - _BESIDE
        days = material.days(width)
        highest = float(shown.select(pl.max_horizontal("share", "high").max()).item())
        top = min(1.0, ceil(4 * highest) / 4)  # so that ticks are quarters
        panels = [
            (
                alt.TitleParams(words(f"labels.{label}"), color=LABEL_COLOURS[label]),
                _day_panel(
                    days,
                    shown.filter(pl.col("label") == label),
                    label,
                    top,
                    height=80 if layout.phone else 92,
                    labels=label == SENTIMENT_LABELS[-1],
                ),
            )
            for label in SENTIMENT_LABELS
        ]
        return days.stack(panels)

    return _figure(
        material,
        "sentiment_by_day",
        data,
        draw,
        note="sentiment_by_day.note",
        name_of=lambda day: day,
    )


def by_phase(material: Material) -> Figure:
    """A row a phase."""
    words = material.words
    names: dict[str, str] = {}
    for phase in material.phases:
        if not phase.key:
            key = "before" if len(material.phases) > 1 else "whole"
        else:
            key = "phase" if phase.last > phase.first else "day"
        names[phase.first.isoformat()] = words(
            f"sentiment_by_phase.{key}",
            key=phase.key,
            first=words.day(phase.first),
            last=words.day(phase.last),
        )
    if material.coarse_days:  # a week can hold several phases
        return _figure(
            material,
            "sentiment_by_phase",
            pl.DataFrame(schema=over.SCHEMA),
            None,
            note="sentiment.note",
            name_of=str,
            empty=words("sentiment_by_phase.coarse"),
        )
    data = over.by_phase(material.tables, material.phases)
    return _rows_figure(material, "sentiment_by_phase", data, list(names), names)


def by_language(material: Material) -> Figure:
    """A row a language, the most frequent first."""
    data = over.by_language(material.tables)
    names = material.words.section("languages")
    sizes = data.group_by("group").agg(pl.col("videos").sum())
    order = sizes.sort("videos", "group", descending=[True, False])["group"].to_list()
    return _rows_figure(
        material,
        "sentiment_by_language",
        data,
        order[:_LANGUAGES],
        {code: names.get(code, code) for code in order},
    )


def by_hashtag(material: Material) -> Figure:
    """A row for each of the most used hashtags."""
    tags = material.top_tags
    data = over.by_hashtag(material.tables, tags)
    return _rows_figure(
        material, "sentiment_by_hashtag", data, tags, {tag: f"#{tag}" for tag in tags}
    )


def _figure(
    material: Material,
    name: str,
    data: pl.DataFrame,
    draw: Callable[[Layout], Chart] | None,
    *,
    note: str,
    name_of: Callable[[str], str],
    empty: str = "",
) -> Figure:
    words = material.words
    labelled = material.labelled
    drawable = data.filter(pl.col("of") >= over.MIN_VIDEOS).height > 0
    minimum = words.number(over.MIN_VIDEOS)
    shares: list[str] = []
    high = data.filter((pl.col("of") >= over.MIN_VIDEOS) & (pl.col("confidence") == over.HIGH))
    for group in dict.fromkeys(high["group"]):
        mine = high.filter(pl.col("group") == group)
        told = {row["label"]: words.share(row["share"]) for row in mine.iter_rows(named=True)}
        shares.append(words("sentiment.alt_one", name=name_of(group), **told))
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        subtitle=words(f"{name}.subtitle"),
        n=material.n(labelled, "labelled"),
        notes=(
            f"{words(note, min=minimum)} {words('sentiment.note_machine')}",
            *(material.coarse_days if name == "sentiment_by_day" else ()),
        ),
        alt=words("sentiment.alt", shares="; ".join(shares[:12])),
        data=data,
        draw=draw if drawable else None,
        empty=(empty or words("sentiment.few", min=minimum))
        if labelled
        else words("sentiment.empty"),
    )


def _rows_figure(
    material: Material, name: str, data: pl.DataFrame, order: list[str], names: dict[str, str]
) -> Figure:
    words = material.words
    shown = data.filter((pl.col("of") >= over.MIN_VIDEOS) & pl.col("group").is_in(order))
    present = [group for group in order if group in set(shown["group"])]
    sizes = dict(data.group_by("group").agg(pl.col("videos").sum()).iter_rows())

    def titled(group: str, layout: Layout) -> list[str]:
        """Lines beside a row."""
        n = words.number(sizes[group])
        if layout.phone:
            return [names[group], f"n = {n}"]
        return [words("sentiment.group", name=names[group], n=n)]

    def draw(layout: Layout) -> Chart:
        size = SIZE - 1 if layout.phone else SIZE
        titles = {group: titled(group, layout) for group in present}
        widest = max(text_width(line, size) for lines in titles.values() for line in lines)
        label = min(widest + 10, 0.45 * layout.inner)
        gap = 14 if layout.phone else 26
        width = (layout.inner - label - gap * 2 - 14) / 3
        drawn = [
            _dots(
                shown,
                present,
                titles,
                one,
                words.section("labels")[one],
                width,
                label if place == 0 else 0,
                words.percent_sign,
                size,
            )
            for place, one in enumerate(SENTIMENT_LABELS)
        ]
        return beside(drawn, spacing=gap)

    return _figure(
        material, name, data, draw, note="sentiment.note", name_of=lambda group: names[group]
    )


def _dots(
    shown: pl.DataFrame,
    order: list[str],
    titles: dict[str, list[str]],
    label: str,
    title: str,
    width: float,
    room: float,
    percent: str,
    size: int,
) -> Chart:
    """One label: a dot and its interval for each group; hollow for low confidence, just below."""
    places = {group: place for place, group in enumerate(order)}
    rows = [
        {**row, "at": places[row["group"]] + (0.24 if row["confidence"] == over.LOW else -0.06)}
        for row in shown.filter(pl.col("label") == label).iter_rows(named=True)
    ]
    named = {str(place): titles[group] for group, place in places.items()}
    x_axis = alt.Axis(
        title=None,
        values=[0, 0.5, 1],
        labelExpr=f"format(100 * datum.value, '~r') + '{percent}'",
        labelFlush=True,
    )
    y_axis = alt.Axis(
        title=None,
        values=list(range(len(order))),
        grid=False,
        labels=bool(room),
        labelColor=TEXT,
        labelFontSize=size,
        labelLimit=room,
        labelExpr=f"{json.dumps(named)}[datum.value]",
        minExtent=room,
        maxExtent=room,
        domain=False,
    )
    x = alt.X("share:Q", scale=alt.Scale(domain=[0, 1]), axis=x_axis)
    y = alt.Y("at:Q", scale=alt.Scale(domain=[len(order) - 0.4, -0.6], nice=False), axis=y_axis)
    base = alt.Chart(values(rows), width=width, height=_ROW * len(order))
    colour = LABEL_COLOURS[label]
    sure = alt.datum.confidence == over.HIGH
    lines = base.transform_filter(alt.datum.low != None)  # noqa: E711 - a Vega expression
    return layered(
        lines.transform_filter(sure)
        .mark_rule(color=colour, strokeWidth=2.4)
        .encode(x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1]), axis=x_axis), x2="high:Q", y=y),
        lines.transform_filter(~sure)
        .mark_rule(color=SOFT, strokeWidth=1)
        .encode(x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1]), axis=x_axis), x2="high:Q", y=y),
        base.transform_filter(sure)
        .mark_point(filled=True, color=colour, size=70, opacity=1)
        .encode(x=x, y=y),
        base.transform_filter(~sure)
        .mark_point(filled=True, fill=PAPER, stroke=SOFT, strokeWidth=1.2, size=34, opacity=1)
        .encode(x=x, y=y),
        title=alt.TitleParams(title, color=colour, frame="group"),
    )


def _day_panel(
    days: Days,
    rows: pl.DataFrame,
    label: str,
    top: float,
    *,
    height: int,
    labels: bool,
) -> Chart:
    """One label's share by day. Days without enough videos leave a gap."""
    colour = LABEL_COLOURS[label]
    x = days.x(labels=labels)
    axis = alt.Axis(
        title=None,
        values=[step / 4 for step in range(round(4 * top) + 1)],
        labelExpr=f"format(100 * datum.value, '.0f') + '{days.words.percent_sign}'",
        minExtent=Y_ROOM,
        maxExtent=Y_ROOM,
    )
    y = alt.Y("share:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    layers: list[Any] = [days.rules(labels=labels)] if days.events else []
    for confidence in (over.LOW, over.HIGH):
        mine = _runs(days, rows.filter(pl.col("confidence") == confidence))
        base = alt.Chart(values(mine), width=days.width, height=height)
        run = alt.Detail("run:N")
        if confidence == over.LOW:
            layers.append(
                base.mark_line(color=SOFT, strokeWidth=1, strokeDash=[3, 3]).encode(
                    x=x, y=y, detail=run
                )
            )
            continue
        band = alt.Y("low:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
        layers.append(
            base.mark_area(color=colour, opacity=0.22).encode(x=x, y=band, y2="high:Q", detail=run)
        )
        layers.append(
            base.mark_line(
                color=colour, strokeWidth=1.8, point={"size": 9, "color": colour}
            ).encode(x=x, y=y, detail=run)
        )
    return layered(*layers)


def _runs(days: Days, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows with the number of the unbroken run of days each belongs to."""
    found: list[dict[str, Any]] = []
    run, before = 0, None
    for row in rows.sort("group").iter_rows(named=True):
        day = dt.date.fromisoformat(row["group"])
        if before is not None and (day - before).days > 1.5 * days.span:
            run += 1
        before = day
        found.append({**row, "date": days.at(day), "run": run})
    return found
