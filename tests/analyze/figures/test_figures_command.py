"""`ecuador-crisis figures` on releases of every kind, and what a release brings with it."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from release_kit import Built, Result, content, rewrite

from builder.analyze.figures import paper
from builder.analyze.figures.make import figures_of, paper_of
from builder.analyze.figures.material import Material
from builder.analyze.figures.theme import DARK, LAYOUTS
from builder.analyze.figures.words import LANGUAGES, Words
from builder.analyze.tables import METRICS
from builder.config.campaign import Campaign
from builder.sources.simulate.targets import paper_targets, scale
from builder.validate.release import Release

FIGURES = [f"figure{n}" for n in range(1, 6)]
SENTIMENT = [f"sentiment_by_{what}" for what in ("day", "phase", "language", "hashtag")]
SVG = "{http://www.w3.org/2000/svg}"
Cli = Callable[..., Result]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def said(path: Path) -> str:
    """All text an SVG shows."""
    return " ".join(text.text or "" for text in ET.parse(path).getroot().iter(f"{SVG}text"))


@pytest.fixture(scope="module")
def drawn(small: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, drawn once from the small release and its work folder."""
    from builder.commands.figures import run_figures

    out = tmp_path_factory.mktemp("figures") / "figures"
    run_figures(small.release, out, work=small.work)
    return out


def test_every_file_of_the_contract_is_there(drawn: Path) -> None:
    wanted = {"index.html", "table1.csv", "table2.csv"}
    for name in FIGURES + SENTIMENT:
        wanted |= {f"{name}.{kind}" for kind in ("svg", "png", "csv")}
        wanted |= {f"{name}-phone.svg", f"{name}-phone.png", f"{name}-dark.png"}
        wanted |= {f"{name}-phone-dark.png"}
    assert {path.name for path in drawn.iterdir()} == wanted


def test_every_figure_says_n_source_and_synthetic(drawn: Path) -> None:
    for name in FIGURES + SENTIMENT:
        for variant in ("", "-phone"):
            text = " ".join(said(drawn / f"{name}{variant}.svg").split())
            assert "SYNTHETIC" in text, name
            assert "Source: EcuadorCrisisTikTok 1.0.0" in text, name
            assert re.search(r"n = [\d,]+", text), name


def test_pictures_are_twice_the_size_and_fit_a_phone(drawn: Path) -> None:
    for name in FIGURES + SENTIMENT:
        for layout in LAYOUTS:
            stem = f"{name}-phone" if layout.phone else name
            width = int(ET.parse(drawn / f"{stem}.svg").getroot().attrib["width"])
            png = (drawn / f"{stem}.png").read_bytes()
            assert int.from_bytes(png[16:20], "big") == 2 * width == 2 * layout.width
    assert ET.parse(drawn / "figure1-phone.svg").getroot().attrib["width"] == "380"


def test_totals_and_hashtags_are_exact(small: Built, drawn: Path) -> None:
    metadata = small.frame("metadata")
    table = {row["metric"]: row for row in rows(drawn / "table1.csv")}
    assert list(table) == list(METRICS)
    for metric, row in table.items():
        assert int(row["total"]) == metadata[metric].sum()
        assert float(row["mean"]) == pytest.approx(metadata[metric].mean(), abs=0.005)
    tags = metadata["hashtags"].explode().drop_nulls().to_list()
    table2 = rows(drawn / "table2.csv")
    counts = [int(row["videos"]) for row in table2]
    assert counts == sorted(counts, reverse=True)
    assert all(tags.count(row["hashtag"]) == int(row["videos"]) for row in table2)
    assert not {"fyp", "parati", "foryou"} & {row["hashtag"] for row in table2}
    assert "fyp" in tags


