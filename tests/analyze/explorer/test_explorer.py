"""`ecuador-crisis explore`: what the page holds, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any

import polars as pl
import pytest
import yaml
from explorer_kit import HOSTILE, data_in, fill, write_topics
from hypothesis import given
from hypothesis import strategies as st
from release_kit import Built, Result, rewrite

from builder.analyze.explorer.make import page_of
from builder.analyze.explorer.pack import LARGEST, pack, unpack
from builder.analyze.explorer.samples import shortened
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material
from builder.analyze.figures.words import LANGUAGES
from builder.config.campaign import Campaign
from builder.sources.schema import COUNTS
from builder.validate.release import Release
from ecuador_crisis_tiktok import SENTIMENT_LABELS

Cli = Callable[..., Result]


def page_in(folder: Path, content: bytes) -> dict[str, Any]:
    """The data of a page that was not written yet."""
    (folder / "page.html").write_bytes(content)
    return data_in(folder / "page.html")


def klass(label: str | None, low: bool | None) -> int:
    """The class of a video as the page's format has it."""
    if label is None:
        return 0
    return 1 + SENTIMENT_LABELS.index(label) + (3 if low else 0)


@given(st.lists(st.none() | st.integers(0, LARGEST), max_size=40))
def test_numbers_come_back(numbers: list[int | None]) -> None:
    assert unpack(pack(pl.Series(numbers, dtype=pl.Int64))) == numbers


def test_what_javascript_cannot_hold_is_unknown() -> None:
    assert unpack(pack(pl.Series([-1, LARGEST + 1, 2**62, 0]))) == [None, None, None, 0]


def test_every_video_is_in_the_page_as_it_is_in_the_release(editable: Path, tmp_path: Path) -> None:
    videos = fill(editable)
    topics = Topics.read(write_topics(tmp_path / "topics", videos))
    material = Material.of(Release(editable), Campaign.load())
    data = page_in(tmp_path, page_of(material, topics))
    columns = data["columns"]
    assert data["exact"] and len(columns["day"]) == videos.height == data["videos"]
    tags = iter(columns["tag"])
    codes = [code or "unidentified" for code in data["codes"]]
    ours = Counter(
        (
            data["dates"][columns["day"][i]],
            columns["class"][i],
            None if columns["language"][i] is None else codes[columns["language"][i]],
            None if columns["source"][i] is None else data["sources"][columns["source"][i]],
            *(columns[count][i] for count in COUNTS),
            columns["topic"][i],
            tuple(sorted(data["tags"][next(tags)] for _ in range(columns["tags"][i]))),
        )
        for i in range(len(columns["day"]))
    )
    assert next(tags, "end") == "end"
    numbers = dict(pl.read_parquet(tmp_path / "topics" / "assignments.parquet").iter_rows())
    generic = set(Campaign.load().generic_hashtags)
    theirs = Counter(
        (
            row["date"].isoformat(),
            klass(row["sentiment"], row["low_confidence"]),
            (row["language"] or "unidentified") if row["transcript_status"] == "ok" else None,
            row["transcript_source"],
            *(row[count] for count in COUNTS),
            max(numbers[row["video_id"]], -1) if numbers[row["video_id"]] >= 0 else None,
            tuple(sorted(set(row["hashtags"] or ()) - generic)),
        )
        for row in videos.iter_rows(named=True)
    )
    assert len(ours) > 200
    assert ours == theirs


