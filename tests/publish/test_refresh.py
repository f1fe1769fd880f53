"""Collected, built, asked again, built again: what is gone leaves the release."""

from __future__ import annotations

import datetime as dt
import json
import random
from itertools import chain
from pathlib import Path

import pytest
from fakes.research_corpus import day_start, video
from fakes.research_kit import DAYS
from refresh_kit import World, holds
from release_kit import quiet, table

from builder.commands.building.status import run_status
from builder.commands.refresh import run_remove
from builder.errors import UsageProblem
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.publish.looks import INTERVAL, read_looks
from builder.publish.refresh import SPAN, batches, known_ids


def test_deleted_private_and_restored_posts(world: World) -> None:
    first = world.first
    known = known_ids(world.work)
    names = world.pseudonyms()
    assert first.tombstones == {} and first.refresh == {}
    deleted, private, flickers = known[0], known[7], known[20]
    kept_rows = [v for v in world.api.corpus if v["id"] in (private, flickers)]
    missing = {deleted, private, flickers}
    world.api.corpus = [v for v in world.api.corpus if v["id"] not in missing]

    code, told = world.refresh()
    assert code == 0 and "3 missed" in told and "0 are gone" in told
    assert world.build().rows["videos"] == len(known)  # one miss is no proof
    code, told = world.refresh()
    assert "today already" in told  # a second look on the same day is none
    assert not read_looks(world.work).gone()

    world.next_day()
    world.api.corpus += [v for v in kept_rows if v["id"] == flickers]
    code, told = world.refresh()
    assert code == 0 and "2 are gone" in told
    second = world.build()
    assert second.tombstones == {"gone_upstream": 2}
    assert second.rows["videos"] == len(known) - 2
    for config, ids in world.released().items():
        assert not ids & {names[deleted], names[private]}, config
        assert names[flickers] in ids, config
    card = (world.out / "README.md").read_text(encoding="utf-8")
    assert "2 deleted upstream" in card and second.refresh["due"] in card
    last = dt.date.fromisoformat(second.refresh["last"])
    assert dt.date.fromisoformat(second.refresh["due"]) == last + INTERVAL
    assert any("refresh: last" in line and "2 gone" in line for line in run_status(world.work))

    world.next_day(16)
    assert any("overdue" in line for line in _status_on(world))
    world.api.corpus += [v for v in kept_rows if v["id"] == private]
    code, told = world.refresh()
    assert "1 came back" in told
    third = world.build()
    assert third.tombstones == {"gone_upstream": 1}
    assert names[private] in world.released()["videos"]
    assert names[deleted] not in world.released()["videos"]


def _status_on(world: World) -> list[str]:
    from builder.publish.looks import refresh_lines

    return refresh_lines(world.work, dt.date.fromisoformat(world.api.today()))


def test_new_counts_are_a_second_snapshot(world: World) -> None:
    before = table(world.out, "metadata")
    assert set(before["fetched_on"]) == {dt.date.fromisoformat(world.api.today())}
    assert before["favorites_count"].min() >= 1
    for row in world.api.corpus:
        row["view_count"] += 1_000_000
    assert world.refresh()[0] == 0
    looks = read_looks(world.work).frame
    assert looks["view_count"].min() > 1_000_000
    world.build()
    assert table(world.out, "metadata").equals(before)


def test_a_service_that_finds_nothing_deletes_nothing(world: World) -> None:
    known = known_ids(world.work)
    world.api.lying_all = set(DAYS)
    for _ in range(3):
        code, told = world.refresh()
        assert code == 3 and "unconfirmed" in told
        world.next_day()
    assert not read_looks(world.work).gone()
    world.api.lying_all = set()
    assert world.refresh()[0] == 0
    assert world.build().rows["videos"] == len(known)


def test_it_stops_at_the_quota_and_goes_on_where_it_stopped(world: World) -> None:
    asked = len(world.api.queries)
    code, told = world.refresh(rows_a_day=60)  # a request may bring 100 rows: none fits
    assert code == 3 and "still to be asked for" in told
    assert len(world.api.queries) == asked
    world.next_day()
    assert world.refresh()[0] == 0


