"""From simulated pages to a release: same bytes, nothing private, any campaign."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from release_kit import (
    KEY,
    NO_MODELS,
    OTHER_KEY,
    SKIP,
    VIDEOS,
    Built,
    beside,
    build,
    content,
    read_json,
    run_cli,
    shared,
    table,
    write_key,
)

from builder.config.campaign import Campaign
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.release.pseudonym import Key
from builder.sources.simulate.simulate import simulate
from builder.sources.simulate.text import identifier_patterns
from ecuador_crisis_tiktok import FEATURES

PER_VIDEO = ("videos", "metadata", "transcripts", "sentiment", "summaries")
FAKES = Path(__file__).parent / "fakes"


# -- determinism --------------------------------------------------------------------------------


def test_two_builds_are_byte_identical(small: Built, tmp_path: Path) -> None:
    again = build(tmp_path, small.pages)
    ours, theirs = content(again.release), content(small.release)
    assert list(ours) == list(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert beside(again.release) == set()


def test_building_again_in_the_same_work_folder_changes_nothing(
    small: Built, tmp_path: Path
) -> None:
    once = build(tmp_path, small.pages)
    before = content(once.release)
    inode = once.release.stat().st_ino
    build(tmp_path, small.pages)
    assert content(once.release) == before
    assert once.release.stat().st_ino == inode  # not even replaced


def test_another_folder_name_and_place_of_the_pages_changes_nothing(
    small: Built, tmp_path: Path
) -> None:
    pages = Path(shutil.copytree(small.pages, tmp_path / "elsewhere" / "input"))
    again = build(tmp_path, pages)
    assert content(again.release) == content(small.release)


def test_another_key_changes_all_ids_and_nothing_else(small: Built, tmp_path: Path) -> None:
    other = build(tmp_path, small.pages, secret=OTHER_KEY)
    first, second = Key(KEY.encode()), Key(OTHER_KEY.encode())
    ids = {first.pseudonym(i): second.pseudonym(i) for i in small.raw["id"].to_list()}
    for config in FEATURES:
        ours, theirs = table(other.release, config), small.frame(config)
        if config in PER_VIDEO:
            assert not set(ours["video_id"]) & set(theirs["video_id"])
            theirs = theirs.with_columns(pl.col("video_id").replace_strict(ids))
            keys = ["video_id", "source"] if config == "transcripts" else ["video_id"]
            ours, theirs = ours.sort(keys), theirs.sort(keys)
        assert ours.equals(theirs), config
    before, after = small.manifest, other.manifest
    for manifest in (before, after):
        assert manifest.pop("key_check")
        manifest.pop("files")
    assert before == after
    assert (small.release / "ecuador_crisis_tiktok.py").read_bytes() == (
        other.release / "ecuador_crisis_tiktok.py"
    ).read_bytes()


# -- nothing private ----------------------------------------------------------------------------


def texts_of(release: Path) -> Iterator[tuple[str, str]]:
    """Every string of every file, decoded Parquet included."""
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        if path.suffix == ".parquet":
            yield name, orjson.dumps(pq.read_table(path).to_pylist(), default=str).decode()
        elif path.is_file():
            yield name, path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def logged(small: Built, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a whole run, its validation and its status print."""
    folder = tmp_path_factory.mktemp("logged")
    key = write_key(folder / "keys" / "key")
    work, out = folder / "work", folder / "EcuadorCrisisTikTok"
    done = run_cli(
        "regenerate", small.pages, "--work", work, "--out", out, "--key-file", key, *SKIP
    )
    assert done.returncode == 0, done.stderr
    assert content(out) == content(small.release)  # a process of its own makes the same bytes
    seen = run_cli("validate", out, "--work", work)
    assert seen.returncode == 0, seen.stdout
    status = run_cli("status", "--work", work)
    return "".join(r.stdout + r.stderr for r in (done, seen, status))


def test_no_raw_id_in_any_file_as_text_or_int64(small: Built, logged: str) -> None:
    ids = small.raw["id"].to_list()
    assert len(ids) == VIDEOS
    numbers = {str(i) for i in ids}
    for name, text in [*texts_of(small.release), ("the log", logged)]:
        found = numbers.intersection(re.findall(r"\d{17,20}", text))
        assert not found, name
    patterns = re.compile(b"|".join(re.escape(i.to_bytes(8, "little")) for i in ids))
    for name, data in content(small.release).items():
        assert not patterns.search(data), name
        assert not any(str(i).encode() in data for i in ids), name
    for config in FEATURES:  # decoded: no int64 cell is an id
        for column, dtype in small.frame(config).schema.items():
            if dtype == pl.Int64:
                assert not small.frame(config)[column].is_in(ids).any()


