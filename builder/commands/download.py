"""What `ecuador-crisis download` does and prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.commands.collect import terminated_is_interrupted
from builder.commands.refresh import opened
from builder.errors import UsageProblem, disk_full_guard
from builder.media.download.folder import Folder
from builder.media.download.run import PARTIAL, Backend, Downloaded, accept_terms, download
from builder.media.download.ytdlp import YtDlp
from builder.publish.looks import read_looks
from builder.publish.refresh import known_ids
from builder.run.progress import Progress


@dataclass(frozen=True)
class DownloadOptions:
    """The options of the command; see its help."""

    work: Path
    videos_dir: Path
    backend: str = "yt-dlp"
    source: Path | None = None
    limit: int | None = None
    pause: float = 3.0
    accept_terms: bool = False


def run_download(options: DownloadOptions, echo: Callable[[str], None]) -> int:
    """Download what is missing; returns the exit code: 0, or 3 when stopped by the service.

    Raises:
        UsageProblem: nothing is known here, the terms were not accepted, or a back end lacks
            what it needs.
    """
    store = opened(options.work)
    with terminated_is_interrupted(), store.lock(), disk_full_guard(options.videos_dir):
        gone = read_looks(store.work).gone()
        ids = [video for video in known_ids(store.work) if video not in gone]
        backend = _backend(options)
        if backend.online:
            today = dt.datetime.now(dt.UTC).date()
            accept_terms(store.work, accepted=options.accept_terms, day=today)
        with Progress("download", min(options.limit or len(ids), len(ids))) as bar:
            done = download(
                ids,
                store.work,
                options.videos_dir,
                backend,
                limit=options.limit,
                pause=options.pause,
                advance=bar.advance,
            )
    for line in downloaded_lines(done, options.videos_dir):
        echo(line)
    return 3 if done.stopped else 0


def downloaded_lines(done: Downloaded, videos_dir: Path) -> list[str]:
    """What a run brought, for the terminal."""
    outcomes = ", ".join(f"{n:,} {what}" for what, n in done.outcomes.most_common()) or "nothing"
    lines = [
        f"{done.wanted:,} videos wanted, {done.there:,} were there or known to be gone; "
        f"this run: {outcomes}; {done.pending:,} are still to be had"
    ]
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    return [*lines, f"next: ecuador-crisis regenerate … --videos-dir {videos_dir}"]


def _backend(options: DownloadOptions) -> Backend:
    partial = options.videos_dir / PARTIAL
    if options.backend == "folder":
        if options.source is None:
            raise UsageProblem(
                "--backend folder copies out of a folder", way_out="name it with --from DIR"
            )
        return Folder(options.source, partial)
    return YtDlp(partial)
