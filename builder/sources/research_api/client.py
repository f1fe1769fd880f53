"""A small typed client of TikTok's Research API: token, quota, retries, pages.

client = ResearchClient(credentials, ledger)
page = client.page(Request(query, day, day))
"""

from __future__ import annotations

import random
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
import tenacity

from builder.errors import UsageProblem
from builder.sources.research_api import answers
from builder.sources.research_api.clock import Clock
from builder.sources.research_api.credentials import Credentials
from builder.sources.research_api.problems import (
    BadRequest,
    CredentialsProblem,
    QueryRefused,
    QuotaReached,
    RateLimited,
    SearchUnknown,
    ServiceStopped,
    TokenRefused,
    Transient,
    Unavailable,
)
from builder.sources.research_api.query import ALL_FIELDS, Request, other_fields
from builder.sources.research_api.quota import QuotaLedger
from builder.sources.research_api.transport import NothingSent, Reply, Transport

T = TypeVar("T")

BASE_URL = "https://open.tiktokapis.com"
LONGEST_WAIT = 300.0  # seconds one back-off may take
# Tries of one request, by what goes wrong. Searches have been seen to be unknown for some seconds.
TRIES = {"fault": 6, "rate": 8, "search": 5, "token": 6}
_EARLY = 120.0  # renew a token this many seconds before its end


