"""What the page knows of a release: names in its language, packed counts, remarks."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

from builder.analyze import aggregates
from builder.analyze.explorer.cube import OTHER, Cube
from builder.analyze.explorer.pack import pack, pack_json
from builder.analyze.explorer.topics import Topic, Topics
from builder.analyze.figures.material import Material
from builder.analyze.figures.words import Language
from builder.analyze.tables import METRICS
from ecuador_crisis_tiktok import TRANSCRIPT_SOURCES


def data_of(
    material: Material, topics: Topics | None, cube: Cube, samples: list[dict[str, Any]]
) -> dict[str, Any]:
    """What `site/app.js` reads: names in the page's language, and the packed cube."""
    texts, words = texts_of(material.language), material.words
    days = [day.isoformat() for day in material.dates]
    known = words.section("languages")
    uses = material.hashtags.head(len(cube.tags))["videos"].to_list()
    end = max(material.last.isoformat(), days[-1])
    return {
        "text": texts["app"],
        "locale": texts["locale"],
        "numbers": texts["numbers"],
        "resolution": material.resolution if material.span > 1 else "day",
        "dates": days,
        "last": end,
        "videos": rows_of(material),
        "exact": cube.exact,
        "events": [
            {
                "key": event.key,
                "date": event.date.isoformat(),
                "title": event.title,
                "place": days.index(material.released(event.date).isoformat()),
            }
            for event in material.events
        ],
        "labels": words.section("labels"),
        "metrics": [
            {"column": metric, "name": words(f"metrics.{metric}")}
            for metric in METRICS
            if cube.columns[metric].count()
        ],
        "codes": [_code(code) for code in cube.languages],
        "languages": [
            words("unidentified")
            if code == aggregates.UNIDENTIFIED
            else texts["app"]["other_languages"]
            if code == OTHER
            else known.get(code, code)
            for code in cube.languages
        ],
        "sources": list(TRANSCRIPT_SOURCES),
        "tags": list(cube.tags),
        "uses": uses,
        "topics": [_named(topic, texts["app"]) for topic in topics.names] if topics else [],
        "columns": {name: pack(column) for name, column in cube.columns.items()},
        "samples": pack_json(samples),
    }


def notes_of(material: Material, has: dict[str, bool], undated: int) -> list[str]:
    """What a reader has to know before they wonder why there is so little."""
    notes, words = texts_of(material.language)["notes"], material.words
    videos = rows_of(material)
    if not videos:
        return [str(notes["empty"])]
    told = []
    if videos == 1:
        told.append(notes["one_video"])
    days = material.daily.filter(pl.col("videos") > 0)["date"]
    if len(days) == 1 and not undated:
        told.append(notes["one_day"].format(day=f"{words.day(days[0])} {days[0].year}"))
    if undated:
        told.append(notes["undated"].format(n=words.number(undated)))
    spoken = aggregates.languages(material.tables)["language"].to_list()
    if len(spoken) == 1 and spoken != [aggregates.UNIDENTIFIED]:
        name = words.section("languages").get(spoken[0], spoken[0])
        told.append(notes["one_language"].format(language=name))
    missing = {
        "transcripts": "no_transcripts",
        "sentiment": "no_sentiment",
        "tags": "no_hashtags",
        "counts": "no_counts",
    }
    told += [notes[text] for key, text in missing.items() if not has[key]]
    if has["transcripts"] and not has["samples"]:
        told.append(notes["no_texts"])
    coarse = (*material.coarse_days, *material.coarse_counts, *material.hidden)
    return [*(str(note) for note in told), *coarse]


@cache
def texts_of(language: Language) -> dict[str, Any]:
    """The explorer's texts of a language."""
    file = resources.files("builder.analyze.explorer") / "texts" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def rows_of(material: Material) -> int:
    """Videos of the release, whatever their day."""
    counted = material.tables.scan("videos").select(pl.len())
    return int(counted.collect(engine="streaming").item())


def undated_of(cube: Cube) -> int:
    """Videos without a day of the window."""
    without = cube.columns["day"].is_null()
    if cube.exact:
        return int(without.sum())
    base = without & cube.columns["tag"].is_null() & cube.columns["topic"].is_null()
    return int(cube.columns["videos"].filter(base).sum())


def _named(topic: Topic, texts: dict[str, str]) -> str:
    return topic.label or texts["unnamed"].format(words=topic.words)


def _code(language: str) -> str | None:
    """A code that `lang` of an element understands."""
    return language if language.isascii() and 2 <= len(language) <= 3 else None
