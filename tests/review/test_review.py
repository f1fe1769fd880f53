"""The human loop: draw, fill, score; through files as spreadsheets leave them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from quality_kit import fill
from release_kit import Built, table

from builder.commands.review import run_review
from builder.errors import ReleaseConflict, UsageProblem
from builder.review.draw import draw, write_review
from builder.review.score import gold_labels, score_lines, score_review
from builder.review.sheet import design_path, read_design, read_sheet
from builder.review.strata import allocate
from builder.validate.quality import check_quality
from builder.validate.release import Release


def sheet(path: Path) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def answer(path: Path, answers: dict[str, dict[str, str]], **style: Any) -> Path:
    """Fill columns: column -> item -> answer; saved as the style says."""
    rows = sheet(path)
    for row in rows:
        row.update({column: given.get(row["item"], "") for column, given in answers.items()})
    encoding = style.pop("encoding", "utf-8")
    target = style.pop("to", path)
    with target.open("w", encoding=encoding, newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), **style)
        writer.writeheader()
        writer.writerows(rows)
    return target


@pytest.fixture
def release(editable: Path) -> Release:
    """A release with labels and verdicts."""
    fill(editable)
    return Release(editable)


@pytest.fixture
def drawn(release: Release, tmp_path: Path) -> Path:
    """A sample of 60 rows of each task."""
    out = tmp_path / "review.csv"
    write_review(release, out, rows=60, seed=4)
    return out


def machine(path: Path) -> dict[str, str]:
    """item -> the machine's answer."""
    return {item.item: item.machine for item in read_design(design_path(path)).items}


def test_the_sample_is_blind_blank_and_readable(drawn: Path, release: Release) -> None:
    rows = sheet(drawn)
    assert len(rows) == 120
    columns = ["item", "task", "question", "text", "summary", "annotator_1", "annotator_2", "note"]
    assert list(rows[0]) == columns
    assert all(row["annotator_1"] == row["annotator_2"] == row["note"] == "" for row in rows)
    assert all(row["text"] for row in rows)
    assert all(bool(row["summary"]) == (row["task"] == "summary") for row in rows)
    # nothing a person sees tells what the machine said
    words = {"label", "confidence", "stratum", "machine", "video_id"}
    assert not words & set(rows[0])
    design = read_design(design_path(drawn))
    assert design.seed == 4
    ids = [item.video_id for item in design.items if item.task == "sentiment"]
    assert len(set(ids)) == 60
    labels = dict(table(release.folder, "sentiment").select("video_id", "label").iter_rows())
    assert all(labels[i.video_id] == i.machine for i in design.items if i.task == "sentiment")


def test_the_same_seed_gives_the_same_bytes(release: Release, tmp_path: Path, drawn: Path) -> None:
    again, other = tmp_path / "again.csv", tmp_path / "other.csv"
    write_review(release, again, rows=60, seed=4)
    write_review(release, other, rows=60, seed=5)
    assert again.read_bytes() == drawn.read_bytes()
    assert design_path(again).read_bytes() == design_path(drawn).read_bytes()
    assert other.read_bytes() != drawn.read_bytes()


def test_strata_have_the_four_dimensions_and_two_rows_each(release: Release) -> None:
    design = draw(release, 150, 0)
    assert design.dimensions["sentiment"] == ["label", "band", "language", "phase"]
    for task, strata in design.strata.items():
        taken = [item.stratum for item in design.items if item.task == task]
        assert set(taken) == set(strata)
        assert all(taken.count(name) >= min(2, size) for name, size in strata.items())
    small = draw(release, 8, 0)
    assert small.dimensions["sentiment"] == ["label"]
    everything = draw(release, 10**6, 0)
    assert len(everything.items) == sum(
        size for strata in everything.strata.values() for size in strata.values()
    )


def test_allocation_is_proportional_with_a_minimum() -> None:
    assert allocate({"a": 800, "b": 199, "c": 1}, 50, least=2) == {"a": 40, "b": 9, "c": 1}
    assert allocate({"a": 3, "b": 3}, 100, least=2) == {"a": 3, "b": 3}
    assert sum(allocate({"a": 10, "b": 1000, "c": 55}, 200, least=2).values()) == 200
    assert allocate({"a": 10, "b": 10, "c": 10}, 2, least=2) == {"a": 2, "b": 2, "c": 2}


def test_a_release_without_labels_has_nothing_to_review(small: Built, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="nothing to review"):
        write_review(Release(small.release), tmp_path / "r.csv")
    assert list(tmp_path.iterdir()) == []


