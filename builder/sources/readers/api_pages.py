"""Research API response pages -> raw rows.

A page is what `POST /v2/research/video/query/` returns: ``{"data": {"videos": [...], "cursor": …,
"has_more": …, "search_id": …}, "error": {"code": "ok", …}}``, one to a file or one to a line. The
real service's faults are expected: counts of zero missing, short pages, ids as text, NUL bytes,
lone surrogates, errors in every shape (`builder.sources.readers.page_errors`).
"""

from __future__ import annotations

import codecs
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from builder.errors import UnreadablePage
from builder.sources.collected import told_by
from builder.sources.encoding import (
    DAMAGED,
    REPLACEMENT,
    WINDOWS,
    Text,
    decoded,
    utf8_blocks,
)
from builder.sources.files import MOST_BYTES, SourceFile, read_blocks, read_lines, too_long
from builder.sources.ids import FloatWatch, check_time, parse_id
from builder.sources.readers.page_errors import check_errors
from builder.sources.rows import Block, RowProblem, Seen
from builder.sources.schema import COUNTS, FAVORITES, LABELS, ROLE_API, id_time

SYNTHETIC_LOG_ID = "SYNTHETIC"
BLOCK_ROWS = 20_000
TEXT_DAMAGED = "text_is_not_utf8"
_PLAIN = Text()
_EPOCH = dt.date(1970, 1, 1)
_FAVORITES = (FAVORITES, "favourites_count", "favorite_count", "favourite_count")
# What a label or tag calls its words, the most telling first.
_LABEL_KEYS = "content text label name title type tag description number id code value".split()
_LABEL_LENGTH = 300
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
        SpreadsheetDamage: at least half of the ids went through floating-point numbers.
    """
    block = Block(file.name, synthetic=file.synthetic)
    position = first_position
    pages = windows = lost = 0
    floats = FloatWatch()
    for where, page, text in _pages(file):
        pages += 1
        windows += text.encoding == WINDOWS
        _check_page(page, file, where)
        block.synthetic = block.synthetic or _is_synthetic(page)
        if seen := _seen(page, file.name, pages):
            block.seen.append(seen)
        videos = _videos(page, file, where)
        fetched_on = told_by(page) or file.fetched_on
        # older pages lack the field, and newer ones a zero
        unsaved = 0 if any(_favorites(video) is not None for video in videos) else None
        for index, video in enumerate(videos, start=1):
            try:
                row = _row(video, position)
                row["fetched_on"] = _not_before(row, told_by(video) or fetched_on)
                row[FAVORITES] = _count_if_any(_favorites(video), unsaved)
                if text.damaged:
                    _refuse_damaged(video)
                lost += _mend(row)
                block.add(row)
                floats.add(row["id"])
            except RowProblem as problem:
                block.reject(f"{where}video {index}", problem)
            position += 1
        if block.rows >= BLOCK_ROWS:
            floats.judge(file.name)
            yield block
            block = Block(file.name, synthetic=block.synthetic)
    if not pages:
        raise UnreadablePage(
            "the file is empty", file=file.name, way_out="fetch the page again or remove the file"
        )
    floats.judge(file.name)
    block.notes += encoding_notes(file.name, f"{windows:,} page(s)" if windows else "", lost)
    yield block


def encoding_notes(name: str, windows: str, lost: int) -> list[str]:
    """What a reader must be told about the characters of a file.

    Args:
        name: the file.
        windows: what of it was read as Windows-1252; empty for nothing.
        lost: texts that hold U+FFFD, where another program had lost a character before us.
    """
    notes = []
    if windows:
        notes.append(f"{name}: {windows} not UTF-8, read as Windows-1252 (cp1252)")
    if lost:
        notes.append(
            f"{name}: WARNING: {lost:,} texts arrived damaged (U+FFFD stands for characters lost "
            "before us); the marks were taken out, take the original file if there is one"
        )
    return notes


def _pages(file: SourceFile) -> Iterator[tuple[str, Any, Text]]:
    """(where, parsed page, its encoding); `where` is empty for a file that is one page."""
    name = file.member or file.path.name
    if ".json" not in [suffix.lower() for suffix in Path(name).suffixes]:
        yield from _lines(file)
        return
    content = _content(file).removeprefix(codecs.BOM_UTF8).strip()
    if not content:
        return
    try:
        whole, text = _loads(content, file, None)
    except ValueError:
        # JSON Lines called .json: the first line alone is a page.
        first = content.split(b"\n", 1)[0]
        try:
            _loads(first, file, "line 1")
        except ValueError:
            _parse(content, file, None)
        yield from _lines(file)
        return
    if isinstance(whole, list) and not (whole and _looks_like_video(whole[0])):
        for number, page in enumerate(whole, start=1):
            yield f"page {number}, ", page, text
    else:
        yield "", whole, text


def _content(file: SourceFile) -> bytes:
    blocks: list[bytes] = []
    size = 0
    for block in utf8_blocks(read_blocks(file), file.name):
        blocks.append(block)
        size += len(block)
        if size > MOST_BYTES:
            raise too_long(file)
    return b"".join(blocks)


def _lines(file: SourceFile) -> Iterator[tuple[str, Any, Text]]:
    for number, line in read_lines(file):
        page = line.removeprefix(codecs.BOM_UTF8)  # files joined by `cat` bring their marks along
        yield f"line {number}, ", *_parse(page, file, f"line {number}")


def _loads(content: bytes, file: SourceFile, row: str | None) -> tuple[Any, Text]:
    try:
        return orjson.loads(content), _PLAIN
    except orjson.JSONDecodeError:
        # The service has sent lone surrogates and broken UTF-8, which orjson refuses.
        if content.lstrip()[:1] not in (b"{", b"["):
            raise
        text, known = decoded(content, file.name, row)
        try:
            return json.loads(text), known
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _parse(content: bytes, file: SourceFile, row: str | None) -> tuple[Any, Text]:
    try:
        return _loads(content, file, row)
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
    if isinstance(page, dict):
        check_errors(page, file.name, where.rstrip(", ") or None)


def _is_synthetic(page: Any) -> bool:
    error = page.get("error") if isinstance(page, dict) else None
    return isinstance(error, dict) and str(error.get("log_id", "")).startswith(SYNTHETIC_LOG_ID)


def _seen(page: Any, file: str, number: int) -> Seen | None:
    """What a page says about the search it belongs to; None when it says nothing."""
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("has_more"), bool):
        return None
    search, cursor = data.get("search_id"), data.get("cursor")
    return Seen(
        search=str(search) if isinstance(search, str | int) and search else "",
        file=file,
        number=number,
        cursor=cursor if type(cursor) is int else None,
        more=data["has_more"],
    )


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
    for column in LABELS:
        row[column] = label_text(video.get(column))
    duration = video.get("video_duration")
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        row["duration_seconds"] = float(duration) if 0 < duration < 2**53 else None
    if row["region_code"]:
        row["region_code"] = row["region_code"].strip().upper() or None
    return row


def _not_before(row: dict[str, Any], day: dt.date | None) -> dt.date | None:
    """The day a row was fetched on; None where the video was not there yet (a wrong clock)."""
    if day is None or (day - _EPOCH).days < row["create_time"] // 86_400:
        return None
    return day


def _count_if_any(value: Any, missing: int | None) -> int | None:
    """A count that costs no row: null where it cannot be read."""
    try:
        return _whole(value, FAVORITES, missing=missing)
    except RowProblem:
        return None


def _favorites(video: Any) -> Any:
    """The count under either of its spellings."""
    if not isinstance(video, dict):
        return None
    return next((video[name] for name in _FAVORITES if video.get(name) is not None), None)


def label_text(value: Any) -> str | None:
    """A label or tag as text, whatever its shape.

    Documented are an object with `content` (a label) or `type` and `number` (a tag). A list of
    these is joined; an object without words gives its number; flags and nothing give None.
    """
    items = value if isinstance(value, list) else [value]
    texts = dict.fromkeys(text for item in items if (text := _words_of(item)))
    return " | ".join(texts)[:_LABEL_LENGTH] or None


def _words_of(label: Any) -> str | None:
    if not isinstance(label, dict):
        return _plain(label)
    named = {str(name).casefold(): inside for name, inside in label.items()}
    for kind in (str, int):
        for name in _LABEL_KEYS:
            if type(named.get(name)) is kind and (text := _plain(named[name])):
                return text
    return None


def _plain(value: Any) -> str | None:
    if isinstance(value, str):
        return " ".join((_text(value) or "").split()) or None
    return str(value) if type(value) is int and value else None


def _refuse_damaged(video: dict[str, Any]) -> None:
    """Raises RowProblem for a video with a text that holds bytes of no UTF-8."""
    tags = video.get("hashtag_names")
    texts = [video.get(key) for key, _ in _TEXT] + [label_text(video.get(c)) for c in LABELS]
    texts += tags if isinstance(tags, list) else []
    if any(isinstance(text, str) and DAMAGED.search(text) for text in texts):
        raise RowProblem(TEXT_DAMAGED, "text")


def _mend(row: dict[str, Any]) -> bool:
    """Take the marks of characters lost elsewhere out of a row's texts; whether there were any."""
    mended = False
    for _, column in _TEXT:
        value = row[column]
        if value is not None and not value.isascii() and REPLACEMENT in value:
            row[column], mended = value.replace(REPLACEMENT, "") or None, True
    for tag in row["hashtags"]:
        if not tag.isascii() and REPLACEMENT in tag:
            # half a hashtag is another hashtag
            row["hashtags"] = [tag for tag in row["hashtags"] if REPLACEMENT not in tag]
            return True
    return mended


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
    if isinstance(value, float) and value.is_integer() and 0 <= value < 2**53:
        return int(value)  # 1704844800.0: as whole as it was
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 19:
        return int(value)
    raise RowProblem(f"{field}_is_not_a_whole_number", field)
