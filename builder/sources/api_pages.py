"""Research API response pages -> raw rows.

A page is what `POST /v2/research/video/query/` returns: ``{"data": {"videos": [...], "cursor": …,
"has_more": …, "search_id": …}, "error": {"code": "ok", …}}``, one to a file or one to a line. The
real service's faults are expected: counts of zero missing, short pages, ids as text, NUL bytes,
lone surrogates.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from builder.errors import ErrorPage, UnreadablePage
from builder.sources.files import SourceFile, read_blocks, read_lines
from builder.sources.ids import check_time, parse_id
from builder.sources.rows import Block, RowProblem
from builder.sources.schema import COUNTS, ROLE_API, id_time

SYNTHETIC_LOG_ID = "SYNTHETIC"
BLOCK_ROWS = 20_000
_CODE = re.compile(r"[A-Za-z_]{1,60}|\d{1,5}")  # anything else could quote a person or an id
_TEXT = (
    ("username", "username"),
    ("region_code", "region_code"),
    ("video_description", "description"),
    ("voice_to_text", "voice_to_text"),
)


def read_pages(file: SourceFile, first_position: int) -> Iterator[Block]:
    """Stream one file of pages.

    Args:
        file: the file.
        first_position: reading position of its first row; later rows count up from it.

    Yields:
        Blocks of at most about 20,000 rows with the rejected rows named.

    Raises:
        UnreadablePage: not JSON, cut short, or not a page.
        ErrorPage: the page is an error response.
    """
    block = Block(file.name, synthetic=file.synthetic)
    position = first_position
    pages = 0
    page: Any = None
    for where, page in _pages(file):
        pages += 1
        _check_page(page, file, where)
        block.synthetic = block.synthetic or _is_synthetic(page)
        for index, video in enumerate(_videos(page, file, where), start=1):
            try:
                block.add(_row(video, position))
            except RowProblem as problem:
                block.reject(f"{where}video {index}", problem)
            position += 1
        if block.rows >= BLOCK_ROWS:
            yield block
            block = Block(file.name, synthetic=block.synthetic)
    if not pages:
        raise UnreadablePage(
            "the file is empty", file=file.name, way_out="fetch the page again or remove the file"
        )
    # One page a file says nothing here: the next page is in the next file.
    if pages > 1 and _has_more(page):
        block.notes.append(f"{file.name}: its last page says has_more; was it fetched to the end?")
    yield block


def _pages(file: SourceFile) -> Iterator[tuple[str, Any]]:
    """(where, parsed page); `where` is empty for a file that is one page."""
    if ".json" not in [suffix.lower() for suffix in file.path.suffixes]:
        for number, line in read_lines(file):
            yield f"line {number}, ", _parse(line, file, f"line {number}")
        return
    content = b"".join(read_blocks(file)).removeprefix(codecs.BOM_UTF8).strip()
    if not content:
        return
    try:
        whole = _loads(content)
    except ValueError:
        # JSON Lines called .json: the first line alone is a page.
        first = content.split(b"\n", 1)[0]
        try:
            _loads(first)
        except ValueError:
            _parse(content, file, None)
        for number, line in read_lines(file):
            yield f"line {number}, ", _parse(line, file, f"line {number}")
        return
    if isinstance(whole, list) and not (whole and _looks_like_video(whole[0])):
        for number, page in enumerate(whole, start=1):
            yield f"page {number}, ", page
    else:
        yield "", whole


def _loads(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # The service has sent lone surrogates and broken UTF-8, which orjson refuses.
        try:
            return json.loads(content.decode("utf-8", errors="replace"))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _parse(content: bytes, file: SourceFile, row: str | None) -> Any:
    try:
        return _loads(content)
    except ValueError as error:
        cut = content.rstrip()[-1:] not in (b"}", b"]")
        raise UnreadablePage(
            "the page is cut short" if cut else "the page is not valid JSON",
            file=file.name,
            row=row,
            way_out="fetch this page again; until then its day is incomplete. To build without "
            "it, remove the file (or the line) and say so in your notes",
        ) from error


def _check_page(page: Any, file: SourceFile, where: str) -> None:
    if not isinstance(page, dict | list):
        raise UnreadablePage(
            "this is not a Research API page",
            file=file.name,
            row=where.rstrip(", ") or None,
            way_out="a page is an object with `data.videos`; remove files that are not pages",
        )
    error = page.get("error") if isinstance(page, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if code not in (None, "", "ok", 0):
        shown = str(code) if _CODE.fullmatch(str(code)) else "not shown: it is free text"
        raise ErrorPage(
            f"the page is an error response of the API (code {shown})",
            file=file.name,
            row=where.rstrip(", ") or None,
            field="error.code",
            way_out="fetch that day again and remove this file: a day is complete or it is not in",
        )


def _is_synthetic(page: Any) -> bool:
    error = page.get("error") if isinstance(page, dict) else None
    return isinstance(error, dict) and str(error.get("log_id", "")).startswith(SYNTHETIC_LOG_ID)


def _has_more(page: Any) -> bool:
    data = page.get("data") if isinstance(page, dict) else None
    return isinstance(data, dict) and data.get("has_more") is True


def _looks_like_video(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value and "data" not in value


def _videos(page: Any, file: SourceFile, where: str) -> list[Any]:
    if isinstance(page, list):
        return page
    if _looks_like_video(page):
        return [page]
    data = page.get("data", page)
    videos = data.get("videos") if isinstance(data, dict) else None
    if videos is None and isinstance(data, dict) and ("cursor" in data or "has_more" in data):
        return []  # the last page of a day can come without the list
    if not isinstance(videos, list):
        raise UnreadablePage(
            "the page has no list `data.videos`",
            file=file.name,
            row=where.rstrip(", ") or None,
            field="data.videos",
            way_out="a page is an object with `data.videos`; remove files that are not pages",
        )
    return videos


def _row(video: Any, position: int) -> dict[str, Any]:
    if not isinstance(video, dict):
        raise RowProblem("not_a_video", "data.videos")
    video_id, reason = parse_id(video.get("id"))
    if video_id is None:
        raise RowProblem(reason or "", "id")
    created = _whole(video.get("create_time"), "create_time", missing=None)
    if problem := check_time(video_id, created):
        raise RowProblem(problem, "id")
    row: dict[str, Any] = {
        "id": video_id,
        "create_time": id_time(video_id) if created is None else created,
        "role": ROLE_API,
        "position": position,
        "hashtags": _hashtags(video.get("hashtag_names")),
    }
    for key, column in _TEXT:
        row[column] = _text(video.get(key))
    for column in COUNTS:
        row[column] = _whole(video.get(column), column, missing=0)
    duration = video.get("video_duration")
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        row["duration_seconds"] = float(duration) if 0 < duration < 2**53 else None
    return row


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    if "\0" in value:
        value = value.replace("\0", "")
    if not value.isascii():
        value = value.encode("utf-8", errors="replace").decode()
    return value or None


def _hashtags(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [text for tag in value if (text := _text(tag))]


def _whole(value: Any, field: str, *, missing: int | None) -> int | None:
    if type(value) is int and 0 <= value < 2**63:
        return value
    if value is None or value == "":
        return missing
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 19:
        return int(value)
    raise RowProblem(f"{field}_is_not_a_whole_number", field)
