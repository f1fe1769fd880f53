"""What the tests of the release half share: small campaigns, built once and never written to again.

Loaded as a pytest plugin by `conftest.py`. Everything here works with pytest-xdist: a build that
several workers want is made by the first of them and read by the others.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vl_convert

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.pipeline.regenerate import regenerate
from builder.pipeline.request import Request
from builder.release.assemble import file_digest
from builder.run.progress import Progress
from builder.sources.simulate.simulate import simulate

NAME = "EcuadorCrisisTikTok"
KEY = "0123456789abcdef" * 4
OTHER_KEY = "fedcba9876543210" * 4
SIMULATED, SEED, PLANTED = 300, 3, 8
VIDEOS = SIMULATED + PLANTED
# The tabular path: no models. What the stages compute is tested where they live.
NO_MODELS = ("probe", "transcribe", "language", "sentiment", "summarize", "entailment")
SKIP = ("--skip", ",".join(NO_MODELS))
quiet = functools.partial(Progress, stream=None)


@dataclass(frozen=True)
class Built:
    """A build: its input, work folder, release and key file."""

    pages: Path
    work: Path
    release: Path
    key_file: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """The release's MANIFEST.json."""
        return read_json(self.release / "MANIFEST.json")

    @property
    def report(self) -> dict[str, Any]:
        """The release's validation.json."""
        return read_json(self.release / "validation.json")

    def frame(self, config: str) -> pl.DataFrame:
        """A released table."""
        return table(self.release, config)

    @property
    def raw(self) -> pl.DataFrame:
        """The private rows behind it."""
        return pl.concat(
            [pl.read_parquet(part) for part in sorted(self.work.glob("ingest/*/part-*.parquet"))]
        )


