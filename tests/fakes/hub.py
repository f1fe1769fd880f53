"""A Hub on this machine, over real HTTP: what `huggingface_hub`, `datasets` and their friends ask
of huggingface.co, with a history, tokens, gating and the faults a real one has.

    with FakeHub() as hub:
        hub.token("hf_invented", name="sim_lab")
        hub.fail("POST", r"/commit/", status=429, headers={"Retry-After": "1"})

One request at a time decides (a lock), so that a commit is in or out and never half.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from fakes.hub_api import ROUTES, Answer, Problem, Request
from fakes.hub_store import Repo, User


@dataclass
class Fault:
    """What goes wrong, how often, and whether the request did its work before.

    Attributes:
        method, path: which requests (`path` is a regular expression searched for).
        times: how many of them; `skip`: after how many that go well.
        status: answer with it (a JSON error); None: no answer.
        landed: the request is carried out all the same.
        delay: seconds before the answer (or before the connection is closed).
        before: called when the fault strikes, e.g. to move HEAD meanwhile.
    """

    method: str
    path: str
    times: int = 1
    skip: int = 0
    status: int | None = 500
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "an invented fault"
    landed: bool = False
    delay: float = 0.0
    before: Any = None

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is one of them; counts it."""
        if method != self.method or not re.search(self.path, path) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class FakeHub:
    """The server and everything it holds.

    Attributes:
        endpoint: its address, for HF_ENDPOINT.
        repos: (type, "namespace/name") -> repository.
        users: token -> user.
        lfs: sha256 -> bytes of large files.
        log: (method, path) of every request, in order.
        faults: what goes wrong next.
        page: entries of a page of a listing.
    """

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.users: dict[str, User] = {}
        self.lfs: dict[str, bytes] = {}
        self.log: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.page = 1000
        self.lock = threading.RLock()
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(
        self,
        token: str,
        *,
        name: str,
        orgs: tuple[str, ...] = (),
        role: str = "write",
        expired: bool = False,
    ) -> str:
        """Let a token in."""
        self.users[token] = User(name, orgs, role, expired)
        return token

    def fail(self, method: str, path: str, **fault: Any) -> Fault:
        """Let requests go wrong; see `Fault`."""
        made = Fault(method, path, **fault)
        self.faults.append(made)
        return made

    def repo(self, name: str, kind: str = "dataset") -> Repo:
        """A repository that is there."""
        return self.repos[kind, name]

    def add(self, name: str, files: dict[str, bytes], kind: str = "dataset") -> Repo:
        """A public repository with one commit, made without HTTP."""
        repo = self.repos.setdefault((kind, name), Repo(kind, name))
        tree = dict(repo.files)
        for path, data in files.items():
            tree[path] = repo.entry(path, data, self.lfs)
        repo.commit(tree, "made by the test")
        return repo

    def bytes_of(
        self, name: str, revision: str = "main", kind: str = "dataset"
    ) -> dict[str, bytes]:
        """Path -> bytes of a revision."""
        repo = self.repos[kind, name]
        tree = repo.commits[repo.resolve(revision)].tree
        return {path: entry.data(self.lfs) for path, entry in tree.items()}

    def asked(self, method: str, path: str) -> int:
        """How many requests matched."""
        return sum(m == method and bool(re.search(path, p)) for m, p in self.log)

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        with self.lock:
            for method, pattern, route in ROUTES:
                found = re.fullmatch(pattern, request.path)
                if found and request.method in method.split("|"):
                    try:
                        return route(self, request, **found.groupdict())
                    except Problem as problem:
                        return problem.answer()
        return Problem(404, "no such page").answer()


class _Server(ThreadingHTTPServer):
    """Threads that die with the test, and no noise about clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        pass

    def _handle(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        body = self._body()
        hub = self.owner
        if body is None:
            self.close_connection = True
            return None
        with hub.lock:
            hub.log.append((self.command, path))
            fault = next((f for f in hub.faults if f.strikes(self.command, path)), None)
        request = Request(
            self.command, path, urllib.parse.parse_qs(url.query), dict(self.headers.items()), body
        )
        if fault is None:
            return self._send(hub.answer(request))
        if fault.before is not None:
            fault.before()
        if fault.landed:
            hub.answer(request)
        time.sleep(fault.delay)
        if fault.status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        return self._send(Problem(fault.status, fault.message, fault.headers).answer())

    def _body(self) -> bytes | None:
        """The body; None when whoever sent it was gone before its end."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0] or b"-1", 16):
                parts.append(self.rfile.read(max(size, 0)))
                if len(parts[-1]) != size:
                    return None
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        return data if len(data) == length else None

    def _send(self, answer: Answer) -> None:
        data = answer.data if isinstance(answer.data, bytes) else json.dumps(answer.data).encode()
        headers = {"Content-Type": "application/json", **answer.headers}
        try:
            self.send_response(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed, or gave up waiting

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle


def sha256(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()
