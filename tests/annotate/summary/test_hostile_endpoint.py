"""What a summary server may do to a build: drip, flood, redirect, lie about tokens, go away."""

from __future__ import annotations

import gzip
import json
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from fakes.llm_server import GOOD, LlmServer

from builder.annotate.summarize import Summarize
from builder.annotate.summary.endpoint import Endpoint, EndpointRefused
from builder.config.profile import SummariesTable
from builder.errors import BuilderError
from builder.run.local import run_stage
from builder.run.store import Store

SAID = "el alcalde anunció obras nuevas para el barrio y la gente preguntó por el agua " * 3


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """A real server whose POST (and GET) does whatever `answer` does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up: good
                answer(self, body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}/v1"
    finally:
        made.shutdown()
        made.server_close()


def chat(content: Any, **usage: Any) -> bytes:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


def send(handler: BaseHTTPRequestHandler, body: bytes, code: int = 200, **headers: str) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def table(url: str, **more: Any) -> SummariesTable:
    settings = {"retries": 0, "language": "es", **more}
    return SummariesTable(method="llm", model="m", base_url=url, **settings)


def run(stage: Summarize, *texts: str) -> list[dict[str, Any]]:
    frame = pl.DataFrame({"id": range(len(texts)), "text": texts})
    return stage(frame).to_dicts()


def test_a_byte_at_a_time_ends_at_the_deadline() -> None:
    def drip(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        for byte in chat(GOOD):
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.2)

    started = time.monotonic()
    with server(drip) as url:
        (row,) = run(Summarize(table(url, timeout=1.5)), SAID)
    assert (row["status"], row["reason"]) == ("failed", "timeout")
    assert time.monotonic() - started < 6


def test_a_flood_is_cut_off() -> None:
    def flood(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(64):
            handler.wfile.write(b" " * (1 << 20))

    with server(flood) as url:
        (row,) = run(Summarize(table(url, timeout=30)), SAID)
    assert (row["status"], row["reason"]) == ("rejected", "answer_too_large")


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """One header, a byte at a time; it never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    with suppress(OSError):
        for _ in range(400):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)


def test_headers_that_never_end_are_given_up() -> None:
    started = time.monotonic()
    with server(lambda handler, body: drip_headers(handler)) as url:
        (row,) = run(Summarize(table(url, timeout=1.0)), SAID)
    assert (row["status"], row["reason"]) == ("failed", "timeout")
    assert time.monotonic() - started < 6


@pytest.mark.parametrize("packing", ["gzip", "deflate", "zstd", "br"])
def test_a_bomb_is_not_unpacked(packing: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}.get(
        packing
    )
    made = b"\x8b\x03\x80" if pack is None else pack(b" " * (128 << 20))

    def bomb(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        send(handler, made, content_encoding=packing)

    tracemalloc.start()
    with server(bomb) as url:
        (row,) = run(Summarize(table(url, timeout=30)), SAID)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # what cannot be unpacked may be the server's fault, and is tried again
    ended = ("rejected", "answer_too_large"), ("failed", "unreadable_packing")
    assert (row["status"], row["reason"]) == ended[packing in ("zstd", "br")]
    assert most < 64 << 20


@pytest.mark.parametrize("packing", ["gzip", "deflate", "identity", "GZIP"])
def test_a_packed_answer_is_an_answer(packing: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}.get(packing.lower(), bytes)

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        assert handler.headers["accept-encoding"] == "identity"
        send(handler, pack(chat(GOOD)), content_encoding=packing)

    with server(answer) as url:
        (row,) = run(Summarize(table(url)), SAID)
    assert row["status"] == "ok"


HOSTILE_LISTS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "headers drip": drip_headers,
    "bomb": lambda handler: send(
        handler, gzip.compress(b" " * (64 << 20)), content_encoding="gzip"
    ),
    "no gzip": lambda handler: send(handler, b"plain", content_encoding="gzip"),
    "no http": lambda handler: handler.wfile.write(b"\x16\x03\x01" * 99),
}


