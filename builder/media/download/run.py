"""Downloads videos one after the other, politely; what is there or known to be gone is not asked.

`work/download/outcomes.jsonl` holds a line for every attempt (private: it names ids); the last one
of an id counts. A finished file is checked, hashed and renamed into its place, so that a file that
is there is whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from builder.errors import UsageProblem
from builder.media.download.outcome import FINAL, MARKER_OF, STOPPING, Fetched, Outcome
from builder.media.downloads import probe_file, scan_media
from builder.run.store import fsync_folder, write_json

FOLDER, LOG, TERMS = "download", "outcomes.jsonl", "terms.json"
PARTIAL = ".partial"
IN_A_ROW = 3  # faults of ours or of the tool after which asking on helps nobody
WHOLE = ("ok", "no_audio", "no_video")
NOTICE = """\
TikTok's terms of service do not allow downloads except where TikTok offers them or the law does
(research exceptions of copyright and data protection law differ by country). Ask your institution.
Videos show people: keep them private, never release them, delete them when a post is removed.
If you may and want to go on, add --accept-terms; this is asked once for a work folder."""


class Backend(Protocol):
    """Where videos come from. `online`: a service is asked, so the notice and pauses apply."""

    name: str
    online: bool

    def fetch(self, video_id: int) -> Fetched:
        """Bring one video as a file in the folder of unfinished files; never raises for a post."""


@dataclass
class Downloaded:
    """What a run did.

    Attributes:
        wanted: videos of the work folder.
        there: of these, there already or known to be gone.
        outcomes: outcome -> attempts of this run.
        pending: videos still to be had.
        stopped: why the run ended early.
    """

    wanted: int
    there: int
    outcomes: Counter[str] = field(default_factory=Counter)
    pending: int = 0
    stopped: str = ""


def accept_terms(work: Path, *, accepted: bool, day: dt.date) -> None:
    """Refuse until the notice was accepted once for this work folder.

    Raises:
        UsageProblem: it was not; its text is the notice.
    """
    told = work / FOLDER / TERMS
    if told.is_file():
        return
    if not accepted:
        raise UsageProblem(NOTICE, way_out="--accept-terms, or --backend folder")
    told.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(told, {"accepted": day.isoformat()})


def download(
    ids: Sequence[int],
    work: Path,
    videos_dir: Path,
    backend: Backend,
    *,
    limit: int | None = None,
    pause: float = 3.0,
    sleep: Callable[[float], None] = time.sleep,
    advance: Callable[[int, Counter[str]], None] = lambda n, outcomes: None,
) -> Downloaded:
    """Fetch what is missing.

    Args:
        ids: videos wanted.
        work: work folder, for the log.
        videos_dir: where `<id>.mp4` and markers go; made if missing.
        backend: where they come from.
        limit: attempts of this run at most.
        pause: seconds between two attempts at an online back end, with jitter.
        sleep: waits.
        advance: called after each attempt.
    """
    (videos_dir / PARTIAL).mkdir(parents=True, exist_ok=True)
    (work / FOLDER).mkdir(mode=0o700, exist_ok=True)
    known = read_log(work)
    there = set(scan_media(videos_dir).frame["id"].to_list())
    there |= {video for video, line in known.items() if line["outcome"] in FINAL - {Outcome.OK}}
    # what was never tried goes first: a post that fails for ever must not hold the others up
    todo = sorted(set(ids) - there, key=lambda video: (video in known, video))
    done = Downloaded(len(ids), len(set(ids) & there))
    faults = 0
    for number, video in enumerate(todo if limit is None else todo[:limit]):
        if number and backend.online:
            sleep(pause * random.uniform(0.5, 1.5))
        outcome, facts, place = _one(video, backend, videos_dir)
        # the line comes first: a file that is there has its checksum in the log, also after a kill
        _log(work, video, outcome, backend, facts)
        place()
        done.outcomes[outcome] += 1
        advance(1, Counter({outcome.value: 1}))
        faults = faults + 1 if outcome in STOPPING else 0
        if faults >= IN_A_ROW:
            done.stopped = _why(outcome)
            break
    finished = done.outcomes.total() - sum(
        n for outcome, n in done.outcomes.items() if outcome not in FINAL
    )
    done.pending = len(todo) - finished
    return done


def read_log(work: Path) -> dict[int, dict[str, Any]]:
    """The last attempt of every id; a line torn by a kill is left out."""
    found: dict[int, dict[str, Any]] = {}
    try:
        lines = (work / FOLDER / LOG).read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for text in lines:
        try:
            line = json.loads(text)
            found[int(line["id"])] = line
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _one(
    video: int, backend: Backend, videos_dir: Path
) -> tuple[Outcome, dict[str, Any], Callable[[], None]]:
    """How an attempt ended, what is known of the file, and what puts it (or its marker) in place.

    Of a marker the file is what counts: an outcome in the log is not asked for again.
    """
    fetched = backend.fetch(video)
    if fetched.outcome in MARKER_OF:
        (videos_dir / f"{video}.{MARKER_OF[fetched.outcome]}").touch()
    path = fetched.path
    if fetched.outcome != Outcome.OK or path is None:
        return fetched.outcome, {}, lambda: None
    status = probe_file(path).status
    if status not in WHOLE:
        path.unlink(missing_ok=True)
        return Outcome.DAMAGED, {"status": status}, lambda: None
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
        os.fsync(handle.fileno())

    def place() -> None:
        path.replace(videos_dir / f"{video}{path.suffix.lower()}")
        fsync_folder(videos_dir)

    return Outcome.OK, {"sha256": digest, "bytes": path.stat().st_size}, place


def _log(work: Path, video: int, outcome: Outcome, backend: Backend, facts: dict[str, Any]) -> None:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    line = {"id": str(video), "outcome": outcome, "at": now, "by": backend.name, **facts}
    path = work / FOLDER / LOG
    with open(path, "a", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as handle:
        handle.write(json.dumps(line) + "\n")


def _why(outcome: Outcome) -> str:
    if outcome == Outcome.EXTRACTOR_BROKEN:
        return (
            f"{IN_A_ROW} posts in a row that yt-dlp could not read: its extractor is broken, which "
            "says nothing about the posts; update yt-dlp (pip install -U yt-dlp curl_cffi)"
        )
    if outcome == Outcome.RATE_LIMITED:
        return "the service says that we ask too fast: go on in some hours, with a longer --pause"
    return "the service cannot be reached: check the network"
