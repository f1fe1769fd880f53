"""topics.png and topics.html: topics over time beside the campaign's events, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from builder.analyze.figures.figure import Chart, Figure
from builder.analyze.figures.material import Material
from builder.analyze.figures.page import page_template, picture_address
from builder.analyze.figures.theme import WIDE, Layout
from builder.analyze.figures.time_figures import videos_a_day
from builder.analyze.topics.labels import Matched
from builder.analyze.topics.model import LEAST_TEXTS, Topics
from builder.analyze.topics.texts import MIN_TEXTS, MIN_VIDEOS

PANELS = 12


@dataclass(frozen=True)
class Named:
    """Topics with their labels, of one release.

    Attributes:
        material: the release.
        topics: its topics.
        matched: their labels.
    """

    material: Material
    topics: Topics
    matched: Matched

    def label(self, topic: int) -> str:
        """The label a person gave, or the topic's first words, and that it has none."""
        given = self.matched.labels[topic]
        if given:
            return given
        words = ", ".join(self.topics.shown[topic][:2])
        return self.material.words("topics.unlabelled", words=words)

    @property
    def empty(self) -> str:
        """Why there are no topics."""
        return self.material.words(
            f"topics.{self.topics.empty or 'no_texts'}",
            texts=LEAST_TEXTS,
            videos=MIN_VIDEOS,
            wordtexts=MIN_TEXTS,
        )

    def days(self) -> pl.DataFrame:
        """topic, date, videos: every topic and every day."""
        found = self.topics.assigned.group_by("topic", "date").agg(videos=pl.len().cast(pl.Int64))
        numbers = pl.DataFrame({"topic": range(len(self.topics.words))}, schema={"topic": pl.Int32})
        grid = numbers.join(self.material.dates.to_frame(), how="cross")
        return (
            grid.join(found, on=["topic", "date"], how="left")
            .sort("topic", "date")
            .with_columns(pl.col("videos").fill_null(0))
        )


def figure_of(named: Named) -> Figure:
    """Topics over time, a panel each."""
    material, words, topics = named.material, named.material.words, named.topics
    data = named.days()
    shown = list(range(min(PANELS, len(topics.words))))
    panels: list[tuple[str, pl.DataFrame]] = []
    for topic in shown:
        mine = data.filter(pl.col("topic") == topic)
        top = mine.sort("videos", "date", descending=[True, False]).row(0, named=True)
        title = words(
            "topics.panel",
            label=named.label(topic),
            n=words.number(topics.sizes[topic]),
            date=words.day(top["date"]),
            peak=words.number(top["videos"]),
        )
        panels.append((title, mine))

    def draw(layout: Layout) -> Chart:
        return videos_a_day(material, layout, panels, height=64)

    notes = [words("topics.note")]
    if len(shown) < len(topics.words):
        notes.append(words("topics.more", shown=len(shown), all=len(topics.words)))
    notes.append(words("topics.rule", videos=MIN_VIDEOS, texts=MIN_TEXTS))
    return Figure(
        name="topics",
        title=words("topics.title"),
        subtitle=words("topics.subtitle"),
        n=material.n(topics.assigned.height, "transcripts"),
        notes=(*notes, *material.coarse_days) if shown else (),
        alt=words("topics.alt", panels="; ".join(title for title, _ in panels)),
        data=data,
        draw=draw if shown else None,
        empty=named.empty,
        legend=tuple(f"{e.key} · {words.day(e.date)}: {e.title}" for e in material.events)
        if shown
        else (),
    )


def page_of(named: Named, figure: Figure, wide: bytes, narrow: bytes) -> bytes:
    """topics.html: needs nothing else."""
    material, words, topics = named.material, named.material.words, named.topics
    total = topics.assigned.height
    rows: list[dict[str, Any]] = [
        {
            "topic": topic,
            "label": named.label(topic),
            "named": bool(named.matched.labels[topic]),
            "size": words.number(size),
            "share": words.share(size / total),
            "words": ", ".join(topics.shown[topic]),
        }
        for topic, size in enumerate(topics.sizes)
    ]
    without = total - sum(topics.sizes)
    scores = {
        name: "–" if value is None else words.number(value, 2)
        for name, value in vars(topics.quality).items()
    }
    return (
        page_template("topics/topics.html.jinja")
        .render(
            words=words,
            title=words("topics.page", name=material.name, version=material.version),
            lead=f"{figure.n} {material.source}",
            synthetic=material.synthetic,
            wide=picture_address(wide),
            narrow=picture_address(narrow),
            breakpoint=WIDE.width - 100,
            width=WIDE.width,
            alt=figure.told,
            rows=rows,
            empty=named.empty if not rows else "",
            without=(words.number(without), words.share(without / total)) if without else None,
            rule=words("topics.rule", videos=MIN_VIDEOS, texts=MIN_TEXTS),
            how=words(f"topics.{topics.method}", texts=words.number(topics.texts)),
            quality=words("topics.quality", low=words.number(-1), **scores),
            gone=named.matched.gone,
        )
        .encode()
    )