def test_a_large_release_is_counted_in_groups(editable: Path, tmp_path: Path) -> None:
    videos = fill(editable)
    topics = Topics.read(write_topics(tmp_path / "topics", videos))
    material = Material.of(Release(editable), Campaign.load())
    data = page_in(tmp_path, page_of(material, topics, most=10))
    columns = data["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    base = [row for row in rows if row["tag"] is None and row["topic"] is None]
    assert not data["exact"] and len(base) < videos.height
    assert sum(row["videos"] for row in base) == videos.height == data["videos"]
    for count in COUNTS:
        assert sum(row[count] or 0 for row in base) == videos[count].sum()
    days: Counter[str] = Counter()
    for row in base:
        days[data["dates"][row["day"]]] += row["videos"]
    assert days == Counter(day.isoformat() for day in videos["date"])
    assert len(data["tags"]) == 30
    used = Counter(videos["hashtags"].explode().drop_nulls())
    for place, tag in enumerate(data["tags"]):
        mine = [row for row in rows if row["tag"] == place]
        assert sum(row["videos"] for row in mine) == used[tag], tag
    assigned = Counter(pl.read_parquet(tmp_path / "topics" / "assignments.parquet")["topic"])
    for place in range(2):
        mine = [row for row in rows if row["topic"] == place]
        assert sum(row["videos"] for row in mine) == assigned[place] > 0


def test_samples_are_rows_of_the_release_without_their_ids(editable: Path, tmp_path: Path) -> None:
    videos = fill(editable)
    material = Material.of(Release(editable), Campaign.load())
    content = page_of(material)
    data = page_in(tmp_path, content)
    usable = videos.filter(pl.col("transcript_status") == "ok")
    assert len(data["samples"]) == usable.height
    theirs = {row["transcript"]: row for row in usable.iter_rows(named=True)}
    for sample in data["samples"]:
        row = theirs[sample["transcript"]]
        assert data["dates"][sample["day"]] == row["date"].isoformat()
        assert sample["class"] == klass(row["sentiment"], row["low_confidence"])
        assert sample["hashtags"] == row["hashtags"]
    everything = content.decode() + json.dumps(data)
    assert not any(name in everything for name in videos["video_id"])


def test_the_same_rows_give_the_same_bytes_in_any_order(editable: Path) -> None:
    fill(editable)
    material = Material.of(Release(editable), Campaign.load())
    first = page_of(material)
    rewrite(editable, "videos", lambda frame: frame.sample(fraction=1, shuffle=True, seed=7))
    again = Material.of(Release(editable), Campaign.load())
    assert page_of(again) == first


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_asks_for_nothing_and_runs_only_its_own_script(
    language: str, editable: Path, tmp_path: Path, cli: Cli
) -> None:
    fill(editable)
    out = tmp_path / "site"
    result = cli("explore", editable, "--out", out, "--language", language)
    assert result.code == 0, result.err
    assert f"Open {out / 'index.html'}" in result.out
    assert {path.name for path in out.iterdir()} == {"index.html", "README.md"}
    html = (out / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'; ")
    for kind in ("script", "style"):
        inside = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    shell = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.search(r"\s(on\w+|style|src)\s*=", shell)
    assert re.findall(r'href="([^"]*)"', shell) == ["#results"]
    assert "unsafe" not in policy[1] and "innerHTML" not in html
    assert f'<html lang="{language}">' in html
    assert "SYNTHETIC" in shell and "n = 308" in shell
    front = (out / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    assert yaml.safe_load(front)["sdk"] == "static"
    assert "SYNTHETIC" in yaml.safe_load(front)["title"]


def test_no_text_of_the_data_becomes_markup(editable: Path, tmp_path: Path) -> None:
    fill(editable)
    hostile = {"transcript": pl.lit(HOSTILE), "hashtags": pl.lit([HOSTILE])}
    rewrite(editable, "videos", lambda frame: frame.with_columns(**hostile))
    rewrite(editable, "metadata", lambda frame: frame.with_columns(hashtags=pl.lit([HOSTILE])))
    content = page_of(Material.of(Release(editable), Campaign.load()))
    html = content.decode()
    assert html.count("<script") == html.count("</script>") == 2
    assert "<img" not in html and "\u2028" not in html and "\u202e" not in html
    data = page_in(tmp_path, content)
    assert data["tags"] == [HOSTILE]
    assert data["samples"][0]["transcript"] == HOSTILE


def _nothing(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(0)


def _one(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("video_id") == pl.col("video_id").min())


def _one_day(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("date") == pl.col("date").max())


def _bare(frame: pl.DataFrame) -> pl.DataFrame:
    empty = {count: pl.lit(None, pl.Int64) for count in COUNTS}
    return frame.with_columns(hashtags=pl.lit(None, pl.List(pl.String)), **empty)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_nothing, ["This release has no videos"]),
        (_one, ["one video", "All videos are of one day", "No video has a sentiment label"]),
        (_one_day, ["All videos are of one day: "]),
        (_bare, ["No video has a hashtag", "No video has view, like, comment or share"]),
    ],
)
@pytest.mark.parametrize("most", [10**6, 0])
def test_a_poor_release_gives_a_page_that_says_so(
    spoil: Callable[[pl.DataFrame], pl.DataFrame], told: list[str], most: int, editable: Path
) -> None:
    for config in ("videos", "metadata"):
        rewrite(editable, config, spoil)
    html = page_of(Material.of(Release(editable), Campaign.load()), most=most).decode()
    for text in told:
        assert text in html
    assert ('id="data"' in html) == (spoil is not _nothing)


def test_a_release_without_texts_has_no_sample_rows(editable: Path, tmp_path: Path) -> None:
    fill(editable)
    rewrite(editable, "videos", lambda f: f.with_columns(transcript=pl.lit(None, pl.String)))
    content = page_of(Material.of(Release(editable), Campaign.load(), hides=True))
    assert page_in(tmp_path, content)["samples"] == []
    assert b"no text of a transcript" in content and b"are hidden in this release" in content
    assert b'id="samples"' not in content and b'id="language"' in content


def test_one_language_is_said(editable: Path) -> None:
    fill(editable)
    rewrite(editable, "videos", lambda frame: frame.with_columns(language=pl.lit("es")))
    material = Material.of(Release(editable), None, language="es")
    html = page_of(material).decode()
    assert "en un mismo idioma: Español" in html


def test_topics_of_another_release_are_refused(editable: Path, tmp_path: Path, cli: Cli) -> None:
    videos = fill(editable)
    topics = tmp_path / "topics"
    arguments = ("explore", editable, "--out", tmp_path / "out", "--topics", topics)
    result = cli(*arguments)
    assert result.code == 2 and "has no topics.csv" in result.err
    write_topics(topics, videos.with_columns(video_id=pl.format("x{}", "video_id")))
    result = cli(*arguments)
    assert result.code == 2 and "no video of the topics folder" in result.err
    (topics / "topics.csv").write_text("topic,words\n0,a\n")
    result = cli(*arguments)
    assert result.code == 2 and "lacks the column(s) label" in result.err
    write_topics(topics, videos)
    assert cli(*arguments).code == 0
    data = data_in(tmp_path / "out" / "index.html")
    assert data["topics"] == ["Toque de queda", "unnamed: carcel, guia"]


def test_the_page_is_not_written_into_the_release(small: Built, cli: Cli) -> None:
    result = cli("explore", small.release, "--out", small.release / "explorer")
    assert result.code == 2 and "inside the release" in result.err


def test_both_languages_say_the_same() -> None:
    def fields(table: dict[str, Any]) -> dict[str, Any]:
        return {
            key: fields(value)
            if isinstance(value, dict)
            else sorted(name for _, name, _, _ in Formatter().parse(value) if name)
            for key, value in table.items()
        }

    folder = resources.files("builder.analyze.explorer") / "texts"
    english, spanish = (
        fields(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))
        for name in ("en", "es")
    )
    assert english == spanish


def test_a_long_transcript_is_cut_at_a_word() -> None:
    assert shortened("corto") == "corto"
    assert shortened(None) == ""
    cut = shortened("palabra " * 200, 100)
    assert len(cut) <= 100 and cut.endswith("palabra …")
    assert len(shortened("a" * 500, 100)) == 100
