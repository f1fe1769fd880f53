"""Scores filled reviews: how far people agree, and how often the machine is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from builder.errors import UsageProblem
from builder.measure.annotators import MISSING, Stratum, agreement, collapse, stratified_share
from builder.measure.scores import Ints
from builder.review.sheet import (
    ANSWERS,
    Design,
    Item,
    design_path,
    read_design,
    read_sheet,
)

GOLD_SCHEMA = {
    "task": pl.String,
    "video_id": pl.String,
    "gold": pl.String,
    "weight": pl.Float64,
}
Answers = dict[str, dict[str, str]]


def score_review(files: Sequence[Path], design: Path | None = None) -> dict[str, Any]:
    """Score filled CSVs of one sample.

    Args:
        files: copies of the CSV, each filled by one or more annotators.
        design: its design; None looks beside the files.

    Returns:
        `release`, `seed`, and `tasks`: task -> `items`, `judged`, `annotators` (name -> answers),
        `alpha`, `judged_twice`, `pairs` (see `agreement.agreement`), `accuracy` for the whole
        dataset ({value, low, high, level, sampled, rows}; null without answers), `per_label` (the
        same for the rows the machine gave each label), `ties`.

    Raises:
        UsageProblem: no design, a file of another sample, an answer outside the list, no answers.
    """
    chosen, answers = read_review(files, design)
    tasks = {
        task: _task(task, chosen, answers)
        for task in ANSWERS
        if any(item.task == task for item in chosen.items)
    }
    return {"release": chosen.release, "seed": chosen.seed, "tasks": tasks}


def read_review(files: Sequence[Path], design: Path | None = None) -> tuple[Design, Answers]:
    """Read filled CSVs.

    Returns:
        The design, and annotator -> item -> answer; an annotator is a column of a file.

    Raises:
        UsageProblem: see `score_review`.
    """
    if not files:
        raise UsageProblem("no file to score", way_out="give --score FILE")
    chosen = read_design(design or _find_design(files))
    answers: Answers = {}
    for path in files:
        for column, given in read_sheet(path, chosen).items():
            name = column if len(files) == 1 else f"{path.stem}:{column}"
            while name in answers:
                name += "'"
            answers[name] = given
    if not answers:
        raise UsageProblem(
            "nobody has answered yet: every annotator column is blank",
            file=files[0],
            way_out="fill the columns annotator_1, annotator_2, …",
        )
    return chosen, answers


def gold_labels(files: Sequence[Path], design: Path | None = None) -> pl.DataFrame:
    """People's labels for `quality.check_quality`.

    An item's label is what most annotators say; an item without a majority has none. `weight` is
    the number of rows the item stands for, N_h / n_h over the labelled items of its stratum; strata
    with too few are taken together as `score_review` does, so that both give one accuracy.

    Returns:
        Columns of `GOLD_SCHEMA`.

    Raises:
        UsageProblem: see `score_review`.
    """
    chosen, answers = read_review(files, design)
    labels = {item.item: label for item in chosen.items if (label := _majority(item, answers))}
    kept = [item for item in chosen.items if item.item in labels]
    weights = _weights(chosen, kept)
    rows = [
        (item.task, item.video_id, labels[item.item], weight)
        for item, weight in zip(kept, weights, strict=True)
    ]
    return pl.DataFrame(rows, schema=GOLD_SCHEMA, orient="row")


def score_lines(result: dict[str, Any]) -> list[str]:
    """`score_review` as lines for the terminal."""
    lines = [f"review of {result['release']} (seed {result['seed']})"]
    for name, task in result["tasks"].items():
        lines.append(f"{name}: {task['judged']:,} of {task['items']:,} items judged")
        lines += [f"  {who}: {n:,} answers" for who, n in task["annotators"].items()]
        for pair in task["pairs"]:
            lines.append(
                f"  {' and '.join(pair['annotators'])}: agreement {_number(pair['agreement'])}, "
                f"Cohen's kappa {_number(pair['kappa'])} over {pair['items']:,} items"
            )
        lines.append(f"  Krippendorff's alpha (nominal): {_number(task['alpha'])}")
        lines.append(f"  accuracy for the whole dataset: {_interval(task['accuracy'])}")
        lines.append(
            f"    against what most annotators say, {task['ties']:,} tie(s) left out; "
            "`validate --gold` gives the same number"
        )
        for label, estimate in task["per_label"].items():
            lines.append(f"    labelled {label}: {_interval(estimate)}")
    return lines


def _task(task: str, design: Design, answers: Answers) -> dict[str, Any]:
    names = ANSWERS[task]
    items = [item for item in design.items if item.task == task]
    matrix = _matrix(items, answers, names)
    people = [name for j, name in enumerate(answers) if (matrix[:, j] != MISSING).any()]
    kept = matrix[:, [j for j in range(matrix.shape[1]) if (matrix[:, j] != MISSING).any()]]
    hits = [_hit(item, answers) for item in items]
    judged = sum(bool(_leaders(item, answers)) for item in items)
    return {
        "items": len(items),
        "judged": judged,
        "annotators": {name: int((kept[:, j] != MISSING).sum()) for j, name in enumerate(people)},
        **agreement(kept, people, len(names)),
        "ties": sum(bool(_leaders(i, answers)) and _majority(i, answers) is None for i in items),
        "accuracy": _estimate(design, items, hits, None),
        "per_label": {name: _estimate(design, items, hits, name) for name in names},
    }


def _matrix(items: list[Item], answers: Answers, names: Sequence[str]) -> Ints:
    number = {name: i for i, name in enumerate(names)}
    rows = [
        [number[given[item.item]] if item.item in given else MISSING for given in answers.values()]
        for item in items
    ]
    return np.array(rows, dtype=np.int64).reshape(len(items), len(answers))


def _leaders(item: Item, answers: Answers) -> list[str]:
    votes = Counter(given[item.item] for given in answers.values() if item.item in given)
    most = max(votes.values(), default=0)
    return [label for label, n in votes.items() if n == most]


def _majority(item: Item, answers: Answers) -> str | None:
    leaders = _leaders(item, answers)
    return leaders[0] if len(leaders) == 1 else None


def _hit(item: Item, answers: Answers) -> float | None:
    """1 when the machine says what most annotators say, 0 when not; None without a majority.

    The one definition of accuracy, also of `validate --gold`: ties are left out, and counted.
    """
    label = _majority(item, answers)
    return None if label is None else float(item.machine == label)


def _estimate(
    design: Design, items: list[Item], hits: list[float | None], label: str | None
) -> dict[str, Any] | None:
    task = items[0].task
    # the label is the first part of every stratum's name
    mine = {
        name: size
        for name, size in design.strata[task].items()
        if label is None or name.split(" · ")[0] == label
    }
    values: dict[str, list[float]] = {name: [] for name in mine}
    for item, hit in zip(items, hits, strict=True):
        if item.stratum in values and hit is not None:
            values[item.stratum].append(hit)
    strata = [Stratum(size, tuple(values[name])) for name, size in sorted(mine.items())]
    estimate = stratified_share(strata)
    return None if estimate is None else asdict(estimate)


def _weights(design: Design, items: list[Item]) -> list[float]:
    """How many rows each labelled item stands for."""
    weights = [0.0] * len(items)
    for task, sizes in design.strata.items():
        places: dict[str, list[float]] = {name: [] for name in sizes}
        for place, item in enumerate(items):
            if item.task == task:
                places[item.stratum].append(place)
        strata = [Stratum(size, tuple(places[name])) for name, size in sorted(sizes.items())]
        if not any(stratum.values for stratum in strata):
            continue
        for stratum in collapse(strata):
            for value in stratum.values:
                weights[int(value)] = stratum.rows / len(stratum.values)
    return weights


def _find_design(files: Sequence[Path]) -> Path:
    for path in files:
        if design_path(path).is_file():
            return design_path(path)
    found = sorted({design for path in files for design in path.parent.glob("*.design.json")})
    if len(found) == 1:
        return found[0]
    raise UsageProblem(
        f"{len(found) or 'no'} designs beside these files",
        file=files[0].parent,
        way_out="name the .design.json that `review` wrote with --design",
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _interval(estimate: dict[str, Any] | None) -> str:
    if estimate is None:
        return "nothing judged"
    return (
        f"{estimate['value']:.1%} ({estimate['level']:.0%} interval {estimate['low']:.1%} to "
        f"{estimate['high']:.1%}; {estimate['sampled']:,} of {estimate['rows']:,} rows)"
    )