def test_no_username_in_any_file_or_in_the_log(small: Built, logged: str) -> None:
    names = set(small.raw["username"].drop_nulls().str.to_lowercase())
    assert len(names) > 50
    for name, text in [*texts_of(small.release), ("the log", logged)]:
        words = set(re.findall(r"[\w.]+", text.lower()))
        assert not words & names, name
        assert "sim_" not in text.lower(), name


def test_no_planted_identifier_in_any_file_or_in_the_log(small: Built, logged: str) -> None:
    planted = read_json(small.pages / "SIMULATION.json")["planted"]
    raw = small.raw
    private = [text for c in ("voice_to_text", "whisper_text") for text in raw[c] if text]
    for kind, pattern in identifier_patterns("EC").items():
        assert planted[f"identifier_{kind}"] > 0
        assert any(pattern.search(text) for text in private), kind  # they are in the input
        for config in ("transcripts", "videos", "summaries", "metadata"):
            for row in table(small.release, config).iter_rows(named=True):
                for column, value in row.items():
                    if isinstance(value, str) and column != "video_id":
                        assert not pattern.search(value), (config, column, kind)
        # elsewhere numbers of the same shape occur by chance: look for each of the planted ones
        spoken = {match.group() for text in private for match in pattern.finditer(text)}
        for name, text in [*texts_of(small.release), ("the log", logged)]:
            assert not [value for value in spoken if value in text], (name, kind)


def test_the_scrubber_is_seen_to_have_worked(small: Built) -> None:
    manifest = small.manifest
    found = {kind for kinds in manifest["scrubbed"].values() for kind in kinds}
    assert {"handle", "phone", "cedula", "url", "email", "id", "username"} <= found
    texts = " ".join(small.frame("transcripts")["text"].drop_nulls())
    assert "soy [HANDLE] y saludo a [HANDLE] desde" in texts
    assert "seguir a [USERNAME] en" in texts and "el video [ID] ya no" in texts


def test_captions_are_not_released(small: Built) -> None:
    captions = [c for c in small.raw["description"].drop_nulls().unique() if len(c) > 25]
    assert captions
    everything = "\n".join(text for _, text in texts_of(small.release))
    assert not [c for c in captions if json.dumps(c, ensure_ascii=False)[1:-1] in everything]
    columns = {c for config in FEATURES for c in small.frame(config).columns}
    assert not columns & {"username", "create_time", "id", "voice_to_text"}


def test_the_key_is_in_no_output(small: Built, logged: str) -> None:
    for name, data in content(small.release).items():
        assert KEY.encode() not in data, name
    assert KEY not in logged
    for path in small.work.rglob("*"):
        if path.is_file() and path.name != "pseudonym.key":
            assert KEY.encode() not in path.read_bytes(), path


def test_rare_hashtags_and_hashtags_that_spell_a_username_are_folded(small: Built) -> None:
    author = pl.coalesce("username", pl.col("id").cast(pl.String))
    raw = small.raw.select(author, pl.col("hashtags").list.eval(pl.element().str.to_lowercase()))
    used = raw.explode("hashtags").unique().group_by("hashtags").len()
    counts = dict(used.iter_rows())
    released = set(small.frame("metadata")["hashtags"].explode().drop_nulls())
    names = set(small.raw["username"].drop_nulls().str.to_lowercase())
    assert any(tag in names for tag in counts)  # planted
    assert not released & names
    terms = {k.term for k in Campaign.load().keywords} | Campaign.load().known_terms
    assert all(counts[tag] >= 5 or tag in terms for tag in released)
    often = {t for t, n in counts.items() if n >= 5 and t not in names}
    assert often <= released
    folded = small.manifest["hashtags_folded"]
    assert folded["rare"] > 0 and folded["spells_a_username"] == len(names & set(counts))


# -- the campaign's options ---------------------------------------------------------------------


def variant(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path], **privacy: str
) -> Built:
    return build(tmp_path, small.pages, campaign=str(own_campaign(**privacy)))


def test_raw_ids_when_the_campaign_says_so(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path]
) -> None:
    built = variant(small, tmp_path, own_campaign, id_policy='"raw"')
    assert set(built.frame("videos")["video_id"]) == {str(i) for i in small.raw["id"]}
    checks = {c["name"]: c for c in built.report["contract"]["checks"]}
    raw = next(c for name, c in checks.items() if "raw TikTok id" in name)
    assert raw["verdict"] == "not applicable"
    assert "original TikTok ids" in (built.release / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("unit", "seconds"), [("hour", 3600), ("second", 1)])
