"""Errors: one readable message with file, row, field and way out."""

from __future__ import annotations

import errno
import importlib
import io
import pickle
import pkgutil
import sys
from pathlib import Path

import polars as pl
import pytest

import builder
from builder.errors import BuilderError, DiskFull, KeyProblem, UsageProblem, disk_full_guard

# The contract of the command line: 1 failed, 2 asked wrongly, 3 stopped by quota or service.
EXIT_CODES = (1, 2, 3)
# Caught where they are thrown: a row or a call becomes a row with a status, never a message.
SIGNALS = {
    "builder.annotate.summary.endpoint.CallFailed",
    "builder.annotate.summary.line.Cut",
    "builder.media.formats.MediaProblem",
    "builder.media.workers._Died",
    "builder.run.engines.apart._Died",
    "builder.run.read_ahead._Stopped",
    "builder.sources.rows.RowProblem",
}


def all_modules() -> None:
    """Import the package whole; a module that needs an extra which is absent is passed over."""
    for module in pkgutil.walk_packages(builder.__path__, "builder."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert (error.name or "").split(".")[0] != "builder", error


def kinds() -> list[type[BuilderError]]:
    """Every error of the package: those of `builder.errors` and their kinds in the rooms."""
    all_modules()
    found = [BuilderError]
    for kind in found:
        found += [kind for kind in kind.__subclasses__() if kind not in found]
    return [kind for kind in found if kind.__module__.startswith("builder.")]


def test_a_message_names_what_it_knows_and_the_way_out() -> None:
    error = BuilderError("it broke", file=Path("a.csv"), row=7, field="id", way_out="mend it")
    assert str(error) == "it broke [file a.csv, row 7, field id]\n  Way out: mend it"
    assert (error.file, error.row, error.field) == ("a.csv", "7", "id")


def test_a_message_leaves_out_what_it_does_not_know() -> None:
    assert str(BuilderError("it broke")) == "it broke"
    assert str(BuilderError("it broke", row="line 0")) == "it broke [row line 0]"
    assert str(BuilderError("it broke", row=0)) == "it broke [row 0]"


def test_every_kind_is_documented_and_has_the_exit_code_of_the_contract() -> None:
    for kind in kinds():
        assert "__doc__" in vars(kind), f"{kind.__qualname__} has no docstring of its own"
        assert (kind.__doc__ or "").strip()
        assert kind("x").exit_code in EXIT_CODES
        assert (kind("x").exit_code == 2) == issubclass(kind, UsageProblem), kind


def test_every_error_a_module_defines_is_one_the_command_line_can_print() -> None:
    """Others would end as a traceback. Private signals between two modules are listed here."""
    all_modules()
    own = {
        f"{module.__name__}.{thing.__qualname__}"
        for module in list(sys.modules.values())
        if module.__name__.startswith("builder.")
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Exception)
        and thing.__module__ == module.__name__
        and not issubclass(thing, BuilderError)
    }
    assert own <= SIGNALS, own - SIGNALS


@pytest.mark.parametrize("kind", kinds())
def test_an_error_survives_the_way_between_processes(kind: type[BuilderError]) -> None:
    error = kind("it broke", file="a", row=1, field="f", way_out="w")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (kind, str(error))
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_recognised_by_its_number(number: int, tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as caught, disk_full_guard(tmp_path):
        raise OSError(number, "anything")
    assert caught.value.file == str(tmp_path)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    "text", ["write failed: No space left on device (os error 28)", "I/O failed (os error 28)"]
)
def test_a_full_disk_is_recognised_in_the_words_of_a_library(text: str, tmp_path: Path) -> None:
    with pytest.raises(DiskFull), disk_full_guard(tmp_path):
        raise pl.exceptions.ComputeError(text)


def test_a_full_disk_is_recognised_below_other_errors(tmp_path: Path) -> None:
    with pytest.raises(DiskFull), disk_full_guard(tmp_path):
        try:
            raise OSError(errno.ENOSPC, "full")
        except OSError as error:
            raise RuntimeError("could not write") from error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_polars_meeting_a_full_disk_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(DiskFull), disk_full_guard(tmp_path):
        pl.DataFrame({"a": range(100_000)}).write_parquet("/dev/full")


def test_everything_else_passes_through_unchanged(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_full_guard(tmp_path):
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(KeyProblem, match="unsafe"), disk_full_guard(tmp_path):
        raise KeyProblem("unsafe")
    with pytest.raises(KeyboardInterrupt), disk_full_guard(tmp_path):
        raise KeyboardInterrupt
    with disk_full_guard(tmp_path):
        io.BytesIO(b"fine").read()