class ResearchClient:
    """One client of one service.

    Args:
        credentials: key and secret; they leave this object only towards `base_url`.
        ledger: counts requests and rows.
        base_url: scheme, host and port of the service.
        clock: time and sleep.
        retry_wait: seconds of the first back-off; it doubles, with jitter, to five minutes.
        deadline: seconds one exchange may take.
        notice: called with lines a person should see.
    """

    def __init__(
        self,
        credentials: Credentials,
        ledger: QuotaLedger,
        *,
        base_url: str = BASE_URL,
        clock: Clock | None = None,
        retry_wait: float = 0.5,
        deadline: float = 30.0,
        notice: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._credentials, self.ledger = credentials, ledger
        self._base = service_url(base_url)
        self.clock = clock or Clock()
        self._retry_wait, self._notice = retry_wait, notice
        self._transport = Transport(deadline)
        self._token, self._token_ends = "", 0.0
        self._answered = False  # whether any token was ever good for a page
        self._random = random.Random()
        self.fields: tuple[str, ...] = ALL_FIELDS
        self.patience = TRIES["fault"]  # tries of a request on faults; the caller may lower it

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def connect(self) -> None:
        """Get a token, which also tells the service's time. Costs no quota.

        Raises:
            CredentialsProblem: the service refuses the client.
            Unavailable: no answer.
        """
        if not self._token or self.clock.now() > self._token_ends:
            self._retrying(self._renew)

    def page(self, request: Request) -> answers.Page:
        """Ask for one page, again and again where that can help.

        Raises:
            QuotaReached: the quota ends before this request, or TikTok says it has ended.
            SearchUnknown, CursorRefused: the search must start again.
            QueryRefused: the service refuses the query in every form.
            Unavailable: no usable answer in all tries.
            CredentialsProblem: the client may not ask.
        """
        again = 0
        while True:
            try:
                self.connect()
                return self._retrying(lambda: self._ask(request))
            except BadRequest as refused:
                fields = other_fields(self.fields, refused.about)
                if fields is None:
                    # Once more as it is: a busy service has been seen to blame the request.
                    again += 1
                    if again > 1:
                        raise _refused(request, refused) from None
                    self.clock.sleep(self._retry_wait)
                    continue
                self._tell_fields(fields)
                self.fields = fields

    def videos(self, ids: Sequence[int], request: Request) -> answers.Page:
        """Ask for known videos. `request` gives the days; its query is replaced."""
        query = request.query.__class__(request.query.regions, ids=tuple(ids))
        return self.page(
            Request(query, request.start, request.end, request.cursor, request.search_id)
        )

    def _tell_fields(self, fields: tuple[str, ...]) -> None:
        gone = [name for name in self.fields if name not in fields]
        added = [name for name in fields if name not in self.fields]
        self._notice(
            f"the service does not know {', '.join(gone)}"
            + (f"; asking for {', '.join(added)}" if added else "; collecting without")
        )

    def _ask(self, request: Request) -> answers.Page:
        day = self.ledger.spend(request.max_count)
        came, sent = request.max_count, True  # until an answer says otherwise
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            params = {"fields": ",".join(self.fields)}
            reply = self._post("/v2/research/video/query/", headers, _json(request.body()), params)
            came = 0
            page = answers.read_page(reply)
            came, self._answered = page.rows, True
            return page
        except NothingSent:
            came, sent = 0, False
            raise
        except TokenRefused:
            self._token = ""
            raise
        except QuotaReached as reached:
            if not reached.resume_at:
                reached.resume_at = self.clock.midnight()
            else:
                reached.resume_at += self.clock.now()
            raise
        finally:
            self.ledger.settle(day, request.max_count, came, sent=sent)

    def _renew(self) -> None:
        form = {
            "client_key": self._credentials.key,
            "client_secret": self._credentials.secret,
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urllib.parse.urlencode(form).encode()
        reply = self._post("/v2/oauth/token/", headers, content, {})
        body = answers.parse(reply)
        token, seconds = _token_in(body)
        if token and 200 <= reply.status < 300:
            self._token = token
            self._token_ends = self.clock.now() + (
                seconds - _EARLY if seconds > 2 * _EARLY else 1e9  # nonsense: wait for the 401
            )
            return
        problem = answers.refusal(reply, body)
        if isinstance(problem, TokenRefused | BadRequest) or (
            reply.status < 500 and "client" in answers.error_words(body)
        ):
            raise CredentialsProblem(
                "TikTok does not accept this client key and secret",
                way_out="copy both again from the developer portal; a secret that was renewed "
                "there ends the old one",
            )
        raise problem or Transient("the service sent no token")

    def _post(
        self, path: str, headers: dict[str, str], content: bytes, params: dict[str, str]
    ) -> Reply:
        reply = self._transport.post(self._base + path, headers, content, params)
        self.clock.heard(answers.server_time(reply))
        return reply

    def _retrying(self, ask: Callable[[], T]) -> T:
        """Call until it answers, waiting longer each time; tries are counted for each kind."""
        counts = dict.fromkeys(TRIES, 0)
        limits = TRIES | {"fault": self.patience}

        answer: list[T] = []  # kept out of tenacity's state, whose circles outlive the call

        def attempt() -> None:
            if not self._token and ask != self._renew:
                self._renew()
            answer.append(ask())

        def wait(state: tenacity.RetryCallState) -> float:
            error = _error(state)
            if isinstance(error, Transient) and error.retry_after is not None:
                longest = LONGEST_WAIT if isinstance(error, RateLimited) else LONGEST_WAIT / 5
                return min(error.retry_after, longest) + self._random.uniform(0, 0.1)
            if isinstance(error, TokenRefused) and counts["token"] < 2:
                return 0.0  # it has ended, most likely
            number = counts[error.kind] if isinstance(error, Transient) else 1
            most = min(self._retry_wait * 2**number, LONGEST_WAIT / 5)
            return self._random.uniform(most / 4, most)

        def stop(state: tenacity.RetryCallState) -> bool:
            error = _error(state)
            kind = error.kind if isinstance(error, Transient) else "fault"
            counts[kind] += 1
            too_long = isinstance(error, RateLimited) and (error.retry_after or 0) > LONGEST_WAIT
            return too_long or counts[kind] >= limits[kind]

        try:
            tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(Transient),
                wait=wait,
                stop=stop,
                sleep=self.clock.sleep,
                reraise=True,
            )(attempt)
            return answer.pop()
        except SearchUnknown:
            raise
        except RateLimited as limited:
            raise ServiceStopped(
                "TikTok keeps saying that we ask too fast",
                way_out="run the same command again in some minutes: it goes on where it stopped",
            ) from limited
        except TokenRefused:
            if self._answered:
                raise Unavailable("the service refuses its own tokens at the moment") from None
            raise CredentialsProblem(
                "TikTok refuses the tokens that it has just issued to this client",
                way_out="check in the developer portal that the client is approved for research",
            ) from None
        except Transient as fault:
            raise Unavailable(f"no usable answer in {counts['fault']} tries: {fault}") from None


def service_url(base_url: str) -> str:
    """Scheme, host, port and path prefix of a service, without a slash at the end.

    Raises:
        UsageProblem: not an http(s) address, or one with a user or password in it.
    """
    parts = urllib.parse.urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise UsageProblem(
            "--base-url is not the address of a service",
            way_out="give scheme, host and port, such as https://open.tiktokapis.com",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v2')}"


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _json(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body)


def _refused(request: Request, refused: BadRequest) -> QueryRefused:
    error = QueryRefused(
        f"TikTok refuses the query for {request.start} (HTTP 400)",
        way_out="check region_codes and keywords of the campaign; --debug shows more",
    )
    error.__cause__ = refused
    error.dates = "date" in refused.about.casefold()
    return error


def _token_in(body: Any) -> tuple[str, float]:
    for place in (body, body.get("data") if isinstance(body, dict) else None):
        if isinstance(place, dict) and isinstance(place.get("access_token"), str):
            try:
                return place["access_token"].strip(), float(place.get("expires_in") or 0)
            except (TypeError, ValueError):
                return place["access_token"].strip(), 0.0
    return "", 0.0
