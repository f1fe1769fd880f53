"""The explorer of a release: one page that opens from disk, and the README of a static Space."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from builder.analyze.explorer.content import data_of, notes_of, rows_of, texts_of, undated_of
from builder.analyze.explorer.cube import MOST_ROWS, cube_of
from builder.analyze.explorer.samples import samples_of
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material
from builder.analyze.figures.page import page_template
from builder.run.store import write_atomic
from builder.validate.plots import COLOURS

_PARTS = ("tags", "sentiment", "transcripts", "topics", "counts", "samples")
INDEX, README = "index.html", "README.md"
# beyond the plots' colours, light and dark: those of the figures' page
_PAGE = {
    "panel": ("#f6f7f9", "#1b2029"),
    "edge": ("#7b8490", "#7b8490"),
    "link": ("#2f5597", "#9cbcf0"),
    "warn": ("#7a4206", "#f3c178"),
    "warn-bg": ("#fdf1dc", "#37280f"),
}


def write_site(
    material: Material, folder: Path, topics: Topics | None = None, most: int = MOST_ROWS
) -> list[str]:
    """Write the site of a release.

    Args:
        material: the release.
        folder: where to; files of the same name are replaced.
        topics: topics of its videos.
        most: videos beyond which the page holds groups of them.

    Returns:
        Names of the files written.

    Raises:
        UsageProblem: the topics are those of another release.
    """
    write_atomic(folder / INDEX, page_of(material, topics, most))
    write_atomic(folder / README, readme_of(material))
    return [INDEX, README]


def page_of(material: Material, topics: Topics | None = None, most: int = MOST_ROWS) -> bytes:
    """The page; see `write_site`."""
    texts, words = texts_of(material.language), material.words
    data: dict[str, Any] = {}
    has = dict.fromkeys(_PARTS, False)
    exact, undated = True, 0
    samples: list[dict[str, Any]] = []
    if rows_of(material):
        cube = cube_of(material, topics, most)
        samples = samples_of(material, topics, cube)
        data = data_of(material, topics, cube, samples)
        exact, undated = cube.exact, undated_of(cube)
        has = {
            "tags": bool(cube.tags),
            "sentiment": bool((cube.columns["class"] > 0).any()),
            "transcripts": bool(cube.columns["language"].count()),
            "topics": topics is not None and bool(topics.names),
            "counts": bool(data["metrics"]),
            "samples": bool(samples),
        }
    style, script = _style(), _file("app.js")
    told = material.english
    fields = {
        "name": material.name,
        "version": material.version,
        "title": material.title,
        "n": words.number(rows_of(material)),
        "window": material.window,
    }
    page = {key: str(text) for key, text in texts["page"].items()}
    if told is not None and told.publication.warning:
        page["warning"] = told.publication.warning.strip()
    threshold = words.number(material.tables.threshold, 2)
    html = page_template("explorer/site/page.html.jinja").render(
        language=material.language,
        words=page,
        title=page["title"].format(**fields),
        lead=page["lead"].format(**fields),
        synthetic=words("synthetic") if material.synthetic else "",
        notes=notes_of(material, has, undated),
        packed=Markup(_embedded(data)) if data else "",
        has=has,
        exact=exact,
        labels=words.section("labels"),
        events=bool(material.events),
        low_note=page["low_note"].format(threshold=threshold),
        samples_hint=page["samples_hint"].format(n=words.number(len(samples))),
        source=material.source,
        n=material.n(rows_of(material), "videos"),
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
    )
    return html.encode()


def readme_of(material: Material) -> bytes:
    """README.md: the settings of a static Space, and what the folder is."""
    synthetic = " (SYNTHETIC)" if material.synthetic else ""
    front = {
        "title": f"{material.name} explorer{synthetic}",
        "colorFrom": "blue",
        "colorTo": "green",
        "sdk": "static",
        "app_file": INDEX,
        "pinned": False,
    }
    lines = [
        f"# {front['title']}",
        "",
        *([f"**{material.words('synthetic')}**", ""] if material.synthetic else []),
        f"{material.source} {material.n(rows_of(material), 'videos')}",
        "",
        f"Open `{INDEX}`: it needs no server and makes no request. Made by "
        "`ecuador-crisis explore` from the released files; pushed as it is, this folder is a "
        "static Space of the Hub.",
        "",
    ]
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{chr(10).join(lines)}".encode()


def _embedded(data: dict[str, Any]) -> str:
    """JSON inside a script element: nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _file(name: str) -> str:
    file = resources.files("builder.analyze.explorer") / "site" / name
    return file.read_text(encoding="utf-8")


def _style() -> str:
    colours = {**COLOURS, **_PAGE}
    light, dark = (
        "".join(f"--{name}:{pair[i]};" for name, pair in colours.items()) for i in (0, 1)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=light]{{color-scheme:light;}}"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n{_file('style.css')}"
    )


def _hash(text: str) -> str:
    """A hash as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
