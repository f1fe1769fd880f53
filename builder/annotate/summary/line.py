"""One request to a server that nobody vouches for: it gets so much time and room, and no more.

A time limit for each read is no limit: a server that sends a byte a second, of its headers as well,
holds its client for ever. So a watchdog cuts the connection. And what comes packed can unpack to
anything: we ask for plain bytes, and unpack what is sent packed all the same step by step.
"""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2

MAX_ANSWER = 4 << 20  # bytes; a summary has some hundred, a list of models some thousand
TOO_LARGE, TOO_LATE, PACKED = "answer_too_large", "timeout", "unreadable_packing"


class Cut(Exception):
    """The answer was given up.

    Args:
        reason: `TOO_LARGE`, `TOO_LATE` or `PACKED`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What came: status, headers and the whole body (empty unless the status is 200)."""

    status: int
    headers: httpx2.Headers
    content: bytes


class Line:
    """A client for such requests; a connection for each, so that it can be cut. Thread-safe.

    No redirect is followed: it would carry the request to another server.

    Args:
        headers: sent with every request.
        timeout: seconds for one step of a request.
    """

    def __init__(self, headers: dict[str, str], timeout: float) -> None:
        self._client = httpx2.Client(
            headers=headers | {"accept-encoding": "identity"},
            timeout=timeout,
            follow_redirects=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def ask(self, method: str, url: str, seconds: float, content: bytes | None = None) -> Answer:
        """Send one request and take its answer.

        Args:
            method: GET or POST.
            url: where to.
            seconds: for all of it.
            content: JSON, or None.

        Raises:
            Cut: too late, or too much.
            httpx2.HTTPError: no connection, or no HTTP.
        """
        watch = _Watch(seconds)
        headers = {"content-type": "application/json"} if content is not None else {}
        request = self._client.build_request(
            method, url, content=content, headers=headers, extensions={"trace": watch.trace}
        )
        with watch:
            try:
                response = self._client.send(request, stream=True)
                try:
                    body = b"" if response.status_code != 200 else _read(response, watch)
                finally:
                    response.close()
            except httpx2.HTTPError as error:
                if watch.late:
                    raise Cut(TOO_LATE) from error
                raise
        return Answer(response.status_code, response.headers, body)


class _Watch:
    """Cuts a connection when its time is over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._stream: Any = None

    @property
    def late(self) -> bool:
        """Whether it is over."""
        return time.monotonic() >= self._end

    def trace(self, event: str, told: dict[str, Any]) -> None:
        """Called by the client at every step: keeps the connection it opened."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = told.get("return_value")

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        with suppress(Exception):  # closed by then, or no socket: the reader's own limits remain
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _read(response: httpx2.Response, watch: _Watch) -> bytes:
    content = bytearray()
    for chunk in _plain(response.iter_raw(), response.headers.get("content-encoding", "")):
        content += chunk
        if len(content) > MAX_ANSWER:
            raise Cut(TOO_LARGE)
        if watch.late:
            raise Cut(TOO_LATE)
    if watch.late:  # a body without a length ends where the watchdog cut it
        raise Cut(TOO_LATE)
    return bytes(content)


def _plain(chunks: Iterable[bytes], packing: str) -> Iterator[bytes]:
    if packing.strip().lower() in ("", "identity"):
        yield from chunks
        return
    if packing.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise Cut(PACKED)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its first bytes say
    try:
        for chunk in chunks:
            rest = chunk
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, 1 << 20)
                rest = unpacker.unconsumed_tail
    except zlib.error as error:
        raise Cut(PACKED) from error
