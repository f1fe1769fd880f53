"""Invented Research API pages and upstream CSVs. No real video, person or id is in here."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import zstandard

from builder.config.campaign import Campaign
from builder.config.campaign_tables import Keyword, Licence, Texts, Window

START = Campaign.load().window.start_ts
NOON = 1_704_888_000  # 2024-01-10 12:00:00 UTC, inside Ecuador's window
DAY = 86_400

# The error codes the design names, and the HTTP status they came with.
ERROR_CODES = {
    "rate_limit_exceeded": 429,
    "daily_quota_limit_exceeded": 429,
    "invalid_params": 400,
    "access_token_invalid": 401,
    "scope_not_authorized": 401,
    "internal_error": 500,
    "timeout": 504,
}


def make_id(time: int = NOON, low: int = 1) -> int:
    """An id in TikTok's layout: creation time above 32 other bits."""
    return time << 32 | low


def video(low: int = 1, time: int = NOON, **changes: Any) -> dict[str, Any]:
    """One video of a page; a change to `...` removes the key."""
    row = {
        "id": make_id(time, low),
        "create_time": time,
        "username": f"inventada_{low}",
        "region_code": "EC",
        "video_description": f"Video inventado {low} #ecuador",
        "music_id": 7_000_000_000_000_000_000 + low,
        "like_count": low,
        "comment_count": 2,
        "share_count": 3,
        "view_count": 100 + low,
        "hashtag_names": ["ecuador"],
        "video_duration": 15,
        "voice_to_text": f"hola {low}",
    }
    row |= changes
    return {key: value for key, value in row.items() if value is not ...}


def page(videos: Iterable[Any] = (), *, more: bool = False, **data: Any) -> dict[str, Any]:
    """One response of `POST /v2/research/video/query/`."""
    rows = list(videos)
    return {
        "data": {"cursor": len(rows), "has_more": more, "search_id": "7", "videos": rows} | data,
        "error": {"code": "ok", "message": "", "log_id": "invented"},
    }


def error_page(code: str, message: str = "") -> dict[str, Any]:
    """What the service sends instead of a page."""
    return {"data": {}, "error": {"code": code, "message": message, "log_id": "invented"}}


def to_bytes(pages: Sequence[Any], style: str = "jsonl") -> bytes:
    """Serialise pages.

    Args:
        pages: the pages.
        style: `jsonl` (one a line), `page` (the only page), `pretty` (the same, indented),
            `list` (a list of pages).
    """
    match style:
        case "jsonl":
            return b"".join(json.dumps(page).encode() + b"\n" for page in pages)
        case "list":
            return json.dumps(list(pages)).encode()
        case "page":
            return json.dumps(pages[0]).encode()
        case "pretty":
            return (json.dumps(pages[0], indent=2) + "\n").encode()
    raise ValueError(style)


def compress(content: bytes, suffix: str, *, frames: int = 1) -> bytes:
    """Compress for a file ending in `suffix` (.gz, .zst, or anything else: not at all).

    Args:
        content: the bytes.
        suffix: of the file.
        frames: members or frames the content is spread over.
    """
    size = max(-(-len(content) // frames), 1)
    pieces = [content[i : i + size] for i in range(0, len(content), size)] or [b""]
    if suffix == ".gz":
        return b"".join(gzip.compress(piece, mtime=0) for piece in pieces)
    if suffix == ".zst":
        return b"".join(zstandard.ZstdCompressor().compress(piece) for piece in pieces)
    return content


def write_pages(path: Path, *pages: Any, style: str = "jsonl") -> Path:
    """Write pages into one file, compressed as its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(to_bytes(pages, style), path.suffix))
    return path


def to_csv(header: Sequence[str], *rows: Sequence[Any], **options: Any) -> bytes:
    """A CSV as Python's own writer makes it; `options` are that writer's."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, **({"lineterminator": "\n"} | options))
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def write_csv(path: Path, header: Sequence[str], *rows: Sequence[Any], **options: Any) -> Path:
    """Write a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(to_csv(header, *rows, **options), path.suffix))
    return path


WHISPER_HEADER = ("id", "whisper_voice_to_text")
MARCH_HEADER = (
    "id",
    "Number of Frames",
    "Duration in Seconds",
    "Sentiment Label",
    "AI Summary",
)


def tiny_campaign(**changes: Any) -> Campaign:
    """A campaign of three days, 2024-01-09 to 2024-01-11, in region EC."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "title": "An invented campaign",
        "release_name": "Tiny",
        "version": "0.0.1",
        "window": Window(start="2024-01-09", end="2024-01-11"),  # type: ignore[arg-type]
        "region_codes": ("EC",),
        "country": "EC",
        "languages": ("es",),
        "licence": Licence(data="cc0-1.0", data_name="CC0", contact="nobody"),
        "texts": Texts(summary="s", collection="c", biases="b"),
        "keywords": (
            Keyword(term="eco", raw=("eco",), kind="hashtag", english="echo", description="d"),
        ),
    }
    return Campaign(**(fields | changes))


def api_pages(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A folder of pages of these rows, in Ecuador's window; what a row does not say is ordinary."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = []
    for number, row in enumerate(rows):
        when = START + 3600 * (number % 1500) + number
        videos.append(
            {
                "id": (when << 32) + number + 7,
                "create_time": when,
                "region_code": "EC",
                "username": f"persona.{number}x",
                "video_description": "algo",
                "hashtag_names": ["ecuador"],
                "view_count": number,
                "like_count": 1,
                "comment_count": 1,
                "share_count": 1,
                "voice_to_text": "una frase larga que cualquiera entiende sin problema",
                **row,
            }
        )
    for start in range(0, len(videos), 100):
        body = {
            "data": {"videos": videos[start : start + 100], "has_more": False},
            "error": {"code": "ok"},
        }
        (folder / f"page-{start:06d}.json").write_text(json.dumps(body), encoding="utf-8")
    return folder
