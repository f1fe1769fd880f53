"""The report's plots as inline SVG: no network, no script, readable in the dark and by ear.

Every plot has a title and a description for screen readers and says its numbers in text; colour
only repeats what a label says. Colours are classes, defined once in `STYLE`; the page embeds that
with its own style, a plot on the dataset card carries it inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt
from typing import Any

# light, dark: picked for contrast of 3:1 and more on both backgrounds, and for colour-blind eyes
COLOURS = {
    "bad": ("#b4490f", "#f0935a"),
    "mid": ("#64748b", "#94a3b8"),
    "good": ("#0f766e", "#2dbfae"),
    "main": ("#3b5b92", "#8fb1ea"),
    "text": ("#1f2937", "#e5e7eb"),
    "soft": ("#5b6472", "#a3adba"),
    "grid": ("#d9dee5", "#3a424e"),
    "paper": ("#ffffff", "#14181f"),
}
# One that reads on both, 3:1 and more: a file of its own does not know the page around it.
_EITHER = {
    "bad": "#d9622b",
    "mid": "#7b8798",
    "good": "#12938a",
    "main": "#5b82c4",
    "text": "#6f7885",
    "soft": "#7b8490",
    "grid": "#9aa3ae",
}
TONES = {
    "negative": "bad",
    "neutral": "mid",
    "positive": "good",
    "contradiction": "bad",
    "entailment": "good",
}


def _rules(colours: Mapping[str, str]) -> str:
    return "".join(
        f".p-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour};fill:none}}"
        for name, colour in colours.items()
    )


_FONTS = "svg.plot text{font:12px system-ui,sans-serif}svg.plot .small{font-size:11px}"
_LIGHT, _DARK = ({name: pair[i] for name, pair in COLOURS.items()} for i in (0, 1))
STYLE = f"{_rules(_LIGHT)}{_FONTS}@media(prefers-color-scheme:dark){{{_rules(_DARK)}}}"
_ALONE = _rules(_EITHER) + _FONTS


@dataclass(frozen=True)
class Plot:
    """A drawing that is not yet a whole SVG, so that several can be put side by side.

    Attributes:
        ident: unique on the page.
        title: what it shows.
        description: its message in numbers, for those who cannot see it.
        width, height: of its box.
        body: SVG elements.
    """

    ident: str
    title: str
    description: str
    width: int
    height: int
    body: str

    def svg(self, *, alone: bool = False, foot: Sequence[str] = ()) -> str:
        """The plot as an SVG element.

        Args:
            alone: as a file of its own, with its style inside and its title above it.
            foot: lines below it, of a file of its own.
        """
        head, style, around, edge, roof = "", "", "", 0, 0
        width, height = self.width, self.height
        if alone:
            # no paper and colours for both: it takes the theme of the page around it, which need
            # not be that of the reader's system
            edge, roof = 16, 44
            lines = [_text(0, height + 22 + 15 * i, line, "soft") for i, line in enumerate(foot)]
            around = _text(0, -20, self.title, "text", weight=600) + "".join(lines)
            width, height = width + 2 * edge, height + roof + edge + 15 * len(foot)
            head = f' xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            style = f"<style>{_ALONE}</style>"
        return (
            f'<svg{head} class="plot" role="img" viewBox="{-edge} {-roof} {width} {height}" '
            f'aria-labelledby="{self.ident}-t {self.ident}-d">'
            f'<title id="{self.ident}-t">{escape(self.title)}</title>'
            f'<desc id="{self.ident}-d">{escape(self.description)}</desc>'
            f"{style}{self.body}{around}</svg>"
        )


def side_by_side(
    ident: str, title: str, plots: Sequence[Plot], *, headed: bool = False, gap: int = 24
) -> Plot:
    """Several plots in a row, as one; `headed`: each under its own title."""
    at, parts, roof = 0, [], 26 if headed else 0
    for plot in plots:
        if headed:
            parts.append(_text(at, 14, plot.title, "text", weight=600))
        parts.append(f'<g transform="translate({at} {roof})">{plot.body}</g>')
        at += plot.width + gap
    told = " ".join(f"{plot.title}: {plot.description}" for plot in plots)
    height = roof + max(plot.height for plot in plots)
    return Plot(ident, title, told, at - gap, height, "".join(parts))


def confidence_histogram(
    ident: str, name: str, facts: Mapping[str, Any], *, top: int, threshold: float | None = None
) -> Plot:
    """Histogram of one label's confidence.

    Args:
        ident: unique on the page.
        name: the label.
        facts: `count`, `mean`, `histogram`.
        top: rows at the top of the axis, the same for plots that are compared.
        threshold: where to draw a line, if anywhere.
    """
    width, height, left, base, roof = 240, 172, 6, 138, 34
    inner = width - 2 * left
    bins = facts["histogram"]
    step = inner / len(bins)
    tone = TONES.get(name, "main")
    body = [_text(left, 14, name, "text", weight=600)]
    n = facts["count"]
    count = f"{n:,} rows, mean {facts['mean']:.2f}" if n else "no rows"
    body.append(_text(width - left, 14, count, "soft", anchor="end"))
    for i, n in enumerate(bins):
        tall = (base - roof) * n / top if top else 0
        if n:
            tall = max(tall, 1.5)  # a single row must not vanish
            body.append(_rect(left + i * step + 1, base - tall, step - 2, tall, tone))
    body.append(_line(left, base, width - left, base, "grid"))
    if threshold is not None:
        x = left + inner * threshold
        body.append(_line(x, roof - 8, x, base, "text", dash="3 3"))
        body.append(_text(x - 4, roof - 1, f"{threshold:g}", "soft", anchor="end", small=True))
    for value, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        x = left + inner * value
        body.append(_text(x, base + 15, f"{value:g}", "soft", anchor=anchor, small=True))
    body.append(_text(width / 2, height - 4, "confidence", "soft", anchor="middle", small=True))
    spans = [
        f"{i / len(bins):.1f} to {(i + 1) / len(bins):.1f}: {n:,}" for i, n in enumerate(bins) if n
    ]
    told = f"{count}. {'; '.join(spans)}." if spans else count
    return Plot(ident, f"Confidence of {name}", told, width, height, "".join(body))


def reliability_diagram(ident: str, title: str, gold: Mapping[str, Any]) -> Plot:
    """Accuracy beside mean confidence, a dot an interval, its area the share of rows.

    Args:
        ident: unique on the page.
        title: what was judged.
        gold: `reliability`, `expected_calibration_error`, `gold_count`.
    """
    width, height, left, roof, size = 352, 334, 60, 14, 270
    rows = [row for row in gold["reliability"] if row["weight"] > 0]
    total = sum(row["weight"] for row in rows)

    def x(value: float) -> float:
        return left + size * value

    def y(value: float) -> float:
        return roof + size * (1 - value)

    body = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        body += [
            _line(x(tick), y(0), x(tick), y(1), "grid"),
            _line(x(0), y(tick), x(1), y(tick), "grid"),
            _text(x(tick), y(0) + 16, f"{tick:g}", "soft", anchor="middle", small=True),
            _text(left - 6, y(tick) + 4, f"{tick:g}", "soft", anchor="end", small=True),
        ]
    body.append(_line(x(0), y(0), x(1), y(1), "soft", dash="4 4"))
    points = " ".join(f"{x(row['confidence']):.1f},{y(row['accuracy']):.1f}" for row in rows)
    body.append(f'<polyline points="{points}" class="s-main" stroke-width="1.5"/>')
    for row in rows:
        across, up = x(row["confidence"]), y(row["accuracy"])
        body.append(_line(across, y(row["confidence"]), across, up, "bad", width=1.5))
        radius = 3 + 9 * sqrt(row["weight"] / total)
        body.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="{radius:.1f}" class="p-main"/>')
    body.append(_text(x(0.5), height - 8, "mean confidence", "soft", anchor="middle"))
    middle = y(0.5)
    body.append(
        f'<text transform="translate(12 {middle:.0f}) rotate(-90)" class="p-soft" '
        'text-anchor="middle">share that people confirm</text>'
    )
    body.append(_text(x(0.03), y(0.93), "less sure than it should be", "soft", small=True))
    body.append(
        _text(x(0.97), y(0.05), "surer than it should be", "soft", anchor="end", small=True)
    )
    spans = "; ".join(
        f"confidence {row['confidence']:.2f}, confirmed {row['accuracy']:.2f} "
        f"({row['count']:,} rows)"
        for row in rows
    )
    told = (
        f"Expected calibration error {gold['expected_calibration_error']:.3f} over "
        f"{gold['gold_count']:,} rows judged by people. {spans}."
    )
    return Plot(ident, title, told, width, height, "".join(body))


def stacked_share(ident: str, title: str, shares: Mapping[str, float]) -> Plot:
    """One bar divided by share, each part named in text.

    Args:
        ident: unique on the page.
        title: what is divided.
        shares: name -> share; sums to 1.
    """
    width, roof, tall = 720, 4, 34
    body, legend, at = [], [], 0.0
    for place, (name, share) in enumerate(shares.items()):
        wide = width * share
        tone = TONES.get(name, "main")
        if wide > 0:
            body.append(_rect(at + 1, roof, max(wide - 2, 0.5), tall, tone))
        at += wide
        left = place * 240
        legend.append(_rect(left, roof + tall + 15, 11, 11, tone))
        legend.append(_text(left + 18, roof + tall + 25, f"{name} {share:.1%}", "text"))
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return Plot(ident, title, f"{told}.", width, roof + tall + 34, "".join(body + legend))


def bars(ident: str, title: str, counts: Mapping[str, int], *, most: int = 8) -> Plot:
    """Horizontal bars, the largest first; what is beyond `most` is summed up as "other".

    Args:
        ident: unique on the page.
        title: what is counted.
        counts: name -> rows.
        most: how many bars.
    """
    shown = dict(list(counts.items())[: most if len(counts) <= most else most - 1])
    rest = sum(counts.values()) - sum(shown.values())
    if rest:
        shown[f"{len(counts) - len(shown)} others"] = rest
    total, top = sum(counts.values()), max(counts.values())
    width, left, right, row = 420, 128, 112, 26
    body = []
    for place, (name, n) in enumerate(shown.items()):
        y = place * row
        wide = max((width - left - right) * min(n / top, 1.0), 1.5)
        body.append(_text(left - 10, y + 17, _short(name), "text", anchor="end"))
        body.append(_rect(left, y + 5, wide, 16, "main"))
        body.append(_text(left + wide + 8, y + 17, f"{n:,} ({n / total:.1%})", "soft"))
    told = ", ".join(f"{name} {n:,} ({n / total:.1%})" for name, n in shown.items())
    return Plot(ident, title, f"{told}.", width, len(shown) * row + 2, "".join(body))


def _short(name: str, length: int = 18) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _rect(x: float, y: float, width: float, height: float, tone: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'class="p-{tone}"/>'
    )


def _line(
    x1: float, y1: float, x2: float, y2: float, tone: str, *, dash: str = "", width: float = 1
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="s-{tone}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    tone: str,
    *,
    anchor: str = "start",
    small: bool = False,
    weight: int = 400,
) -> str:
    classes = f"p-{tone} small" if small else f"p-{tone}"
    bold = f' font-weight="{weight}" style="font-weight:{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}" text-anchor="{anchor}"{bold}>'
        f"{escape(text)}</text>"
    )
