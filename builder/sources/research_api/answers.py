"""What an HTTP reply of the Research API means: a page, or one of the known refusals."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from builder.errors import BuilderError
from builder.sources.ids import parse_id
from builder.sources.research_api.problems import (
    BadRequest,
    CredentialsProblem,
    CursorRefused,
    QuotaReached,
    RateLimited,
    SearchUnknown,
    TokenRefused,
    Transient,
)
from builder.sources.research_api.transport import Reply
from builder.sources.schema import id_time

_FINE = ("", "ok", "0", "success", "none")
_ERROR_KEYS = ("code", "error_code", "err_code", "status_code", "error")
_TEXT_KEYS = ("message", "description", "error_description", "status_msg", "msg")


@dataclass(frozen=True)
class Page:
    """A page of videos.

    Attributes:
        body: the response as the service wrote it.
        times: id -> creation time (Unix seconds) of every row with a readable id, in their order.
        rows: rows as the service counts them.
        damaged: rows without a readable id.
        cursor, has_more, search_id: None where the service leaves them out.
        videos: the parsed rows.
    """

    body: bytes = field(repr=False)
    times: dict[int, int] = field(repr=False)
    rows: int
    damaged: int
    cursor: int | None
    has_more: bool | None
    search_id: str | None
    videos: list[Any] = field(repr=False)


def read_page(reply: Reply) -> Page:
    """The page in a reply.

    Raises:
        Transient and its kinds, CursorRefused, BadRequest, QuotaReached, CredentialsProblem:
            what the reply says instead; see `refusal`.
    """
    content = parse(reply)
    if (problem := refusal(reply, content)) is not None:
        raise problem
    data = content.get("data", content) if isinstance(content, dict) else None
    if not isinstance(data, dict):
        raise Transient("the answer holds no data")
    videos, more = data.get("videos"), _flag(data.get("has_more"))
    if videos is None and more is False:
        videos = []  # the last page of a day can come without the list
    if not isinstance(videos, list):
        raise Transient("the answer holds no list of videos")
    times: dict[int, int] = {}
    damaged = 0
    for video in videos:
        found = parse_id(video.get("id"))[0] if isinstance(video, dict) else None
        if found is None:
            damaged += 1
        else:
            created = _whole(video.get("create_time"))
            times[found] = id_time(found) if created is None else created
    search = data.get("search_id")
    return Page(
        body=reply.body,
        times=times,
        rows=len(videos),
        damaged=damaged,
        cursor=_whole(data.get("cursor")),
        has_more=more,
        search_id=str(search) if isinstance(search, str | int) and search else None,
        videos=videos,
    )


def parse(reply: Reply) -> Any:
    """The JSON of a reply, or None where it holds none (HTML of a gateway, a cut body)."""
    text = reply.body.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:  # lone surrogates and broken UTF-8 have been seen in captions
            return json.loads(text.decode("utf-8", errors="replace"))
        except (ValueError, RecursionError):
            return None


def refusal(reply: Reply, content: Any) -> BuilderError | None:
    """The error a reply stands for, or None if it may be a page or a token.

    The code is looked for in `error`, at the top, and in `data`; the words of the message decide
    where codes do not.
    """
    code, message = _error_of(content)
    status, words = reply.status, f"{code} {message}".casefold()
    after = _retry_after(reply)
    if "daily_quota" in words or (status == 429 and ("quota" in words or "daily" in words)):
        reached = QuotaReached(
            "TikTok says the daily quota is used up",
            way_out="run the same command after 00:00 UTC: it goes on where it stopped",
        )
        reached.resume_at = after or 0.0
        return reached
    if status == 429 or "rate_limit" in words:
        limited = RateLimited("asked too fast")
        limited.retry_after = after
        return limited
    if code == "scope_not_authorized" or (code == "scope_permission_missed" and status == 401):
        return CredentialsProblem(
            "this client may not use the Research API (its scope research.data.basic is missing)",
            way_out="ask TikTok for access to the Research API for this client",
        )
    if status == 401 or code in ("access_token_invalid", "access_token_expired"):
        return TokenRefused("the access token was refused")
    if "search" in words and "id" in words and ("invalid or expired" in words):
        return SearchUnknown("the service does not know its own search id")
    if "invalid count or cursor" in words or (status == 400 and "cursor" in words):
        return CursorRefused("the service refuses the cursor")
    if status in (400, 413, 414, 422) or code in ("invalid_params", "scope_permission_missed"):
        bad = BadRequest("the service calls the request wrong")
        bad.about = f"{code} {message}"
        return bad
    if not 200 <= status < 300 or code not in _FINE or content is None:
        if 200 <= status < 300:
            what = "an error" if content is not None else "something that is not JSON"
        else:
            what = "a redirect, which is not followed" if 300 <= status < 400 else f"HTTP {status}"
        fault = Transient(f"the service answered with {what}")
        fault.retry_after = after
        return fault
    return None


def server_time(reply: Reply) -> float | None:
    """Unix time of the reply's Date header, if it has a readable one."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def error_words(content: Any) -> str:
    """Code and message of an error in lower case; empty if there is none."""
    code, message = _error_of(content)
    return f"{code} {message}".casefold() if code else ""


def _error_of(content: Any) -> tuple[str, str]:
    """(code, message), both empty when nothing says that something is wrong."""
    if not isinstance(content, dict):
        return "", ""
    code = message = ""
    for place in (content.get("error"), content, content.get("data")):
        if isinstance(place, str):
            place = {"code": place}
        if not isinstance(place, dict):
            continue
        for key in _ERROR_KEYS:
            value = place.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool):
                text = str(value).strip().casefold()
                if not code and text not in _FINE:
                    code = text
        for key in _TEXT_KEYS:
            if not message and isinstance(place.get(key), str):
                message = place[key][:2000]
    return code, message if code else message.replace("success", "")


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    now = server_time(reply) or dt.datetime.now(dt.UTC).timestamp()
    return max(until - now, 0.0)


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return bool(value)
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().casefold())
    return None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, float) and value.is_integer() and 0 <= value < 2**53:
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip())
    return None