def test_batches_span_less_than_the_service_allows() -> None:
    rng = random.Random(2)
    start = day_start(dt.date(2024, 1, 1))
    ids = [video(rng, start + rng.randrange(86_400 * 90), "EC", "x")["id"] for _ in range(350)]
    made = list(batches(ids))
    assert sorted(chain.from_iterable(made)) == sorted(ids)
    for batch in made:
        days = ((batch[-1] >> 32) - (batch[0] >> 32)) / 86_400
        assert len(batch) <= 100 and days <= SPAN.days + 1


def test_removal_is_at_once_and_for_good(world: World, tmp_path: Path) -> None:
    first = world.first
    known, names = known_ids(world.work), world.pseudonyms()
    by_id, by_link, by_name = known[3], known[9], known[15]
    wanted = {by_id, by_link, by_name}
    videos = tmp_path / "clips"
    videos.mkdir()
    for path in (f"{by_id}.mp4", f"@somebody_video_{by_link}.mp4", f"{known[1]}.mp4"):
        (videos / path).write_bytes(b"x")
    (tmp_path / "requests.txt").write_text(
        f"# received today\n{by_id}\nhttps://www.tiktok.com/@invented/video/{by_link}?lang=es\n"
        f"\n{names[by_name].upper()}\n",
        encoding="utf-8",
    )
    told = "\n".join(run_remove(world.work, tmp_path / "requests.txt", videos))
    assert "3 posts asked for, 3 of them" in told
    assert [path.name for path in videos.iterdir()] == [f"{known[1]}.mp4"]
    left = holds(world.work, wanted)
    assert [path.name for path in left] == ["removed.json"]
    (receipt,) = (world.work / "private" / "receipts").iterdir()
    assert json.loads(receipt.read_text())["removed"] == {
        "crosswalk": 3,
        "downloads": 2,
        "ingest": 3,
    }
    second = world.build()
    assert second.tombstones == {"removed_on_request": 3}
    assert second.rows["videos"] == first.rows["videos"] - 3
    assert not {names[video] for video in wanted} & world.released()["videos"]
    # other pages about the same posts do not bring them back
    again = world.pages.with_name("pages2")
    world.pages.rename(again)
    world.pages = again
    (again / "more.json").write_text(
        json.dumps({"data": {"videos": [v for v in world.api.corpus if v["id"] in wanted]}}),
        encoding="utf-8",
    )
    third = world.build()
    assert third.rows["videos"] == second.rows["videos"]
    assert [path.name for path in holds(world.work, wanted)] == ["removed.json"]


def test_a_removed_post_leaves_stored_results_too(world: World) -> None:
    victim = known_ids(world.work)[4]
    request = Request(
        work=world.work,
        out=world.out,
        sources=(world.pages,),
        only=frozenset({"language"}),
        key_file=world.folder / "key",
        progress=quiet,
    )
    regenerate(request)
    assert [p for p in holds(world.work / "language", {victim}) if p.suffix == ".parquet"]
    (world.folder / "ids").write_text(f"{victim}\n")
    run_remove(world.work, world.folder / "ids")
    assert not holds(world.work / "language", {victim})
    parts = list((world.work / "language").glob("*/part-*.parquet"))
    regenerate(request)  # the rest is whole, and is not computed again
    assert list((world.work / "language").glob("*/part-*.parquet")) == parts


@pytest.mark.parametrize(
    "line",
    ["7.32E+18", "https://vm.tiktok.com/ZMabc/", "hello", "f" * 32, "@invented"],
)
def test_a_line_that_names_no_post_is_refused_before_anything(world: World, line: str) -> None:
    path = world.folder / "ids"
    path.write_text(f"{known_ids(world.work)[0]}\n{line}\n")
    with pytest.raises(UsageProblem) as refusal:
        run_remove(world.work, path)
    assert refusal.value.row == "2" and line not in str(refusal.value)
    assert not (world.work / "private" / "removed.json").exists()


def test_a_damaged_list_of_removals_stops_the_build(world: World) -> None:
    (world.work / "private" / "removed.json").write_text('["73')
    with pytest.raises(UsageProblem, match="list of removed posts"):
        world.build()
