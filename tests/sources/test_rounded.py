"""Ids that a spreadsheet rounded, in a file whose other ids are whole, invent no videos."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.pages import NOON, WHISPER_HEADER, page, tiny_campaign, video, write_csv, write_pages

from builder.errors import SpreadsheetDamage
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ids import ID_ROUNDED, ID_SCIENTIFIC
from builder.sources.ingest import Ingested, ingest

CUT = lambda i: str(i // 10_000 * 10_000)  # noqa: E731
UP = lambda i: str(round(i, -4))  # noqa: E731


def real_ids(count: int, seed: int = 0) -> list[int]:
    """Ids as TikTok makes them: 32 lower bits that look like chance."""
    chance = random.Random(seed)
    return [(NOON + n) << 32 | chance.getrandbits(32) for n in range(count)]


def run(folder: Path) -> Ingested:
    quiet = lambda what, total: Progress(what, total, stream=None)  # noqa: E731
    return ingest(tiny_campaign(), find_sources([folder / "in"]), Store(folder / "work"), quiet)


@pytest.mark.parametrize("damage", [CUT, UP], ids=["cut off", "rounded"])
@pytest.mark.parametrize("beside", ["csv", "pages"])
def test_rounded_ids_beside_the_real_ones_are_refused_by_name(
    tmp_path: Path, damage: Callable[[int], str], beside: str
) -> None:
    ids = real_ids(400)
    if beside == "csv":
        write_csv(tmp_path / "in" / "a.csv", WHISPER_HEADER, *((i, "hola") for i in ids))
    else:
        write_pages(
            tmp_path / "in" / "a.jsonl",
            page([video(n, i >> 32, id=i) for n, i in enumerate(ids)]),
        )
    mixed = [(damage(i) if n % 10 == 0 else i, "adiós") for n, i in enumerate(ids)]
    write_csv(tmp_path / "in" / "b.csv", WHISPER_HEADER, *mixed)
    result = run(tmp_path)
    assert result.videos == 400
    assert result.dropped == {ID_ROUNDED: 40}
    rejected = json.loads((result.parts[0].parent / "rejected.json").read_text())
    assert [row["row"] for row in rejected[:2]] == ["data row 1", "data row 11"]
    assert {row["file"] for row in rejected} == {"b.csv"}
    assert str(ids[0])[:12] not in json.dumps(rejected)


def test_one_rounded_id_is_known_by_its_neighbour(tmp_path: Path) -> None:
    ids = real_ids(30)
    write_csv(tmp_path / "in" / "a.csv", WHISPER_HEADER, *((i, "x") for i in [*ids, CUT(ids[7])]))
    assert (run(tmp_path).videos, run(tmp_path).dropped) == (30, {ID_ROUNDED: 1})


def test_zeros_are_not_believed_in_a_file_that_shows_scientific_notation(tmp_path: Path) -> None:
    ids = real_ids(30)
    rows = [CUT(ids[0]), f"{ids[1]:.5E}", *ids[2:]]
    write_csv(tmp_path / "in" / "a.csv", WHISPER_HEADER, *((i, "x") for i in rows))
    result = run(tmp_path)
    assert result.videos == 28
    assert result.dropped == {ID_SCIENTIFIC: 1, ID_ROUNDED: 1}


def test_far_more_zeros_than_chance_gives_are_not_believed_either(tmp_path: Path) -> None:
    ids = real_ids(300)
    rows = [CUT(i) if n < 30 else i for n, i in enumerate(ids)]
    write_csv(tmp_path / "in" / "a.csv", WHISPER_HEADER, *((i, "x") for i in rows))
    assert run(tmp_path).dropped == {ID_ROUNDED: 30}


def test_an_id_that_happens_to_end_in_zeros_is_kept(tmp_path: Path) -> None:
    ids = [*real_ids(50), real_ids(1, seed=5)[0] // 10_000 * 10_000]
    write_csv(tmp_path / "in" / "a.csv", WHISPER_HEADER, *((i, "x") for i in ids))
    result = run(tmp_path)
    assert (result.videos, result.dropped) == (51, {})


def test_an_id_that_the_service_itself_gave_is_exact(tmp_path: Path) -> None:
    ids = real_ids(20)
    exact = ids[3] // 10_000 * 10_000
    made = [video(n, i >> 32, id=i) for n, i in enumerate([*ids, exact])]
    write_pages(tmp_path / "in" / "a.jsonl", page(made))
    write_csv(
        tmp_path / "in" / "b.csv",
        WHISPER_HEADER,
        *((i, "x") for i in [exact, f"{ids[0]:.5E}", *ids]),
    )
    assert run(tmp_path).videos == 21


def javascript(number: int) -> str:
    """As JavaScript prints a number: the shortest digits that are nearest to it, then zeros."""
    digits, _, exponent = f"{float(number)!r}".partition("e+")
    whole = digits.replace(".", "")
    return whole.ljust(int(exponent) + 1, "0")


FLOATS = {"pandas": lambda i: str(int(float(i))), "javascript": javascript}


@pytest.mark.parametrize("by", FLOATS)
@pytest.mark.parametrize("kind", ["csv", "pages"])
def test_ids_that_went_through_a_float_are_refused(tmp_path: Path, by: str, kind: str) -> None:
    ids = [int(FLOATS[by](i)) for i in real_ids(60)]
    assert ids != real_ids(60)
    write_ids(tmp_path / "in", kind, ids)
    with pytest.raises(SpreadsheetDamage, match="60 of 60 ids went through floating-point"):
        run(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "pages"])
def test_round_ids_by_chance_are_videos(tmp_path: Path, kind: str) -> None:
    ids = sorted([*real_ids(40), *(int(javascript(i)) for i in real_ids(3, seed=5))])
    write_ids(tmp_path / "in", kind, ids)
    assert run(tmp_path).videos == 43


def write_ids(folder: Path, kind: str, ids: list[int]) -> None:
    folder.mkdir()
    if kind == "csv":
        write_csv(folder / "ecuador.csv", WHISPER_HEADER, *[[i, "hola"] for i in ids])
        return
    rows = [video(n, id=i, create_time=i >> 32) for n, i in enumerate(ids)]
    write_pages(folder / "a.jsonl", page(rows))
