"""Figures 2, 3 and 5: bars that carry their numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from builder.analyze import aggregates
from builder.analyze.figures.figure import Chart, Figure, below, beside, layered, values
from builder.analyze.figures.material import Material
from builder.analyze.figures.paper import text_width
from builder.analyze.figures.theme import SIZE, SOFT, TEXT, Layout
from builder.analyze.figures.words import Words
from builder.analyze.ngrams import MIN_AUTHORS, MIN_VIDEOS, SCHEMA

_ROW = 24
_GUTTER = 28
_LANGUAGES = 9  # bars of Figure 5, the others summed up


def figure2(material: Material, top: int = 12) -> Figure:
    """Top bigrams and trigrams of captions."""
    words, ngrams = material.words, material.ngrams
    limits = {
        "videos": words.number(ngrams.min_videos if ngrams else MIN_VIDEOS),
        "authors": words.number(ngrams.min_authors if ngrams else MIN_AUTHORS),
    }
    data = ngrams.top if ngrams else pl.DataFrame(schema=SCHEMA)
    panels = {
        words(f"figure2.{key}"): [
            (row["ngram"], row["videos"], words.number(row["videos"]))
            for row in data.filter(pl.col("n") == size).head(top).iter_rows(named=True)
        ]
        for size, key in ((2, "pairs"), (3, "triples"))
    }
    panels = {title: rows for title, rows in panels.items() if rows}
    if ngrams is None:
        empty = words("figure2.no_work")
    elif not ngrams.captions:
        empty = words("figure2.no_captions")
    else:
        empty = words("figure2.empty", **limits)
    tops = [f"{text} {shown}" for rows in panels.values() for text, _, shown in rows[:5]]
    return Figure(
        name="figure2",
        title=words("figure2.title"),
        subtitle=words("figure2.subtitle"),
        n=material.n(ngrams.captions, "captions")
        if ngrams
        else material.n(material.videos, "videos"),
        notes=(words("figure2.note", **limits),),
        alt=words("figure2.alt", tops=", ".join(tops)),
        data=data,
        draw=(lambda layout: _panels(panels, layout)) if panels else None,
        empty=empty,
    )


def figure3(material: Material) -> Figure:
    """The ten most used hashtags: videos, and mean views."""
    words = material.words
    data = material.hashtags.head(len(material.top_tags))
    rows = list(data.iter_rows(named=True))
    viewed = any(row["mean_views"] is not None for row in rows)
    panels = {
        words("figure3.videos"): [
            (f"#{row['hashtag']}", row["videos"], words.number(row["videos"])) for row in rows
        ]
    }
    if viewed:
        panels[words("figure3.views")] = [
            (f"#{row['hashtag']}", row["mean_views"] or 0, _known(row["mean_views"], words))
            for row in rows
        ]
    notes = [words("figure3.note_none")]
    if material.generic:
        generic = ", ".join(f"#{tag}" for tag in material.generic)
        notes = [words("figure3.note", generic=generic)]
    if rows and not viewed:
        notes.append(words("figure3.no_views"))
    notes += [*(material.coarse_counts if viewed else ()), *material.hidden]
    told = [
        words(
            "figure3.alt_views" if viewed else "figure3.alt_one",
            tag=row["hashtag"],
            n=words.number(row["videos"]),
            views=_known(row["mean_views"], words),
        )
        for row in rows
    ]
    return Figure(
        name="figure3",
        title=words("figure3.title"),
        subtitle=words("figure3.subtitle"),
        n=material.n(material.videos, "videos"),
        notes=tuple(notes),
        alt=words("figure3.alt", tops="; ".join(told)),
        data=data,
        draw=(lambda layout: _panels(panels, layout, same_rows=True)) if rows else None,
        empty=words("figure3.empty"),
    )


def figure5(material: Material) -> Figure:
    """Languages of the transcripts."""
    words = material.words
    data = aggregates.languages(material.tables)
    total = int(data["videos"].sum())
    names = words.section("languages") | {aggregates.UNIDENTIFIED: words("unidentified")}
    counts = [(names.get(code, code), n) for code, n in data.select("language", "videos").rows()]
    if len(counts) > _LANGUAGES + 1:
        rest = counts[_LANGUAGES:]
        others = words("others", n=words.number(len(rest)))
        counts = [*counts[:_LANGUAGES], (others, sum(n for _, n in rest))]
    rows = [(name, n, f"{words.number(n)} ({words.share(n / total)})") for name, n in counts]
    identified = set(data["language"]) - {aggregates.UNIDENTIFIED}
    return Figure(
        name="figure5",
        title=words("figure5.title"),
        subtitle=words("figure5.subtitle"),
        n=material.n(total, "transcripts"),
        notes=(words("figure5.note"),),
        alt=words("figure5.alt", shares=", ".join(f"{name} {shown}" for name, _, shown in rows)),
        data=data,
        draw=(lambda layout: _panels({"": rows}, layout)) if identified else None,
        empty=words("figure5.no_language" if total else "figure5.empty"),
    )


def _known(value: float | None, words: Words) -> str:
    return words("unknown") if value is None else words.number(value)


def _panels(
    panels: dict[str, list[tuple[str, float, str]]], layout: Layout, *, same_rows: bool = False
) -> Chart:
    """Bars in panels side by side, or below each other on a phone.

    Args:
        panels: title -> (name, value, the value as shown) of each bar.
        layout: the room.
        same_rows: all panels name the same things in the same order: they are named once.
    """
    columns = 1 if layout.phone else len(panels)
    room = (layout.inner - _GUTTER * (columns - 1)) // columns
    names = [name for rows in panels.values() for name, _, _ in rows]
    label = min(max(text_width(name, SIZE) for name in names) + 10, 0.5 * room)
    shared = same_rows and not layout.phone
    if shared:
        room = int((layout.inner - label - _GUTTER * (columns - 1)) // columns + label)
    drawn = [
        _bars(rows, title, room - (label if shared and place else 0), label, shared and place > 0)
        for place, (title, rows) in enumerate(panels.items())
    ]
    if layout.phone and len(drawn) > 1:
        return below(drawn, spacing=22)
    return beside(drawn, spacing=_GUTTER)


def _bars(
    rows: Sequence[tuple[str, float, str]], title: str, room: float, label: float, unnamed: bool
) -> Chart:
    """One panel: names on the left, numbers at the end of the bars."""
    number = max(text_width(shown, SIZE) for _, _, shown in rows) + 10
    width = max(20.0, room - number - (0 if unnamed else label))
    top = max((value for _, value, _ in rows), default=0) or 1
    records: list[dict[str, Any]] = [
        {"row": place, "name": name, "value": value, "shown": shown}
        for place, (name, value, shown) in enumerate(rows)
    ]
    full = width + number
    x = alt.X("value:Q", scale=alt.Scale(domain=[0, top * full / width], nice=False), axis=None)
    order = [str(record["row"]) for record in records]
    labels = {str(record["row"]): record["name"] for record in records}
    axis = alt.Axis(
        title=None,
        grid=False,
        labels=not unnamed,
        labelColor=TEXT,
        labelFontSize=SIZE,
        labelLimit=label,
        labelExpr=f"{json.dumps(labels)}[datum.value]",
        minExtent=0 if unnamed else label,
        maxExtent=0 if unnamed else label,
    )
    y = alt.Y("row:N", sort=order, axis=axis, scale=alt.Scale(paddingInner=0.3, paddingOuter=0.1))
    base = alt.Chart(values(records), width=full, height=_ROW * len(records))
    bars = base.mark_bar(cornerRadiusEnd=2).encode(x=x, y=y)
    numbers = base.mark_text(align="left", dx=5, color=SOFT, baseline="middle").encode(
        x=x, y=y, text="shown:N"
    )
    return layered(bars, numbers, title=alt.TitleParams(title) if title else None)
