"""A disk that fails while a file is read: the file is not damaged, and is tried again.

The errors come from below FFmpeg and Python: a library that the child process is started with
(LD_PRELOAD) answers `read` with EIO behind a place in files called "bad…".
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from fakes.media_files import RATE, tone, write_mp4, write_wav

from builder.annotate.transcribe import Transcribe, _Video
from builder.config.profile import load_profile
from builder.media import workers
from builder.media.audio import MediaProblem, decode_blocks
from builder.media.downloads import probe_file
from builder.media.probe import Probe

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int fails(int fd, off_t at, size_t count) {
    static int left = -2;
    char link[64], name[4096];
    if (left == -2) left = getenv("EIO_TIMES") ? atoi(getenv("EIO_TIMES")) : -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0) return 0;
    name[size] = 0;
    if (!strstr(name, "/bad") || at + (off_t)count <= atol(getenv("EIO_AT"))) return 0;
    if (left == 0) return 0;
    if (left > 0) left--;
    errno = EIO;
    return 1;
}
ssize_t read(int fd, void *into, size_t count) {
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && fails(fd, at, count) ? -1 : real(fd, into, count);
}
ssize_t pread64(int fd, void *into, size_t count, off_t at) {
    ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread64");
    return fails(fd, at, count) ? -1 : real(fd, into, count, at);
}
"""
KINDS = [
    ("mp4", "mp4"),
    ("mkv", "matroska"),
    ("ts", "mpegts"),
    ("flv", "flv"),
    ("wav", ""),
    ("avi", "avi"),
]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler, to fail reads below FFmpeg")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    made = folder / "shim.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(made), str(folder / "shim.c"), "-ldl"], check=True
    )
    return made


@pytest.fixture
def disk(shim: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A disk that breaks where `EIO_AT` says, for the children only."""
    workers._CHILDREN.end()
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("EIO_AT", str(1 << 40))
    yield monkeypatch
    workers._CHILDREN.end()


def clip(path: Path, container: str, seconds: float = 20.0) -> Path:
    if not container:
        return write_wav(path, tone(seconds))
    return write_mp4(path, seconds, container=container, options={})


def heard(path: Path) -> tuple[int, str | None]:
    """Samples, and the problem at the end."""
    samples = 0
    try:
        for block in decode_blocks(path, 1.0):
            samples += len(block)
    except MediaProblem as problem:
        return samples, problem.status
    return samples, None


@pytest.mark.parametrize(("extension", "container"), KINDS)
def test_a_file_that_cannot_be_read_to_its_end_is_unreadable_and_whole_later(
    tmp_path: Path, disk: pytest.MonkeyPatch, extension: str, container: str
) -> None:
    path = clip(tmp_path / f"bad.{extension}", container)
    whole, sound = probe_file(path), heard(path)
    assert whole.status in ("ok", "no_video") and sound[1] is None
    for share in (0.9, 0.5):
        workers._CHILDREN.end()
        disk.setenv("EIO_AT", str(int(path.stat().st_size * share)))
        facts = probe_file(path)
        assert facts.status == "unreadable", facts
        samples, problem = heard(path)
        assert problem == "unreadable" and samples < sound[0]
    workers._CHILDREN.end()
    disk.setenv("EIO_AT", str(1 << 40))
    assert probe_file(path) == whole and heard(path) == sound


@pytest.mark.parametrize(("extension", "container"), KINDS[:2])
def test_an_error_that_passes_at_once_leaves_no_permanent_status(
    tmp_path: Path, disk: pytest.MonkeyPatch, extension: str, container: str
) -> None:
    path = clip(tmp_path / f"bad.{extension}", container)
    whole, sound = probe_file(path), heard(path)
    disk.setenv("EIO_AT", str(int(path.stat().st_size * 0.6)))
    disk.setenv("EIO_TIMES", "1")
    workers._CHILDREN.end()
    assert probe_file(path) == whole or probe_file(path).status == "unreadable"
    workers._CHILDREN.end()
    samples, problem = heard(path)
    assert (samples, problem) == sound or problem == "unreadable"


def test_what_is_really_cut_off_stays_truncated(tmp_path: Path, disk: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "cut.mkv", "matroska")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert probe_file(path).status == "truncated"
    samples, problem = heard(path)
    assert problem is None and 5 * RATE < samples < 15 * RATE


def test_the_stages_try_it_again(tmp_path: Path) -> None:
    done = pl.DataFrame({"status": ["unreadable", "truncated"], "reason": ["read_error", None]})
    assert Probe().passing(done).to_list() == [True, False]


@pytest.mark.parametrize("status", ["ok", "near_empty", "no_speech"])
def test_what_was_heard_before_a_read_error_is_not_all_there_is(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    stage = Transcribe(load_profile("offline").asr)
    monkeypatch.setattr(
        stage, "_judged_row", lambda video: {"status": status, "reason": "few_words"}
    )
    video = _Video(Path("1.mp4"), heard=[(None, [])], problem="unreadable")  # type: ignore[list-item]
    row = stage._row(video)
    assert row == {"status": status, "reason": "unreadable"}
    assert stage.passing(pl.DataFrame({**row, "path": "1.mp4"})).to_list() == [True]
    video.problem = "corrupt"
    assert stage._row(video)["reason"] == "few_words"
