"""Random draws that give the same numbers on every machine and with every NumPy.

Only the raw 64-bit output of PCG64 is used (NumPy guarantees that stream for ever, unlike
`Generator`'s methods), and everything made of it is integer arithmetic or single IEEE 754
operations. No libm function is involved: `exp` and `log` differ in the last bit between CPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Raw = NDArray[np.uint64]

OCTAVE = 256
"""Exponents are integers in 1/256 of a doubling."""

_BATCH = 1024
# Sum of eight 16-bit integers: mean 8 * 65535 / 2, standard deviation 65536 * sqrt(8 / 12).
_GAUSS_MEAN, _GAUSS_SD = 262_140, 53_510


def _exp2_table() -> Ints:
    with localcontext() as context:
        context.prec = 28
        steps = [Decimal(2) ** (Decimal(i) / OCTAVE) for i in range(OCTAVE)]
        return np.array([int(4096 * step) for step in steps], dtype=np.int64)


_EXP2 = _exp2_table()


class Dice:
    """One random stream, named by non-negative integers (seed, day, purpose).

    Args:
        key: what names the stream; the same key gives the same draws.
    """

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))
        self._left: list[int] = []

    def raw(self, n: int) -> Raw:
        """Draw `n` times 64 random bits."""
        drawn: Raw = self._bits.random_raw(n)
        return drawn

    def below(self, k: int, n: int) -> Ints:
        """Draw `n` integers in 0 … k-1 (k up to 2^32)."""
        scaled: Raw = (self.raw(n) >> np.uint64(32)) * np.uint64(k) >> np.uint64(32)
        return scaled.astype(np.int64)

    def one(self, k: int) -> int:
        """Draw one integer in 0 … k-1 as a Python int."""
        return (self.word() >> 32) * k >> 32

    def word(self) -> int:
        """Draw 64 random bits as a Python int."""
        if not self._left:
            self._left = self.raw(_BATCH).tolist()
        return self._left.pop()

    def choose(self, n: int, k: int) -> Ints:
        """Choose `k` different integers out of 0 … n-1, in increasing order."""
        if k >= n or k == 0:
            return np.arange(min(n, k), dtype=np.int64)
        chosen: Ints = np.argpartition(self.raw(n), k - 1)[:k].astype(np.int64)
        chosen.sort()
        return chosen

    def gauss(self, n: int, sigma: int) -> Ints:
        """Draw `n` bell-shaped integers, mean 0 and standard deviation `sigma` (sum of eight
        uniforms, so never beyond 4.9 sigma)."""
        eighths: Ints = self.raw(2 * n).view(np.uint16).reshape(n, 8).sum(axis=1, dtype=np.int64)
        bells: Ints = (eighths - _GAUSS_MEAN) * sigma // _GAUSS_SD
        return bells

    def ranks(self, n: int, total: int, head: int = 32) -> Ints:
        """Draw `n` ranks in 0 … total-1, Zipf-like: the first `head` ranks together are drawn as
        often as each following doubling of them."""
        octaves = max(0, (max(total, 1) - 1) // head).bit_length()
        octave = self.below(octaves + 1, n)
        low = np.where(octave > 0, head << np.maximum(octave - 1, 0), 0)
        width = np.where(octave > 0, low, head)
        within: Raw = (self.raw(n) >> np.uint64(32)) * width.astype(np.uint64) >> np.uint64(32)
        ranks: Ints = (low + within.astype(np.int64)) % max(total, 1)
        return ranks


def exp2(exponents: Ints) -> Ints:
    """Integer weights proportional to 2^(exponent / 256), heavy-tailed when these are gaussian.

    Args:
        exponents: in 1/256 of a doubling; clipped to -14 … +16 doublings.
    """
    raised = np.clip(exponents + 14 * OCTAVE, 0, 30 * OCTAVE)
    weights: Ints = _EXP2[raised % OCTAVE] << (raised // OCTAVE)
    return weights


def share(total: int, weights: Ints) -> Ints:
    """Split `total` (below 2^53) into integers proportional to `weights`, summing exactly to it."""
    if total == 0 or len(weights) == 0:
        return np.zeros(len(weights), dtype=np.int64)
    summed = np.cumsum(weights)
    if summed[-1] == 0:
        summed = np.arange(1, len(weights) + 1, dtype=np.int64)
    edges = np.floor(summed / np.float64(summed[-1]) * np.float64(total)).astype(np.int64)
    return np.diff(edges, prepend=np.int64(0))


def share_below(total: int, weights: Ints, ceilings: Ints) -> Ints:
    """`share`, with no part above its ceiling as far as the ceilings leave room.

    Parts of weight 0 stay 0 unless every weight is 0. The sum is exactly `total` in any case.
    """
    parts = share(total, weights)
    while (excess := int(np.maximum(parts - ceilings, 0).sum())) > 0:
        parts = np.minimum(parts, ceilings)
        room = np.where(weights > 0, ceilings - parts, 0)
        if int(room.sum()) <= excess:
            parts += room
            parts[int(np.argmax(weights))] += excess - int(room.sum())
            break
        parts += share(excess, room)
    return parts


def apportion(total: int, weights: Sequence[int], ceilings: Sequence[int]) -> list[int]:
    """`share_below` in exact Python integers, for the few days of a window.

    Args:
        total: what is split; at most the sum of the ceilings.
        weights: non-negative; days of weight 0 get something only when the others are full.
        ceilings: the most a day may get.

    Raises:
        ValueError: the ceilings leave no room for `total`.
    """
    if total > sum(ceilings):
        raise ValueError(f"cannot split {total} below ceilings that add up to {sum(ceilings)}")
    got, left = [0] * len(weights), total
    while left:
        open_ = [i for i, most in enumerate(ceilings) if got[i] < most]
        weighted = [i for i in open_ if weights[i] > 0]
        open_, scale = (weighted, weights) if weighted else (open_, [1] * len(weights))
        mass, before = sum(scale[i] for i in open_), left
        for i in open_:
            part = min(before * scale[i] // mass, ceilings[i] - got[i])
            got[i] += part
            left -= part
        if left == before:  # fewer left than days: one each, largest remainder first
            open_.sort(key=lambda i: (-(before * scale[i] % mass), i))
            for i in open_[:left]:
                got[i] += 1
            left -= min(left, len(open_))
    return got