def read_json(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def table(release: Path, config: str) -> pl.DataFrame:
    """A released table."""
    return pl.read_parquet(sorted((release / config).glob("*.parquet")))


def write_key(path: Path, secret: str = KEY) -> Path:
    """A key file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return path


def build(
    folder: Path, pages: Path, *, secret: str = KEY, name: str = NAME, **request: Any
) -> Built:
    """Regenerate in this process: `folder/work` and `folder/<name>`."""
    key = write_key(folder / "keys" / "key", secret)
    out = folder / name
    regenerate(
        Request(
            **{
                "work": folder / "work",
                "out": out,
                "sources": (pages,),
                "key_file": key,
                "progress": quiet,
                "skip": frozenset(NO_MODELS),
                **request,
            }
        )
    )
    return Built(pages, folder / "work", out, key)


def content(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def beside(release: Path) -> set[str]:
    """What lies in the release's parent folder besides the release and what a test put there."""
    return {path.name for path in release.parent.iterdir()} - {release.name, "work", "keys"}


def environment(**more: str) -> dict[str, str]:
    """The environment for a subprocess: no key of the developer's, no network."""
    kept = {k: v for k, v in os.environ.items() if k != "ECUADOR_CRISIS_KEY"}
    return {**kept, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", **more}


def run_cli(
    *arguments: object, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """The command line as a real process."""
    code = "import sys; from builder.cli import main; sys.argv[0] = 'ecuador-crisis'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**env),
        timeout=300,
        check=False,
    )


def rewrite(release: Path, config: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a released table and sign it again, so that only the rule under test can object."""
    path = sorted((release / config).glob("*.parquet"))[0]
    schema = pq.read_schema(path)
    frame = change(pl.read_parquet(path))
    arrow = frame.to_arrow()
    if arrow.schema.names == schema.names:
        arrow = arrow.cast(schema)
    else:  # types as before, for the columns that are still there
        arrow = pa.Table.from_arrays(
            [
                arrow[name].cast(schema.field(name).type)
                if name in schema.names and not arrow[name].type.equals(pa.int32())
                else arrow[name]
                for name in arrow.schema.names
            ],
            names=arrow.schema.names,
        )
    pq.write_table(arrow, path)
    sign(release)


def sign(release: Path) -> None:
    """Bring sha256 and rows of the files listed in MANIFEST.json up to date."""
    manifest = read_json(release / "MANIFEST.json")
    for name, facts in manifest["files"].items():
        path = release / name
        if path.is_file():
            facts["sha256"] = file_digest(path)
            if path.suffix == ".parquet":
                facts["rows"] = pq.ParquetFile(path).metadata.num_rows
    (release / "MANIFEST.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    if (release / "validation.json").is_file():
        report = read_json(release / "validation.json")
        report["manifest_sha256"] = file_digest(release / "MANIFEST.json")
        (release / "validation.json").write_text(json.dumps(report), encoding="utf-8")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _base(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a session share."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made once a session, whatever the number of workers."""
    base = _base(factory)
    folder = base / f"shared-{name}"
    with _locked(base / f"shared-{name}.lock"):
        if not folder.exists():
            partial = base / f"shared-{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            make(partial)
            partial.rename(folder)
    return folder


def _small(folder: Path) -> None:
    simulate(Campaign.load(), videos=SIMULATED, seed=SEED, out=folder / "pages")
    _plant(folder / "pages" / "planted.jsonl")
    build(folder, folder / "pages")


def _full(folder: Path) -> None:
    simulate(Campaign.load(), videos=51_479, seed=1, out=folder / "pages")
    build(folder, folder / "pages")


def _plant(path: Path) -> None:
    """What a simulation of this size leaves out: every kind of identifier in a transcript, and a
    hashtag that spells its author's name often enough not to be rare."""
    said = (
        "hola a todos soy @sim_planted_77q y saludo a @sim_otra_81b desde la casa",
        "escriban a sim.planted.12@example.org para saber del toque de queda",
        "todo esta en https://example.com/sim/777 y tambien en www.example.org/sim/778",
        "mi numero es 0991234567 y el de mi hermana +593 98 765 4321 llamen",
        "mi cedula es 1710034065 y vivo lejos del centro de la ciudad",
        "gracias por seguir a sim_planted_77q en esta plataforma de videos",
        "el video 7321111222333444555 ya no se puede ver en ninguna parte",
        "sin novedad en el barrio la gente camina tranquila por las calles hoy",
    )
    day = 1_704_844_800  # 2024-01-10
    videos = [
        {
            "id": ((day + 60 * number) << 32) + 4_000_000_000 + number,
            "create_time": day + 60 * number,
            "username": "sim_planted_77q",
            "region_code": "EC",
            "video_description": f"Un texto del autor que no sale de casa, parte {number}",
            "view_count": 10 + number,
            "like_count": 3,
            "comment_count": 2,
            "share_count": 1,
            "hashtag_names": ["ecuador", "sim_planted_77q"],
            "voice_to_text": text,
        }
        for number, text in enumerate(said)
    ]
    page = {
        "data": {"videos": videos, "cursor": 100, "has_more": False, "search_id": "1"},
        "error": {"code": "ok", "message": "", "log_id": "SYNTHETIC-planted"},
    }
    path.write_text(json.dumps(page) + "\n", encoding="utf-8")


def _built(folder: Path, name: str = NAME) -> Built:
    return Built(folder / "pages", folder / "work", folder / name, folder / "keys" / "key")


@pytest.fixture(scope="session", autouse=True)
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Vega draws a specification once a session: most builds here are of the same videos.

    That a process of its own draws the same bytes is for `test_end_to_end` to see, which compares
    a build of the command line with the small release.
    """
    kept = _base(tmp_path_factory) / "drawn"
    kept.mkdir(exist_ok=True)
    draw = vl_convert.vegalite_to_svg

    def vegalite_to_svg(spec: str, **options: Any) -> str:
        key = hashlib.sha256(f"{spec}{json.dumps(options, sort_keys=True)}".encode()).hexdigest()
        file = kept / f"{key}.svg"
        if not file.exists():
            partial = kept / f"{key}.{os.getpid()}"
            partial.write_text(draw(spec, **options), encoding="utf-8")
            partial.rename(file)
        return file.read_text(encoding="utf-8")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", vegalite_to_svg)
        yield


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """300 simulated and 8 planted videos, pages and Whisper CSV, built with KEY. Read only."""
    return _built(shared(tmp_path_factory, "small", _small))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The paper's 51,479 videos, simulated and built with KEY. Read only."""
    return _built(shared(tmp_path_factory, "full", _full))


@pytest.fixture
def editable(small: Built, tmp_path: Path) -> Path:
    """A copy of the small release that a test may damage."""
    return Path(shutil.copytree(small.release, tmp_path / NAME))


@pytest.fixture
def own_campaign(tmp_path: Path) -> Callable[..., Path]:
    """Make a variant of the Ecuador campaign: `own_campaign(id_policy='"raw"')`."""

    def make(**privacy: str) -> Path:
        folder = tmp_path / "variant"
        shutil.copytree(CAMPAIGNS / "ecuador_2024", folder)
        text = (folder / "campaign.toml").read_text(encoding="utf-8")
        lines = text.splitlines()
        for key, value in ({"name": '"ecuador_variant"'} | privacy).items():
            at = next(i for i, line in enumerate(lines) if line.startswith(f"{key} = "))
            lines[at] = f"{key} = {value}"
        (folder / "campaign.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return make


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Run the command line in this process (fast): `cli("validate", folder)`."""
    from builder.cli import main

    monkeypatch.delenv("ECUADOR_CRISIS_KEY", raising=False)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["ecuador-crisis", *map(str, arguments)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run
