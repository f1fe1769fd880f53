"""Asks an OpenAI-compatible endpoint for a summary, and survives what endpoints do.

One request of the OpenAI protocol over `httpx2` serves vLLM, TGI, Ollama and the router of
Hugging Face's Inference Providers. Hub's own `InferenceClient` would follow redirects, has no
total deadline and no size limit. The API token comes from an environment variable and is kept out
of errors, logs and fingerprints; error bodies are never shown, since servers echo prompts in them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from builder.annotate.summary.line import TOO_LARGE, Answer, Cut, Line
from builder.config.profile import SummariesTable
from builder.errors import StageFailed

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_FATAL = {401: "unauthorized", 402: "payment_required", 403: "forbidden", 404: "not_found"}
_NOBODY = (
    *(httpx2.ConnectError, httpx2.ProxyError, httpx2.UnsupportedProtocol, httpx2.InvalidURL),
)
FATAL_REASONS = frozenset(_FATAL.values()) | {"redirected"}
# Hugging Face's OpenAI-compatible router (Inference Providers).
ROUTER = "https://router.huggingface.co/v1"


class EndpointRefused(StageFailed):
    """The endpoint refuses every request: wrong token, no credit, or unknown model."""


@dataclass(frozen=True)
class Reply:
    """One answer: its text, why it ended, and the tokens it took (None: not reported)."""

    text: str
    finish: str | None
    prompt_tokens: int | None
    completion_tokens: int | None


class CallFailed(Exception):
    """A request that brought no answer.

    Args:
        reason: one word for the row.
        passing: another try may succeed.
        fatal: no request can succeed until somebody changes something.
        wait: seconds the server asked to wait.
    """

    def __init__(
        self, reason: str, *, passing: bool, fatal: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.passing, self.fatal, self.wait = reason, passing, fatal, wait


class Pace:
    """Spaces requests of all threads, and holds them all back while the server asks for it.

    Args:
        per_minute: requests a minute; 0 is no limit.
    """

    def __init__(self, per_minute: float) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until this thread may send."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        time.sleep(max(0.0, turn - time.monotonic()))

    def hold(self, seconds: float) -> None:
        """Let nobody send for this long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Endpoint:
    """A chat endpoint.

    No redirect is followed: it would carry the transcript to another server. An answer must be
    whole within `timeout` seconds and `MAX_ANSWER` bytes, however slowly it drips.

    Args:
        table: the `[summaries]` table.

    Raises:
        StageFailed: the table names no model, or there is no token for Inference Providers.
    """

    def __init__(self, table: SummariesTable) -> None:
        if not table.model:
            raise StageFailed(
                "summaries need a model name",
                field="summaries.model",
                way_out='set model (and base_url) in the profile, or method = "extractive"',
            )
        self._table = table
        self._pace = Pace(table.requests_per_minute)
        self._url = table.base_url or ROUTER
        token = os.environ.get(table.token_env) or None
        if not table.base_url and token is None:
            from huggingface_hub import get_token

            token = get_token()
            if token is None:
                raise StageFailed(
                    "Inference Providers need an API token",
                    field="summaries",
                    way_out=f"set the environment variable {table.token_env}, log in with "
                    "`hf auth login`, or name your own server as base_url",
                )
        # The user's Hugging Face token goes to Hugging Face alone, never to a named server.
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._line = Line(headers, table.timeout)
        self.name = table.model

    def probe(self) -> None:
        """Ask for the list of models: is the server there, does it know us and the model?

        A server without such a list passes.

        Raises:
            EndpointRefused: nobody answers, the token is refused, or the model is not in the list.
        """
        table = self._table
        try:
            answer = self._line.ask("GET", f"{self._url}/models", min(table.timeout, 20.0))
        except (httpx2.HTTPError, httpx2.InvalidURL, Cut) as error:
            raise EndpointRefused(
                f"the summary endpoint cannot be reached ({_transport_reason(error)})",
                field="summaries.base_url",
                way_out="start the server, or correct base_url in the profile",
            ) from None
        if answer.status in (401, 402, 403):
            raise EndpointRefused(
                f"the summary endpoint refuses us ({_FATAL[answer.status]})",
                field="summaries",
                way_out=f"put a valid token into the environment variable {table.token_env}",
            )
        try:
            known = [str(model["id"]) for model in json.loads(answer.content)["data"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if known and table.model not in known:
            raise EndpointRefused(
                f"the summary endpoint has no model {table.model!r}",
                field="summaries.model",
                way_out=f"it has: {', '.join(sorted(known)[:8])}",
            )

    def complete(self, messages: list[dict[str, str]], *, retries: int | None = None) -> Reply:
        """Ask, retrying passing faults with growing pauses.

        Args:
            messages: OpenAI chat messages.
            retries: further tries; default the table's.

        Raises:
            CallFailed: every try failed, or trying again is useless.
        """
        tries = (self._table.retries if retries is None else retries) + 1
        for attempt in range(tries):
            self._pace.wait()
            try:
                return self._once(messages)
            except CallFailed as failure:
                if not failure.passing or attempt == tries - 1:
                    raise
                pause = failure.wait if failure.wait is not None else min(30.0, 0.5 * 2**attempt)
                if pause > self._table.max_wait:
                    raise
                if failure.reason == "rate_limited":
                    self._pace.hold(pause)
                else:
                    time.sleep(pause)
        raise CallFailed("not_tried", passing=True)

    def _once(self, messages: list[dict[str, str]]) -> Reply:
        table = self._table
        model = table.model
        if not table.base_url and table.provider:
            model = f"{model}:{table.provider}"  # how the router is told which provider
        request: dict[str, Any] = {
            "model": model,
            "messages": messages,
            "max_tokens": table.max_tokens,
            "temperature": table.temperature,
        }
        if table.seed is not None:
            request["seed"] = table.seed
        # A transcript may hold a lone surrogate, which UTF-8 has no bytes for: JSON escapes it.
        body = json.dumps(request).encode("ascii")
        url = f"{self._url}/chat/completions"
        try:
            answer = self._line.ask("POST", url, table.timeout, body)
        except Cut as cut:
            raise CallFailed(cut.reason, passing=cut.reason != TOO_LARGE) from None
        except httpx2.HTTPError as error:
            raise CallFailed(_transport_reason(error), passing=True) from None
        if answer.status != 200:
            raise _http_failure(answer)
        try:
            return _reply(json.loads(answer.content))
        except (ValueError, RecursionError):
            raise CallFailed("unreadable_answer", passing=True) from None


def _reply(answer: Any) -> Reply:
    """Read an answer, trusting none of its shape."""
    if not isinstance(answer, dict):
        raise CallFailed("unreadable_answer", passing=True)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise CallFailed("no_choices", passing=True)
    message, usage = choices[0].get("message"), answer.get("usage")
    content = message.get("content") if isinstance(message, dict) else None
    finish = choices[0].get("finish_reason")
    tokens = usage if isinstance(usage, dict) else {}
    return Reply(
        content if isinstance(content, str) else "",
        finish if isinstance(finish, str) else None,
        _count(tokens.get("prompt_tokens")),
        _count(tokens.get("completion_tokens")),
    )


def _count(value: Any) -> int | None:
    """A number of tokens that int64 holds; None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**63 else None


def _http_failure(response: Answer) -> CallFailed:
    code = response.status
    if code in _FATAL:
        return CallFailed(_FATAL[code], passing=False, fatal=True)
    if code < 400:  # a redirect, or something no chat endpoint answers
        reason = "redirected" if code >= 300 else f"http_{code}"
        return CallFailed(reason, passing=False, fatal=True)
    if code == 429:
        return CallFailed("rate_limited", passing=True, wait=retry_after(response.headers))
    passing = code in _PASSING or code >= 500
    return CallFailed(f"http_{code}", passing=passing, wait=retry_after(response.headers))


def _transport_reason(error: Exception) -> str:
    if isinstance(error, Cut):
        return error.reason
    if isinstance(error, httpx2.TimeoutException):
        return "timeout"
    if isinstance(
        error,
        httpx2.ConnectError | httpx2.ProxyError | httpx2.UnsupportedProtocol | httpx2.InvalidURL,
    ):
        return "no_connection"
    return "cut_stream"


def retry_after(headers: Any, now: Callable[[], dt.datetime] | None = None) -> float | None:
    """Seconds a `Retry-After` header asks for (a number, or a date); None when there is none."""
    value = str(headers.get("retry-after") or "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass  # then it is a date
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    current = now() if now else dt.datetime.now(dt.UTC)
    return max(0.0, (when - current).total_seconds())
