"""Ingest: which rows are kept, which are dropped under which reason, and in how much memory."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from effort import examples
from fakes.pages import (
    DAY,
    MARCH_HEADER,
    NOON,
    WHISPER_HEADER,
    make_id,
    page,
    tiny_campaign,
    to_bytes,
    video,
    write_csv,
    write_pages,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.config.campaign import Campaign
from builder.errors import EmptySource, UnreadablePage
from builder.run import resume
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources import ids
from builder.sources import ingest as module
from builder.sources.files import find_sources
from builder.sources.ingest import Ingested, ingest
from builder.sources.readers import api_pages
from builder.sources.schema import COUNTS

TINY = tiny_campaign()
START, END = TINY.window.start_ts, TINY.window.end_ts


def quiet(what: str, total: int) -> Progress:
    return Progress(what, total, stream=None)


@dataclass
class Run:
    """One ingest in a fresh work folder, over tmp_path/in."""

    root: Path
    campaign: Campaign = TINY
    number: int = 0

    def __call__(self, *sources: Path, work: str = "") -> Ingested:
        self.number += 1
        store = Store(self.root / (work or f"work{self.number}"))
        files = find_sources(sources or [self.root / "in"])
        return ingest(self.campaign, files, store, quiet)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    return tmp_path / "in"


def rows(result: Ingested) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(part) for part in result.parts]).sort("id")


def balanced(result: Ingested) -> bool:
    return result.rows_in == result.videos + sum(result.dropped.values()) + result.merged


def rejected(result: Ingested) -> list[dict[str, str]]:
    saved: list[dict[str, str]] = json.loads(
        (result.parts[0].parent / "rejected.json").read_text(encoding="utf-8")
    )
    return saved


def test_of_several_fetches_the_latest_wins_within_a_page_a_file_and_over_files(
    run: Run, inside: Path
) -> None:
    write_pages(inside / "b.jsonl", page([video(1, view_count=5), video(2, view_count=1)]))
    write_pages(inside / "a.jsonl", page([video(1, view_count=9)]), page([video(3, view_count=1)]))
    write_pages(inside / "c" / "a.jsonl", page([video(3, view_count=2), video(3, view_count=3)]))
    write_pages(inside / "b2.jsonl", page([video(2, view_count=2)]), page([video(2, view_count=3)]))
    result = run()
    assert rows(result).select("id", "view_count").rows() == [
        (make_id(low=1), 5),  # b.jsonl is read after a.jsonl
        (make_id(low=2), 3),  # b2.jsonl after b.jsonl; its second line after its first
        (make_id(low=3), 3),  # c/a.jsonl after a.jsonl; its second video after its first
    ]
    assert result.dropped == {"duplicate": 5}
    assert balanced(result)


def test_the_latest_fetch_wins_as_a_whole_row(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1)]), page([video(1, voice_to_text=...)]))
    assert rows(run())["voice_to_text"].to_list() == [None]


def test_an_id_as_text_and_as_a_number_is_one_video(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1), video(1, id=str(make_id(low=1)))]))
    result = run()
    assert (result.videos, result.dropped) == (1, {"duplicate": 1})


@pytest.mark.parametrize(
    ("time", "kept"),
    [(START - 1, False), (START, True), (END - 1, True), (END, False)],
    ids=["second before", "first second", "last second", "second after"],
)
@pytest.mark.parametrize("split", [False, True])
def test_the_window_is_exact_to_the_second_at_both_ends(
    run: Run,
    inside: Path,
    monkeypatch: pytest.MonkeyPatch,
    time: int,
    kept: bool,
    split: bool,
) -> None:
    if split:
        monkeypatch.setattr(module, "SPLIT_ABOVE", 0)
    for low, off in ((2, -120), (3, 0), (4, 120)):  # whatever the id says within its tolerance
        made = video(low, time, id=make_id(time + off, low))
        write_pages(inside / f"{low}.jsonl", page([made, video(1)]))
    result = run()
    assert result.videos == (4 if kept else 1)
    assert result.dropped == {"duplicate": 2} | ({} if kept else {"out_of_window": 3})
    assert rows(result)["create_time"].is_between(START, END - 1).all()
    assert balanced(result)


@pytest.mark.parametrize(
    ("carried", "kept"),
    [
        (START - 121, False),
        (START - 120, True),
        (END - 1 + 120, True),
        (END + 120, False),
    ],
)
def test_a_csv_row_may_be_two_minutes_off_at_the_ends_and_gets_a_day_of_the_window(
    run: Run, inside: Path, carried: int, kept: bool
) -> None:
    write_csv(inside / "a.csv", WHISPER_HEADER, (make_id(carried), "x"), (make_id(), "y"))
    result = run()
    assert result.videos == 1 + kept
    assert result.dropped == ({} if kept else {"out_of_window": 1})
    assert rows(result)["create_time"].is_between(START, END - 1).all()


def test_the_date_of_a_csv_row_is_the_one_its_id_carries(run: Run, inside: Path) -> None:
    write_csv(inside / "a.csv", WHISPER_HEADER, (make_id(NOON + 77), "x"))
    assert rows(run())["create_time"].to_list() == [NOON + 77]


def test_a_csv_row_whose_api_row_lies_outside_the_window_goes_with_it(
    run: Run, inside: Path
) -> None:
    write_pages(inside / "a.jsonl", page([video(5, END + 3), video(1)]))
    write_csv(inside / "b.csv", WHISPER_HEADER, (make_id(END + 3, 5), "x"))
    result = run()
    assert rows(result)["id"].to_list() == [make_id(low=1)]
    assert result.dropped == {"out_of_window": 2}
    assert balanced(result)


def test_rows_of_another_region_are_dropped_and_rows_without_one_kept(
    run: Run, inside: Path
) -> None:
    codes = {1: "EC", 2: "CO", 3: ..., 4: "", 5: None, 6: "US"}
    write_pages(inside / "a.jsonl", page([video(n, region_code=code) for n, code in codes.items()]))
    result = run()
    assert rows(result)["id"].to_list() == [make_id(low=n) for n in (1, 3, 4, 5)]
    assert result.dropped == {"out_of_region": 2}


def test_a_csv_row_whose_api_row_is_from_abroad_goes_with_it(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1), video(2, region_code="CO")]))
    lows = (1, 2, 3)
    write_csv(inside / "b.csv", WHISPER_HEADER, *((make_id(low=n), "x") for n in lows))
    result = run()
    assert rows(result)["id"].to_list() == [make_id(low=1), make_id(low=3)]
    assert (result.dropped, result.merged) == ({"out_of_region": 2}, 1)
    assert balanced(result)


def test_every_dropped_row_is_counted_and_every_refused_one_named_without_its_id(
    run: Run, inside: Path
) -> None:
    bad = make_id(low=777_777)
    write_pages(
        inside / "a.jsonl",
        page([video(1), video(2, id=float(bad))]),
        page([video(3, id=f"{bad}E+1"), video(1), video(4, create_time=NOON + 500, id=bad)]),
    )
    write_pages(inside / "sub" / "b.json", page([video(5, view_count="many")]), style="page")
    write_csv(inside / "c.csv", WHISPER_HEADER, (bad, "x", "y"), (make_id(low=9), "x"))
    result = run()
    assert result.dropped == {
        "duplicate": 1,
        ids.ID_FLOAT: 1,
        ids.ID_SCIENTIFIC: 1,
        ids.ID_TIME_MISMATCH: 1,
        "view_count_is_not_a_whole_number": 1,
        "row_has_wrong_number_of_fields": 1,
    }
    assert [tuple(row.values()) for row in rejected(result)] == [
        ("a.jsonl", "line 1, video 2", "id", ids.ID_FLOAT),
        ("a.jsonl", "line 2, video 1", "id", ids.ID_SCIENTIFIC),
        ("a.jsonl", "line 2, video 3", "id", ids.ID_TIME_MISMATCH),
        ("c.csv", "line 2", "row", "row_has_wrong_number_of_fields"),
        ("sub/b.json", "video 1", "view_count", "view_count_is_not_a_whole_number"),
    ]
    assert str(bad) not in (result.parts[0].parent / "rejected.json").read_text()
    assert result.sources == {"csv": 2, "pages": 6}
    assert balanced(result)


WHISPER = ((make_id(low=1), "uno"), (make_id(low=2), ""))
MARCH = (
    (make_id(low=2), 20, 2.5, "positive", "dos"),
    (make_id(low=3), 30, 3.5, "Neutral", "tres"),
)
NEW = ("whisper_text", "n_frames", "duration_seconds", "upstream_sentiment", "upstream_summary")


def test_the_whisper_file_alone_is_enough(run: Run, inside: Path) -> None:
    write_csv(inside / "ecuador.csv", WHISPER_HEADER, *WHISPER)
    got = rows(run())
    assert got.select("id", *NEW).rows() == [
        (make_id(low=1), "uno", None, None, None, None),
        (make_id(low=2), "", None, None, None, None),
    ]
    unknown = (*COUNTS, "hashtags", "username", "description", "region_code", "voice_to_text")
    assert all(got[name].null_count() == got.height for name in unknown)


def test_the_march_file_alone_is_enough(run: Run, inside: Path) -> None:
    write_csv(inside / "March2025_Github.csv", MARCH_HEADER, *MARCH)
    assert rows(run()).select("id", *NEW).rows() == [
        (make_id(low=2), None, 20, 2.5, "positive", "dos"),
        (make_id(low=3), None, 30, 3.5, "neutral", "tres"),
    ]


def test_both_public_files_complete_each_other(run: Run, inside: Path) -> None:
    write_csv(inside / "ecuador.csv", WHISPER_HEADER, *WHISPER)
    write_csv(inside / "March2025_Github.csv", MARCH_HEADER, *MARCH)
    result = run()
    got = rows(result)
    assert got.select("id", *NEW).rows() == [
        (make_id(low=1), "uno", None, None, None, None),
        (make_id(low=2), "", 20, 2.5, "positive", "dos"),
        (make_id(low=3), None, 30, 3.5, "neutral", "tres"),
    ]
    assert (result.rows_in, result.videos, result.merged, result.dropped) == (4, 3, 1, {})
    assert all(got[name].null_count() == got.height for name in COUNTS)


def test_public_files_complete_pages_and_the_pages_values_come_first(
    run: Run, inside: Path
) -> None:
    write_csv(inside / "ecuador.csv", WHISPER_HEADER, *WHISPER)
    write_csv(inside / "March2025_Github.csv", MARCH_HEADER, *MARCH)
    second = video(2, NOON + 5, id=make_id(low=2), video_duration=99)
    write_pages(inside / "pages.jsonl", page([second, video(4)]))
    result = run()
    got = rows(result)
    assert got.select("id", *NEW, "view_count", "hashtags", "create_time").rows() == [
        (make_id(low=1), "uno", None, None, None, None, None, None, NOON),
        (make_id(low=2), "", 20, 99.0, "positive", "dos", 102, ["ecuador"], NOON + 5),
        (make_id(low=3), None, 30, 3.5, "neutral", "tres", None, None, NOON),
        (make_id(low=4), None, None, 15.0, None, None, 104, ["ecuador"], NOON),
    ]
    assert (result.rows_in, result.videos, result.merged) == (6, 4, 2)
    assert balanced(result)


def test_of_two_rows_in_one_csv_the_later_wins_as_a_whole(run: Run, inside: Path) -> None:
    first, second = (make_id(), 10, 5.5, "neutral", "old"), (make_id(), "", 6.5, "", "new")
    write_csv(inside / "a.csv", MARCH_HEADER, first, second)
    result = run()
    assert rows(result).select(NEW).rows() == [(None, None, 6.5, None, "new")]
    assert result.dropped == {"duplicate": 1}


def test_columns_matched_in_csvs_are_noted(run: Run, inside: Path) -> None:
    write_csv(inside / "a.csv", (*WHISPER_HEADER, "mood"), (make_id(), "x", "y"))
    assert run().notes == [
        "a.csv: read 'id' as id, 'whisper_voice_to_text' as whisper_text; not used: 'mood'"
    ]


def test_nothing_left_is_an_error_that_says_why(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1, START - DAY), video(2, region_code="CO")]))
    with pytest.raises(EmptySource, match=r"2 rows is left .*1 out_of_region, 1 out_of_window"):
        run()
    write_pages(inside / "a.jsonl", page([]))
    with pytest.raises(EmptySource, match="no rows"):
        run()


def test_parts_are_sorted_by_id_and_in_time_order(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPLIT_ABOVE", 0)
    times = [END - 1, START, NOON, START + 5, END - DAY]
    write_pages(inside / "a.jsonl", page([video(n, time) for n, time in enumerate(times)]))
    result = run()
    assert result.bucket_days == [START // DAY, START // DAY + 1, START // DAY + 2]
    frames = [pl.read_parquet(part) for part in result.parts]
    assert [frame["id"].is_sorted() for frame in frames] == [True] * 3
    assert pl.concat(frames)["id"].is_sorted()
    assert not {"role", "position"} & set(frames[0].columns)


# Any mixture of pages and CSVs, resolved by the rules written here a second time.

LOWS = st.integers(1, 4)
TIMES = st.sampled_from(
    [START - 121, START - 120, START - 1, START, NOON, END - 1, END, END + 119, END + 120]
)
OFFS = st.sampled_from([0, 0, 120, -120, 121])
API = st.tuples(LOWS, TIMES, OFFS, st.sampled_from(["EC", "EC", "CO", None]), st.integers(0, 9))
CSV = st.tuples(LOWS, TIMES, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "3", "4"]))
FILES = st.lists(
    st.one_of(
        st.tuples(st.just("pages"), st.lists(API, min_size=1, max_size=5)),
        st.tuples(st.just("csv"), st.lists(CSV, min_size=1, max_size=5)),
    ),
    min_size=1,
    max_size=4,
)


@dataclass
class Expected:
    """What the rules say about a list of files."""

    videos: dict[int, dict[str, Any]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    merged: int = 0
    rows_in: int = 0


def expected(contents: list[tuple[str, list[Any]]]) -> Expected:
    told = Expected()
    api: dict[int, dict[str, Any]] = {}
    gone: dict[int, set[str]] = {}
    sheets: list[dict[int, list[dict[str, Any]]]] = []
    for kind, made in contents:
        sheet: dict[int, list[dict[str, Any]]] = {}
        for row in made:
            told.rows_in += 1
            video_id = make_id(row[1], row[0])
            if kind == "csv":
                if not START - 120 <= row[1] < END + 120:
                    told.dropped["out_of_window"] += 1
                    continue
                frames = int(row[3]) if row[3] else None
                values = {"whisper_text": row[2], "n_frames": frames}
                sheet.setdefault(video_id, []).append(values)
                continue
            time = row[1] + row[2]
            if abs(row[2]) > 120:
                told.dropped[ids.ID_TIME_MISMATCH] += 1
            elif not START <= time < END:
                gone.setdefault(video_id, set()).add("out_of_window")
                told.dropped["out_of_window"] += 1
            elif row[3] == "CO":
                gone.setdefault(video_id, set()).add("out_of_region")
                told.dropped["out_of_region"] += 1
            else:
                told.dropped["duplicate"] += video_id in api
                api[video_id] = {"create_time": time, "view_count": row[4]}
        sheets.append(sheet)
    told.videos = {video_id: dict(values) for video_id, values in api.items()}
    completed: dict[int, dict[str, Any]] = {}
    for sheet in sheets:
        for video_id, copies in sheet.items():
            if video_id in gone and video_id not in api:
                told.dropped[min(gone[video_id])] += len(copies)
                continue
            told.dropped["duplicate"] += len(copies) - 1
            told.merged += video_id in completed or video_id in api
            found = completed.setdefault(video_id, {})
            found.update({name: v for name, v in copies[-1].items() if v is not None})
    for video_id, values in completed.items():
        day = min(max(video_id >> 32, START), END - 1)
        told.videos[video_id] = {"create_time": day} | values | told.videos.get(video_id, {})
    told.dropped = +told.dropped
    return told


def write_all(folder: Path, contents: list[tuple[str, list[Any]]]) -> list[Path]:
    paths = []
    for number, (kind, made) in enumerate(contents):
        if kind == "csv":
            cells = [(make_id(time, low), text, frames) for low, time, text, frames in made]
            header = (*WHISPER_HEADER, "frames")
            paths.append(write_csv(folder / f"{number}.csv", header, *cells))
        else:
            videos = [
                video(low, time + off, id=make_id(time, low), region_code=region, view_count=views)
                for low, time, off, region, views in made
            ]
            paths.append(write_pages(folder / f"{number}.jsonl", *(page([v]) for v in videos)))
    return paths


@settings(max_examples=examples(40))
@given(FILES)
def test_any_mixture_of_sources_is_resolved_by_the_rules_on_both_paths(
    tmp_path_factory: pytest.TempPathFactory, contents: list[tuple[str, list[Any]]]
) -> None:
    root = tmp_path_factory.mktemp("mixture")
    paths = write_all(root / "in", contents)
    told = expected(contents)
    results = []
    for split in (1 << 30, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "SPLIT_ABOVE", split)
            patch.setattr(module, "CHUNK_BYTES", 1 if split == 0 else 1 << 30)
            if not told.videos:
                with pytest.raises(EmptySource):
                    Run(root)(*paths, work=f"work{split}")
                return
            results.append(Run(root)(*paths, work=f"work{split}"))
    for result in results:
        counted = (result.rows_in, result.merged, result.dropped)
        assert counted == (told.rows_in, told.merged, dict(sorted(told.dropped.items())))
        assert balanced(result)
        names = ("create_time", "view_count", "whisper_text", "n_frames")
        got = {row.pop("id"): row for row in rows(result).select("id", *names).to_dicts()}
        assert got == {
            video_id: {name: values.get(name) for name in names}
            for video_id, values in sorted(told.videos.items())
        }
    assert rows(results[0]).equals(rows(results[1]))


def test_the_two_paths_give_the_same_rows_of_a_bigger_input(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_pages, "BLOCK_ROWS", 300)
    monkeypatch.setattr(module, "RAW_ROWS", 700)
    monkeypatch.setattr(module, "CHUNK_BYTES", 100_000)
    for number in range(6):
        start = START + number * DAY // 2
        write_pages(
            inside / f"{number}.jsonl",
            *(
                page([video(n, start + n * 60) for n in range(s, s + 100)])
                for s in range(0, 900, 90)
            ),
        )
    small = run(work="small")
    monkeypatch.setattr(module, "SPLIT_ABOVE", 0)
    large = run(work="large")
    assert (len(small.parts), len(large.parts)) == (1, 3)
    assert small.dropped == large.dropped
    assert small.dropped["duplicate"] > 500
    assert rows(small).equals(rows(large))
    assert not (large.parts[0].parent / "raw").exists()


def test_memory_is_bounded_by_blocks_and_raw_parts_not_by_the_input(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No frame ever held is longer than a block or a raw part, and blocks are taken one by one."""
    monkeypatch.setattr(api_pages, "BLOCK_ROWS", 100)
    monkeypatch.setattr(module, "RAW_ROWS", 250)
    monkeypatch.setattr(module, "SPLIT_ABOVE", 0)
    heights: list[tuple[str, int]] = []
    add, write = module._RawWriter.add, module.write_frame

    def adding(self: Any, frame: pl.DataFrame) -> None:
        heights.append(("block", frame.height))
        add(self, frame)

    def writing(path: Path, frame: pl.DataFrame) -> None:
        if path.parent.name == "raw":
            heights.append(("raw", frame.height))
        write(path, frame)

    monkeypatch.setattr(module._RawWriter, "add", adding)
    monkeypatch.setattr(module, "write_frame", writing)
    pages = (page([video(n * 100 + i) for i in range(100)]) for n in range(20))
    write_pages(inside / "a.jsonl", *pages)
    assert run().videos == 2_000
    assert [height for kind, height in heights if kind == "block"] == [100] * 20 + [0]
    assert max(height for kind, height in heights if kind == "raw") <= 300
    first_raw = next(n for n, (kind, _) in enumerate(heights) if kind == "raw")
    assert first_raw == 3  # written before the fourth block was taken


