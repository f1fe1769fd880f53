"""What the local Research API can do that nobody has told us of: an outsider's list of faults.

Each rewrites one answer: of its bytes (`BODIES`) or of its page (`PAGES`). Those of `LOSSY` keep
rows from being read; the others can be lived with or pass when one asks again.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

Data = dict[str, Any]
LONG_AGO = 1_600_000_000


def _raw(request: BaseHTTPRequestHandler, head: dict[str, str], body: bytes) -> None:
    request.send_response(200)
    for name, value in head.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
    request.close_connection = True


def _chunks(body: bytes) -> bytes:
    half = len(body) // 2
    return b"%x\r\n%b\r\n%x\r\n%b" % (half, body[:half], len(body) - half, body[half:-20])


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * (70 << 20), 1)


GZIP = {"Content-Encoding": "gzip"}
CHUNKED = {"Transfer-Encoding": "chunked"}
BODIES: dict[str, Callable[[BaseHTTPRequestHandler, bytes], None]] = {
    "length_short": lambda r, b: _raw(r, {"Content-Length": str(len(b) // 2)}, b),
    "length_long": lambda r, b: _raw(r, {"Content-Length": str(len(b) + 99)}, b),
    "length_nonsense": lambda r, b: _raw(r, {"Content-Length": "many"}, b),
    "chunks_cut": lambda r, b: _raw(r, CHUNKED, _chunks(b)),
    "chunks_bad": lambda r, b: _raw(r, CHUNKED, b"zz\r\n" + b),
    "gzip_garbage": lambda r, b: _raw(r, GZIP | {"Content-Length": "64"}, bytes(range(64))),
    "gzip_cut": lambda r, b: _raw(r, GZIP, gzip.compress(b)[:-30]),
    "gzip_members": lambda r, b: _raw(r, GZIP, gzip.compress(b[:99]) + gzip.compress(b[99:])),
    "gzip_bomb": lambda r, b: _raw(r, GZIP, _bomb()),
    "nothing": lambda r, b: _raw(r, {"Content-Length": "0"}, b""),
    "list": lambda r, b: _raw(r, {"Content-Length": str(len(b) + 2)}, b"[" + b + b"]"),
    "number": lambda r, b: _raw(r, {"Content-Length": "1"}, b"7"),
    "deep": lambda r, b: _raw(r, {}, b"[" * 200_000),
    "nan": lambda r, b: _raw(r, {}, b'{"data": NaN}'),
    "bom": lambda r, b: _raw(r, {}, b"\xef\xbb\xbf" + b),
    "utf16": lambda r, b: _raw(r, {}, b.decode().encode("utf-16")),
    "twice": lambda r, b: _raw(r, {}, b + b),
}


def _each(data: Data, **change: Callable[[Any], Any]) -> Data:
    rows = [row | {k: f(row[k]) for k, f in change.items()} for row in data["videos"]]
    return data | {"videos": rows}


def _shuffled(data: Data) -> Data:
    rows = list(data["videos"])
    random.Random(len(rows)).shuffle(rows)
    return data | {"videos": rows}


def _foreign(data: Data) -> Data:
    rows = [
        row | {"id": (LONG_AGO + n) << 32, "create_time": LONG_AGO + n}
        for n, row in enumerate(data["videos"][:3])
    ]
    return data | {"videos": [*rows, *data["videos"]]}


PAGES: dict[str, Callable[[Data], Data]] = {
    "cursor_back": lambda d: d | {"cursor": max(d["cursor"] - 150, 0)},
    "cursor_zero": lambda d: d | {"cursor": 0},
    "cursor_far": lambda d: d | {"cursor": 2**80},
    "cursor_negative": lambda d: d | {"cursor": -100},
    "cursor_float": lambda d: d | {"cursor": float(d["cursor"])},
    "cursor_object": lambda d: d | {"cursor": {"at": 100}},
    "more_null": lambda d: d | {"has_more": None},
    "more_number": lambda d: d | {"has_more": int(d["has_more"])},
    "search_number": lambda d: d | {"search_id": int(d["search_id"])},
    "search_gone": lambda d: {k: v for k, v in d.items() if k != "search_id"},
    "search_other": lambda d: d | {"search_id": "7399999999999999999"},
    "times_text": lambda d: _each(d, create_time=str),
    "times_float": lambda d: _each(d, create_time=float),
    "times_null": lambda d: _each(d, create_time=lambda t: None),
    "counts_text": lambda d: _each(d, view_count=str, like_count=str),
    "counts_huge": lambda d: _each(d, favorites_count=lambda n: 10**30),
    "ids_spaced": lambda d: _each(d, id=lambda i: f" {i} "),
    "names_nul": lambda d: _each(d, username=lambda n: "\0" * 40),
    "shuffled": _shuffled,
    "reversed": lambda d: d | {"videos": d["videos"][::-1]},
    "doubled": lambda d: d | {"videos": [row for row in d["videos"] for _ in range(2)]},
    "foreign": _foreign,
    "ids_float": lambda d: _each(d, id=float),
    "ids_huge": lambda d: _each(d, id=lambda i: i * 10**20),
    "rows_null": lambda d: d | {"videos": [*d["videos"][:-1], None] if d["videos"] else []},
    "rows_text": lambda d: d | {"videos": ["x" for _ in d["videos"]]},
}
LOSSY = ("ids_float", "ids_huge", "rows_null", "rows_text")
STRANGERS = (*BODIES, *PAGES)


def estrange(request: BaseHTTPRequestHandler, answer: Data, fault: str) -> bool:
    """Send an answer as a stranger would; False where the fault means nothing for it."""
    data = answer.get("data") or {}
    if fault in BODIES:
        BODIES[fault](request, json.dumps(answer).encode())
        return True
    if fault not in PAGES or "videos" not in data:
        return False
    body = json.dumps(answer | {"data": PAGES[fault](data)}).encode()
    _raw(request, {"Content-Length": str(len(body))}, body)
    return True
