"""What this processor can do, and which of it CTranslate2 uses."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

ISA_VARIABLE = "CT2_FORCE_CPU_ISA"
_AVX512 = frozenset("avx512f avx512cd avx512vl avx512bw avx512dq".split())


def cores() -> int:
    """Cores this process may use: those it may run on, and no more than OMP_NUM_THREADS says."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    mine = len(os.sched_getaffinity(0))
    return min(mine, max(int(told), 1)) if told.isdecimal() else mine


@lru_cache(maxsize=1)
def flags() -> frozenset[str]:
    """Instruction-set flags of the first processor; empty where they cannot be told."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("flags"):
                return frozenset(line.split(":", 1)[1].split())
    except OSError:
        pass  # not Linux
    return frozenset()


def sums_int8_exactly() -> bool:
    """Whether products of int8 are summed in 32 bits here.

    AVX2, and AVX-512 without VNNI, add pairs of them in 16 bits, which overflow and are cut off.
    """
    kind = instruction_set()
    return kind == "NEON" or (kind == "AVX512" and "avx512_vnni" in flags())


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 (emulated elsewhere, and slower than float32)."""
    return bool(flags() & {"avx512_bf16", "amx_bf16"})


def automatic_instruction_set() -> str:
    """What CTranslate2 takes by itself: AVX2, AVX or GENERIC on x86, NEON on ARM; never AVX-512."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return "NEON"
    found = flags()
    return "AVX2" if "avx2" in found else "AVX" if "avx" in found else "GENERIC"


def instruction_set() -> str:
    """What models of CTranslate2 are run with here (`builder.run.ct2` sees to it).

    Returns:
        An own setting of CT2_FORCE_CPU_ISA; else "AVX512" where the processor has it; else what
        CTranslate2 takes by itself.
    """
    best = "AVX512" if flags() >= _AVX512 else automatic_instruction_set()
    return os.environ.get(ISA_VARIABLE) or best
