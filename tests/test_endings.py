"""Ordinary mistakes and signals: one readable message, a way out, never "unexpected"."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from release_kit import NAME, SKIP, Built, Result, beside, content, environment, write_key

Cli = Callable[..., Result]
REGENERATE = ("regenerate", "PAGES", "--work", "WORK", "--out", "OUT", *SKIP)


def told(done: Result, *words: str) -> str:
    """The one message of a command that failed as it should."""
    assert done.code in (1, 2), done
    assert "Traceback" not in done.err and "unexpected" not in done.err, done.err
    assert "0 of" not in done.err and "interrupted" not in done.err, done.err
    message = done.err[done.err.index("rror: ") :]
    assert message.count("rror: ") == 1
    for word in words:
        assert word in message, message
    return message


# what is replaced in REGENERATE -> what lies there -> what the message says
MISTAKES = {
    "--work is a file": ({"WORK": "file"}, "work folder cannot be made"),
    "--work below a file": ({"WORK": "file/w"}, "work folder cannot be made"),
    "--work where nobody writes": ({"WORK": "/proc/w"}, "work folder cannot be made"),
    "--out is a file": ({"OUT": "file"}, "is a file"),
    "--out below a file": ({"OUT": "file/o"}, "cannot be made"),
    "--out where nobody writes": ({"OUT": "/proc/o"}, "cannot be made"),
    "--out is a mount point": ({"OUT": "/proc"}, "mount point"),
    "no such source": ({"PAGES": "nothing"}, "does not exist"),
    "a source that is no page": ({"PAGES": "file"}, "no Research API pages"),
    "a circle of links as source": ({"PAGES": "circle"}, "cannot be read"),
    "a name that is too long": ({"OUT": "x" * 300}, "too long"),
    "a work name that is too long": ({"WORK": "x" * 300}, "work folder cannot be made"),
}
OPTIONS = {
    "--key-file is a folder": (("--key-file", "folder"), "no regular file"),
    "--key-file is missing": (("--key-file", "nothing"), "cannot be read"),
    "--key-file is endless": (("--key-file", "/dev/zero"), "no regular file"),
    "--profile is a folder": (("--profile", "folder"), "profile"),
    "--profile is missing": (("--profile", "nothing.toml"), "profile"),
    "--profile is binary": (("--profile", "binary.toml"), "profile"),
    "--campaign is a file": (("--campaign", "file"), "campaign"),
    "--campaign is an empty folder": (("--campaign", "folder"), "campaign"),
    "--campaign is binary": (("--campaign", "binary"), "campaign"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything one can confuse."""
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").mkdir()
    for path in (tmp_path / "binary" / "campaign.toml", tmp_path / "binary.toml"):
        path.write_bytes(bytes(range(256)))
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("mistake", MISTAKES)
def test_places_that_are_none(small: Built, place: Path, cli: Cli, mistake: str) -> None:
    changed, word = MISTAKES[mistake]
    usual = {"PAGES": str(small.pages), "WORK": "w", "OUT": "o"}
    done = cli(*[(usual | changed).get(word, word) for word in REGENERATE])
    told(done, word, "Way out: ")
    assert (place / "file").read_text() == "precious"
    assert not list(place.glob(".o*")) and not (place / "o").exists()


@pytest.mark.parametrize("mistake", OPTIONS)
def test_files_that_are_none(small: Built, place: Path, cli: Cli, mistake: str) -> None:
    options, word = OPTIONS[mistake]
    usual = {"PAGES": str(small.pages), "WORK": "w", "OUT": "o"}
    done = cli(*[usual.get(word, word) for word in REGENERATE], *options)
    told(done, word, "Way out: ")
    assert not (place / "w").exists()  # noticed before anything was begun


@pytest.mark.parametrize("what", ["file", "nothing", "circle"])
def test_a_folder_of_videos_that_is_none(small: Built, place: Path, cli: Cli, what: str) -> None:
    skip = ("--skip", SKIP[1].replace("probe,", ""))
    done = cli("regenerate", small.pages, "--work", "w", "--out", "o", *skip, "--videos-dir", what)
    told(done, "folder of videos", "Way out: ")


@pytest.mark.parametrize(
    "arguments",
    [("--json", "folder"), ("--json", "file/x.json"), ("--html", "folder"), ("--json", "/proc/x/y"),
     ("--html", "file/x.html"), ("--work", "file"), ("--campaign", "file"), ("--gold", "folder"),
     ("--gold", "binary.toml"), ("--design", "folder", "--gold", "file")],
)  # fmt: skip
def test_reports_that_cannot_be_written_or_read(
    small: Built, place: Path, cli: Cli, arguments: tuple[str, ...]
) -> None:
    told(cli("validate", small.release, *arguments), "Way out: ")
    assert (place / "file").read_text() == "precious"


def test_a_report_into_a_missing_folder_makes_the_folder(
    small: Built, place: Path, cli: Cli
) -> None:
    assert cli("validate", small.release, "--json", "deep/down/r.json").code == 0
    assert (place / "deep" / "down" / "r.json").is_file()


