"""Which pairs are computed together: identical pairs once, the rest in batches of like length.

A pair's result must not depend on its batch mates, or a resumed run would write other bytes than
an uninterrupted one. Padding is what couples them: the width of a batch decides how a matrix
library blocks and sums. So a batch holds only pairs of one width, and the width follows from the
pair's own length alone. `tests/annotate/nli/test_nli_engine.py` checks that results are equal bit
for bit in any company.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

WIDTH_STEP = 8
"""Widths are multiples of this many tokens: few widths, and attention over little padding."""

TOKEN_BUDGET = 768
"""Tokens of a batch. Measured (XLM-R-large, int8, one Zen 5 core, 1 MB L2): 768 tokens 0.61 TOPS,
144 tokens 0.52, 3,072 tokens 0.38, since activations then fall out of the cache."""


def distinct(keys: Sequence[Key]) -> tuple[list[Key], list[int]]:
    """Each different key once, and where every input finds its own.

    Returns:
        The distinct keys in order of first appearance, and for every input the index into them.
    """
    index: dict[Key, int] = {}
    back = [index.setdefault(key, len(index)) for key in keys]
    return list(index), back


def width(length: int, *, step: int = WIDTH_STEP, limit: int | None = None) -> int:
    """Padded length of a pair: the next multiple of `step`, at most `limit` (the window)."""
    padded = -(-max(length, 1) // step) * step
    return padded if limit is None else max(min(padded, limit), length)


def batches(
    lengths: Sequence[int],
    *,
    budget: int = TOKEN_BUDGET,
    step: int = WIDTH_STEP,
    limit: int | None = None,
) -> list[tuple[int, list[int]]]:
    """Group pairs into batches of one width each, longest first.

    Longest first: the last batches are small, so parallel workers finish together, and a machine
    with too little memory fails at once rather than at the end.

    Args:
        lengths: tokens of each pair.
        budget: most tokens (width x pairs) of a batch; a longer pair is a batch of its own.
        step, limit: see `width`.

    Returns:
        (width, indices) for each batch; every index occurs once.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    planned: list[tuple[int, list[int]]] = []
    for index in order:
        wide = width(lengths[index], step=step, limit=limit)
        if planned:
            current, members = planned[-1]
            if current == wide and (len(members) + 1) * wide <= budget:
                members.append(index)
                continue
        planned.append((wide, [index]))
    return planned
