"""The folder of pages: one folder a complete day, everything else hidden until it is complete.

    PAGES/2024-01-09/q0-p0001.json.zst   a response as the service wrote it, compressed
    PAGES/2024-01-09/COLLECTED.json      when each page was asked for, and what the day holds
    PAGES/.collect/partial/2024-01-10/   pages of a day that is not complete, and its state
    PAGES/.collect/days.json             what is known about days that are not complete

`regenerate` reads PAGES; it does not look into hidden folders.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zstandard

from builder.errors import UsageProblem, disk_full_guard
from builder.run.store import fsync_folder, write_json
from builder.sources.collected import COLLECTED_MARK
from builder.sources.research_api.problems import CollectorRunning

HIDDEN = ".collect"


class Pages:
    """A folder of pages.

    Args:
        root: the folder; made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.hidden = root, root / HIDDEN

    @property
    def is_collection(self) -> bool:
        """Whether a collector has worked here."""
        return self.hidden.is_dir()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process; the kernel releases it when the process dies.

        Raises:
            CollectorRunning: another collector holds it.
            UsageProblem: the folder cannot be made.
        """
        try:
            with disk_full_guard(self.root):
                self.hidden.mkdir(parents=True, exist_ok=True)
                (self.hidden / "lock").touch()
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise UsageProblem(
                f"the folder of pages cannot be made ({error.strerror})",
                file=self.root,
                way_out="give --out a folder that may be written",
            ) from error
        with open(self.hidden / "lock", "a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CollectorRunning(
                    "another collector is running in this folder",
                    file=self.root,
                    way_out="wait for it to end, or give this one another --out",
                ) from error
            yield

    def claim(self, plan: str, about: dict[str, Any]) -> None:
        """Tie the folder to what is asked for.

        Args:
            plan: digest of regions and terms.
            about: what a person should know, kept beside it.

        Raises:
            UsageProblem: the folder holds the answers to another query.
        """
        file = self.hidden / "collection.json"
        if file.is_file():
            before = _load(file)
            if before.get("plan") != plan:
                raise UsageProblem(
                    "this folder was collected for another campaign, or for other keywords",
                    file=self.root,
                    way_out="give --out a new folder; pages of two queries must not be mixed",
                )
            return
        write_json(file, {"plan": plan, **about})

    # -- complete days ------------------------------------------------------------------------

    def complete(self, day: dt.date) -> dict[str, Any] | None:
        """The record of a complete day, or None."""
        file = self.root / day.isoformat() / COLLECTED_MARK
        return _load(file) if file.is_file() else None

    def complete_days(self) -> list[dt.date]:
        """The complete days, oldest first."""
        marks = self.root.glob(f"[0-9]*-[0-9]*-[0-9]*/{COLLECTED_MARK}")
        return sorted(dt.date.fromisoformat(mark.parent.name) for mark in marks)

    def ready(self, day: dt.date) -> bool:
        """Whether a day lacks only the last step of `commit`."""
        return (self.partial(day) / COLLECTED_MARK).is_file()

    def commit(self, day: dt.date, record: dict[str, Any]) -> None:
        """Make a partial day a complete one: durable, then visible in one step.

        Raises:
            DiskFull: no space; the day stays partial.
        """
        folder = self.partial(day)
        with disk_full_guard(self.root):
            files = [folder / page["file"] for page in record["pages"]]
            with ThreadPoolExecutor(8) as threads:  # the disk takes them together
                list(threads.map(_sync, files))
        write_json(folder / COLLECTED_MARK, record)
        self.finish(day)

    def finish(self, day: dt.date) -> None:
        """The last step of `commit`, also after a kill before it."""
        folder = self.partial(day)
        keep = {page["file"] for page in _load(folder / COLLECTED_MARK)["pages"]} | {COLLECTED_MARK}
        with disk_full_guard(self.root):
            for file in folder.iterdir():
                if file.name not in keep:
                    file.unlink()
            fsync_folder(folder)
            os.rename(folder, self.root / day.isoformat())
            fsync_folder(self.root)

    # -- partial days -------------------------------------------------------------------------

    def partial(self, day: dt.date) -> Path:
        """Where the pages of an incomplete day lie."""
        return self.hidden / "partial" / day.isoformat()

    def partial_days(self) -> list[dt.date]:
        """Days with such a folder."""
        folder = self.hidden / "partial"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [dt.date.fromisoformat(path.name) for path in found if path.is_dir()]

    def drop_partial(self, day: dt.date) -> None:
        """Forget what was fetched of an incomplete day."""
        shutil.rmtree(self.partial(day), ignore_errors=True)

    def save_page(self, day: dt.date, name: str, body: bytes) -> str:
        """Write one page of an incomplete day, whole or not at all; returns its digest."""
        folder = self.partial(day)
        content = zstandard.ZstdCompressor(level=3).compress(body)
        _write(folder / name, content)
        return hashlib.sha256(content).hexdigest()

    def load_page(self, day: dt.date, name: str, digest: str) -> bytes | None:
        """A saved page of an incomplete day, or None if it is not what was written."""
        try:
            content = (self.partial(day) / name).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest() != digest:
            return None
        return zstandard.ZstdDecompressor().decompress(content)

    def save_state(self, day: dt.date, state: dict[str, Any]) -> None:
        """Write where an incomplete day stands: under a new name, then the old one goes.

        A rename over the old file makes some file systems wait for the disk, each time.
        """
        before = self._states(day)
        number = int(before[-1].stem.split("-")[1]) + 1 if before else 0
        _write(self.partial(day) / f"state-{number:08d}.json", json.dumps(state).encode())
        for old in before:
            old.unlink(missing_ok=True)

    def load_state(self, day: dt.date) -> dict[str, Any]:
        """Where an incomplete day stands; empty if nothing usable is there."""
        for file in reversed(self._states(day)):
            try:
                return _load(file)
            except UsageProblem:  # cut by a power failure
                continue
        return {}

    def _states(self, day: dt.date) -> list[Path]:
        return sorted(self.partial(day).glob("state-*.json"))

    # -- what is known about days that are not complete ---------------------------------------

    def notes(self) -> dict[str, dict[str, Any]]:
        """Day -> {state, reason, …} of days that are not complete."""
        try:
            return _load(self.hidden / "days.json")
        except FileNotFoundError:
            return {}

    def note(self, day: dt.date, what: dict[str, Any] | None) -> None:
        """Remember (or forget) something about a day that is not complete."""
        notes = self.notes()
        before = notes.pop(day.isoformat(), None)
        if what is not None:
            notes[day.isoformat()] = what
        if what != before:
            write_json(self.hidden / "days.json", dict(sorted(notes.items())))


def _write(path: Path, content: bytes) -> None:
    """Whole or not there after a kill. Not synced: `commit` does that for the whole day."""
    temporary = path.with_name(f".{path.name}.tmp")
    with disk_full_guard(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageProblem(
            "a file of the collection is damaged",
            file=path,
            way_out="remove the file (a day without it is fetched again)",
        )
    return found
