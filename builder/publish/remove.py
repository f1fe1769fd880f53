"""`remove`: posts whose removal was asked for leave the work folder at once and every next release.

They go on the private list (`builder.run.removals`), and their rows leave ingest's parts, every
stage's results, the crosswalk and the refreshes; downloads are deleted where a folder is given.
Caches that hold released texts are dropped whole: the next build makes them again.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from builder.errors import UsageProblem
from builder.media.download.run import FOLDER as DOWNLOADS
from builder.media.download.run import LOG
from builder.media.downloads import entries_of
from builder.publish.looks import FOLDER as LOOKS
from builder.release.anonymize import CROSSWALK, crosswalk_parts
from builder.run.removals import add_removed
from builder.run.resume import renew
from builder.run.store import DAMAGED, Store, digest_of, write_atomic, write_frame, write_json
from builder.sources.ids import parse_id
from builder.sources.ingest import RAW, REMOVED, SUMMARY

# Made again from what is left: anonymised rows, rows kept of an ingest, releases that were refused.
CACHES = ("anonymize", "kept", "rejected")
_LINK = re.compile(r"tiktok\.com/(?:@[^/\s]*/(?:video|photo)|v|embed(?:/v2)?)/(\d{15,19})\b", re.I)
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")


@dataclass
class Receipt:
    """What was removed. Holds no id.

    Attributes:
        day: UTC.
        asked: posts named in the file.
        known: of these, in the work folder.
        rows: where -> rows removed (or files deleted).
    """

    day: dt.date
    asked: int
    known: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "day": self.day.isoformat(),
            "asked": self.asked,
            "known": self.known,
            "removed": dict(sorted(self.rows.items())),
        }


def read_requests(path: Path, work: Path) -> frozenset[int]:
    """Ids named in a file of requests.

    Args:
        path: one raw id, link or pseudonym a line; blank lines and lines that begin with # are
            left out.
        work: its crosswalk tells which post a pseudonym is.

    Raises:
        UsageProblem: the file cannot be read, is empty, or a line is none of these; the row is
            named, and nothing was removed.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(
            "cannot read the file of ids", file=path, way_out="give a UTF-8 text file"
        ) from error
    crosswalk = _crosswalk(work)
    found: set[int] = set()
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        link = _LINK.search(text)
        video, reason = parse_id(link[1] if link else text)
        if video is None and _PSEUDONYM.fullmatch(text.casefold()):
            video, reason = crosswalk.get(text.casefold()), "pseudonym_unknown_to_this_work_folder"
        if video is None:
            raise UsageProblem(
                f"this line names no post ({'link_without_an_id' if '/' in text else reason})",
                file=path,
                row=number,
                way_out="write the number of the post, its full link (…/video/<number>; open a "
                "short link to see it), or its video_id in the release of this work folder. "
                "Nothing was removed yet",
            )
        found.add(video)
    if not found:
        raise UsageProblem("the file names no post", file=path, way_out="one post a line")
    return frozenset(found)


def remove(store: Store, ids: frozenset[int], day: dt.date, videos_dir: Path | None) -> Receipt:
    """Remove posts; may be repeated after an interruption.

    Args:
        store: the work folder, locked by the caller.
        ids: TikTok ids.
        day: UTC day, for the receipt.
        videos_dir: the downloads to delete from; None: none.
    """
    receipt = Receipt(day, len(ids))
    add_removed(store.private, store.work, ids)  # first: from here on nothing brings them back
    known: set[int] = set()
    for folder in sorted(path for path in store.work.iterdir() if path.is_dir()):
        if folder.name == "private":
            _from_crosswalk(folder / CROSSWALK, ids, receipt, known)
        elif folder.name in CACHES:
            shutil.rmtree(folder)
        elif folder.name == "ingest":
            for inside in _folders(folder):
                shutil.rmtree(inside / RAW, ignore_errors=True)
                _from_ingest(inside, ids, receipt, known)
        elif folder.name == DOWNLOADS:
            _from_log(folder / LOG, ids, receipt)
        else:
            for inside in _folders(folder):
                shutil.rmtree(inside / DAMAGED, ignore_errors=True)
                _from_parts(inside, folder.name, ids, receipt, known)
    if videos_dir is not None:
        for path in entries_of(videos_dir, ids):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            receipt.rows["downloads"] += 1
    receipt.known = len(known)
    _keep_receipt(store.private / "receipts", receipt)
    return receipt


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _without(part: Path, ids: frozenset[int], known: set[int]) -> tuple[pl.DataFrame, int]:
    """The rows of a part that stay, and how many do not."""
    frame = pl.read_parquet(part, glob=False)
    mine = pl.Series("id", sorted(ids), dtype=pl.Int64).to_frame()
    known.update(frame.join(mine, on="id", how="semi")["id"].to_list())
    left = frame.join(mine, on="id", how="anti", maintain_order="left")
    return left, frame.height - left.height


def _from_ingest(folder: Path, ids: frozenset[int], receipt: Receipt, known: set[int]) -> None:
    parts = sorted(folder.glob("part-*.parquet"))
    taken = 0
    for part in parts:
        left, n = _without(part, ids, known)
        if n:
            write_frame(part, left)
            taken += n
    if not taken:
        return
    receipt.rows["ingest"] += taken

    def told(content: dict[str, Any]) -> dict[str, Any]:
        dropped = dict(content["dropped"])
        dropped[REMOVED] = dropped.get(REMOVED, 0) + taken
        return content | {
            "videos": content["videos"] - taken,
            "dropped": dict(sorted(dropped.items())),
        }

    renew(folder / SUMMARY, told, parts)


def _from_parts(
    folder: Path, stage: str, ids: frozenset[int], receipt: Receipt, known: set[int]
) -> None:
    """Rewrite the parts of a stage: their names carry the digest of what is left."""
    for part in sorted(folder.glob("part-*.parquet")):
        left, n = _without(part, ids, known)
        if not n:
            continue
        if stage == LOOKS:
            write_frame(part, left)
        else:
            temporary = part.with_suffix(".tmp")
            write_frame(temporary, left)
            number = part.stem.split("-")[1]
            temporary.rename(part.with_name(f"part-{number}-{digest_of(temporary)}.parquet"))
            part.unlink()
        receipt.rows[stage] += n


def _from_crosswalk(folder: Path, ids: frozenset[int], receipt: Receipt, known: set[int]) -> None:
    for part in sorted(folder.glob("part-*.parquet")):
        left, n = _without(part, ids, known)
        if n:
            write_frame(part, left, mode=0o600)
            receipt.rows["crosswalk"] += n


def _from_log(path: Path, ids: frozenset[int], receipt: Receipt) -> None:
    """The log of downloads without some ids."""
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if not any(f'"{video}"' in line for video in ids)]
    if len(left) < len(lines):
        write_atomic(path, "".join(left).encode(), mode=0o600)
        receipt.rows["download log"] += len(lines) - len(left)


def _crosswalk(work: Path) -> dict[str, int]:
    frames = [
        pl.read_parquet(part, columns=["id", "video_id"], glob=False)
        for part in crosswalk_parts(work)
    ]
    pairs = pl.concat(frames).iter_rows(named=True) if frames else ()
    return {str(row["video_id"]): int(row["id"]) for row in pairs}


def _keep_receipt(folder: Path, receipt: Receipt) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    number = len(list(folder.glob(f"{receipt.day}-*.json"))) + 1
    write_json(folder / f"{receipt.day}-{number:03d}.json", receipt.as_dict())
