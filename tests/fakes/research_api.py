"""A local Research API: OAuth, video queries, quotas, a clock that can be moved, and faults.

    with ResearchApi(corpus) as api:
        client with --base-url api.url

What the service does by itself is set by attributes; what goes wrong is said by `plan`, a function
(number of the request, its body) -> name of a fault or None. The names are in `research_faults`.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fakes.research_corpus import Video, day_start, finds
from fakes.research_faults import damage, misbehave

KEY, SECRET = "invented-client-key", "invented-client-secret"
FIELDS = (
    "id video_description create_time region_code share_count view_count like_count comment_count "
    "music_id hashtag_names username effect_ids playlist_id voice_to_text is_stem_verified "
    "favorites_count video_duration hashtag_info_list sticker_info_list effect_info_list "
    "video_mention_list video_label video_tag"
).split()
Plan = Callable[[int, dict[str, Any]], str | None]


class ResearchApi:
    """A server on a free port of this machine.

    Attributes:
        corpus: all videos; may be changed while it runs.
        inclusive: whether end_date belongs to the window.
        max_terms: values a condition may have.
        fields: field names it knows.
        requests_a_day, rows_a_day: its quota.
        ahead: seconds its clock is ahead of ours.
        dead: days whose queries answer 500.
        lying: days for which keyword queries find nothing; `lying_all`: for which all do.
        token_lives: seconds a token is good for.
        scope: whether the client may do research.
        delay: seconds each answer takes.
        asked: (UTC day at the service, body, answer) of every query that came.
        over_quota: queries that came when the quota was used up.
    """

    def __init__(self, corpus: Sequence[Video], plan: Plan | None = None) -> None:
        self.corpus = list(corpus)
        self.plan = plan or (lambda number, body: None)
        self.inclusive = True
        self.max_terms = 1_000
        self.fields = list(FIELDS)
        self.requests_a_day, self.rows_a_day = 1_000, 100_000
        self.ahead = 0.0
        self.dead: set[dt.date] = set()
        self.lying: set[dt.date] = set()
        self.lying_all: set[dt.date] = set()
        self.token_lives = 7_200.0
        self.scope = True
        self.secret = SECRET
        self.delay = 0.0
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.field_lists: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.tokens: dict[str, float] = {}
        self.over_quota = 0
        self.seconds = 0.0
        self.used: Counter[tuple[str, str]] = Counter()
        self.searches: dict[str, tuple[str, list[Video]]] = {}
        self._index: dict[str, list[Video]] = {}
        self._lock = threading.RLock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                fake._handle(self)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate(fake.now() if timestamp is None else timestamp, usegmt=True)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ResearchApi:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def now(self) -> float:
        return time.time() + self.ahead

    def today(self) -> str:
        return dt.datetime.fromtimestamp(self.now(), dt.UTC).date().isoformat()

    @property
    def queries(self) -> list[dict[str, Any]]:
        """Bodies of all queries that came."""
        return [body for _, body, _ in self.asked]

    def starts(self) -> Counter[str]:
        """start_date -> queries."""
        return Counter(body["start_date"] for body in self.queries)

    # -- answering ----------------------------------------------------------------------------

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        content = request.rfile.read(int(request.headers.get("content-length", 0)))
        started = time.perf_counter()
        if self.delay:
            time.sleep(self.delay)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        parts = urllib.parse.urlsplit(request.path)
        try:
            if parts.path == "/v2/oauth/token/":
                send(request, *self._token(content))
            elif parts.path == "/v2/research/video/query/":
                fields = urllib.parse.parse_qs(parts.query).get("fields", [""])[0]
                self._query(request, json.loads(content), fields)
            else:
                send(request, 404, error("not_found", "no such path"))
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self.seconds += time.perf_counter() - started

    def _token(self, content: bytes) -> tuple[int, dict[str, Any]]:
        form = dict(urllib.parse.parse_qsl(content.decode()))
        if form.get("client_key") != KEY or form.get("client_secret") != self.secret:
            # echoes what it was sent, as real servers do: nothing of it may be shown
            return 401, {"error": "invalid_client", "error_description": f"bad {content!r}"}
        token = f"clt.invented{len(self.tokens)}"
        self.tokens[token] = self.now() + self.token_lives
        return 200, {"access_token": token, "expires_in": 7_200, "token_type": "Bearer"}

    def _query(self, request: BaseHTTPRequestHandler, body: dict[str, Any], fields: str) -> None:
        with self._lock:
            number = len(self.asked)
            fault = self.plan(number, body)
            self.field_lists.append(fields)
            status, answer = self._refuse(request, body, fields) or (0, {})
            if not status:
                if fault in BEFORE:
                    status, answer = BEFORE[fault]
                else:
                    status, answer = self._search(body, fault)
            rows = len((answer.get("data") or {}).get("videos") or ())
            self.used[self.today(), "rows"] += rows
            code = answer.get("error", {}).get("code", "?")
            self.asked.append((self.today(), body, fault or code))
        misbehave(request, status, answer, fault, send)

    def _refuse(
        self, request: BaseHTTPRequestHandler, body: dict[str, Any], fields: str
    ) -> tuple[int, dict[str, Any]] | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < self.now():
            return 401, error("access_token_invalid", "The access token is invalid")
        if not self.scope:
            return 401, error("scope_not_authorized", "no scope research.data.basic")
        today = self.today()
        if (
            self.used[today, "requests"] >= self.requests_a_day
            or self.used[today, "rows"] >= self.rows_a_day
        ):
            self.over_quota += 1
            return 429, error("daily_quota_limit_exceeded", "Daily quota limit exceeded")
        self.used[today, "requests"] += 1
        unknown = [name for name in fields.split(",") if name not in self.fields]
        if unknown:
            return 400, error("invalid_params", f"Fields is invalid: {unknown[0]}")
        if not 1 <= body["max_count"] <= 100:
            return 400, error("invalid_params", "Invalid count or cursor")
        start, end = _day(body["start_date"]), _day(body["end_date"])
        if not dt.timedelta(0) <= end - start <= dt.timedelta(days=30):
            return 400, error("invalid_params", "end_date must be within 30 days")
        conditions = [c for group in body["query"].values() for c in group]
        if any(len(c["field_values"]) > self.max_terms for c in conditions):
            return 400, error("invalid_params", "Too many values in a condition")
        if self.dead & {start, end - dt.timedelta(days=not self.inclusive)}:
            return 500, error("internal_error", "Something is wrong. Please try again later.")
        return None

    def _search(self, body: dict[str, Any], fault: str | None) -> tuple[int, dict[str, Any]]:
        key = json.dumps([body["query"], body["start_date"], body["end_date"]])
        search = body.get("search_id")
        if search is None:
            search = str(7_300_000_000_000_000_000 + len(self.searches))
            self.searches[search] = key, self._find(body)
        known, found = self.searches.get(search, ("", []))
        if known != key:
            return 400, error("invalid_params", f"Search Id {search} is invalid or expired")
        return damage(body, found, search, fault)

    def _find(self, body: dict[str, Any]) -> list[Video]:
        start, end = _day(body["start_date"]), _day(body["end_date"])
        until = day_start(end) + (86_400 if self.inclusive else 0)
        by_keyword = bool(body["query"].get("or"))
        hidden = self.lying_all | (self.lying if by_keyword else set())
        found = [
            video
            for video in self.corpus
            if day_start(start) <= video["create_time"] < until
            and dt.datetime.fromtimestamp(video["create_time"], dt.UTC).date() not in hidden
            and finds(body["query"], video)
        ]
        return sorted(found, key=lambda video: video["id"], reverse=True)


def _day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y%m%d").date()


def error(code: str, message: str) -> dict[str, Any]:
    """An error response."""
    return {"data": {}, "error": {"code": code, "message": message, "log_id": "SYNTHETIC-1"}}


BEFORE: dict[str | None, tuple[int, dict[str, Any]]] = {
    "500": (500, error("internal_error", "Something is wrong")),
    "503": (503, error("internal_error", "busy")),
    "200_error": (200, error("internal_error", "Something is wrong")),
    "flat_error": (500, {"code": "internal_error", "message": "x", "log_id": "SYNTHETIC"}),
    "data_error": (200, {"data": {"error_code": 10008, "description": "x"}, "message": "error"}),
    "rate": (429, error("rate_limit_exceeded", "The API rate limit was exceeded")),
    "token": (401, error("access_token_invalid", "The access token is invalid")),
    "search": (400, error("invalid_params", "Search Id 7300000000000000001 is invalid or expired")),
    "cursor": (400, error("invalid_params", "Invalid count or cursor")),
    "400": (400, error("invalid_params", "Something about this request")),
    "dates": (400, error("invalid_params", "start_date must be before end_date")),
    "null_data": (200, {"data": None, "error": {"code": "ok", "message": ""}}),
    "no_list": (200, {"data": {}, "error": {"code": "ok", "message": ""}}),
    "quota": (429, error("daily_quota_limit_exceeded", "Daily quota limit exceeded")),
}


def send(
    request: BaseHTTPRequestHandler,
    status: int,
    body: dict[str, Any] | bytes,
    headers: dict[str, str] | None = None,
) -> None:
    """Answer with JSON, or with the bytes given."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
