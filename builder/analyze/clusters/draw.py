"""map.png and map.html: every video a dot, coloured by cluster."""

from __future__ import annotations

from typing import Literal

import altair as alt
import orjson
import polars as pl

from builder.analyze.clusters.layout import Map
from builder.analyze.figures.figure import Chart, Figure, layered, values
from builder.analyze.figures.page import page_template
from builder.analyze.figures.theme import ACCENT, MAIN, SOFT, TEXT, Layout
from builder.analyze.figures.words import Words

SHOWN = 8  # clusters with a number on the picture
_MOST_DOTS = 5_000


def figure_of(made: Map | None, about: str, videos: int, words: Words) -> Figure:
    """The map as a figure, or why there is none."""
    data = (
        made.videos
        if made
        else pl.DataFrame(
            schema={"video_id": pl.String, "x": pl.Float64, "y": pl.Float64, "cluster": pl.Int32}
        )
    )
    clusters = made.clusters if made else 0

    def draw(layout: Layout) -> Chart:
        dots = data.gather_every(max(1, -(-data.height // _MOST_DOTS)))
        rows = dots.select("x", "y", inside=pl.col("cluster") >= 0).to_dicts()
        numbers = (
            data.filter(pl.col("cluster").is_between(0, SHOWN - 1))
            .group_by("cluster")
            .agg(pl.col("x").max(), pl.col("y").median(), left=pl.col("x").min())
            .sort("cluster")
        )
        # a number stands to the right of its cluster, or to the left of one at the edge
        edge = data.select(edge=0.06 * pl.col("x").min() + 0.94 * pl.col("x").max()).item()
        beside: list[tuple[pl.DataFrame, Literal["left", "right"], int]] = [
            (numbers.filter(pl.col("x") <= edge), "left", 8),
            (numbers.filter(pl.col("x") > edge).with_columns(x="left"), "right", -8),
        ]
        bare = alt.Axis(labels=False, grid=False, title=None)
        x = alt.X("x:Q", axis=bare, scale=alt.Scale(zero=False, nice=False, padding=12))
        y = alt.Y("y:Q", axis=bare, scale=alt.Scale(zero=False, nice=False, padding=12))
        colour = alt.Color(
            "inside:N", legend=None, scale=alt.Scale(domain=[True, False], range=[MAIN, SOFT])
        )
        side = layout.inner if layout.phone else 560
        base = alt.Chart(values(rows), width=layout.inner - 8, height=side)
        layers = [base.mark_circle(size=22, opacity=0.55).encode(x=x, y=y, color=colour)]
        for some, align, dx in beside:
            if some.height:
                marks = alt.Chart(values(some.to_dicts()))
                bold = marks.mark_text(
                    fontSize=15, fontWeight=700, color=ACCENT, align=align, dx=dx
                )
                layers.append(bold.encode(x=x, y=y, text="cluster:N"))
        return layered(*layers)

    near = made.near if made else None
    notes = [words("clusters.note", shown=SHOWN), about]
    if near is not None:
        notes.append(words("clusters.near", n=words.number(near)))
    return Figure(
        name="map",
        title=words("clusters.title"),
        subtitle=words("clusters.subtitle"),
        n=words("n", n=words.number(data.height if made else videos), what=words("videos")),
        notes=tuple(notes) if made else (),
        alt=words("clusters.alt", n=words.number(data.height), clusters=words.number(clusters)),
        data=data,
        draw=draw if made else None,
        empty=words("clusters.few", n=words.number(videos)),
    )


def page_of(
    made: Map | None, figure: Figure, source: str, words: Words, *, synthetic: bool
) -> bytes:
    """map.html: a canvas with the dots, a list of clusters; needs nothing else."""
    dots = made.videos.select("video_id", "x", "y", "cluster").rows() if made else []
    sizes = (
        made.videos.filter(pl.col("cluster") >= 0).group_by("cluster").len().sort("cluster").rows()
        if made
        else []
    )
    return (
        page_template("clusters/map.html.jinja")
        .render(
            words=words,
            title=figure.title,
            subtitle=figure.subtitle,
            n=figure.n,
            source=source,
            alt=figure.told,
            synthetic=synthetic,
            notes=figure.notes,
            empty=figure.empty if not made else "",
            dots=orjson.dumps(dots).decode().replace("<", "\\u003c"),
            sizes=[(cluster, words.number(n)) for cluster, n in sizes],
            text=TEXT,
            shown=SHOWN,
        )
        .encode()
    )
