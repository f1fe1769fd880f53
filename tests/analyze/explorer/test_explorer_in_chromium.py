"""The explorer in a real browser: it counts as polars does, asks for nothing, is usable by ear."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from explorer_kit import HOSTILE, fill, write_topics
from release_kit import NAME, Built, rewrite

from builder.analyze.explorer.make import write_site
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material
from builder.config.campaign import Campaign
from builder.validate.release import Release

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra: slow)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt-get install chromium)"),
]
Tab = Any


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as player:
        started = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def labelled(small: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled copy of the small release with topics; `exact` and `grouped` are its pages."""
    folder = tmp_path_factory.mktemp("explorer")
    shutil.copytree(small.release, folder / NAME)
    videos = fill(folder / NAME)
    topics = Topics.read(write_topics(folder / "topics", videos))
    material = Material.of(Release(folder / NAME), Campaign.load())
    write_site(material, folder / "exact", topics)
    write_site(material, folder / "grouped", topics, most=10)
    return folder


@pytest.fixture
def videos(labelled: Path) -> pl.DataFrame:
    """What the pages are about: the released rows, with their topics."""
    frame = pl.read_parquet(sorted((labelled / NAME / "videos").glob("*.parquet")))
    topics = pl.read_parquet(labelled / "topics" / "assignments.parquet")
    return frame.join(topics, on="video_id", how="left")


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Open a page from disk; at the end its console is empty and it has asked for nothing."""
    told: list[str] = []
    contexts = []

    def go(page: Path, width: int = 1280, scheme: str = "light") -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: told.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: told.append(f"error: {error}"))
        mine = page.resolve().as_uri()
        tab.on(
            "request",
            lambda asked: None if asked.url == mine else told.append(f"request: {asked.url}"),
        )
        tab.goto(mine)
        tab.wait_for_selector("html[data-ready]")
        return tab

    yield go
    for context in contexts:
        context.close()
    assert told == []


def count(tab: Tab) -> int:
    """Videos that pass, as the page says it to everybody."""
    text = tab.inner_text("#status")
    return int(text.split(" of ")[0].split("(")[-1].replace(",", ""))


def listed(tab: Tab, name: str) -> dict[str, int]:
    """A list's rows: what it shows and how many."""
    rows = tab.eval_on_selector_all(
        f"#{name}-list tbody tr",
        "rows => rows.map(r => [r.querySelector('button').textContent,"
        " r.querySelector('td.n').textContent])",
    )
    return {text: int(n.replace(",", "")) for text, n in rows}


