"""Windows over a text that is longer than a model reads at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from builder.annotate.nli.backends.base import Floats
from builder.annotate.nli.pairs import Tokens

_MAX_SNAP = 24
"""How many tokens an edge may move to fall between two words."""


class Window(NamedTuple):
    """A stretch of a text.

    Attributes:
        text: the stretch, cut from the text as it is.
        start: its first character in the text.
        tokens: how many tokens of it no earlier window has; its weight when windows are averaged.
    """

    text: str
    start: int
    tokens: int


def windows(encoder: Tokens, text: str, size: int, overlap: int = 0) -> list[Window]:
    """Cover a whole text with windows of at most `size` tokens.

    Args:
        encoder: counts the tokens.
        text: any text.
        size: most tokens of a window, special tokens and hypothesis not counted.
        overlap: tokens repeated from the window before, so that no sentence is seen only in halves.

    Returns:
        One window (the text itself) if it fits; else windows of about equal length, in order,
        whose edges fall between words where there are any. Every token is in at least one.
    """
    size = max(size, 16)
    overlap = min(max(overlap, 0), size // 2)
    offsets = encoder.offsets(text)
    total = len(offsets)
    if total <= size:
        return [Window(text, 0, max(total, 1))]
    # Equal windows rather than full ones and a stub: a stub of a few words misleads the model.
    room = size - overlap - _MAX_SNAP if size > 4 * _MAX_SNAP else size - overlap
    step = -(-total // -(-total // room))
    found: list[Window] = []
    covered = 0
    while covered < total:
        stop = min(covered + step, total)
        if total - stop < _MAX_SNAP // 2 and total - covered <= room:
            stop = total
        stop = _snap(text, offsets, stop, low=covered + 1)
        start = _snap(text, offsets, max(covered - overlap, 0), low=0) if found else 0
        start = max(start, stop - size)
        first, last = offsets[start][0], offsets[stop - 1][1]
        found.append(Window(text[first:last], first, stop - covered))
        covered = stop
    return found


def over_windows(
    per_window: Floats, cut: Sequence[Sequence[Window]]
) -> list[tuple[list[float], int]]:
    """Scores of whole texts: the mean of their windows' scores, weighted by the tokens each adds.

    Args:
        per_window: shape (windows of all texts, labels), in order.
        cut: the windows of each text.

    Returns:
        Scores (float64) and number of windows of each text.
    """
    found: list[tuple[list[float], int]] = []
    at = 0
    for parts in cut:
        block = per_window[at : at + len(parts)].astype(np.float64)
        weights = np.array([window.tokens for window in parts], np.float64)
        found.append(((weights @ block / weights.sum()).tolist(), len(parts)))
        at += len(parts)
    return found


def _snap(text: str, offsets: list[tuple[int, int]], index: int, *, low: int) -> int:
    """The nearest token boundary at or before `index` that lies between words."""
    if index <= low or index >= len(offsets):
        return min(max(index, low), len(offsets))
    for candidate in range(index, max(low, index - _MAX_SNAP), -1):
        at = offsets[candidate][0]
        if at == 0 or text[at - 1].isspace() or text[at].isspace():
            return candidate
    return index