def test_the_peaks_lie_on_the_days_of_the_simulation(small: Built, drawn: Path) -> None:
    campaign = Campaign.load()
    days = rows(drawn / "figure1.csv")
    assert len(days) == len(campaign.window.days)
    assert sum(int(day["videos"]) for day in days) == small.frame("videos").height
    for metric, peak in scale(paper_targets(campaign), 300).peaks.items():
        top = max(days, key=lambda day: int(day[metric]))
        assert top["date"] == peak.date.isoformat()
        assert float(top[f"{metric}_normalised"]) == 1
    assert {day["date"]: day["event"] for day in days if day["event"]} == {
        event.date.isoformat(): event.key for event in campaign.events
    }


def test_the_same_release_gives_the_same_bytes(small: Built, drawn: Path, cli: Cli) -> None:
    again = drawn.parent / "again"
    result = cli("figures", small.release, "--out", again, "--work", small.work)
    assert result.code == 0, result.err
    assert content(again) == content(drawn)


def test_the_page_needs_nothing_else(drawn: Path) -> None:
    page = (drawn / "index.html").read_text(encoding="utf-8")
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "").replace(
        "http://www.w3.org/1999/xlink", ""
    )
    assert "https:" not in page and "<script" not in page

    class Pictures(HTMLParser):
        alts: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found = dict(attrs)
            if tag in ("img", "source"):
                address = found.get("src") or found.get("srcset") or ""
                assert address.startswith("data:image/svg+xml,")
            if tag == "img":
                self.alts.append(found.get("alt") or "")
            if tag == "a" and not str(found["href"]).startswith("#"):
                assert (drawn / str(found["href"])).is_file()

    reader = Pictures()
    reader.feed(page)
    assert len(reader.alts) == 9 and all(reader.alts)
    assert "SYNTHETIC" in page


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_PROBE = """<script>addEventListener("load", () => {
  document.title = [...document.images].map(i => i.naturalWidth).join(" ")
    + " | " + (document.documentElement.scrollWidth <= innerWidth);
});</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)")
@pytest.mark.parametrize(("window", "figure"), [(1200, 820), (500, 380)])
def test_a_browser_shows_the_figures_that_fit_it(
    drawn: Path, tmp_path: Path, window: int, figure: int
) -> None:
    page = tmp_path / "index.html"
    page.write_text((drawn / "index.html").read_text(encoding="utf-8") + _PROBE, encoding="utf-8")
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={window},900"),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title and title[1] == " ".join([str(figure)] * 9) + " | true"


@pytest.mark.usefixtures("without_png")
def test_both_languages_say_the_same_things(small: Built, drawn: Path, cli: Cli) -> None:
    spanish = drawn.parent / "es"
    assert cli("figures", small.release, "--out", spanish, "--language", "es").code == 0
    assert 'lang="es"' in (spanish / "index.html").read_text(encoding="utf-8")
    assert "Vistas: máximo el 9 ene" in said(spanish / "figure1.svg")
    assert "Se declara el estado de excepción" in said(spanish / "figure1.svg")
    for name in ("table1", "table2", "figure1", "figure3", "figure4"):  # data has no language
        assert (spanish / f"{name}.csv").read_bytes() == (drawn / f"{name}.csv").read_bytes()

    def keys(table: dict[str, Any], at: str = "") -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for key, value in table.items():
            if isinstance(value, dict):
                found |= keys(value, f"{at}{key}.")
            else:
                found.add((f"{at}{key}", "".join(sorted(set(re.findall(r"\{\w*\}", str(value)))))))
        return found

    one, other = (keys(Words(language)._texts) for language in LANGUAGES)  # type: ignore[arg-type]
    assert one == other


def test_figures_follow_light_and_dark(drawn: Path) -> None:
    text = (drawn / "figure1.svg").read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "prefers-color-scheme:dark" in style
    body = text.replace(style, "")
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{3,6})"', body))
    assert used and used <= set(DARK), "a colour without a dark partner"
    light, dark = ((drawn / f"figure1{v}.png").read_bytes() for v in ("", "-dark"))
    assert light != dark and light[16:24] == dark[16:24]


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_told_from_their_paper() -> None:
    """WCAG 2.2: text 4.5 to 1, graphics 3 to 1, on light and on dark paper."""
    from builder.validate.plots import COLOURS

    for shade in (0, 1):
        page = COLOURS["paper"][shade]
        for name in ("text", "soft", "bad"):
            assert _contrast(COLOURS[name][shade], page) >= 4.5, name
        for name in ("main", "good", "mid"):
            assert _contrast(COLOURS[name][shade], page) >= 3, name


@pytest.fixture
def without_png(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painting takes most of the time and says nothing the SVG does not."""
    monkeypatch.setattr(paper.Sheet, "png", lambda self, *, dark=False: b"")


