"""The faults of the local Research API.

Those of `TRANSIENT` strike one request and lose nothing that asking again would not bring. A fault
that has no meaning for a request (a cursor fault on a first page) is passed over.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from fakes.research_strangers import estrange

# On the way: the request was counted, the answer does not arrive as it should.
WIRE = ("reset", "cut", "html", "html_502", "gzip", "redirect", "chunk_cut")
# Instead of an answer.
ANSWERS = (
    *("500", "503", "200_error", "flat_error", "data_error", "rate", "token", "search", "400"),
    *("null_data", "no_list", "cursor"),
)
# In a page: odd, and true.
ODD = (
    *("short", "empty_more", "cursor_text", "cursor_missing", "more_missing", "more_text"),
    *("extra", "ids_text", "list_missing", "nul"),
)
# In a page: rows are withheld once; asking again brings them.
LIES = ("repeat", "empty_skip", "stop_early", "zero", "replace", "still")
TRANSIENT = (*WIRE, *ANSWERS, *ODD, *LIES)

Send = Callable[..., None]


def damage(
    body: dict[str, Any], found: list[dict[str, Any]], search: str, fault: str | None
) -> tuple[int, dict[str, Any]]:
    """A page of a search, as the fault makes it."""
    at, most = body.get("cursor", 0), body["max_count"]
    if fault == "short":
        most = max(most // 3, 1)
    rows = found[at : at + most]
    following = at + most
    data: dict[str, Any] = {
        "videos": rows,
        "cursor": following,
        "has_more": following < len(found),
        "search_id": search,
    }
    before = found[max(at - 3, 0) : at]
    match fault:
        case "empty_more":
            data |= {"videos": [], "cursor": at, "has_more": True}
        case "cursor_text":
            data["cursor"] = str(following)
        case "cursor_missing":
            del data["cursor"]
        case "more_missing":
            del data["has_more"]
        case "more_text":
            data["has_more"] = str(data["has_more"]).lower()
        case "extra":
            data["videos"] = [*before, *rows]
        case "ids_text":
            data["videos"] = [video | {"id": str(video["id"])} for video in rows]
        case "list_missing" if not rows:
            del data["videos"]
        case "nul":
            data["videos"] = [video | {"username": "inven\0tado\ud83d"} for video in rows]
        case "repeat" if at:
            data["videos"] = found[max(at - most, 0) : at]
        case "empty_skip":
            data |= {"videos": [], "has_more": True}
        case "stop_early":
            data["has_more"] = False
        case "zero":
            data |= {"videos": [], "has_more": False}
        case "replace" if before and rows:
            data["videos"] = [*before[: len(rows)], *rows[len(before[: len(rows)]) :]]
        case "still":
            data["cursor"] = at
    return 200, {"data": data, "error": {"code": "ok", "message": "", "log_id": "SYNTHETIC-2"}}


def misbehave(
    request: BaseHTTPRequestHandler,
    status: int,
    answer: dict[str, Any],
    fault: str | None,
    send: Send,
) -> None:
    """Send an answer, as the fault lets it arrive."""
    content = json.dumps(answer).encode()
    match fault:
        case "reset":
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.connection.close()
            request.close_connection = True
        case "cut":
            request.send_response(status)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content[: len(content) // 2])
            request.close_connection = True
        case "chunk_cut":  # no length: only the JSON tells that it is cut
            request.send_response(status)
            request.send_header("Connection", "close")
            request.end_headers()
            request.wfile.write(content[: len(content) // 2])
            request.close_connection = True
        case "html":
            send(request, 200, b"<html>gateway</html>", {"Content-Type": "text/html"})
        case "html_502":
            send(request, 502, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
        case "gzip":
            send(request, status, gzip.compress(content))
        case "redirect":
            elsewhere = "http://127.0.0.2:9/v2/research/video/query/"
            send(request, 307, b"", {"Location": elsewhere})
        case "drip":
            request.send_response(status)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            for byte in content:
                request.wfile.write(bytes([byte]))
                time.sleep(0.05)
        case "rate":
            send(request, status, answer, {"Retry-After": "0"})
        case _:
            if not (fault and estrange(request, answer, fault)):
                send(request, status, answer)
