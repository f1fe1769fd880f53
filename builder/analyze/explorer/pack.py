"""Whole numbers as text that a page can carry: varint, deflate, base64.

Numbers are not negative; None is allowed. A number n is written as n + 1, None as 0, seven bits a
byte, the lowest first, the high bit saying that more follow. `site/app.js` reads it.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

_BITS = 7
LARGEST = 2**53 - 2  # beyond it, JavaScript's numbers are no longer whole


def pack(column: pl.Series) -> str:
    """A column of whole numbers, packed.

    Args:
        column: integers; negative ones and those JavaScript cannot hold count as unknown.
    """
    known = column.cast(pl.Int64).fill_null(-1).to_numpy()
    numbers = np.where((known < 0) | (known > LARGEST), -1, known).astype(np.int64) + 1
    return _text(_varint(numbers.astype(np.uint64)))


def pack_json(value: Any) -> str:
    """A JSON value, packed."""
    return _text(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def unpack(text: str) -> list[int | None]:
    """What `pack` packed: for checks, and as the description of the format."""
    numbers: list[int | None] = []
    number = place = 0
    for byte in zlib.decompress(base64.b64decode(text)):
        number += (byte & 127) << place
        place += _BITS
        if byte < 128:
            numbers.append(number - 1 if number else None)
            number = place = 0
    return numbers


def unpack_json(text: str) -> Any:
    """What `pack_json` packed."""
    return json.loads(zlib.decompress(base64.b64decode(text)))


def _text(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _varint(numbers: npt.NDArray[np.uint64]) -> bytes:
    """All numbers at once: byte k of every number that has one."""
    sizes = np.ones(len(numbers), dtype=np.int64)
    rest = numbers >> np.uint64(_BITS)
    while rest.any():
        sizes += rest > 0
        rest >>= np.uint64(_BITS)
    starts = np.cumsum(sizes) - sizes
    out = np.zeros(int(sizes.sum()), dtype=np.uint8)
    for k in range(int(sizes.max(initial=0))):
        mine = sizes > k
        low = (numbers[mine] >> np.uint64(_BITS * k)) & np.uint64(127)
        more = np.where(sizes[mine] > k + 1, 128, 0)
        out[starts[mine] + k] = low.astype(np.uint8) + more.astype(np.uint8)
    return out.tobytes()