def _emptied(release: Path) -> None:
    for config in ("videos", "metadata"):
        rewrite(release, config, lambda frame: frame.head(0))


def _one_day(release: Path) -> None:
    for config in ("videos", "metadata"):
        rewrite(release, config, lambda frame: frame.head(1))
    manifest = json.loads((release / "MANIFEST.json").read_text())
    first = pl.read_parquet(sorted((release / "metadata").glob("*.parquet")))["date"][0]
    manifest["window"] = {"start": str(first), "end": str(first)}
    (release / "MANIFEST.json").write_text(json.dumps(manifest))


def _csv_only(release: Path) -> None:
    for config in ("videos", "metadata"):
        rewrite(
            release,
            config,
            lambda frame: frame.with_columns(
                *(pl.lit(None, pl.Int64).alias(metric) for metric in METRICS),
                hashtags=pl.lit(None, frame.schema["hashtags"]),
            ),
        )


def _weekly(release: Path) -> None:
    for config in ("videos", "metadata"):
        rewrite(release, config, lambda frame: frame.with_columns(pl.col("date").dt.truncate("1w")))
    manifest = json.loads((release / "MANIFEST.json").read_text())
    manifest["privacy"] |= {"date_resolution": "week", "round_counts": 2}
    (release / "MANIFEST.json").write_text(json.dumps(manifest))


def _one_language(release: Path) -> None:
    labels = pl.Series(["negative"] * 40)
    rewrite(
        release,
        "videos",
        lambda frame: frame.head(40).with_columns(
            language=pl.lit("es"),
            transcript_status=pl.lit("ok"),
            sentiment=labels,
            low_confidence=pl.int_range(40) % 2 == 0,
        ),
    )


@pytest.mark.parametrize(
    ("spoil", "empty", "told"),
    [
        (_emptied, FIGURES, {"figure1": "This release has no videos."}),
        (_one_day, ["figure5", *SENTIMENT], {}),
        (
            _csv_only,
            ["figure3", "figure4"],
            {
                "figure1": "This release has no views, comments, shares or likes.",
                "figure3": "This release has no hashtags",
            },
        ),
        (
            _weekly,
            ["figure5", *SENTIMENT],
            {
                "figure1": "Dates are released by week",
                "figure3": "rounded to 2 significant digit",
                "figure4": "Dates are released by week",
            },
        ),
        (_one_language, [], {"figure5": "Spanish", "sentiment_by_language": "Spanish (40)"}),
    ],
)
@pytest.mark.usefixtures("without_png")
def test_a_poor_release_gives_figures_that_say_so(
    spoil: Callable[[Path], None],
    empty: list[str],
    told: dict[str, str],
    editable: Path,
    tmp_path: Path,
    cli: Cli,
) -> None:
    spoil(editable)
    out = tmp_path / "out"
    result = cli("figures", editable, "--out", out)
    assert result.code == 0, result.err
    for name in FIGURES + SENTIMENT:
        text = " ".join(said(out / f"{name}.svg").split())
        if name in empty:
            assert "Nothing to draw" in text, name
        assert told.get(name, "") in text
        assert (out / f"{name}.csv").read_text().count("\n") >= 1  # the columns, at least
    assert (out / "index.html").is_file()
    videos = pl.read_parquet(sorted((editable / "metadata").glob("*.parquet"))).height
    assert sum(int(row["videos"]) for row in rows(out / "figure1.csv")) == videos