def test_answers_are_never_overwritten_by_accident(release: Release, drawn: Path) -> None:
    with pytest.raises(ReleaseConflict, match="may hold answers"):
        write_review(release, drawn)
    write_review(release, drawn, rows=10, replace=True)
    assert len(sheet(drawn)) == 20


def test_texts_cannot_be_formulas(editable: Path, tmp_path: Path) -> None:
    from release_kit import rewrite

    fill(editable)
    evil = pl.when(pl.col("transcript").is_not_null()).then(pl.lit('=HYPERLINK("x")'))
    rewrite(editable, "videos", lambda f: f.with_columns(evil.alias("transcript")))
    write_review(Release(editable), tmp_path / "r.csv", rows=6)
    assert all(row["text"].startswith("'=") for row in sheet(tmp_path / "r.csv"))


def test_everybody_agrees_with_the_machine(drawn: Path) -> None:
    said = machine(drawn)
    answer(drawn, {"annotator_1": said, "annotator_2": said})
    result = score_review([drawn])
    for task in ("sentiment", "summary"):
        scored = result["tasks"][task]
        assert scored["alpha"] == 1.0
        assert scored["pairs"][0]["kappa"] == 1.0
        assert scored["pairs"][0]["items"] == scored["judged"] == 60
        assert scored["accuracy"]["value"] == 1.0
        assert scored["accuracy"]["low"] < 1.0
        assert scored["ties"] == 0
    assert json.loads(json.dumps(result)) == result
    lines = score_lines(result)
    assert any("Krippendorff's alpha (nominal): 1.000" in line for line in lines)
    assert any("accuracy for the whole dataset: 100.0% (95% interval" in line for line in lines)


def test_accuracy_is_the_strata_s_weighted_mean(drawn: Path) -> None:
    said = machine(drawn)
    design = read_design(design_path(drawn))
    wrong = {"positive": "negative", "neutral": "neutral", "negative": "negative"}
    given = {i: wrong.get(a, a) for i, a in said.items()}
    answer(drawn, {"annotator_1": given})
    scored = score_review([drawn])["tasks"]["sentiment"]
    strata = design.strata["sentiment"]
    positive = sum(n for name, n in strata.items() if name.startswith("positive"))
    assert scored["accuracy"]["value"] == pytest.approx(1 - positive / sum(strata.values()))
    assert scored["per_label"]["positive"]["value"] == 0.0
    assert scored["per_label"]["negative"]["value"] == 1.0
    assert scored["alpha"] is None  # one annotator agrees with nobody
    assert scored["pairs"] == []