def days(tab: Tab) -> dict[str, int]:
    """The daily numbers of the page's table."""
    tab.evaluate("document.querySelector('#numbers').open = true")
    tab.wait_for_selector("#numbers tbody tr")
    rows = tab.eval_on_selector_all(
        "#numbers tbody tr", "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    found = {}
    for day, n, *_ in rows:
        date, month, year = day.replace("Sept", "Sep").split()
        when = dt.datetime.strptime(f"{date} {month[:3]} {year}", "%d %b %Y").date()
        found[when.isoformat()] = int(n.replace(",", ""))
    return found


def test_every_filter_counts_what_polars_counts(
    labelled: Path, videos: pl.DataFrame, visit: Callable[..., Tab]
) -> None:
    tab = visit(labelled / "exact" / "index.html")
    ok = pl.col("transcript_status") == "ok"
    low = pl.col("low_confidence").fill_null(False) & pl.col("sentiment").is_not_null()
    high = pl.col("sentiment").is_not_null() & ~low
    places = {name: i for i, name in enumerate(tab.eval_on_selector_all(
        "#language option", "all => all.slice(1).map(o => o.textContent)"))}  # fmt: skip
    tags = tab.eval_on_selector_all("#tag option", "all => all.slice(1).map(o => o.textContent)")
    noboa = next(i for i, text in enumerate(tags) if text.startswith("#noboa "))
    steps: list[tuple[str, str, pl.Expr]] = [
        ("label", "negative", pl.col("sentiment") == "negative"),
        ("label", "none", pl.col("sentiment").is_null()),
        ("confidence", "high", high),
        ("confidence", "low", low),
        ("language", str(places["Spanish"]), ok & (pl.col("language") == "es")),
        ("language", str(places["not identified"]), ok & pl.col("language").is_null()),
        ("language", "none", ~ok),
        ("source", "1", pl.col("transcript_source") == "api"),
        ("source", "none", pl.col("transcript_source").is_null()),
        ("topic", "1", pl.col("topic") == 1),
        ("tag", str(noboa), pl.col("hashtags").list.contains("noboa").fill_null(False)),
    ]
    assert count(tab) == videos.height
    for name, value, condition in steps:
        tab.select_option(f"#{name}", value)
        expected = videos.filter(condition).height
        assert 0 < expected < videos.height, name
        assert count(tab) == expected, (name, value)
        assert sum(days(tab).values()) == expected
        tab.click("#clear")
        assert count(tab) == videos.height
    january = pl.col("date").is_between(dt.date(2024, 1, 9), dt.date(2024, 1, 12))
    tab.fill("#from", "2024-01-09")
    tab.fill("#to", "2024-01-12")
    both = [
        ("label", "positive", pl.col("sentiment") == "positive"),
        ("confidence", "low", low),
        ("tag", "0", pl.col("hashtags").list.contains("ecuador").fill_null(False)),
    ]
    so_far = january
    assert count(tab) == videos.filter(january).height
    for name, value, condition in both:
        tab.select_option(f"#{name}", value)
        so_far = so_far & condition
        assert count(tab) == videos.filter(so_far).height, name
    picked = videos.filter(so_far)
    assert picked.height > 0
    theirs = {str(day): n for day, n in picked.group_by("date").len().iter_rows()}
    assert {day: n for day, n in days(tab).items() if n} == theirs


def test_lists_are_buttons_and_count_under_the_other_filters(
    labelled: Path, videos: pl.DataFrame, visit: Callable[..., Tab]
) -> None:
    tab = visit(labelled / "exact" / "index.html")
    ok = pl.col("transcript_status") == "ok"
    tab.get_by_role("button", name="Spanish").focus()
    tab.keyboard.press("Enter")
    spanish = videos.filter(ok & (pl.col("language") == "es"))
    assert count(tab) == spanish.height
    assert tab.evaluate("document.activeElement.dataset.key") == "language/0"  # not lost
    assert tab.evaluate("document.activeElement.ariaPressed") == "true"
    assert listed(tab, "language")["English"] == videos.filter(
        ok & (pl.col("language") == "en")
    ).height  # fmt: skip
    used = spanish["hashtags"].explode().drop_nulls().value_counts()
    theirs = dict(used.iter_rows())
    ours = listed(tab, "tag")
    assert len(ours) == 12
    assert all(theirs[tag.removeprefix("#")] == n for tag, n in ours.items())
    cells = tab.eval_on_selector_all(
        "#label-list tbody tr", "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    for name, high, _, low, _ in cells[:3]:
        mine = spanish.filter(pl.col("sentiment") == name.lower())
        assert int(high) == mine.filter(~pl.col("low_confidence")).height
        assert int(low) == mine.filter("low_confidence").height
    tab.keyboard.press("Enter")
    assert count(tab) == videos.height


def test_an_event_and_the_mouse_choose_days(
    labelled: Path, videos: pl.DataFrame, visit: Callable[..., Tab]
) -> None:
    tab = visit(labelled / "exact" / "index.html")
    tab.get_by_role("button", name="State of emergency").click()
    assert (tab.input_value("#from"), tab.input_value("#to")) == ("2024-01-10", "2024-01-12")
    phase = videos.filter(pl.col("date").is_between(dt.date(2024, 1, 10), dt.date(2024, 1, 12)))
    assert count(tab) == phase.height
    tab.click("#clear")
    box = tab.locator("#days svg").bounding_box()
    tab.mouse.move(box["x"] + 53, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 1, box["y"] + 60)
    tab.mouse.up()
    assert (tab.input_value("#from"), tab.input_value("#to")) == ("2023-12-31", "2024-03-07")
    assert count(tab) == videos.height
    tab.fill("#from", "2024-02-01")
    tab.fill("#to", "2024-01-01")
    assert count(tab) == 0
    assert "No video passes" in tab.inner_text("#status")


def test_an_event_of_a_weekly_release_chooses_its_week(
    labelled: Path, videos: pl.DataFrame, tmp_path: Path, visit: Callable[..., Tab]
) -> None:
    release = Path(shutil.copytree(labelled / NAME, tmp_path / NAME))
    for config in ("videos", "metadata"):
        rewrite(release, config, lambda frame: frame.with_columns(pl.col("date").dt.truncate("1w")))
    material = Material.of(Release(release), Campaign.load(), resolution="week")
    write_site(material, tmp_path / "site")
    tab = visit(tmp_path / "site" / "index.html")
    week = videos.filter(pl.col("date").is_between(dt.date(2024, 1, 8), dt.date(2024, 1, 14)))
    for name in ("State of emergency", "prison staff"):  # of the same week
        tab.get_by_role("button", name=name).click()
        assert (tab.input_value("#from"), tab.input_value("#to")) == ("2024-01-08", "2024-01-14")
        assert count(tab) == week.height
        tab.click("#clear")


def test_a_grouped_page_counts_the_same(
    labelled: Path, videos: pl.DataFrame, visit: Callable[..., Tab]
) -> None:
    tab = visit(labelled / "grouped" / "index.html")
    assert count(tab) == videos.height
    tab.select_option("#tag", "0")
    tagged = videos.filter(pl.col("hashtags").list.contains("ecuador").fill_null(False))
    assert count(tab) == tagged.height
    tab.select_option("#label", "negative")
    negative = pl.col("sentiment") == "negative"
    assert count(tab) == tagged.filter(negative).height
    theirs = dict(videos.filter(negative)["hashtags"].explode().drop_nulls().value_counts().rows())
    assert all(theirs[tag.removeprefix("#")] == n for tag, n in listed(tab, "tag").items())
    assert "Not counted while a hashtag" in tab.inner_text("#topic-list")
    tab.select_option("#topic", "0")  # instead of the hashtag
    assert tab.input_value("#tag") == ""
    assert count(tab) == videos.filter(negative & (pl.col("topic") == 0)).height
    tab.click("#clear")
    assert count(tab) == videos.height
    assert sum(listed(tab, "topic").values()) == videos.filter(pl.col("topic") >= 0).height


def test_sample_rows_follow_the_filters_and_can_be_paged(
    labelled: Path, videos: pl.DataFrame, visit: Callable[..., Tab]
) -> None:
    tab = visit(labelled / "exact" / "index.html")
    usable = videos.filter(pl.col("transcript_status") == "ok")
    assert f"Rows 1 to 10 of {usable.height} sample rows" in tab.inner_text("#showing")
    assert tab.is_disabled("#previous")
    tab.click("#next")
    assert "Rows 11 to 20" in tab.inner_text("#showing")
    tab.select_option("#confidence", "low")
    tab.select_option("#label", "positive")
    low = usable.filter((pl.col("sentiment") == "positive") & pl.col("low_confidence"))
    assert f"Rows 1 to 10 of {low.height} sample rows" in tab.inner_text("#showing")
    shown = tab.eval_on_selector_all("#samples td.text", "all => all.map(c => c.textContent)")
    assert len(shown) == 10 and set(shown) <= set(low["transcript"])
    assert tab.locator("#samples .pill.low").count() == 10
    assert "low confidence" in tab.inner_text("#samples")


def test_hostile_text_stays_text(small: Built, tmp_path: Path, visit: Callable[..., Tab]) -> None:
    release = Path(shutil.copytree(small.release, tmp_path / NAME))
    fill(release)
    hostile = {"transcript": pl.lit(HOSTILE), "hashtags": pl.lit([HOSTILE])}
    rewrite(release, "videos", lambda frame: frame.with_columns(**hostile))
    rewrite(release, "metadata", lambda frame: frame.with_columns(hashtags=pl.lit([HOSTILE])))
    write_site(Material.of(Release(release), Campaign.load()), tmp_path / "site")
    tab = visit(tmp_path / "site" / "index.html")
    assert tab.inner_text("#samples td.text").startswith("</script><script>window.taken")
    tab.get_by_role("button", name="#</script>").click()
    assert tab.evaluate("window.taken") is None
    assert tab.locator("img").count() == 0
    assert "\u202e" not in tab.inner_text("#tag")


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    labelled: Path, visit: Callable[..., Tab], width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab = visit(labelled / "exact" / "index.html", width, scheme)
    tab.get_by_role("button", name="State of emergency").click()
    tab.select_option("#tag", "0")
    days(tab)
    found = axe.Axe().run(tab).response["violations"]
    assert [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 24, 31)" if scheme == "dark" else "rgb(255, 255, 255)")
    # the switch wins over the system
    tab.select_option("#look", "light" if scheme == "dark" else "dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != paper


def test_it_can_be_used_without_a_mouse(labelled: Path, visit: Callable[..., Tab]) -> None:
    tab = visit(labelled / "exact" / "index.html")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "results"
    unnamed = tab.evaluate(
        """() => [...document.querySelectorAll('input, select, button')].filter(
             e => !(e.labels && e.labels.length) && !e.textContent.trim()).length"""
    )
    assert unnamed == 0


def test_fifty_thousand_videos_fit_in_three_megabytes(
    small: Built, tmp_path: Path, visit: Callable[..., Tab]
) -> None:
    release = Path(shutil.copytree(small.release, tmp_path / NAME))
    fill(release)
    path = next((release / "videos").glob("*.parquet"))
    frame = pl.read_parquet(path)
    many = pl.concat([frame] * (51_479 // frame.height + 1)).head(51_479)
    spread = (pl.int_range(pl.len()) * 7919) % 100_003
    many.with_columns(
        video_id=pl.format("{}", spread), view_count=spread, like_count=spread // 7
    ).write_parquet(path)
    write_site(Material.of(Release(release), Campaign.load()), tmp_path / "site")
    page = tmp_path / "site" / "index.html"
    assert page.stat().st_size < 3e6
    tab = visit(page)
    assert count(tab) == 51_479
    tab.select_option("#tag", "0")
    tagged = many.filter(pl.col("hashtags").list.contains("ecuador").fill_null(False))
    assert count(tab) == tagged.height
