"""Agreement of two sentiment models, against scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from builder.validate.opinions import second_opinion
from builder.validate.release import Tables
from ecuador_crisis_tiktok import SENTIMENT_LABELS as LABELS


def release(folder: Path, first: list[str | None], second: list[str | None] | None) -> Tables:
    columns = {"label": first, "model": ["a@1" if x else None for x in first]}
    if second is not None:
        columns |= {"second_label": second, "second_model": ["b@2" if x else None for x in second]}
    (folder / "sentiment").mkdir(parents=True)
    schema = dict.fromkeys(columns, pl.String)
    pl.DataFrame(columns, schema=schema).write_parquet(folder / "sentiment" / "train.parquet")
    return Tables(folder, 0.75)


@pytest.mark.parametrize("seed", range(5))
def test_the_numbers_are_scikit_learns(tmp_path: Path, seed: int) -> None:
    dice = np.random.default_rng(seed)
    first = dice.choice([*LABELS, None], 400, p=[0.5, 0.2, 0.2, 0.1]).tolist()
    copied = dice.random(400) < 0.6
    other = dice.choice([*LABELS, None], 400).tolist()
    second = [a if same else b for a, b, same in zip(first, other, copied, strict=True)]
    found = second_opinion(release(tmp_path, first, second))
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    assert found is not None and found["rows"] == len(pairs)
    assert found["agreement"] == pytest.approx(np.mean([x == y for x, y in pairs]))
    assert found["kappa"] == pytest.approx(cohen_kappa_score(a, b))
    matrix = [list(row.values()) for row in found["confusion"].values()]
    assert matrix == confusion_matrix(a, b, labels=list(LABELS)).tolist()
    assert (found["first"], found["second"]) == ({"a@1": len(pairs)}, {"b@2": len(pairs)})


def test_without_a_second_opinion_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert second_opinion(release(tmp_path / "none", ["neutral"], None)) is None
    found = second_opinion(release(tmp_path / "apart", ["neutral", None], [None, "positive"]))
    assert found is not None and found["rows"] == 0
    assert found["agreement"] is None and found["kappa"] is None


def test_one_label_throughout_has_no_kappa(tmp_path: Path) -> None:
    found = second_opinion(release(tmp_path, ["neutral"] * 9, ["neutral"] * 9))
    assert found is not None and (found["agreement"], found["kappa"]) == (1.0, None)
