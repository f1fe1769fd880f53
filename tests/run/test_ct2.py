"""CTranslate2 runs with the instruction set that is told, whoever opens the first model."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builder.run import cpu, ct2

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "builder" / "models" / "mini_nli" / "ct2"
AVX512 = frozenset("avx2 avx512f avx512cd avx512vl avx512bw avx512dq".split())

OPEN = f"""
from pathlib import Path
from builder.run import ct2
model = ct2.open_encoder(Path({str(MODEL)!r}), device="cpu", compute_type="int8")
print(ct2.made_with(model))
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != cpu.ISA_VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"CT2_VERBOSE": "1"} | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def selected(done: subprocess.CompletedProcess[str]) -> str:
    """The instruction set CTranslate2 itself says it uses."""
    assert done.returncode == 0, done.stderr
    found = re.search(r"Selected ISA: (\w+)", done.stderr)
    assert found, "CTranslate2 no longer tells its instruction set"
    return found[1]


needs_model = pytest.mark.skipif(
    not (MODEL / "model.bin").is_file(), reason="builder/models/mini_nli is not here"
)


@needs_model
@pytest.mark.parametrize("own", [None, "AVX", "GENERIC"])
def test_the_label_is_what_ctranslate2_says_it_uses(own: str | None) -> None:
    if own and not cpu.flags() >= {own.lower()} - {"generic"}:
        pytest.skip(f"this processor has no {own}")
    done = run(OPEN, **({cpu.ISA_VARIABLE: own} if own else {}))
    assert done.stdout.strip() == f"ctranslate2 int8_float32, {selected(done)}"
    if own:
        assert selected(done) == own
    else:
        assert ("avx512f" in cpu.flags()) == (selected(done) == "AVX512")


@needs_model
def test_a_model_opened_by_somebody_else_first_is_told_as_it_is() -> None:
    first = f"import ctranslate2; held = ctranslate2.Encoder({str(MODEL)!r})\n"
    done = run(first + OPEN)
    assert done.stdout.strip().endswith(f", {selected(done)}")
    assert selected(done) != "AVX512", "nobody asked for it before the first model"


@needs_model
def test_a_switch_after_the_first_model_is_refused() -> None:
    again = f"""
import os
from builder.errors import StageFailed
os.environ[{cpu.ISA_VARIABLE!r}] = "GENERIC"
try:
    ct2.open_encoder(Path({str(MODEL)!r}))
except StageFailed as error:
    print(error.field)
"""
    assert run(OPEN + again).stdout.splitlines()[-1] == cpu.ISA_VARIABLE


def test_importing_the_package_changes_no_environment() -> None:
    code = f"""
import os, sys
import builder.pipeline.annotate, builder.annotate.transcribe, builder.annotate.nli.engine
import builder.annotate.sentiment
print({cpu.ISA_VARIABLE!r} in os.environ, "ctranslate2" in sys.modules)
"""
    assert run(code).stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("machine", "flags", "own", "automatic", "used"),
    [
        ("x86_64", AVX512, None, "AVX2", "AVX512"),
        ("x86_64", AVX512 - {"avx512bw"}, None, "AVX2", "AVX2"),
        ("x86_64", AVX512, "AVX2", "AVX2", "AVX2"),
        ("x86_64", AVX512, "", "AVX2", "AVX512"),
        ("x86_64", {"avx"}, None, "AVX", "AVX"),
        ("x86_64", set(), None, "GENERIC", "GENERIC"),
        ("aarch64", {"asimd"}, None, "NEON", "NEON"),
    ],
)
def test_which_instruction_set_is_used(
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    flags: frozenset[str],
    own: str | None,
    automatic: str,
    used: str,
) -> None:
    monkeypatch.setattr(cpu.platform, "machine", lambda: machine)
    monkeypatch.setattr(cpu, "flags", lambda: frozenset(flags))
    monkeypatch.setattr(ct2, "_settled", None)
    monkeypatch.delitem(sys.modules, "ctranslate2", raising=False)
    monkeypatch.setenv(cpu.ISA_VARIABLE, own or "")
    if own is None:
        monkeypatch.delenv(cpu.ISA_VARIABLE)
    assert cpu.automatic_instruction_set() == automatic
    assert cpu.instruction_set() == ct2.settle() == ct2.settle() == used
    assert os.environ[cpu.ISA_VARIABLE] == used


def test_nobody_else_imports_the_library() -> None:
    """Whoever imports it past `builder.run.ct2` may open a model under another setting."""
    found = set()
    for file in [*(ROOT / "builder").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if {name.split(".")[0] for name in names} & {"ctranslate2", "faster_whisper"}:
                found.add(file.relative_to(ROOT).as_posix())
    assert found == {"builder/run/ct2.py"}


SPECTROGRAM = """
import hashlib
import numpy as np
from builder.run import ct2
extract = ct2.whisper_library().feature_extractor.FeatureExtractor()
noise = np.random.default_rng(1).standard_normal(16_000 * 30).astype(np.float32)
print(hashlib.sha256(np.ascontiguousarray(extract(noise)).tobytes()).hexdigest())
"""


def test_a_spectrogram_does_not_depend_on_the_cores() -> None:
    """What a Ray worker with one core makes is what a laptop with eight makes."""
    made = {run(SPECTROGRAM, OMP_NUM_THREADS=threads).stdout for threads in ("1", "2", "8")}
    assert len(made) == 1 and len(made.pop()) == 65