def test_publication_time_at_the_campaigns_resolution(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path], unit: str, seconds: int
) -> None:
    built = variant(small, tmp_path, own_campaign, date_resolution=f'"{unit}"')
    key = Key(KEY.encode())
    expected = {
        key.pseudonym(i): t - t % seconds
        for i, t in small.raw.select("id", "create_time").iter_rows()
    }
    rows = built.frame("videos").select("video_id", "published_at", "date")
    assert rows.schema["published_at"] == pl.Datetime("ms", "UTC")
    for video, published, date in rows.iter_rows():
        assert int(published.timestamp()) == expected[video]
        assert published.date() == date
    assert built.frame("metadata")["published_at"].null_count() == 0
    assert built.manifest["optional_columns"] == ["published_at"]
    assert "published_at" not in small.frame("videos").columns


def test_author_pseudonyms_when_the_campaign_says_so(
    small: Built, tmp_path: Path, own_campaign: Callable[..., Path]
) -> None:
    built = variant(small, tmp_path, own_campaign, author_pseudonym="true")
    key = Key(KEY.encode())
    authors = {key.pseudonym(i): name for i, name in small.raw.select("id", "username").iter_rows()}
    pairs = {
        (authors[video], author)
        for video, author in built.frame("metadata").select("video_id", "author_id").iter_rows()
    }
    assert len(pairs) == len({name for name, _ in pairs}) == len({a for _, a in pairs})
    assert all(re.fullmatch("[0-9a-f]{32}", author) for _, author in pairs)
    assert not {a for _, a in pairs} & set(built.frame("metadata")["video_id"])
    assert "author_id" not in small.frame("metadata").columns


def test_k_of_the_campaign(small: Built, tmp_path: Path, own_campaign: Callable[..., Path]) -> None:
    built = variant(small, tmp_path, own_campaign, min_hashtag_videos="60")
    tags = built.frame("metadata")["hashtags"].explode().drop_nulls().value_counts()
    terms = Campaign.load().known_terms
    assert all(n >= 60 or tag in terms for tag, n in tags.iter_rows())
    assert tags.height < small.frame("metadata")["hashtags"].explode().n_unique()
    assert "fewer than 60 videos" in (built.release / "README.md").read_text(encoding="utf-8")


# -- the other source ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def from_csv(tmp_path_factory: pytest.TempPathFactory, small: Built) -> Built:
    """A build from the authors' two CSVs alone."""

    def make(folder: Path) -> None:
        pages = folder / "pages"
        pages.mkdir()
        shutil.copyfile(small.pages / "ecuador.csv", pages / "ecuador.csv")
        ids = [row[0] for row in csv.reader((pages / "ecuador.csv").open())][1:]
        with (pages / "March2025_Github.csv").open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(
                ["id", "Number of frames", "Duration (seconds)", "Sentiment label", "AI summary"]
            )
            for number, video in enumerate(ids):
                label = ("Positive", "neutral", "NEGATIVE")[number % 3]
                writer.writerow([video, 300 + number, 10.5, label, f"Un resumen {number}."])
        build(folder, pages)

    folder = shared(tmp_path_factory, "from-csv", make)
    return Built(
        folder / "pages", folder / "work", folder / "EcuadorCrisisTikTok", folder / "keys" / "key"
    )


def test_from_the_csvs_alone(from_csv: Built) -> None:
    videos = from_csv.frame("videos")
    assert videos.height > 100
    for column in ("view_count", "like_count", "comment_count", "share_count", "hashtags",
                   "matched_terms", "region_code"):  # fmt: skip
        assert videos[column].null_count() == videos.height, column  # null, not zero
    assert videos["n_frames"].null_count() == 0
    assert videos["duration_seconds"].null_count() == 0
    assert set(videos["sentiment"].unique()) == {"positive", "neutral", "negative"}
    assert videos["summary"].null_count() == 0
    # simulated: nothing of it was published by anybody
    told = "SYNTHETIC, in the form the authors publish"
    assert set(from_csv.frame("sentiment")["model"]) == {told}
    card = (from_csv.release / "README.md").read_text(encoding="utf-8")
    assert "published by the authors" not in card and f"{told}, not made by this package" in card
    assert f"{videos.height:,} sentiment labels" in card
    assert from_csv.frame("keywords")["n_videos"].null_count() == 27


def test_fidelity_of_the_csvs_alone_says_what_cannot_be_computed(from_csv: Built) -> None:
    rows = {row["name"]: row for row in from_csv.report["fidelity"]}
    for name, row in rows.items():
        engagement = name.startswith(("total", "mean", "peak", "hashtag", "top"))
        if engagement:
            assert row["verdict"] == "cannot be computed from this source", name
            assert row["ours"] is None
    assert sum(name.startswith("total") for name in rows) == 4
    assert rows["videos (text)"]["verdict"] == "differs"