def test_two_files_two_people_missing_answers_and_spreadsheet_habits(drawn: Path) -> None:
    said = machine(drawn)
    items = sorted(said)
    spanish = {"negative": "Negativo", "neutral": " neutro ", "positive": "POSITIVA"}
    spanish |= {"entailment": "Implicación", "contradiction": "contradicción"}
    first = {i: spanish[said[i]] for i in items[: len(items) // 2 + 10]}
    second = {i: said[i] for i in items[len(items) // 2 - 10 :]}
    a = answer(
        drawn,
        {"annotator_1": first},
        to=drawn.with_name("ana.csv"),
        delimiter=";",
        encoding="cp1252",
    )
    b = answer(drawn, {"annotator_2": second}, to=drawn.with_name("luis.csv"), delimiter="\t")
    result = score_review([a, b])
    assert set(result["tasks"]["summary"]["annotators"]) | set(
        result["tasks"]["sentiment"]["annotators"]
    ) == {"ana:annotator_1", "luis:annotator_2"}
    pairs = [pair for task in result["tasks"].values() for pair in task["pairs"]]
    assert sum(pair["items"] for pair in pairs) == 20
    assert all(pair["agreement"] == 1.0 for pair in pairs)
    assert sum(task["judged"] for task in result["tasks"].values()) == len(items)


def test_ties_are_left_out_of_both_numbers_and_counted(drawn: Path) -> None:
    said = machine(drawn)
    item = next(i for i, a in said.items() if a == "positive")
    answer(drawn, {"annotator_1": {item: "positive"}, "annotator_2": {item: "negative"}})
    scored = score_review([drawn])["tasks"]["sentiment"]
    assert scored["ties"] == 1
    assert scored["per_label"]["positive"] is None
    assert gold_labels([drawn]).height == 0


def test_review_and_validate_say_one_number(drawn: Path, release: Release) -> None:
    """One definition: against the majority, ties left out, weighted to the whole dataset."""
    said = machine(drawn)
    labels = ("positive", "negative", "neutral")
    first, second = {}, {}
    sentiment = {
        item.item for item in read_design(design_path(drawn)).items if item.task == "sentiment"
    }
    mine = {item: given for item, given in said.items() if item in sentiment}
    for number, (item, answer_) in enumerate(mine.items()):
        others = [label for label in labels if label != answer_]
        first[item] = answer_ if number % 3 else others[0]
        second[item] = first[item] if number % 4 else others[1]
    answer(drawn, {"annotator_1": first, "annotator_2": second})
    scored = score_review([drawn])["tasks"]["sentiment"]
    assert scored["ties"] > 0
    gold = check_quality(release, gold=gold_labels([drawn]))["gold"]["sentiment"]
    assert scored["accuracy"]["value"] == pytest.approx(gold["accuracy"], abs=1e-9)


def test_gold_labels_stand_for_the_whole_dataset(drawn: Path, release: Release) -> None:
    answer(drawn, {"annotator_1": machine(drawn)})
    gold = gold_labels([drawn])
    assert gold.columns == ["task", "video_id", "gold", "weight"]
    totals = dict(gold.group_by("task").agg(pl.col("weight").sum()).iter_rows())
    strata = read_design(design_path(drawn)).strata
    assert totals == pytest.approx({task: sum(s.values()) for task, s in strata.items()})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text.replace("S0001", "S9999", 1), "unknown item"),
        (lambda text: text.replace("S0001", "S0002", 1), "twice"),
        (lambda text: text.replace("annotator_", "person_"), "columns annotator_"),
        (lambda text: text.replace("item,", "key,", 1), "column item"),
        (lambda text: text.splitlines()[0], "no rows"),
        (lambda text: text, "nobody has answered"),
    ],
)
def test_damaged_files_are_named(drawn: Path, damage: Any, told: str) -> None:
    drawn.write_text(damage(drawn.read_text(encoding="utf-8-sig")), encoding="utf-8")
    with pytest.raises(UsageProblem, match=told) as caught:
        score_review([drawn])
    assert str(drawn) in str(caught.value)


def test_an_unknown_answer_names_row_column_and_the_way_out(drawn: Path) -> None:
    answer(drawn, {"annotator_2": {sheet(drawn)[2]["item"]: "meh"}})
    with pytest.raises(UsageProblem, match="unknown answer 'meh'") as caught:
        score_review([drawn])
    assert caught.value.row == "4"
    assert caught.value.field == "annotator_2"
    assert "or blank" in caught.value.way_out


def test_a_missing_or_foreign_design(drawn: Path, tmp_path: Path) -> None:
    said = machine(drawn)
    answer(drawn, {"annotator_1": said})
    away = tmp_path / "elsewhere" / "design.json"
    away.parent.mkdir()
    design_path(drawn).rename(away)
    with pytest.raises(UsageProblem, match="no designs"):
        score_review([drawn])
    assert score_review([drawn], away)["tasks"]["sentiment"]["judged"] == 60
    away.write_text("{}")
    with pytest.raises(UsageProblem, match="cannot read the design"):
        score_review([drawn], away)
    with pytest.raises(UsageProblem, match="cannot read this file"):
        read_sheet(tmp_path / "none.csv", read_design_of(said))


def read_design_of(said: dict[str, str]) -> Any:
    """Any design."""
    from builder.review.sheet import Design

    del said
    return Design("", "", 0, {}, {}, [])


def test_the_command(release: Release, tmp_path: Path) -> None:
    out, facts = tmp_path / "r.csv", tmp_path / "scores.json"
    lines = run_review(release.folder, out, (), rows=20, seed=1, annotators=3)
    assert "20 rows" in lines[1]
    assert "annotator_3" in sheet(out)[0]
    answer(out, {"annotator_1": machine(out), "annotator_3": machine(out)})
    lines = run_review(None, None, [out], json_path=facts)
    assert any("Cohen's kappa 1.000" in line for line in lines)
    assert json.loads(facts.read_text())["tasks"]["sentiment"]["judged"] == 20
    with pytest.raises(UsageProblem, match="nothing to do"):
        run_review(release.folder, None, ())
    with pytest.raises(UsageProblem, match="exclude each other"):
        run_review(release.folder, out, [out])
