"""An error response is known in every shape; a good page in none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.pages import make_id, page, video

from builder.errors import ErrorPage
from builder.sources.files import find_sources
from builder.sources.readers.api_pages import read_pages

DATA: dict[str, Any] = {"data": {"videos": [], "cursor": 0, "has_more": False}}
BAD: dict[str, dict[str, Any]] = {
    "a text": DATA | {"error": "rate_limit_exceeded"},
    "a list of objects": DATA | {"error": [{"code": "internal_error", "message": "x"}]},
    "a list of texts": DATA | {"error": ["timeout"]},
    "no code but a message": DATA | {"error": {"message": "daily quota reached"}},
    "an inner error": {"data": DATA["data"] | {"error": {"code": "timeout"}}},
    "a number": DATA | {"error": 500},
    "true": DATA | {"error": True},
    "code on top": DATA | {"code": "access_token_invalid", "message": "x"},
    "only a code": {"code": "internal_error", "message": "x", "log_id": "1"},
    "error_code on top": DATA | {"error_code": 10002},
    "errors": DATA | {"errors": [{"type": "timeout"}]},
    "an OAuth answer": {"error": "invalid_client", "error_description": "no"},
    "a gateway": {"message": "Too Many Requests"},
    "status inside": DATA | {"error": {"status": 429}},
}
GOOD: dict[str, dict[str, Any]] = {
    "as documented": page([video(1)]),
    "no error at all": {"data": {"videos": [video(1)]}},
    "null": DATA | {"error": None},
    "empty": DATA | {"error": {}},
    "empty text": DATA | {"error": ""},
    "empty list": DATA | {"error": []},
    "false": DATA | {"error": False},
    "OK": DATA | {"error": {"code": "OK", "message": "all is well"}},
    "zero": DATA | {"code": 0, "message": "success"},
    "200": DATA | {"status_code": 200},
    "a bare video": video(1),
}


def read(folder: Path, content: Any) -> list[Any]:
    path = folder / "a.jsonl"
    path.write_text(json.dumps(content) + "\n")
    (file,) = find_sources([path])
    return list(read_pages(file, 0))


@pytest.mark.parametrize("what", BAD)
def test_an_error_in_any_shape_is_refused(tmp_path: Path, what: str) -> None:
    with pytest.raises(ErrorPage) as caught:
        read(tmp_path, BAD[what])
    assert caught.value.row == "line 1"
    assert caught.value.way_out


@pytest.mark.parametrize("what", GOOD)
def test_a_good_page_is_none(tmp_path: Path, what: str) -> None:
    assert not read(tmp_path, GOOD[what])[0].rejected


def test_free_text_of_an_error_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ErrorPage) as caught:
        read(tmp_path, DATA | {"error": f"video {make_id()} of @maria.perez is gone"})
    assert "maria" not in str(caught.value)
    assert str(make_id()) not in str(caught.value)
