"""From a figure to files: the drawing on its paper with title, notes and source; SVG and PNG.

The SVG follows its reader: light colours, and a style sheet that replaces them where dark ones are
preferred. The same figure gives the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import altair as alt
import vl_convert as vlc
from altair.utils.schemapi import debug_mode

from builder.analyze.figures.figure import Chart, Figure
from builder.analyze.figures.theme import ACCENT, DARK, FONT, PAPER, SOFT, TEXT, Layout, config
from builder.analyze.figures.words import Words

_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_SIZE_OF = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"')
# Vega numbers its clips through all drawings of a process
_CLIP = re.compile(r'(?:(?<=id=")|(?<=url\(#))clip\d+')
_STYLE_AT = "<!--style-->"
_NARROW, _BROAD = set("iljtfrI.,:;'|!()[]·- "), set("mwMW@%—…")


@dataclass(frozen=True)
class Paper:
    """What is printed around every figure of one release.

    Attributes:
        source: the line that says where the numbers come from.
        synthetic: whether they are synthetic.
        words: the language.
    """

    source: str
    synthetic: bool
    words: Words


@dataclass(frozen=True)
class Sheet:
    """A figure on its paper, in light colours; `text` lacks only the style sheet."""

    text: str

    def svg(self) -> bytes:
        """The SVG file, which follows its reader's light or dark."""
        return self.text.replace(_STYLE_AT, _style(), 1).encode()

    def png(self, *, dark: bool = False) -> bytes:
        """PNG, with twice the pixels of its size."""
        svg = self.text.replace(_STYLE_AT, "", 1)
        if dark:
            svg = re.sub("|".join(DARK), lambda found: DARK[found.group()], svg)
        return bytes(vlc.svg_to_png(svg, scale=2))


def _style() -> str:
    rules = "".join(
        f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}'
        for light, dark in DARK.items()
    )
    return f"<style>@media(prefers-color-scheme:dark){{{rules}}}</style>"


def sheet(figure: Figure, layout: Layout, paper: Paper) -> Sheet:
    """Draw a figure in a given room."""
    edge, y = layout.edge, float(layout.edge)
    parts: list[str] = []

    def write(text: str, size: int, colour: str, *, bold: bool = False, gap: float = 0) -> None:
        nonlocal y
        y += gap
        for line in wrapped(text, layout.inner, size, bold=bold):
            y += size * 1.35
            weight = ' font-weight="600"' if bold else ""
            parts.append(
                f'<text x="{edge}" y="{y - size * 0.3:.1f}" font-size="{size}" '
                f'fill="{colour}"{weight}>{escape(line)}</text>'
            )

    if paper.synthetic:
        write(paper.words("synthetic"), 12, ACCENT, bold=True)
    write(figure.title, layout.title, TEXT, bold=True, gap=4 if paper.synthetic else 0)
    write(figure.subtitle, 13, SOFT, gap=2)
    y += 16
    if figure.draw:
        with debug_mode(False):  # no check against the schema while it is put together either
            chart = figure.draw(layout)
        body, _, height = _vega(chart, paper.words)
        parts.append(body.replace("<svg ", f'<svg x="{edge}" y="{y:.1f}" ', 1))
        y += height + 6
    else:
        write(paper.words("nothing"), 14, TEXT, bold=True, gap=14)
        write(figure.empty, 13, TEXT, gap=2)
        y += 16
    for line in figure.legend:
        write(line, 12, TEXT, gap=1)
    for place, line in enumerate((*figure.notes, f"{figure.n} {paper.source}".strip())):
        write(line, 11, SOFT, gap=8 if place == 0 else 1)
    width, tall = layout.width, round(y + edge)
    name = figure.name
    return Sheet(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{tall}" '
        f'viewBox="0 0 {width} {tall}" role="img" aria-labelledby="{name}-t {name}-d" '
        f'lang="{paper.words.language}" font-family="{FONT}">'
        f'<title id="{name}-t">{escape(figure.title)}</title>'
        f'<desc id="{name}-d">{escape(figure.told)}</desc>{_STYLE_AT}'
        f'<rect width="{width}" height="{tall}" fill="{PAPER}"/>{"".join(parts)}</svg>\n'
    )


def _vega(chart: Chart, words: Words) -> tuple[str, float, float]:
    """The drawing alone: SVG, width, height."""
    spec = {"$schema": alt.SCHEMA_URL, "config": config(), **chart}
    locale: Any = words.locale
    svg = vlc.vegalite_to_svg(
        json.dumps(spec),
        vl_version=_VEGA_LITE,
        format_locale=locale,
        time_format_locale=locale,
    )
    clips = {name: f"clip{n}" for n, name in enumerate(dict.fromkeys(_CLIP.findall(svg)))}
    svg = _CLIP.sub(lambda found: clips[found.group()], svg)
    size = _SIZE_OF.search(svg)
    width, height = (float(size.group(i)) for i in (1, 2)) if size else (0.0, 0.0)
    return svg, width, height


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines that fit, by the widths of Arial's letters (rounded up)."""
    lines: list[str] = []
    room = 0.0
    for word in text.split():
        need = text_width(word, size, bold=bold)
        if lines and room + need + 0.28 * size <= width:
            lines[-1] += f" {word}"
            room += need + 0.28 * size
        else:
            lines.append(word)
            room = need
    return lines


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is, pixels."""
    units = sum(
        0.32 if c in _NARROW else 0.87 if c in _BROAD else 0.7 if c.isupper() else 0.56
        for c in text
    )
    return units * size * (1.06 if bold else 1)