def test_the_card_of_the_csvs_alone_says_what_is_missing(from_csv: Built) -> None:
    card = (from_csv.release / "README.md").read_text(encoding="utf-8")
    line = next(line for line in card.splitlines() if "Not available from this source" in line)
    assert "null (never zero)" in line
    listed = line.split(":** ")[1].rstrip(".").split(", ")
    assert listed == [
        "views", "likes", "comments and shares", "hashtags and matched terms", "region",
        "language", "entailment of the summaries",
    ]  # fmt: skip


# -- another campaign ---------------------------------------------------------------------------


def tiny_campaign(folder: Path) -> Path:
    """A flood in Valencia: another country, language, window and name."""
    folder.mkdir(parents=True)
    (folder / "campaign.toml").write_text(
        """
name = "dana_2024"
title = "TikTok videos about the floods of Valencia, October 2024"
release_name = "DanaTikTok"
version = "2.1.0"
region_codes = ["ES"]
country = "ES"
languages = ["es", "ca"]
generic_hashtags = ["parati"]
[window]
start = 2024-10-28
end = 2024-11-03
[licence]
data = "cc-by-4.0"
data_name = "Creative Commons Attribution 4.0"
contact = "dana@example.org"
[texts]
summary = "Videos of the floods."
collection = "Found by keyword."
biases = "Few."
[[events]]
key = "A"
date = 2024-10-29
title = "The flood"
description = "It rains."
source = "press"
""",
        encoding="utf-8",
    )
    (folder / "keywords.csv").write_text(
        "term,raw,kind,english,description\\n"
        "inundación,Inundación,hashtag,flood,The flood\\n"
        "dana,DANA|dana,hashtag,DANA,The storm\\n".replace("\\n", "\n"),
        encoding="utf-8",
    )
    return folder


SECOND = FAKES / "second_campaign"


@pytest.mark.parametrize("which", ["tiny", "fakes"])
def test_a_second_campaign_builds_under_its_own_name(tmp_path: Path, which: str) -> None:
    if which == "fakes" and not (SECOND / "campaign.toml").is_file():
        pytest.skip("tests/fakes/second_campaign is not there")
    folder = SECOND if which == "fakes" else tiny_campaign(tmp_path / "campaign")
    campaign = Campaign.load(folder)
    simulate(campaign, videos=60, seed=1, out=tmp_path / "pages")
    built = build(tmp_path, tmp_path / "pages", campaign=str(folder), name=campaign.release_name)
    manifest = built.manifest
    assert manifest["name"] == campaign.release_name != "EcuadorCrisisTikTok"
    assert manifest["campaign"] == campaign.name and manifest["version"] == campaign.version
    assert built.frame("videos").height == 60
    assert built.frame("keywords").height == len(campaign.keywords)
    assert set(built.frame("videos")["region_code"]) <= set(campaign.region_codes)
    report = built.report
    assert report["verdict"] == "pass"
    if not campaign.paper:
        assert report["fidelity"] == []
    card = (built.release / "README.md").read_text(encoding="utf-8")
    # the package keeps its name, and the command and the script are called after it
    own = re.sub(r"ecuador[-_]crisis([-_]tiktok)?(\.py)?", "", card)
    assert not re.search(r"(?i)ecuador|noboa|choneros|guayaquil|\bEC\b|cédula", own)
    assert f'load_dataset("{campaign.release_name}"' in card
    assert f"--campaign {campaign.name}" in card
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["language"] == list(campaign.languages)
    assert header["license"] == campaign.licence.data


# -- stages -------------------------------------------------------------------------------------


def test_only_and_skip(small: Built, tmp_path: Path) -> None:
    quiet: dict[str, Any] = {
        "work": tmp_path / "work",
        "out": tmp_path / "out",
        "sources": (small.pages,),
        "key_file": write_key(tmp_path / "keys" / "key"),
    }
    assert regenerate(Request(**quiet, only=frozenset({"ingest"}))).release is None
    assert not (tmp_path / "out").exists()
    assert regenerate(Request(**quiet, only=frozenset({"anonymize"}))).release is None
    assert not (tmp_path / "out").exists()
    done = regenerate(Request(**quiet, skip=frozenset({"validate", *NO_MODELS})))
    assert done.report is None and not (tmp_path / "out" / "validation.json").exists()
    done = regenerate(Request(**quiet, only=frozenset({"validate"})))
    assert done.report is not None and (tmp_path / "out" / "validation.json").is_file()


def test_dates_are_utc_days(small: Built) -> None:
    key = Key(KEY.encode())
    expected = {
        key.pseudonym(i): dt.datetime.fromtimestamp(t, dt.UTC).date()
        for i, t in small.raw.select("id", "create_time").iter_rows()
    }
    assert dict(small.frame("videos").select("video_id", "date").iter_rows()) == expected
