"""The synthetic campaign, recounted from its files by rules written here a second time."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import gzip
import hashlib
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import zstandard
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.config.campaign import Campaign
from builder.config.campaign_tables import Window
from builder.errors import CampaignError, DiskFull, ReleaseConflict, UsageProblem
from builder.sources.simulate.dice import Dice, apportion, exp2, share_below
from builder.sources.simulate.people import cedula_check_digit
from builder.sources.simulate.simulate import SimulationSummary, simulate
from builder.sources.simulate.text import identifier_patterns

METRICS = ("view_count", "comment_count", "share_count", "like_count")
ECUADOR = Campaign.load("ecuador_2024")
PAPER_VIDEOS = ECUADOR.paper["videos_in_text"]


@dataclass
class Recount:
    """What a careful reader finds in a simulated folder."""

    valid: dict[int, dict[str, Any]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    pages: list[dict[str, Any]] = field(default_factory=list)  # without their videos
    sizes: list[int] = field(default_factory=list)
    id_types: Counter[str] = field(default_factory=Counter)
    whisper: dict[int, str] = field(default_factory=dict)
    csv_flags: set[str] = field(default_factory=set)
    first_copies: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    places: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))


def read(folder: Path, campaign: Campaign) -> Recount:
    """Apply the ingest rules: drop bad ids, latest fetch wins, window, region."""
    found = Recount()
    latest: dict[int, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines()):
            page = orjson.loads(line)
            videos = page["data"].pop("videos")
            found.pages.append(page)
            found.sizes.append(len(videos))
            for row in videos:
                found.rows += 1
                found.id_types[type(row["id"]).__name__] += 1
                video = usable_id(row)
                if video is None:
                    found.dropped["damaged_id"] += 1
                    continue
                if video in latest:
                    found.dropped["duplicate"] += 1
                    found.first_copies[video].append(latest[video])
                latest[video] = row
                found.places[video].append((path.name, number))
    start, end = (
        dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()
        for day in (campaign.window.start, campaign.window.end + dt.timedelta(days=1))
    )
    for video, row in latest.items():
        if not start <= row["create_time"] < end:
            found.dropped["out_of_window"] += 1
        elif row["region_code"] not in campaign.region_codes:
            found.dropped["out_of_region"] += 1
        else:
            found.valid[video] = row
    with (folder / "ecuador.csv").open(encoding="utf-8", newline="") as handle:
        for record in csv.DictReader(handle):
            found.whisper[int(record["id"])] = record["whisper_voice_to_text"]
            found.csv_flags.add(record["synthetic"])
    return found


def usable_id(row: dict[str, Any]) -> int | None:
    """The id as an integer, or None when it cannot be a TikTok id of that moment."""
    value = row["id"]
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or not 0 < value < 2**63:
        return None
    return value if abs((value >> 32) - row["create_time"]) <= 120 else None


def summed(rows: list[dict[str, Any]], metric: str) -> int:
    return sum(row.get(metric, 0) for row in rows)


def by_day(found: Recount, metric: str) -> dict[str, int]:
    days: Counter[str] = Counter()
    for row in found.valid.values():
        day = dt.datetime.fromtimestamp(row["create_time"], dt.UTC).date().isoformat()
        days[day] += row.get(metric, 0)
    return days


def tag_counts(found: Recount) -> Counter[str]:
    tags: Counter[str] = Counter()
    for row in found.valid.values():
        tags.update({tag.casefold() for tag in row["hashtag_names"]})
    return tags


def check_targets(found: Recount, summary: SimulationSummary, campaign: Campaign) -> None:
    """Everything in `expected` and `planted` holds, exactly."""
    expected = summary.expected
    rows = list(found.valid.values())
    assert len(rows) == expected["videos"] == summary.videos
    for metric in METRICS:
        assert summed(rows, metric) == expected["totals"][metric]
        days = by_day(found, metric)
        peak = expected["peaks"].get(metric)
        if peak:
            assert days.pop(peak["date"]) == peak["value"]
            assert all(value < peak["value"] for value in days.values())
    tags = tag_counts(found)
    assert {tag: tags[tag] for tag in expected["hashtags"]} == expected["hashtags"]
    generic = {tag.casefold() for tag in campaign.generic_hashtags}
    others = [n for tag, n in tags.items() if tag not in expected["hashtags"].keys() | generic]
    assert max(others, default=0) <= expected["max_other_hashtag"]
    if expected["hashtags"] and others:
        assert max(others) < min(expected["hashtags"].values())
    spoken = [row["voice_to_text"] for row in rows if row.get("voice_to_text")]
    real = [text for video, text in found.whisper.items() if len(text.split()) >= 5]
    assert len(spoken) == expected["transcripts_api"]
    assert len(real) == expected["transcripts_whisper"]
    assert all(20 <= len(text.split()) <= 125 for text in spoken + real)
    blank = [text for text in found.whisper.values() if len(text.split()) < 5]
    planted = summary.planted
    assert sum(text == "" for text in blank) == planted["empty_transcript"]
    assert sum(text != "" for text in blank) == planted["near_empty_transcript"]
    assert found.whisper.keys() <= found.valid.keys()
    for reason in ("duplicate", "out_of_window", "out_of_region", "damaged_id"):
        assert found.dropped[reason] == planted[reason], reason
    assert sum(any(m not in row for m in METRICS) for row in rows) == planted["missing_count"]
    nul = sum("\0" in row["username"] + row["video_description"] for row in rows)
    assert nul == planted["nul"]
    texts = [row["video_description"] for row in rows] + spoken + real
    for kind, pattern in identifier_patterns("EC").items():
        hits = sum(len(pattern.findall(text)) for text in texts)
        assert hits == planted[f"identifier_{kind}"], kind
    assert found.rows == summary.rows
    assert len(found.pages) == summary.pages
    assert len(found.whisper) == summary.csv_rows


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationSummary, Recount]:
    """The campaign of the paper's size, made once."""
    out = tmp_path_factory.mktemp("simulate") / "full"
    summary = simulate(ECUADOR, videos=PAPER_VIDEOS, seed=20240109, out=out)
    return out, summary, read(out, ECUADOR)


