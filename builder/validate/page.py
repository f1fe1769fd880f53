"""validation.html: the report as one page that needs no network, and its plots for the card."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from builder.media.counts import MediaCounts
from builder.run.store import write_atomic
from builder.validate.plots import (
    STYLE,
    Plot,
    bars,
    confidence_histogram,
    reliability_diagram,
    side_by_side,
    stacked_share,
)
from ecuador_crisis_tiktok import ENTAILMENT_LABELS, SENTIMENT_LABELS

_STATUSES = {
    "transcript_status": "Transcripts",
    "sentiment_status": "Sentiment",
    "summary_status": "Summaries",
    "media_status": "Media files",
}


def render_html(
    report: dict[str, Any], figures: str | None = None, explorer: str | None = None
) -> str:
    """The report as one HTML page.

    Args:
        report: what `validate.validate` returned; also one without the newer keys, such as
            `media` and some of `quality`.
        figures, explorer: where the release's figures and explorer are, seen from the page.
    """
    template = resources.files("builder.validate").joinpath("report.html.jinja")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    drawn = {
        name: [(plot.title, Markup(plot.svg())) for plot in plots]
        for name, plots in plots_of(report.get("quality") or {}).items()
    }
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        report=report,
        plots=drawn,
        plot_style=Markup(STYLE),
        figures=figures,
        explorer=explorer,
        media=MediaCounts(**report["media"]).in_words() if report.get("media") else None,
    )


def plots_of(quality: dict[str, Any]) -> dict[str, list[Plot]]:
    """The plots there is something to draw for: section -> plots.

    Args:
        quality: what `quality.check_quality` returned.
    """
    plots: dict[str, list[Plot]] = {}
    sentiment, entailment = quality.get("sentiment"), quality.get("entailment")
    if sentiment:
        per = sentiment["per_label"]
        plots["sentiment"] = _histograms("sentiment", SENTIMENT_LABELS, per, sentiment["threshold"])
    if entailment:
        shares = {name: entailment[f"{name}_share"] for name in ENTAILMENT_LABELS}
        plots["shares"] = [stacked_share("shares", "Verdicts on the summaries", shares)]
        per = entailment["per_verdict"]
        plots["entailment"] = _histograms("entailment", ENTAILMENT_LABELS, per, None)
    titles = {"sentiment": "Reliability of sentiment", "summary": "Reliability of verdicts"}
    gold = quality.get("gold") or {}
    drawn = [
        reliability_diagram(f"reliability-{task}", titles[task], facts)
        for task, facts in gold.items()
    ]
    if drawn:
        plots["reliability"] = drawn
    counts = quality.get("counts") or {}
    if counts.get("language"):
        plots["language"] = [bars("languages", "Languages of the transcripts", counts["language"])]
    plots["statuses"] = [
        bars(f"counts-{name}", title, counts[name])
        for name, title in _STATUSES.items()
        if counts.get(name)
    ]
    return plots


def write_figures(
    quality: dict[str, Any], folder: Path, foot: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Write the plots of the dataset card as SVG files of their own.

    Args:
        quality: what `quality.check_quality` returned.
        folder: where to write, such as `<release>/figures`.
        foot: lines below each plot: where its numbers come from, and that they are synthetic.

    Returns:
        One entry a file: `file` (its name), `title`, `alt` (the plot in words).
    """
    plots = plots_of(quality)
    rows = {
        "sentiment_confidence": ("sentiment", "Confidence of the sentiment labels"),
        "entailment_shares": ("shares", "Verdicts on the summaries"),
        "entailment_confidence": ("entailment", "Confidence of the verdicts"),
        "reliability": ("reliability", "Reliability against people's labels"),
    }
    written = []
    for name, (section, title) in rows.items():
        if not plots.get(section):
            continue
        plot = side_by_side(name, title, plots[section], headed=section == "reliability")
        write_atomic(folder / f"{name}.svg", plot.svg(alone=True, foot=foot).encode())
        written.append({"file": f"{name}.svg", "title": title, "alt": plot.description})
    return written


def _histograms(
    section: str, names: tuple[str, ...], per: dict[str, Any], threshold: float | None
) -> list[Plot]:
    top = max((max(per[name]["histogram"]) for name in names), default=0)
    return [
        confidence_histogram(f"{section}-{name}", name, per[name], top=top, threshold=threshold)
        for name in names
    ]


def number(value: Any) -> str:
    """A value as people read it: thousands apart, at most four decimals, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(number(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")
