"""One HTTP exchange under one deadline: headers, body and all, however slowly they drip."""

from __future__ import annotations

import queue
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx2

from builder.sources.research_api.problems import Transient

MAX_BODY = 64 << 20
_DEADLINE = 30.0


_Job = tuple[str, Mapping[str, str], bytes, Mapping[str, str]]


class NothingSent(Transient):
    """No connection could be made: the request cost nothing."""


@dataclass(frozen=True)
class Reply:
    """A whole HTTP response; header names in lower case, body without its content coding."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Transport:
    """Sends requests to one service. Proxies come from the usual environment variables.

    Redirects are never followed: a POST with a token belongs to one host.

    Args:
        deadline: seconds a whole exchange may take.
    """

    def __init__(self, deadline: float = _DEADLINE) -> None:
        self._deadline = deadline
        self._worker: _Worker | None = None

    def _make(self) -> httpx2.Client:
        timeout = httpx2.Timeout(min(self._deadline, 30.0), connect=min(self._deadline, 15.0))
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        return httpx2.Client(
            verify=_ssl(), timeout=timeout, follow_redirects=False, headers=headers
        )

    def close(self) -> None:
        """Give the connections back."""
        if self._worker is not None:
            self._worker.jobs.put(None)
            self._worker = None

    def post(
        self, url: str, headers: Mapping[str, str], content: bytes, params: Mapping[str, str]
    ) -> Reply:
        """Send one POST and read the whole answer.

        Raises:
            NothingSent: no connection.
            Transient: anything else that left no whole answer: reset, cut, too slow, too large.
        """
        # A thread, because timeouts of HTTP libraries start again with every byte. Daemon: a
        # server that drips for ever must not keep the program from ending.
        if self._worker is None:
            self._worker = _Worker(self._make())
        self._worker.jobs.put((url, headers, content, params))
        try:
            outcome = self._worker.results.get(timeout=self._deadline)
        except queue.Empty:
            self._worker = None  # it may come back one day; nobody listens
            raise Transient(f"no whole answer in {self._deadline:g} s") from None
        except BaseException:
            self._worker = None
            raise
        if isinstance(outcome, Transient):
            raise outcome
        return outcome


class _Worker:
    """A thread with a connection: answers one job after the other."""

    def __init__(self, http: httpx2.Client) -> None:
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.results: queue.SimpleQueue[Reply | Transient] = queue.SimpleQueue()
        self._http = http
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with self._http:
            while (job := self.jobs.get()) is not None:
                self.results.put(_exchange(self._http, *job))


@cache
def _ssl() -> ssl.SSLContext:
    """Reading all root certificates takes a third of a second."""
    return httpx2.create_ssl_context()


def _exchange(
    http: httpx2.Client,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    params: Mapping[str, str],
) -> Reply | Transient:
    started = time.monotonic()
    try:
        with http.stream(
            "POST", url, headers=dict(headers), content=content, params=dict(params)
        ) as answer:
            blocks, size = [], 0
            for block in answer.iter_raw():
                blocks.append(block)
                size += len(block)
                if size > MAX_BODY:
                    return Transient("the answer is larger than any page")
            body = _decode(b"".join(blocks), answer.headers.get("content-encoding", ""))
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status_code, names, body, time.monotonic() - started)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        return NothingSent(f"cannot connect ({type(error).__name__})")
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        return Transient(f"the connection broke ({type(error).__name__})")
    except (ValueError, OSError, RuntimeError, EOFError, zlib.error) as error:
        return Transient(f"the answer cannot be read ({type(error).__name__})")


def _decode(body: bytes, coding: str) -> bytes:
    """Undo gzip and deflate, by what the bytes are: the header has been seen to lie."""
    if body[:2] == b"\x1f\x8b":
        return _inflate(body, 16 + zlib.MAX_WBITS)
    if "deflate" in coding.lower() and body[:1] not in (b"{", b"[", b"<", b""):
        try:
            return _inflate(body, zlib.MAX_WBITS)
        except zlib.error:
            return _inflate(body, -zlib.MAX_WBITS)
    return body


def _inflate(body: bytes, bits: int) -> bytes:
    """Decompress to no more than a page can have: a megabyte can hold a gigabyte of nothing."""
    content = b""
    while body:  # gzip may come in several members
        stream = zlib.decompressobj(bits)
        content += stream.decompress(body, MAX_BODY)
        if not stream.eof or len(content) > MAX_BODY:
            raise EOFError("cut, or larger than any page")
        body = stream.unused_data.lstrip(b"\0")
    return content
