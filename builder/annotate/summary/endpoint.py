"""Asks an OpenAI-compatible endpoint for a summary, and survives what endpoints do.

The call goes through `huggingface_hub.InferenceClient` (vLLM, TGI, Ollama, Inference Providers).
Waiting, retrying and the rate limit are ours. The API token comes from an environment variable
and is kept out of errors, logs and fingerprints; error bodies are never shown, since servers echo
prompts in them.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from builder.config.profile import SummariesTable
from builder.errors import StageFailed

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_FATAL = {401: "unauthorized", 402: "payment_required", 403: "forbidden", 404: "not_found"}
FATAL_REASONS = frozenset(_FATAL.values()) | {"hub_offline_mode"}


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
        from huggingface_hub import InferenceClient, get_token

        self._table = table
        self._pace = Pace(table.requests_per_minute)
        token = os.environ.get(table.token_env) or None
        if table.base_url:
            # Without a token of its own, hub would send the user's Hugging Face token to whatever
            # server the profile names: a None header is dropped and takes its place.
            headers: dict[str, Any] = {} if token else {"authorization": None}
            self._client = InferenceClient(
                base_url=table.base_url, token=token, timeout=table.timeout, headers=headers
            )
        else:
            if token is None and get_token() is None:
                raise StageFailed(
                    "Inference Providers need an API token",
                    field="summaries",
                    way_out=f"set the environment variable {table.token_env}, log in with "
                    "`hf auth login`, or name your own server as base_url",
                )
            provider: Any = table.provider or "auto"
            self._client = InferenceClient(provider=provider, token=token, timeout=table.timeout)
        self.name = table.model

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
        from huggingface_hub.errors import (
            HfHubHTTPError,
            InferenceTimeoutError,
            OfflineModeIsEnabled,
        )

        table = self._table
        extra: dict[str, Any] = {} if table.seed is None else {"seed": table.seed}
        try:
            answer = self._client.chat_completion(
                list(messages),
                model=table.model,
                max_tokens=table.max_tokens,
                temperature=table.temperature,
                **extra,
            )
        except InferenceTimeoutError as error:
            raise CallFailed("timeout", passing=True) from error
        except OfflineModeIsEnabled as error:
            # HF_HUB_OFFLINE stops the client from reaching any server, also a local one.
            raise CallFailed("hub_offline_mode", passing=False, fatal=True) from error
        except HfHubHTTPError as error:
            raise _http_failure(error) from None
        except ValueError as error:
            # The body is no JSON or no object; or hub refuses the arguments, and its text
            # may hold the token.
            raise CallFailed("unreadable_answer", passing=True) from error
        except Exception as error:  # httpx2's transport errors share no base with hub's
            raise CallFailed(_transport_reason(error), passing=True) from error
        return _reply(answer)


def _reply(answer: Any) -> Reply:
    """Read an answer, trusting none of its shape."""
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices:
        raise CallFailed("no_choices", passing=True)
    message = getattr(choices[0], "message", None)
    content = getattr(message, "content", None)
    usage = getattr(answer, "usage", None)
    finish = getattr(choices[0], "finish_reason", None)
    return Reply(
        content if isinstance(content, str) else "",
        finish if isinstance(finish, str) else None,
        _count(getattr(usage, "prompt_tokens", None)),
        _count(getattr(usage, "completion_tokens", None)),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _http_failure(error: Any) -> CallFailed:
    response = getattr(error, "response", None)
    if response is None:
        return CallFailed("http_error", passing=True)
    code = int(response.status_code)
    if code in _FATAL:
        return CallFailed(_FATAL[code], passing=False, fatal=True)
    if code == 429:
        return CallFailed("rate_limited", passing=True, wait=retry_after(response.headers))
    if code in (413, 422, 400):
        return CallFailed(f"http_{code}", passing=False)
    passing = code in _PASSING or code >= 500
    return CallFailed(f"http_{code}", passing=passing, wait=retry_after(response.headers))


def _transport_reason(error: Exception) -> str:
    name = type(error).__name__
    if "Timeout" in name:
        return "timeout"
    if "RemoteProtocol" in name or "Read" in name or "Decod" in name:
        return "cut_stream"
    if "Connect" in name or "Network" in name:
        return "no_connection"
    return "bad_answer"


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
