"""Rows and clips that attack: made of what has broken builds before, and of noise."""

from __future__ import annotations

import csv
import io
import json
import random
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakes.media_files import write_mp4
from fakes.pages import NOON, START, page, video

TEXTS = (
    "GSK 123 " * 50,
    "=1+1;hola",
    "a" * 20_000,
    "\u202e\u0000\ufeff\ufffd",
    "😀" * 500,
    "<script>alert(1)</script>",
    "novecientos " * 300,
    "{{ 7 * 7 }} {% raw %} ---\n- x: y",
    "\r\n\t\v\f\x1b[31m",
    "ecuador_2024",
    "x\ud83d y\udc00",
    "1.0.0",
    "",
    "nan",
)
ANYTHING: tuple[Any, ...] = (None, True, -1, 0, 2**63, 2**70, 1e308, "", "x", [], {}, [[1]], "NaN")
FIELDS = (
    "id",
    "create_time",
    "username",
    "region_code",
    "video_description",
    "like_count",
    "view_count",
    "hashtag_names",
    "video_duration",
    "voice_to_text",
)


def hostile_row(dice: random.Random, number: int) -> dict[str, Any]:
    """A row made of what has broken builds before, and of noise."""
    ours = ["video_id", "train", "1.0.0", "ecuador_2024", "README.md", "sha256", "label", "null"]
    odd = [
        "\u202e",
        "\u0301" * 5,
        "\ufeff",
        "𝟎𝟗𝟗𝟏𝟐𝟑𝟒𝟓𝟔𝟕",
        "[PHONE]",
        "[[URL]]",
        "|",
        "---\n",
        "\\",
        "`",
        "${x}",
    ]
    kinds = [
        lambda: "GSK 123 " * dice.randint(1, 60),
        lambda: "958123456",
        lambda: f"#{dice.choice(ours)} y @persona.{dice.randint(0, 999)}x",
        lambda: "".join(dice.choice(string.printable) for _ in range(dice.randint(0, 60))),
        lambda: " ".join(dice.choice(odd) for _ in range(dice.randint(1, 9))),
        lambda: f"{(START << 32) + dice.randint(0, 9_999)}",
        lambda: dice.choice(["/home/ana/x.mp4", "C:\\Users\\ana", "file:///etc/x", "~/videos/x"]),
        lambda: f"persona.{dice.randint(0, 9_999)}x lo dijo en el barrio",
        lambda: " ".join(str(dice.randint(0, 9)) for _ in range(dice.randint(1, 40))),
        lambda: "una frase larga que cualquiera entiende sin problema",
        lambda: "",
    ]
    name = dice.choice(
        [f"persona.{number}x", *ours, f"{dice.randint(0, 9)}.{dice.randint(0, 9_999)}", "a_b"]
    )
    return {
        "username": name,
        "voice_to_text": dice.choice(kinds)(),
        "video_description": dice.choice(kinds)(),
        "hashtag_names": [
            dice.choice([*ours, "ecuador", "0991234567", name, "a/b"]) for _ in range(3)
        ],
    }


def hostile_video(number: int, chance: random.Random) -> Any:
    """A video with some fields that are something else; now and then no video at all."""
    if chance.random() < 0.02:
        return chance.choice(ANYTHING)
    made = video(number * 7_919 + 1, NOON + number % 40_000)
    for field in chance.sample(FIELDS, chance.randrange(4)):
        made[field] = chance.choice(
            [*ANYTHING, *TEXTS, [chance.choice(TEXTS), None, 7], -(2**40), "1e9"]
        )
    return made


def hostile_cells(number: int, chance: random.Random) -> list[str]:
    """Cells of a CSV: damaged ids, wrong numbers, too few, too many."""
    exact = (NOON + number % 40_000) << 32 | chance.getrandbits(32)
    ids = [str(exact)] * 12 + [str(exact)[:15] + "0000", f" {exact} ", "", "x", "-1"]
    cells = [
        chance.choice(ids),
        chance.choice(TEXTS).encode("utf-8", "ignore").decode(),
        chance.choice(["10", "300", "-1", "nan", "1e400", "x", "", "0x10", "1_000"]),
        chance.choice(["positive", "Neutral", "neg", "happy", "", "=cmd"]),
    ]
    if chance.random() < 0.03:
        return cells[: chance.randrange(1, 4)]
    return [*cells, "more"] if chance.random() < 0.02 else cells


def write_hostile(folder: Path, rows: int, seed: int) -> int:
    """Half in pages, half in CSVs; returns the rows written."""
    folder.mkdir(parents=True)
    chance = random.Random(seed)
    half = rows // 2
    with (folder / "a.jsonl").open("w", encoding="utf-8") as out:
        for start in range(0, half, 100):
            made = [hostile_video(n, chance) for n in range(start, min(start + 100, half))]
            out.write(json.dumps(page(made)) + "\n")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "AI Summary", "Number of frames", "Sentiment label"])
    for number in range(half):
        cells = hostile_cells(number, chance)
        # a row without any content is no row: spreadsheets end in such lines
        writer.writerow(cells if any(cell.strip() for cell in cells) else ["x", *cells])
    (folder / "b.csv").write_bytes(buffer.getvalue().encode())
    return rows


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """One of the things that happen to files."""
    made = bytearray(raw)
    match chance.randrange(6):
        case 0:
            del made[chance.randrange(1, len(made)) :]
        case 1:
            for _ in range(chance.choice([1, 5, 50])):
                made[chance.randrange(len(made))] = chance.randrange(256)
        case 2:
            at = chance.randrange(len(made))
            made[at : at + 64] = chance.randbytes(64)
        case 3:
            at, size = chance.randrange(len(made)), chance.randrange(1, 4_000)
            del made[at : at + size]
        case 4:
            at = chance.randrange(len(made))
            made[at:at] = made[chance.randrange(len(made)) :][:3_000]
        case _:  # in the header, where it hurts
            for _ in range(chance.choice([1, 3, 10])):
                made[chance.randrange(min(len(made), 1_200))] = chance.randrange(256)
    return bytes(made)


def mutants(folder: Path, ids: Sequence[int], seed: int) -> list[Path]:
    """A damaged clip for each id."""
    folder.mkdir(exist_ok=True)
    kinds = [("mp4", "mp4"), ("mkv", "matroska"), ("ts", "mpegts"), ("flv", "flv"), ("avi", "avi")]
    whole = [
        (ext, write_mp4(folder / f"whole.{ext}", 1.0, container=kind, options={}).read_bytes())
        for ext, kind in kinds
    ]
    for ext, _ in kinds:
        (folder / f"whole.{ext}").unlink()
    chance = random.Random(seed)
    paths = []
    for video_id in ids:
        extension, raw = chance.choice(whole)
        path = folder / f"{video_id}.{extension}"
        path.write_bytes(mutated(raw, chance))
        paths.append(path)
    return paths
