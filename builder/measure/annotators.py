"""Agreement between annotators, and a dataset's accuracy estimated from a stratified sample.

Judgements come as an integer matrix, items in rows and annotators in columns, -1 where an annotator
gave none. Compared with scikit-learn and the package `krippendorff` in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import NormalDist

import numpy as np

from builder.measure.scores import Ints

MISSING = -1


def percent_agreement(first: Ints, second: Ints) -> float | None:
    """Share of items two annotators judged alike, over items both judged; None: no such item."""
    both = (first != MISSING) & (second != MISSING)
    return float((first[both] == second[both]).mean()) if both.any() else None


def cohen_kappa(first: Ints, second: Ints, classes: int) -> float | None:
    """Cohen's kappa: (p_o - p_e) / (1 - p_e), p_e from each annotator's own label shares.

    Cohen 1960, "A Coefficient of Agreement for Nominal Scales".

    Args:
        first: class numbers, shape (n,), -1 where missing.
        second: likewise.
        classes: how many there are.

    Returns:
        None when no item was judged by both, or both gave one and the same label throughout (kappa
        is then 0/0).
    """
    both = (first != MISSING) & (second != MISSING)
    if not both.any():
        return None
    a = np.bincount(first[both], minlength=classes) / both.sum()
    b = np.bincount(second[both], minlength=classes) / both.sum()
    expected = float(a @ b)
    if expected >= 1.0:
        return None
    observed = float((first[both] == second[both]).mean())
    return (observed - expected) / (1.0 - expected)


def krippendorff_alpha(judgements: Ints, classes: int) -> float | None:
    """Krippendorff's alpha for nominal data with any number of annotators and missing values.

    alpha = 1 - D_o / D_e over the coincidence matrix o, where item u with m_u judgements adds
    1 / (m_u - 1) for each ordered pair of them (Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability", section C).

    Args:
        judgements: shape (items, annotators), -1 where missing.
        classes: how many there are.

    Returns:
        None when no item has two judgements, or all judgements are the same label (alpha is 0/0).
    """
    counts = np.stack([(judgements == label).sum(axis=1) for label in range(classes)], axis=1)
    made = counts.sum(axis=1)
    counts, made = counts[made >= 2].astype(np.float64), made[made >= 2]
    if not made.size:
        return None
    share = counts / (made - 1)[:, None]
    coincidence = share.T @ counts - np.diag(share.sum(axis=0))
    totals = coincidence.sum(axis=0)
    n = totals.sum()
    expected = n * n - (totals**2).sum()
    if expected <= 0:
        return None
    return float(1.0 - (n - 1) * (n - np.trace(coincidence)) / expected)


def agreement(judgements: Ints, annotators: list[str], classes: int) -> dict[str, object]:
    """All of the above for a set of annotators.

    Returns:
        `alpha`, `judged_twice` (items with two judgements or more) and `pairs`: {annotators, items,
        agreement, kappa} for every two annotators with an item in common.
    """
    pairs = []
    for i, j in combinations(range(len(annotators)), 2):
        first, second = judgements[:, i], judgements[:, j]
        items = int(((first != MISSING) & (second != MISSING)).sum())
        if items:
            pairs.append(
                {
                    "annotators": [annotators[i], annotators[j]],
                    "items": items,
                    "agreement": percent_agreement(first, second),
                    "kappa": cohen_kappa(first, second, classes),
                }
            )
    twice = int(((judgements != MISSING).sum(axis=1) >= 2).sum())
    return {
        "alpha": krippendorff_alpha(judgements, classes),
        "judged_twice": twice,
        "pairs": pairs,
    }


@dataclass(frozen=True)
class Stratum:
    """A stratum: how many rows the dataset has in it, and the sampled rows' values in [0, 1]."""

    rows: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class Estimate:
    """A share estimated for the whole dataset with its confidence interval."""

    value: float
    low: float
    high: float
    level: float
    sampled: int
    rows: int


def collapse(strata: list[Stratum]) -> list[Stratum]:
    """Merge strata with fewer than two sampled rows into the next one, so that variances exist.

    "Collapsed strata", Cochran 1977, *Sampling Techniques*, section 5A.12. Order matters:
    neighbours should be alike. Strata where every row was sampled need no variance and stay.
    """
    merged: list[Stratum] = []
    waiting = Stratum(0, ())
    for stratum in strata:
        waiting = Stratum(waiting.rows + stratum.rows, waiting.values + stratum.values)
        if len(waiting.values) >= 2 or (waiting.values and len(waiting.values) == waiting.rows):
            merged.append(waiting)
            waiting = Stratum(0, ())
    if waiting.rows and merged:
        last = merged.pop()
        waiting = Stratum(last.rows + waiting.rows, last.values + waiting.values)
    return [*merged, waiting] if waiting.rows else merged


def stratified_share(strata: list[Stratum], level: float = 0.95) -> Estimate | None:
    """A share of the whole dataset from a stratified sample.

    Estimate: p = sum W_h p_h with W_h = N_h / N; variance: sum W_h^2 (1 - n_h/N_h) s_h^2 / n_h
    with s_h^2 the sample variance of stratum h (Cochran 1977, *Sampling Techniques*, sections 5.3
    and 5.4). Interval: Wilson's score interval (Wilson 1927) with the effective sample size
    p (1 - p) / variance in place of n (Korn and Graubard 1998, *Survey Methodology* 24; Franco et
    al. 2019, *Journal of Survey Statistics and Methodology* 7), which stays within [0, 1] and does
    not collapse at 0 or 1. The effective size is held to at most n / (1 - n/N): the interval is
    never narrower than a simple random sample's.

    Args:
        strata: in an order where neighbours are alike.
        level: of confidence.

    Returns:
        None when nothing was sampled.
    """
    strata = collapse(strata)
    total = sum(stratum.rows for stratum in strata)
    n = sum(len(stratum.values) for stratum in strata)
    if not n or not total:
        return None
    share = variance = 0.0
    for stratum in strata:
        values = np.asarray(stratum.values, dtype=np.float64)
        weight = stratum.rows / total
        share += weight * float(values.mean())
        if values.size < stratum.rows:
            spread = float(values.var(ddof=1)) if values.size > 1 else 0.25
            variance += weight**2 * (1 - values.size / stratum.rows) * spread / values.size
    share = min(max(share, 0.0), 1.0)
    if n >= total:
        return Estimate(share, share, share, level, n, total)
    most = n / (1 - n / total)
    effective = most
    if variance > 0 and 0 < share < 1:
        effective = min(share * (1 - share) / variance, most)
    low, high = wilson(share, effective, level)
    return Estimate(share, low, high, level, n, total)


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share observed over n (possibly effective) rows.

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # rounding must not push the estimate itself out of its interval
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)
