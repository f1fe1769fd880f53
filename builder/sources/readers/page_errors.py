"""Recognises error responses saved as pages, in whatever shape a service or a gateway sends them.

The documented one is ``{"error": {"code": …}}`` with the code ``ok`` on success. Seen or to be
expected besides: ``error`` as a text or a list, a code beside or inside ``data``, ``errors``.
"""

from __future__ import annotations

import re
from typing import Any

from builder.errors import ErrorPage

_GOOD = ("", "ok", "0", "200", "none", "null", "success", "false")
_CODE = re.compile(r"[A-Za-z_]{1,60}|\d{1,5}")  # anything else could quote a person or an id
_TOP = ("code", "error_code", "errcode", "err_code", "error_type", "status_code", "errors")


def check_errors(page: dict[str, Any], file: str, row: str | None) -> None:
    """Refuse a page that is an error response.

    Raises:
        ErrorPage: with its code where that is a code.
    """
    data = page.get("data")
    inner = data if isinstance(data, dict) else {}
    found = _code(page.get("error")) or _code(inner.get("error"))
    found = found or next((code for key in _TOP if (code := _code(page.get(key)))), None)
    # what a gateway says instead of an answer
    said = isinstance(page.get("message"), str) or isinstance(page.get("error_description"), str)
    if found is None and said and not {"data", "videos", "id"} & page.keys():
        found = "message"
    if found is None:
        return
    shown = found if _CODE.fullmatch(found) else "not shown: it is free text"
    raise ErrorPage(
        f"the page is an error response of the API (code {shown})",
        file=file,
        row=row,
        field="error.code",
        way_out="fetch that day again and remove this file: a day is complete or it is not in",
    )


def _code(value: Any) -> str | None:
    """The code an `error` carries; None when it says that all is well."""
    if isinstance(value, dict):
        given = next((value[key] for key in (*_TOP, "type", "status") if key in value), None)
        if given is not None:
            return _code(given)
        # no code at all: the real page of a success has an empty message
        return _code(value.get("message"))
    if isinstance(value, list):
        return next((code for item in value if (code := _code(item))), None)
    if value is None or value is False:
        return None
    text = str(value).strip()
    return None if text.casefold() in _GOOD else text
