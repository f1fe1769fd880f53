"""validation.html: stands alone, says everything without colour, and looks right in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from quality_kit import fill
from release_kit import Built

from builder.config.campaign import Campaign
from builder.validate.page import number, plots_of, render_html, write_figures
from builder.validate.quality import check_quality
from builder.validate.release import Release
from builder.validate.whole import validate, write_reports

ECUADOR = Campaign.load()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Page(HTMLParser):
    """Tags, ids, and addresses of a page."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "rect", "line", "circle", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.labelled: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("src", "href", "xlink:href", "action"):
            if given.get(name):
                self.addresses.append(str(given[name]))
        if given.get("aria-labelledby"):
            self.labelled += str(given["aria-labelledby"]).split()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture
def report(editable: Path) -> dict[str, Any]:
    """A report with gold labels for both tasks."""
    truth = fill(editable)
    gold = pl.concat(
        [
            truth.select(pl.lit("sentiment").alias("task"), "video_id", "gold"),
            truth.select(
                pl.lit("summary").alias("task"), "video_id", pl.col("entailment").alias("gold")
            ),
        ]
    ).with_columns(weight=pl.lit(3.0))
    made = validate(editable, ECUADOR)
    made["quality"] = check_quality(Release(editable), ECUADOR, gold)
    return made


def test_the_page_is_well_formed_and_needs_no_network(report: dict[str, Any]) -> None:
    html = render_html(report)
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labelled) <= set(page.ids)
    assert all(address.startswith("#") for address in page.addresses)
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://", html)
    assert "prefers-color-scheme:dark" in html.replace(" ", "")
    assert "Synthetic data" in html


def test_the_page_links_to_figures_and_explorer_that_are_there(
    report: dict[str, Any], tmp_path: Path
) -> None:
    pages = [tmp_path / name / "index.html" for name in ("figures", "explorer")]
    written = tmp_path / "reports" / "validation.html"
    write_reports(report, None, written, *pages)
    assert "index.html" not in written.read_text(encoding="utf-8")
    for page in pages:
        page.parent.mkdir()
        page.touch()
    write_reports(report, None, written, *pages)
    html = written.read_text(encoding="utf-8")
    assert 'href="../figures/index.html"' in html and 'href="../explorer/index.html"' in html


def test_every_plot_is_there_and_tells_its_numbers_in_words(report: dict[str, Any]) -> None:
    html = render_html(report)
    for ident in (
        *(f"sentiment-{label}" for label in ("negative", "neutral", "positive")),
        *(f"entailment-{label}" for label in ("entailment", "neutral", "contradiction")),
        "shares",
        "reliability-sentiment",
        "reliability-summary",
        "languages",
        "counts-transcript_status",
        "counts-sentiment_status",
        "counts-summary_status",
    ):
        assert f'id="{ident}-t"' in html, ident
    assert html.count('role="img"') == html.count("<svg") == html.count("<desc")
    told = re.search(r'<desc id="reliability-sentiment-d">([^<]*)', html)
    assert told
    error = report["quality"]["gold"]["sentiment"]["expected_calibration_error"]
    assert f"Expected calibration error {error:.3f}" in told[1]
    share = report["quality"]["entailment"]["contradiction_share"]
    assert f"contradiction {share:.1%}" in html


def test_without_labels_there_are_no_empty_plots(small: Built) -> None:
    html = render_html(small.report)
    assert Page(html).open == []
    assert 'id="counts-transcript_status-t"' in html
    assert "reliability-" not in html
    assert "sentiment-negative" not in html


def test_a_broken_contract_is_shown_first_and_without_quality(editable: Path) -> None:
    (editable / "README.md").write_text("changed")
    report = validate(editable, ECUADOR)
    html = render_html(report)
    assert Page(html).open == []
    assert "the bytes were changed" in html
    assert html.index("the bytes were changed") < html.index("rules that hold")


def test_a_report_of_an_earlier_version_still_renders(report: dict[str, Any]) -> None:
    report["quality"] = {"counts": report["quality"]["counts"], "low_confidence_share": 0.4}
    html = render_html(report)
    assert Page(html).open == []
    assert "share of low-confidence sentiment" in html