@pytest.mark.parametrize(
    "arguments",
    [("simulate", "--videos", "5", "--out", "file"),
     ("simulate", "--videos", "5", "--out", "/proc/x"),
     ("status", "--work", "file"), ("status", "--work", "nothing"),
     ("review", "RELEASE", "--out", "folder"), ("review", "RELEASE", "--out", "file/x.csv"),
     ("review", "--score", "folder"), ("review", "--score", "nothing"),
     ("calibrate", "RELEASE", "--labels", "folder", "--out", "x.json"),
     ("sample-transcripts", "--work", "file", "--out", "x"),
     ("figures", "RELEASE", "--out", "file"), ("figures", "file", "--out", "x")],
)  # fmt: skip
def test_other_commands(small: Built, place: Path, cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*[small.release if word == "RELEASE" else word for word in arguments])
    told(done)
    assert (place / "file").read_text() == "precious"


# -- signals and streams ------------------------------------------------------------------------

READY = """
import sys
import builder.cli, builder.pipeline.regenerate, builder.release.scrub.presidio
sys.argv[0] = "ecuador-crisis"
print("ready", flush=True)
builder.cli.main()
"""


def start(small: Built, folder: Path, hangup: int = signal.SIG_DFL) -> subprocess.Popen[str]:
    key = write_key(folder / "keys" / "key")
    process = subprocess.Popen(
        [sys.executable, "-c", READY, "regenerate", str(small.pages), "--work",
         str(folder / "work"), "--out", str(folder / NAME), "--key-file", str(key), *SKIP],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        # whoever runs the tests under nohup has SIGHUP ignored, and a child inherits that
        preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    ("number", "code", "sign"),
    [(signal.SIGTERM, 143, "work/anonymize/*/*.parquet"),
     (signal.SIGTERM, 143, ".*.staging/videos"),
     (signal.SIGHUP, 129, "work/ingest/*/raw/*")],
)  # fmt: skip
def test_being_asked_to_end(
    small: Built, tmp_path: Path, number: int, code: int, sign: str
) -> None:
    process = start(small, tmp_path)
    while not any(tmp_path.glob(sign)) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert errors.count("run the same command again to continue") == 1, errors
    assert signal.Signals(number).name in errors and "Traceback" not in errors
    assert beside(tmp_path / NAME) <= {"work", "keys"}
    ledger = (tmp_path / "work" / "run.json").read_text()
    assert '"interrupted"' in ledger


@pytest.mark.slow
def test_nohup_still_means_nohup(small: Built, tmp_path: Path) -> None:
    process = start(small, tmp_path, hangup=signal.SIG_IGN)  # what nohup does
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.slow
def test_messages_that_cannot_be_written_end_nothing(small: Built, tmp_path: Path) -> None:
    key = write_key(tmp_path / "keys" / "key")
    command = [sys.executable, "-c", "from builder.cli import main; main()"]
    arguments = ["regenerate", str(small.pages), "--work", str(tmp_path / "work"), "--out",
                 str(tmp_path / NAME), "--key-file", str(key), *SKIP]  # fmt: skip
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=full, env=environment(),
            check=False, timeout=240,
        )  # fmt: skip
    assert done.returncode == 0
    assert content(tmp_path / NAME) == content(small.release)
    shutil.rmtree(tmp_path / NAME)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command, *arguments], stdout=full, stderr=subprocess.PIPE, env=environment(),
            check=False, timeout=240, text=True,
        )  # fmt: skip
    assert content(tmp_path / NAME) == content(small.release)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "No space left" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_somebody_without_rights(small: Built, tmp_path: Path) -> None:
    """As another user: work, out, source and key that belong to root."""
    pages = Path(shutil.copytree(small.pages, tmp_path / "pages"))
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o755)
    for path in (pages, *pages.iterdir()):
        path.chmod(0o755)
    mine = tmp_path / "mine"
    mine.mkdir()
    os.chown(mine, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    try:
        subprocess.run(
            [sys.executable, "-c", "import builder.cli, polars"], user=65534, group=65534,
            env=environment(), check=True, capture_output=True, cwd=mine,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the packages cannot be read by another user")

    def run(work: Path, out: Path, *more: object) -> Result:
        done = subprocess.run(
            [sys.executable, "-c", "from builder.cli import main; main()", "regenerate",
             str(pages), "--work", str(work), "--out", str(out), *SKIP, *map(str, more)],
            user=65534, group=65534, env=environment() | {"HOME": str(mine)}, check=False,
            capture_output=True, text=True, cwd=mine, timeout=240,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    told(run(locked / "work", mine / "out"), "work folder cannot be made", "Permission denied")
    told(run(mine / "work", locked / "out"), "output folder cannot be made", "Permission denied")
    assert not (mine / "work" / "ingest").exists()
    key = write_key(locked / "key")
    told(run(mine / "work", mine / "out", "--key-file", key), "key file cannot be read")
    page = sorted(pages.glob("*.jsonl"))[0]
    page.chmod(0o600)
    told(run(mine / "work", mine / "out"), page.name, "Permission denied")