@pytest.mark.parametrize("how", HOSTILE_LISTS)
def test_the_list_of_models_holds_nobody(how: str) -> None:
    started = time.monotonic()
    with (
        server(lambda h, _: HOSTILE_LISTS[how](h)) as url,
        pytest.raises(EndpointRefused, match="reached"),
    ):
        Summarize(table(url, timeout=1.0)).check()
    assert time.monotonic() - started < 6


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b"[" * 100_000, b'{"data": 7}', b'{"data": [{"id": 1}, 5]}', b""],
)
def test_an_odd_list_of_models_says_nothing(body: bytes) -> None:
    with server(lambda handler, _: send(handler, body)) as url:
        Summarize(table(url, timeout=5.0)).check()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_no_transcript_follows_a_redirect(code: int) -> None:
    seen: list[bytes] = []
    asked: list[bytes] = []
    with server(lambda handler, body: (seen.append(body), send(handler, chat(GOOD)))[1]) as other:

        def away(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            asked.append(body)
            send(handler, b"", code, location=f"{other}/chat/completions")

        with server(away) as url, pytest.raises(EndpointRefused, match="redirected"):
            run(Summarize(table(url, retries=4)), *(f"{SAID} {n}" for n in range(12)))
    assert not seen
    assert len(asked) == 12  # one request a row, whatever the retries


def test_odd_answers_spoil_no_other_row() -> None:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        text = json.loads(body)["messages"][-1]["content"]
        if "surrogate" in text:
            send(handler, chat(f"{GOOD} \ud83d", prompt_tokens=7, completion_tokens=7))
        elif "tokens" in text:
            send(handler, chat(GOOD, prompt_tokens=10**30, completion_tokens=-1))
        elif "nested" in text:
            send(handler, b"[" * 200_000)
        elif "parts" in text:
            send(handler, chat([{"type": "text", "text": GOOD}]))
        else:
            send(handler, chat(GOOD, prompt_tokens=7, completion_tokens=7))

    with server(answer) as url:
        rows = run(
            Summarize(table(url)),
            *(f"{SAID} {what}" for what in ("plain", "surrogate", "tokens", "nested", "parts")),
        )
    plain, surrogate, tokens, nested, parts = rows
    assert (plain["summary"], plain["prompt_tokens"]) == (GOOD, 7)
    assert surrogate["summary"] == GOOD
    assert (tokens["summary"], tokens["prompt_tokens"], tokens["completion_tokens"]) == (
        GOOD,
        None,
        None,
    )
    assert nested["reason"] == "unreadable_answer"
    assert parts["status"] == "empty"


def test_a_transcript_with_a_lone_surrogate_is_asked_about() -> None:
    with server(lambda handler, body: send(handler, chat(GOOD))) as url:
        reply = Endpoint(table(url)).complete([{"role": "user", "content": "a \udc80 b"}])
    assert reply.text == GOOD


def test_an_endpoint_that_dies_stops_the_run_and_keeps_what_it_said(tmp_path: Path) -> None:
    alive = {"left": 40}
    lock = threading.Lock()

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        with lock:
            alive["left"] -= 1
        send(handler, chat(GOOD)) if alive["left"] >= 0 else send(handler, b"", 503)

    texts = [f"{SAID} número {n}" for n in range(300)]
    frame = pl.DataFrame({"id": range(300), "text": texts})
    with server(answer) as url:
        stage = Summarize(table(url, concurrency=4))
        with pytest.raises(EndpointRefused, match="in a row"):
            run_stage(stage, frame, Store(tmp_path))
    kept = Store(tmp_path).results(stage)
    assert kept.filter(pl.col("status") == "ok").height == 40
    with LlmServer() as good:
        # the address is part of what made a summary: the same server, up again
        again = Summarize(table(good.url, concurrency=4))
        _, report = run_stage(again, frame, Store(tmp_path))
    assert report.statuses == {"ok": 300}


@pytest.mark.parametrize(
    ("code", "body", "says"),
    [
        (200, {"data": [{"id": "other-model"}]}, "no model 'm'"),
        (401, {}, "unauthorized"),
        (200, {"data": [{"id": "m"}]}, None),
        (404, {}, None),
        (200, ["odd"], None),
    ],
)
def test_endpoint_and_model_are_checked_before_anything_expensive(
    code: int, body: Any, says: str | None
) -> None:
    with server(lambda handler, _: send(handler, json.dumps(body).encode(), code)) as url:
        stage = Summarize(table(url))
        if says is None:
            stage.check()
        else:
            with pytest.raises(EndpointRefused, match=says):
                stage.check()


def test_nobody_there_and_no_such_prompt_are_noticed_beforehand() -> None:
    with server(lambda handler, _: None) as url:
        pass
    with pytest.raises(EndpointRefused, match="cannot be reached"):
        Summarize(table(url)).check()
    with pytest.raises(BuilderError, match="prompt"):
        Summarize(table(url, prompt="no_such_prompt")).check()
