"""Opens a checkpoint: finds it, converts it where need be, and settles which back end runs it.

What it is then asked (pairs of texts, or single ones) is the business of `engine` and `classifier`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from builder.annotate.nli.backends.base import Backend, Kind
from builder.annotate.nli.backends.choice import measure, remembered
from builder.annotate.nli.backends.ct2 import CTranslate2Backend
from builder.annotate.nli.backends.on_openvino import (
    PRECISIONS,
    OpenVinoBackend,
    converted,
    installed,
)
from builder.annotate.nli.backends.on_torch import TorchBackend
from builder.annotate.nli.checkpoint import identity, read_config, window
from builder.annotate.nli.convert import cached, convertible, is_converted
from builder.annotate.nli.problems import ModelProblem
from builder.annotate.nli.weights import WEIGHT_FILES
from builder.run.progress import Progress

Wanted = Literal["auto", "ctranslate2", "openvino", "torch"]


@dataclass(frozen=True)
class Opened:
    """A checkpoint that can be run.

    Attributes:
        backend: runs encoded texts.
        exact: makes the same model in float32; None: `backend` is it.
        home: holds `tokenizer.json`.
        config: its configuration.
        window: the most tokens it reads.
        name: what outputs name as their model: name and revision.
    """

    backend: Backend
    exact: Callable[[], Backend] | None
    home: Path
    config: dict[str, Any]
    window: int
    name: str

    @property
    def segments(self) -> bool:
        """Whether it tells premise and hypothesis apart by segment ids (BERT)."""
        return int(self.config.get("type_vocab_size") or 1) >= 2


def open_checkpoint(
    model: str | Path,
    folder: Path,
    backend: Wanted = "auto",
    *,
    revision: str | None = None,
    precision: str = "auto",
    max_tokens: int | None = None,
    threads: int | None = None,
    cache_dir: Path | None = None,
    progress: Callable[[str, int], Progress] = Progress,
) -> Opened:
    """Open a checkpoint.

    Args:
        model: what it was asked for by; named in outputs.
        folder: where `checkpoint.resolve` found it. What its outputs are called is best looked at
            before it is converted: that takes minutes.
        backend, revision, precision, max_tokens, threads, cache_dir, progress: see
            `NliEngine.load`.

    Raises:
        ModelProblem, ModelUnavailable: it cannot be found, read, converted or run.
    """
    config = read_config(folder)

    def ctranslate2() -> Backend:
        kind = "int8" if precision == "auto" else precision
        ready = cached(folder, quantization=kind, cache_dir=cache_dir, progress=progress)
        return CTranslate2Backend(ready, threads=threads, compute_type=kind)

    def torch() -> Backend:
        return TorchBackend(folder, threads=threads, precision=precision)

    def openvino() -> Backend:
        ready = converted(folder, cache_dir=cache_dir, progress=progress)
        return OpenVinoBackend(ready, threads=threads, precision=precision)

    makers: dict[Kind, Callable[[], Backend]] = {
        "ctranslate2": ctranslate2,
        "openvino": openvino,
        "torch": torch,
    }
    kind = _kind(backend, folder, config, precision, makers, cache_dir)
    runner = makers[kind]()
    # The converter also makes tokenizer.json where a checkpoint has none.
    home = folder
    if not (folder / "tokenizer.json").is_file() and convertible(config):
        home = cached(folder, cache_dir=cache_dir, progress=progress)
    source = Path(model).name if Path(model).exists() else str(model)
    # The Hub's cache names a snapshot's folder after its commit.
    commit = folder.name if folder.parent.name == "snapshots" else identity(folder)

    def exact() -> Backend:
        if kind == "torch":
            return TorchBackend(folder, threads=threads, precision="float32")
        if kind == "openvino":
            ready = converted(folder, cache_dir=cache_dir, progress=progress)
            return OpenVinoBackend(ready, threads=threads, precision="float32")
        # float16 weights are as good as float32 ones here, on half the disk.
        whole = cached(folder, quantization="float16", cache_dir=cache_dir, progress=progress)
        return CTranslate2Backend(whole, threads=threads, compute_type="float32")

    return Opened(
        runner,
        None if runner.precision == "float32" else exact,
        home,
        config,
        min(window(folder, config), max_tokens or 2**31),
        f"{source}@{revision or commit}",
    )


def _kind(
    backend: str,
    folder: Path,
    config: dict[str, Any],
    precision: str,
    makers: dict[Kind, Callable[[], Backend]],
    cache_dir: Path | None,
) -> Kind:
    """The back end that was asked for; for "auto" the one measured as the fastest here."""
    has_weights = any((folder / name).is_file() for name in WEIGHT_FILES)
    if backend == "torch" and not has_weights:
        raise ModelProblem(
            "this model is shipped for CTranslate2 only",
            file=folder,
            way_out='use backend = "ctranslate2" or "auto"',
        )
    for kind in makers:
        if backend == kind:
            return kind
    if backend != "auto":
        raise ModelProblem(
            f"unknown back end {backend!r}", way_out=f"use auto, {', '.join(makers)}"
        )
    if is_converted(folder) or not convertible(config):
        return "ctranslate2" if is_converted(folder) else "torch"
    able: dict[Kind, bool] = {
        "openvino": installed() and precision in ("auto", *PRECISIONS),
        "torch": bool(find_spec("torch") and find_spec("transformers")),
    }
    candidates = {kind: make for kind, make in makers.items() if able.get(kind, True)}
    if len(candidates) == 1:
        return "ctranslate2"
    return remembered(config, candidates, cache_dir) or measure(config, candidates, cache_dir)