@pytest.mark.usefixtures("without_png")
def test_captions_need_the_work_folder(small: Built, tmp_path: Path, cli: Cli) -> None:
    assert cli("figures", small.release, "--out", tmp_path / "out").code == 0
    assert "(--work)" in said(tmp_path / "out" / "figure2.svg")
    assert rows(tmp_path / "out" / "figure2.csv") == []
    other = tmp_path / "other"
    other.mkdir()
    result = cli("figures", small.release, "--out", tmp_path / "x", "--work", other)
    assert result.code == 2 and "no finished build" in result.err


def test_the_release_is_not_written_into(small: Built, editable: Path, cli: Cli) -> None:
    result = cli("figures", editable, "--out", editable / "figures")
    assert result.code == 2 and "inside the release" in result.err
    taken = editable.parent / "taken"
    taken.write_text("x")
    result = cli("figures", editable, "--out", taken)
    assert result.code == 2 and "is a file" in result.err
    assert content(editable) == content(small.release)


@pytest.mark.usefixtures("without_png")
def test_hashtags_can_be_chosen(small: Built, tmp_path: Path, cli: Cli) -> None:
    wanted = ("--hashtags", "#Ecuador, noboa")
    assert cli("figures", small.release, "--out", tmp_path / "out", *wanted).code == 0
    assert {r["hashtag"] for r in rows(tmp_path / "out" / "figure4.csv")} == {"ecuador", "noboa"}


@pytest.mark.slow
def test_specifications_keep_to_the_schema_of_vega_lite(small: Built) -> None:
    """At run time they are not checked: that takes longer than drawing."""
    material = Material.of(Release(small.release), Campaign.load())
    checked = 0
    for figure in figures_of(material):
        for layout in LAYOUTS:
            if figure.draw:
                alt.Chart.from_dict(figure.draw(layout))  # checks it against the schema
                checked += 1
    assert checked >= 6
    assert paper_of(material).synthetic


@pytest.mark.usefixtures("without_png")
def test_a_hostile_hashtag_stays_text(editable: Path, tmp_path: Path, cli: Cli) -> None:
    evil = """=1+1'"><script>alert(1)</script>\\"""
    for config in ("videos", "metadata"):
        rewrite(editable, config, lambda frame: frame.with_columns(hashtags=pl.lit([evil])))
    out = tmp_path / "out"
    result = cli("figures", editable, "--out", out)
    assert result.code == 0, result.err
    for name in ("index.html", "figure3.svg", "figure4.svg"):
        assert "<script" not in (out / name).read_text(encoding="utf-8")
    assert "#=1+1" in said(out / "figure3.svg")
    assert rows(out / "table2.csv")[0]["hashtag"].startswith("'=")


def test_long_text_is_wrapped_to_its_room() -> None:
    text = "Guayaquil wakes to empty streets and soldiers on every second corner " * 3
    lines = paper.wrapped(text, 300, 12)
    assert " ".join(lines) == text.strip()
    assert all(paper.text_width(line, 12) <= 300 for line in lines)
    assert paper.wrapped("", 300, 12) == []


def test_a_release_brings_its_figures(small: Built) -> None:
    figures = small.release / "figures"
    assert (figures / "index.html").is_file() and (figures / "figure1.svg").is_file()
    listed = small.manifest["files"]
    for path in figures.iterdir():
        assert f"figures/{path.name}" in listed
    report = (small.release / "validation.html").read_text(encoding="utf-8")
    assert 'href="figures/index.html"' in report
    card = (small.release / "README.md").read_text(encoding="utf-8")
    order = ["figures/figure1.svg", "Events: **A**", "figures/figure3.svg", "```json", "## Load it"]
    places = [card.index(what) for what in order]
    assert places == sorted(places)
    assert len(listed) < 50
