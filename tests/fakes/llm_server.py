"""A real local HTTP server with an OpenAI-compatible chat endpoint that misbehaves on request.

What it answers is decided by a word in the transcript (the last user message): the first
`[fault:NAME]` or `[fault:NAME:TIMES]` found. With TIMES the fault happens that many times for that
message, then the answer is good.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = "El presidente declaró el estado de excepción y la gente está en su casa."
_FAULT = re.compile(r"\[fault:(\w+)(?::(\d+))?\]")


class LlmServer:
    """Use as a context manager; `url` is the base URL for the profile.

    Attributes:
        requests: every request's decoded body, in order of arrival.
        headers: every request's headers, lower-case names.
        broken: when set, this fault answers everything.
        answer: the good answer.
        times: arrival times, monotonic.
    """

    def __init__(self, answer: str = GOOD, retry_after: str = "1", slow: float = 3.0) -> None:
        self.answer, self.retry_after, self.slow = answer, retry_after, slow
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.broken: str | None = None
        self.in_flight = self.most_in_flight = 0
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake._handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> LlmServer:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        content = body["messages"][-1]["content"]
        with self._lock:
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            self.times.append(time.monotonic())
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            fault = self._fault(content)
        try:
            self._answer(request, fault)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up, as some tests want
        finally:
            with self._lock:
                self.in_flight -= 1

    def _fault(self, content: str) -> str | None:
        if self.broken:
            return self.broken
        found = _FAULT.search(content)
        if not found:
            return None
        self._seen[content] += 1
        times = found.group(2)
        return None if times and self._seen[content] > int(times) else found.group(1)

    def _answer(self, request: BaseHTTPRequestHandler, fault: str | None) -> None:
        if fault == "timeout":
            time.sleep(self.slow)
        elif fault == "rate":
            self._send(request, 429, b'{"error": "slow down"}', {"Retry-After": self.retry_after})
            return
        elif fault and fault.startswith("http"):
            # Real servers echo the prompt and the key in errors: none of it may be shown.
            echo = json.dumps({"error": f"bad {request.headers.get('authorization')} ECHO"})
            self._send(request, int(fault[4:]), echo.encode())
            return
        elif fault == "cut":
            good = self._body(self.answer)
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(good)))
            request.end_headers()
            request.wfile.write(good[: len(good) // 2])
            request.wfile.flush()
            request.connection.close()
            return
        elif fault == "html":
            self._send(request, 200, b"<html>gateway</html>", {"Content-Type": "text/html"})
            return
        elif fault == "nochoices":
            self._send(request, 200, self._body("", choices=[]))
            return
        elif fault == "shape":
            self._send(request, 200, b'["not", "an", "answer"]')
            return
        elif fault == "null":
            self._send(request, 200, self._body(None))
            return
        answers = {
            "empty": "   ",
            "refuse": "Lo siento, no puedo ayudar con eso.",
            "english": "The president declared a state of emergency and the people are at home.",
            "long": self.answer * 200,
            "think": f"<think>The user wants</think>\n\n**Resumen:** «{self.answer}»",
        }
        finish = "length" if fault == "length" else "stop"
        self._send(request, 200, self._body(answers.get(fault or "", self.answer), finish=finish))

    def _body(
        self, content: str | None, *, choices: list[Any] | None = None, finish: str = "stop"
    ) -> bytes:
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": finish,
        }
        return json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "fake",
                "system_fingerprint": "",
                "choices": [choice] if choices is None else choices,
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }
        ).encode()

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