def test_released_text_cannot_become_markup(report: dict[str, Any]) -> None:
    evil = '<script>alert(1)</script>"'
    report["quality"]["counts"]["language"] = {evil: 3}
    report["contract"]["checks"][0]["note"] = evil
    html = render_html(report)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_figures_for_the_card_are_files_of_their_own(
    report: dict[str, Any], tmp_path: Path
) -> None:
    written = write_figures(report["quality"], tmp_path)
    assert [entry["file"] for entry in written] == [
        "sentiment_confidence.svg",
        "entailment_shares.svg",
        "entailment_confidence.svg",
        "reliability.svg",
    ]
    for entry in written:
        svg = ET.parse(tmp_path / entry["file"]).getroot()
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        # it takes the page's theme: no colour scheme of the reader's system, no paper of its own
        text = (tmp_path / entry["file"]).read_text(encoding="utf-8")
        assert "prefers-color-scheme" not in text and "p-paper" not in text
        assert entry["alt"]
    again = tmp_path / "again"
    write_figures(report["quality"], again)
    for entry in written:
        assert (again / entry["file"]).read_bytes() == (tmp_path / entry["file"]).read_bytes()
    assert write_figures({}, tmp_path / "none") == []


def test_many_languages_are_summed_up() -> None:
    counts = {f"l{i}": 100 - i for i in range(20)}
    plot = plots_of({"counts": {"language": counts}})["language"][0]
    assert "13 others" in plot.description
    assert plot.body.count("<rect") == 8


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (51479, "51,479"), (0.5, "0.5"), (0.123456, "0.1235"), (1046.53, "1,046.53"),
     (True, "True"), ("x", "x"), ([1, 2], "1, 2"), (0.0, "0")],
)  # fmt: skip
def test_numbers(value: Any, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_real_browser_draws_it(report: dict[str, Any], tmp_path: Path, scheme: str) -> None:
    """Every plot has a size, nothing runs out of the page on a phone, and colours follow the
    scheme. A script is added to the page for this test only; it writes what it measured into the
    document, which the browser then prints."""
    measure = """<script>
    addEventListener('load', () => {
      const told = {
        wide: document.documentElement.scrollWidth, view: innerWidth,
        plots: [...document.querySelectorAll('svg.plot')].map(s => {
          const b = s.getBoundingClientRect(); return [b.width, b.height]; }),
        ink: getComputedStyle(document.body).color,
        paper: getComputedStyle(document.body).backgroundColor,
        bar: getComputedStyle(document.querySelector('.p-good')).fill,
        clipped: [...document.querySelectorAll('svg.plot text')].filter(t => {
          const b = t.getBoundingClientRect(), s = t.ownerSVGElement.getBoundingClientRect();
          return b.left < s.left - 1 || b.right > s.right + 1 ||
                 b.top < s.top - 1 || b.bottom > s.bottom + 1; }).map(t => t.textContent),
      };
      const p = document.createElement('pre'); p.id = 'told';
      p.textContent = 'TOLD' + JSON.stringify(told) + 'TOLD'; document.body.append(p);
    });</script>"""
    page = tmp_path / "page.html"
    page.write_text(render_html(report).replace("</head>", f"{measure}</head>"), encoding="utf-8")
    told = {width: _measured(page, tmp_path, width, scheme) for width in (500, 1200)}
    for width, facts in told.items():
        assert facts["wide"] <= facts["view"] <= width
        assert len(facts["plots"]) == 13
        assert all(w > 150 and h > 40 for w, h in facts["plots"])
        assert facts["clipped"] == []
    dark = scheme == "dark"
    assert told[1200]["paper"] == ("rgb(20, 24, 31)" if dark else "rgb(255, 255, 255)")
    assert told[1200]["bar"] == ("rgb(45, 191, 174)" if dark else "rgb(15, 118, 110)")
    assert _contrast(told[1200]["ink"], told[1200]["paper"]) > 7
    assert _contrast(told[1200]["bar"], told[1200]["paper"]) > 3


def _measured(page: Path, folder: Path, width: int, scheme: str) -> dict[str, Any]:
    import json

    shot = folder / f"{scheme}-{width}.png"
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--hide-scrollbars --user-data-dir={folder / f'profile-{width}'} "
        f"--window-size={width},2400 "
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    ).split()
    for output in ([f"--screenshot={shot}"], ["--dump-dom"]):
        done = subprocess.run(
            [str(CHROMIUM), *flags, *output, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
    assert shot.stat().st_size > 20_000
    return dict(json.loads(done.stdout.split("TOLD")[-2].replace("&amp;", "&")))


def _contrast(first: str, second: str) -> float:
    """Contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