def test_a_second_run_reads_nothing_and_says_the_same(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pages(inside / "a.jsonl", page([video(1), video(1), video(2)]))
    first = run(work="w")
    stamps = [part.stat().st_mtime_ns for part in first.parts]
    monkeypatch.setattr(module, "READERS", {})
    assert run(work="w") == first
    assert [part.stat().st_mtime_ns for part in first.parts] == stamps


def test_a_part_that_was_lost_is_made_again(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1), video(1), video(2)]))
    first = run(work="w")
    content = first.parts[0].read_bytes()
    first.parts[0].unlink()
    assert run(work="w") == first
    assert first.parts[0].read_bytes() == content


def test_a_changed_file_in_either_of_two_folders_is_noticed(run: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_pages(one / "day.jsonl", page([video(1, view_count=1)]))
    write_pages(two / "day.jsonl", page([video(2)]))
    before = run(one, two, work="w")
    write_pages(one / "day.jsonl", page([video(1, view_count=2)]))
    after = run(one, two, work="w")
    assert after.fingerprint != before.fingerprint
    assert rows(after)["view_count"].to_list()[0] == 2
    assert len(after.inputs) == 2


def test_another_window_or_region_is_another_result(run: Run, inside: Path) -> None:
    write_pages(inside / "a.jsonl", page([video(1), video(2, region_code="CO")]))
    first = run(work="w")
    run.campaign = tiny_campaign(region_codes=("EC", "CO"))
    second = run(work="w")
    assert (first.videos, second.videos) == (1, 2)
    assert first.fingerprint != second.fingerprint


def test_a_bad_file_stops_everything_and_a_repaired_one_continues_where_it_stopped(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 1)
    for number in range(4):
        write_pages(inside / f"{number}.jsonl", page([video(number)]))
    (inside / "2.jsonl").write_bytes(to_bytes([page([video(2)])])[:-20])
    with pytest.raises(UnreadablePage, match="cut short"):
        run(work="w")
    assert not list((tmp := inside.parent / "w").rglob("summary.json"))
    assert not list(tmp.rglob("part-*"))
    write_pages(inside / "2.jsonl", page([video(2)]))
    assert rows(run(work="w")).equals(rows(run(work="undisturbed")))


class Killed(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.mark.parametrize("split", [1 << 30, 0])
def test_an_ingest_interrupted_at_any_write_gives_the_same_when_run_again(
    run: Run, inside: Path, monkeypatch: pytest.MonkeyPatch, split: int
) -> None:
    monkeypatch.setattr(module, "SPLIT_ABOVE", split)
    monkeypatch.setattr(module, "CHUNK_BYTES", 1)
    for number in range(3):
        bad = video(9, id="7E+18")
        same = [video(n, START + n * DAY) for n in range(3)]
        write_pages(inside / f"{number}.jsonl", page([video(50 + number), bad, *same]))
    undisturbed = run(work="undisturbed")
    frame, text = module.write_frame, module.write_json
    for stop in range(1, 30):
        left = [stop]

        def count(real: Any, path: Path, value: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            real(path, value)

        monkeypatch.setattr(module, "write_frame", lambda p, v, c=count: c(frame, p, v))
        for place in (module, resume):
            monkeypatch.setattr(place, "write_json", lambda p, v, c=count: c(text, p, v))
        try:
            run(work=f"stopped{stop}")
        except Killed:
            pass
        else:
            break  # ran through: every write has been the last one once
        monkeypatch.setattr(module, "write_frame", frame)
        for place in (module, resume):
            monkeypatch.setattr(place, "write_json", text)
        again = run(work=f"stopped{stop}")
        assert [p.read_bytes() for p in again.parts] == [p.read_bytes() for p in undisturbed.parts]
        assert (again.dropped, again.rows_in) == (undisturbed.dropped, undisturbed.rows_in)
        assert rejected(again) == rejected(undisturbed)
    assert stop > 8


def test_synthetic_rows_mark_themselves_and_the_whole_run(run: Run, inside: Path) -> None:
    made = page([video(1)])
    made["error"]["log_id"] = "SYNTHETIC"
    write_pages(inside / "a.jsonl", made)
    write_pages(inside / "b.jsonl", page([video(2)]))
    result = run()
    assert result.synthetic
    assert rows(result)["synthetic"].to_list() == [True, False]
    (inside / "a.jsonl").unlink()
    assert not run().synthetic


def test_a_second_campaign_in_another_country_is_only_another_folder(
    run: Run, inside: Path, fakes: Path
) -> None:
    run.campaign = Campaign.load(fakes / "second_campaign")
    start = run.campaign.window.start_ts
    regions = {1: "CL", 2: "AR", 3: "EC"}
    made = [video(n, start + n, region_code=code) for n, code in regions.items()]
    write_pages(inside / "a.jsonl", page([*made, video(4, NOON, region_code="CL")]))
    result = run()
    assert rows(result)["region_code"].to_list() == ["CL", "AR"]
    assert result.dropped == {"out_of_region": 1, "out_of_window": 1}
