"""What is looked at before bytes go to the Hub, and how long to wait when it asks for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd

from builder.publish.hub.state import Digest
from builder.publish.problems import HubDiffers

_LONGEST_WAIT = 60.0


def addition(path: str, file: Path, digest: Digest) -> Any:
    """An upload of exactly the bytes that were validated.

    Raises:
        HubDiffers: the file is another one by now.
    """
    small = not path.endswith(".parquet")
    made = CommitOperationAdd(path, file.read_bytes() if small else str(file))
    if made.upload_info.sha256.hex() != digest.sha256:
        raise HubDiffers(
            "the file changed while it was being published; nothing was committed",
            file=file,
            way_out="wait until nothing writes into the release folder and run it again",
        )
    return made


def refuse_partial(added: Sequence[Any], repo: str) -> None:
    """Refuse a commit of which the library would leave something out.

    It sends no file that the Hub wants ignored, or says to have already. Everything in `added`
    differs from what is there, so neither can be true of a whole release.

    Raises:
        HubDiffers: naming the files; nothing was committed.
    """
    out = [
        one.path_in_repo
        for one in added
        if one._should_ignore or (one._remote_oid and one._remote_oid == one._local_oid)
    ]
    if out:
        raise HubDiffers(
            f"the Hub would leave {len(out)} file(s) out of the commit: {', '.join(out[:5])}; "
            "nothing was committed",
            file=repo,
            way_out="if the repository has a .gitignore, delete it there; else run it again",
        )


def wait_for(error: BaseException, attempt: int) -> float:
    """Seconds to wait: what the Hub asks for, else 1, 2, 4…; never longer than a minute."""
    response = getattr(error, "response", None)
    asked = None if response is None else asked_for(response.headers)
    return min(2.0**attempt if asked is None else asked, _LONGEST_WAIT)


def asked_for(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`: a number, or a date, which is told by the Hub's own clock."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (when - now).total_seconds())
    except (TypeError, ValueError):
        return None