def test_the_papers_numbers_are_met(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, summary, found = full
    paper, expected = ECUADOR.paper, summary.expected
    check_targets(found, summary, ECUADOR)
    assert expected["totals"] == paper["totals"]
    assert expected["hashtags"] == paper["hashtags"]
    assert expected["transcripts_api"] == paper["transcripts_api"]
    assert expected["transcripts_whisper"] == paper["transcripts_whisper"]
    for metric, peak in paper["peaks"].items():
        assert expected["peaks"][metric] == {**peak, "date": peak["date"].isoformat()}
    tags = tag_counts(found)
    assert all(tags[tag] > 10_000 for tag in ECUADOR.generic_hashtags)


def test_both_transcripts_overlap(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    both = sum(
        bool(row.get("voice_to_text")) and bool(found.whisper.get(video))
        for video, row in found.valid.items()
    )
    assert 5_000 < both < 12_368


def test_every_day_is_present_and_the_curve_rises_and_decays(
    full: tuple[Path, SimulationSummary, Recount],
) -> None:
    out, summary, _ = full
    days = summary.expected["daily_videos"]
    assert list(days) == [day.isoformat() for day in ECUADOR.window.days]
    assert {p.name for p in out.iterdir()} == {f"{day}.jsonl" for day in days} | {
        "ecuador.csv",
        "SIMULATION.json",
    }
    assert min(days.values()) > 0
    assert days["2024-01-10"] > 4 * days["2024-01-06"]
    assert days["2024-01-10"] > 2 * days["2024-01-25"] > 2 * days["2024-02-28"]


def test_pages_look_like_the_service(full: tuple[Path, SimulationSummary, Recount]) -> None:
    out, _, found = full
    assert max(found.sizes) == 100
    assert min(found.sizes) == 0
    assert sum(size < 100 for size in found.sizes) > len(found.sizes) // 4
    assert all(p["error"]["log_id"].startswith("SYNTHETIC") for p in found.pages)
    assert all(set(p["data"]) == {"cursor", "has_more", "search_id"} for p in found.pages)
    assert set(found.id_types) == {"int", "str", "float"}
    for path in out.glob("*.jsonl"):
        more = [orjson.loads(line)["data"]["has_more"] for line in path.read_bytes().splitlines()]
        assert more == [True] * (len(more) - 1) + [False]
    keys: Counter[str] = Counter()
    for row in found.valid.values():
        keys.update(row.keys())
    always = {"id", "create_time", "username", "region_code", "video_description", "music_id"}
    always |= {"effect_ids", "hashtag_names", "video_duration"}
    assert {key for key, n in keys.items() if n == PAPER_VIDEOS} - set(METRICS) == always
    later = {"favorites_count", "video_label", "video_tag"}
    assert keys.keys() - always == {*METRICS, *later, "playlist_id", "voice_to_text"}


def test_valid_videos_match_the_query(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    terms = [keyword.term.casefold() for keyword in ECUADOR.keywords]
    for row in found.valid.values():
        text = row["video_description"].casefold()
        assert any(term in text for term in terms)
        assert all(f"#{tag.casefold()}" in text for tag in row["hashtag_names"])


def test_ids_are_tiktoks(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    gaps = [(video >> 32) - row["create_time"] for video, row in found.valid.items()]
    assert min(gaps) == -60
    assert max(gaps) == 60
    assert len({video & 0xFFFFFFFF for video in found.valid}) == PAPER_VIDEOS
    times = [row["create_time"] for row in found.valid.values()]
    assert min(times) == ECUADOR.window.start_ts
    assert max(times) == ECUADOR.window.end_ts - 1


def test_the_latest_copy_is_the_largest(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    smaller = 0
    for video, copies in found.first_copies.items():
        (old,) = copies
        new = found.valid[video]
        assert all(old.get(m, 0) <= new.get(m, 0) for m in METRICS)
        smaller += any(old.get(m, 0) < new.get(m, 0) for m in METRICS)
    assert smaller > 0.9 * len(found.first_copies)


def test_copies_lie_in_earlier_files_pages_and_places(
    full: tuple[Path, SimulationSummary, Recount],
) -> None:
    _, summary, found = full
    where: Counter[str] = Counter()
    for (old_file, old_page), (new_file, new_page) in (
        places for places in found.places.values() if len(places) == 2
    ):
        if old_file != new_file:
            where["file"] += 1
        else:
            where["page" if old_page != new_page else "place"] += 1
    assert sum(where.values()) == summary.planted["duplicate"]
    assert min(where[kind] for kind in ("file", "page", "place")) > 150


def test_counts_are_plausible(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    rows = list(found.valid.values())
    for metric in METRICS[1:]:
        assert all(row.get(metric, 0) <= row.get("view_count", 0) for row in rows)
    views = sorted(row.get("view_count", 0) for row in rows)
    assert sum(views[-PAPER_VIDEOS // 100 :]) > 0.2 * sum(views)  # heavy tail
    authors = Counter(row["username"].replace("\0", "") for row in rows)
    assert all(name.startswith("sim_") for name in authors)
    assert len(authors) > 5_000
    assert 50 < authors.most_common(1)[0][1] < 1_000


def test_popular_sounds_repeat(full: tuple[Path, SimulationSummary, Recount]) -> None:
    _, _, found = full
    real = [text for text in found.whisper.values() if len(text.split()) >= 5]
    repeats = [(text, n) for text, n in Counter(real).items() if n > 3]
    assert 0.12 < sum(n for _, n in repeats) / len(real) < 0.18
    assert len(set(real)) > 0.8 * len(real)


def test_identifiers_have_valid_forms(full: tuple[Path, SimulationSummary, Recount]) -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    _, summary, found = full
    texts = [row["video_description"] for row in found.valid.values()]
    texts += [*found.whisper.values()]
    texts += [row.get("voice_to_text", "") for row in found.valid.values()]
    for text in texts:
        for number in identifier_patterns("EC")["phone"].findall(text):
            assert phonenumbers.is_valid_number(phonenumbers.parse(number, "EC"))
        for number in identifier_patterns("EC")["cedula"].findall(text):
            digits = number.replace("-", "")
            assert cedula_check_digit(digits[:9]) == int(digits[9])
    total = sum(n for name, n in summary.planted.items() if name.startswith("identifier_"))
    spoken = sum(bool(row.get("voice_to_text")) for row in found.valid.values())
    assert total == pytest.approx(0.02 * (PAPER_VIDEOS + spoken + 32_385), rel=0.01)


def test_the_facts_file_and_csv_say_synthetic(
    full: tuple[Path, SimulationSummary, Recount],
) -> None:
    out, summary, found = full
    facts = json.loads((out / "SIMULATION.json").read_text())
    assert facts["synthetic"] is True
    assert facts["planted"] == summary.planted
    assert facts["expected"] == summary.expected
    assert facts["seed"] == 20240109
    assert found.csv_flags == {"true"}
    assert set(summary.planted_detail["damaged_id"]) == {
        "scientific",
        "float",
        "overflow",
        "mismatch",
    }


@given(videos=st.integers(1, 400), seed=st.integers(0, 2**40))
@settings(max_examples=examples(20), deadline=None)
def test_any_size_meets_its_scaled_targets(
    tmp_path_factory: pytest.TempPathFactory, videos: int, seed: int
) -> None:
    out = tmp_path_factory.mktemp("odd") / "out"
    summary = simulate(ECUADOR, videos=videos, seed=seed, out=out)
    check_targets(read(out, ECUADOR), summary, ECUADOR)
    scaled = ECUADOR.paper["totals"]["view_count"] * videos / PAPER_VIDEOS
    assert summary.expected["totals"]["view_count"] == pytest.approx(scaled, abs=0.5)
    if videos > 30:
        for metric, peak in ECUADOR.paper["peaks"].items():
            ours = summary.expected["peaks"][metric]
            assert ours["date"] == peak["date"].isoformat()
            assert ours["value"] == pytest.approx(peak["value"] * videos / PAPER_VIDEOS, abs=0.51)
    if videos >= 10:
        conditional = {"username_hashtag", "rare_hashtag"}
        assert all(n >= 1 for name, n in summary.planted.items() if name not in conditional)


@pytest.mark.parametrize("videos", [1, 2, 10, 11, 68, 69])
def test_small_sizes(tmp_path: Path, videos: int) -> None:
    summary = simulate(ECUADOR, videos=videos, seed=3, out=tmp_path / "out")
    check_targets(read(tmp_path / "out", ECUADOR), summary, ECUADOR)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(ECUADOR, videos=500, seed=seed, out=tmp_path / name)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


def test_draws_are_the_same_on_every_machine() -> None:
    # Recorded once; another CPU or NumPy must give the same.
    recorded = [[670, 111], [-2, 857], [2216, 169], [170328064, 45072384]]
    dice = Dice(1, 2, 3)
    drawn = [dice.below(1000, 2), dice.gauss(2, 739), dice.ranks(2, 9999), exp2(dice.gauss(2, 500))]
    assert [values.tolist() for values in drawn] == recorded


@pytest.mark.parametrize("compress", ["gz", "zst"])
def test_compressed_pages_hold_the_same(tmp_path: Path, compress: Any) -> None:
    simulate(ECUADOR, videos=200, seed=1, out=tmp_path / "plain")
    simulate(ECUADOR, videos=200, seed=1, out=tmp_path / "packed", compress=compress)
    for path in (tmp_path / "plain").glob("*.jsonl"):
        packed = (tmp_path / "packed" / f"{path.name}.{compress}").read_bytes()
        if compress == "gz":
            content = gzip.decompress(packed)
        else:
            content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read()
        assert content == path.read_bytes()


def other_campaign(**changes: Any) -> Campaign:
    blank: dict[str, Any] = {
        "paper": {},
        "events": (),
        "generic_hashtags": (),
        "public_figures": (),
    }
    return ECUADOR.model_copy(update={**blank, **changes})


@pytest.mark.parametrize("videos", [1, 9, 10, 77, 3_000])
@pytest.mark.parametrize(
    "campaign",
    [
        pytest.param(other_campaign(), id="no events"),
        pytest.param(
            other_campaign(
                window=Window(start=dt.date(2030, 5, 1), end=dt.date(2030, 5, 1)),
                region_codes=("CO", "PE", "US", "ES", "MX", "CL", "AR", "VE"),
            ),
            id="one day",
        ),
        pytest.param(
            other_campaign(
                window=Window(start=dt.date(2030, 5, 1), end=dt.date(2030, 5, 3)),
                keywords=tuple(k for k in ECUADOR.keywords if k.kind == "phrase"),
            ),
            id="three days, no hashtags",
        ),
    ],
)
def test_a_campaign_without_paper(tmp_path: Path, campaign: Campaign, videos: int) -> None:
    summary = simulate(campaign, videos=videos, seed=5, out=tmp_path / "out")
    check_targets(read(tmp_path / "out", campaign), summary, campaign)
    if videos >= 10:
        assert all(summary.planted[name] for name in ("duplicate", "out_of_window", "damaged_id"))


@pytest.mark.parametrize(
    ("paper", "named"),
    [
        ({"videos_in_text": 0}, "videos_in_text"),
        ({"videos_in_text": 10, "transcripts_api": 11}, "transcripts_api"),
        ({"videos_in_text": 10, "hashtags": {"a": 11}}, "field a"),
        ({"videos_in_text": 10, "totals": {"view_count": "many"}}, "view_count"),
        (
            {"videos_in_text": 10, "peaks": {"view_count": {"date": "2020-01-01", "value": 1}}},
            "outside",
        ),
        ({"videos_in_text": 10, "peaks": {"view_count": {"date": "soon", "value": 1}}}, "soon"),
    ],
)
def test_a_paper_that_contradicts_itself(tmp_path: Path, paper: Any, named: str) -> None:
    with pytest.raises(CampaignError, match=named):
        simulate(other_campaign(paper=paper), videos=5, seed=1, out=tmp_path / "out")


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ReleaseConflict, match="Way out"):
        simulate(ECUADOR, videos=5, seed=1, out=tmp_path)
    with pytest.raises(ReleaseConflict):
        simulate(ECUADOR, videos=5, seed=1, out=tmp_path / "mine.txt")
    with pytest.raises(ReleaseConflict):
        simulate(ECUADOR, videos=5, seed=1, out=tmp_path / "mine.txt" / "below")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    assert simulate(ECUADOR, videos=5, seed=1, out=out).out == out
    assert (out / "SIMULATION.json").is_file()
    assert [p.name for p in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "wrong", [{"videos": 0}, {"videos": -3}, {"seed": -1}, {"compress": "rar"}]
)
def test_usage_is_checked_first(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem):
        simulate(ECUADOR, **{"videos": 5, "seed": 1, "out": tmp_path / "out", **wrong})
    assert not list(tmp_path.iterdir())


def test_progress_and_interruption_leave_nothing_half_written(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        ECUADOR, videos=90, seed=1, out=tmp_path / "a", progress=lambda *done: seen.append(done)
    )
    assert seen[-1] == (90, 90)
    assert seen == sorted(seen)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(ECUADOR, videos=90, seed=1, out=tmp_path / "b", progress=stop)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("orjson.dumps", full)
    with pytest.raises(DiskFull):
        simulate(ECUADOR, videos=5, seed=1, out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), min_size=1, max_size=12),
    st.integers(0, 100),
)
def test_apportion_is_exact(days: list[tuple[int, int]], percent: int) -> None:
    weights, ceilings = [w for w, _ in days], [c for _, c in days]
    total = sum(ceilings) * percent // 100
    parts = apportion(total, weights, ceilings)
    assert sum(parts) == total
    assert all(0 <= part <= most for part, most in zip(parts, ceilings, strict=True))
    with pytest.raises(ValueError, match="cannot split"):
        apportion(sum(ceilings) + 1, weights, ceilings)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 1000)), min_size=1, max_size=30),
    st.integers(0, 30_000),
)
def test_share_below_is_exact(parts: list[tuple[int, int]], total: int) -> None:
    weights = np.array([w for w, _ in parts], dtype=np.int64)
    ceilings = np.array([c for _, c in parts], dtype=np.int64)
    shared = share_below(total, weights, ceilings)
    assert shared.sum() == total
    assert shared.min() >= 0
    if weights.any():
        assert not shared[weights == 0].any()
        if total <= ceilings[weights > 0].sum():
            assert (shared <= ceilings).all()
