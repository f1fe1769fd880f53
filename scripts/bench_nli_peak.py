"""The honest peak of this machine: the fastest matrix product of each library and type."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

TYPES = ("float32", "bfloat16", "int8")


def best_of(run: Callable[[], object], times: int = 8) -> float:
    """Seconds of the fastest of several runs, after one that warms up."""
    run()
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def peak_tops(threads: int) -> dict[str, float]:
    """Best rate of a matrix product in 10^12 operations a second, by library and type.

    The product is 2048 x 4096 x 4096; where even a small one is slow (int8 without the processor's
    instructions for it), the small one's rate is given. What is not installed is left out.
    """
    made: dict[str, Callable[[int, int, int], Callable[[], object]]] = {}
    for library, product in (("torch", torch_product), ("openvino", openvino_product)):
        if find_spec(library):
            made |= {f"{library} {kind}": partial(product, kind, threads) for kind in TYPES}
    found = {}
    for name, of_size in made.items():
        size = (256, 512, 512)
        seconds = best_of(of_size(*size))
        if seconds < 0.05:  # the whole product is 256 times as much work
            size = (2048, 4096, 4096)
            seconds = best_of(of_size(*size))
        found[name] = round(2 * math.prod(size) / seconds / 1e12, 4)
    return found


def torch_product(
    kind: str, threads: int, rows: int, inner: int, columns: int
) -> Callable[[], object]:
    """A matrix product in torch."""
    import torch

    torch.set_num_threads(threads)
    if kind == "int8":
        a8 = torch.randint(-127, 127, (rows, inner), dtype=torch.int8)
        b8 = torch.randint(-127, 127, (columns, inner), dtype=torch.int8).t()
        return partial(torch._int_mm, a8, b8)
    dtype = getattr(torch, kind)
    a, b = torch.randn(rows, inner, dtype=dtype), torch.randn(inner, columns, dtype=dtype)
    return partial(torch.matmul, a, b)


def openvino_product(
    kind: str, threads: int, rows: int, inner: int, columns: int
) -> Callable[[], object]:
    """A matrix product in OpenVINO; int8 as it runs quantised networks: fake-quantised inputs."""
    import openvino as ov
    from openvino import opset13 as op

    rng = np.random.default_rng(0)
    given = op.parameter([rows, inner], ov.Type.f32)
    left: Any = given
    right: Any = op.constant(rng.standard_normal((columns, inner), np.float32))
    if kind == "int8":
        low, high = (op.constant(np.float32(value)) for value in (-4.0, 4.0))
        left = op.fake_quantize(left, low, high, low, high, 256)
        right = op.fake_quantize(right, low, high, low, high, 255)
    model = ov.Model([op.result(op.matmul(left, right, False, True))], [given], "product")
    hint = "bf16" if kind == "bfloat16" else "f32"
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": hint}
    request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(ov.Tensor(rng.standard_normal((rows, inner), np.float32)))
    return partial(request.infer)
