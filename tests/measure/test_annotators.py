"""Agreement against scikit-learn and krippendorff; the interval against statsmodels and chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.measure.annotators import (
    MISSING,
    Stratum,
    agreement,
    cohen_kappa,
    collapse,
    krippendorff_alpha,
    percent_agreement,
    stratified_share,
    wilson,
)

metrics = pytest.importorskip("sklearn.metrics")


@st.composite
def judgements(draw: st.DrawFn) -> np.ndarray:
    """Items x annotators, classes 0 to 2, some missing."""
    items, people = draw(st.integers(1, 30)), draw(st.integers(2, 5))
    cell = st.sampled_from([MISSING, 0, 1, 2])
    rows = st.lists(
        st.lists(cell, min_size=people, max_size=people), min_size=items, max_size=items
    )
    return np.array(draw(rows), dtype=np.int64)


@given(judgements())
def test_kappa_agrees_with_scikit_learn(matrix) -> None:
    first, second = matrix[:, 0], matrix[:, 1]
    both = (first != MISSING) & (second != MISSING)
    ours = cohen_kappa(first, second, 3)
    if not both.any() or len({*first[both], *second[both]}) == 1:
        assert ours is None
        return
    theirs = metrics.cohen_kappa_score(first[both], second[both], labels=[0, 1, 2])
    assert ours == pytest.approx(theirs, nan_ok=True)
    expected = metrics.accuracy_score(first[both], second[both])
    assert percent_agreement(first, second) == pytest.approx(expected)


@given(judgements())
def test_alpha_agrees_with_the_package_krippendorff(matrix) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ours = krippendorff_alpha(matrix, 3)
    data = np.where(matrix == MISSING, np.nan, matrix.astype(float)).T
    pairable = matrix[(matrix != MISSING).sum(axis=1) >= 2]
    values = set(pairable[pairable != MISSING].tolist())
    if len(values) < 2:
        assert ours is None
        return
    theirs = krippendorff.alpha(
        reliability_data=data, level_of_measurement="nominal", value_domain=[0, 1, 2]
    )
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_alpha_of_krippendorffs_own_example() -> None:
    """Krippendorff 2011, section C: four observers, twelve units, missing data, alpha 0.743."""
    nan = MISSING
    matrix = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
            [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ]
    ).T
    assert krippendorff_alpha(matrix, 6) == pytest.approx(0.743, abs=5e-4)


def test_nothing_in_common_is_undefined_not_zero() -> None:
    matrix = np.array([[0, MISSING], [MISSING, 1]])
    assert cohen_kappa(matrix[:, 0], matrix[:, 1], 3) is None
    assert krippendorff_alpha(matrix, 3) is None
    assert agreement(matrix, ["a", "b"], 3) == {"alpha": None, "judged_twice": 0, "pairs": []}
    same = np.zeros((4, 2), dtype=np.int64)
    assert cohen_kappa(same[:, 0], same[:, 1], 3) is None


@given(st.integers(1, 500), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_statsmodels(n, share, level) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    hits = round(share * n)
    theirs = proportion.proportion_confint(hits, n, alpha=1 - level, method="wilson")
    assert wilson(hits / n, n, level) == pytest.approx(theirs, abs=1e-9)


def test_one_stratum_is_a_simple_random_sample() -> None:
    values = (1.0,) * 30 + (0.0,) * 10
    found = stratified_share([Stratum(10**9, values)])
    assert found is not None
    assert found.value == pytest.approx(0.75)
    # the unbiased variance has n - 1 in it: n_eff is 39, not 40
    assert (found.low, found.high) == pytest.approx(wilson(0.75, 39), abs=1e-6)


def test_strata_are_weighted_by_their_size() -> None:
    strata = [Stratum(900, (1.0,) * 10), Stratum(100, (0.0,) * 10)]
    found = stratified_share(strata)
    assert found is not None
    assert found.value == pytest.approx(0.9)
    assert found.low < 0.9 < found.high
    assert (found.sampled, found.rows) == (20, 1000)


def test_a_census_has_no_interval_left() -> None:
    found = stratified_share([Stratum(2, (1.0, 0.0)), Stratum(1, (1.0,))])
    assert found is not None
    assert found.value == found.low == found.high == pytest.approx(2 / 3)
    assert stratified_share([]) is None
    assert stratified_share([Stratum(5, ())]) is None


def test_all_right_is_not_certainly_all_right() -> None:
    found = stratified_share([Stratum(1000, (1.0,) * 20)])
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.9
    alone = stratified_share([Stratum(1000, (1.0,))])
    assert alone is not None
    assert alone.low < 0.3


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=6)),
        min_size=1,
        max_size=12,
    )
)
def test_collapsing_keeps_rows_and_values(raw) -> None:
    strata = [Stratum(size + len(values), tuple(values)) for size, values in raw]
    merged = collapse(strata)
    assert sum(s.rows for s in merged) == sum(s.rows for s in strata)
    assert [v for s in merged for v in s.values] == [v for s in strata for v in s.values]
    whole = [s for s in merged if len(s.values) < s.rows]
    assert all(len(s.values) >= 2 for s in whole) or len(merged) == 1
    found = stratified_share(strata)
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_interval_holds_what_it_promises() -> None:
    """600 samples of an invented population: the 95 % interval holds the truth about that often."""
    dice = np.random.default_rng(7)
    sizes, shares = [4000, 900, 100, 20], [0.9, 0.6, 0.3, 0.5]
    drawn = [60, 20, 10, 5]
    people = [dice.random(n) < p for n, p in zip(sizes, shares, strict=True)]
    truth = np.concatenate(people).mean()
    held = estimates = 0.0
    rounds = 600
    for _ in range(rounds):
        strata = [
            Stratum(n, tuple(dice.choice(values, k, replace=False).astype(float)))
            for n, k, values in zip(sizes, drawn, people, strict=True)
        ]
        found = stratified_share(strata)
        assert found is not None
        held += found.low <= truth <= found.high
        estimates += found.value
    assert estimates / rounds == pytest.approx(truth, abs=0.01)
    assert 0.92 <= held / rounds <= 0.995
