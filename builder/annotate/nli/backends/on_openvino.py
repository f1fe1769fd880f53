"""The OpenVINO back end (extra `openvino`): bfloat16 on processors that multiply it, else float32.

What CTranslate2 leaves unused, OpenVINO uses: AMX tiles, in bfloat16. The checkpoint is written
once as OpenVINO's own files (`ov_graph`) and kept in the cache; the head is the one every back end
applies, in float32 on the first token's state.

Every batch of one width has one and the same shape, padded with empty rows: how a matrix library
blocks and sums depends on the number of rows, and a pair's result must not depend on its company.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from builder.annotate.nli.backends.base import Floats, Kind
from builder.annotate.nli.backends.ct2 import apply_head
from builder.annotate.nli.backends.ov_graph import encoder_graph
from builder.annotate.nli.batching import TOKEN_BUDGET, batches
from builder.annotate.nli.checkpoint import positions, read_config
from builder.annotate.nli.convert import kept, must_be_convertible, write_beside
from builder.annotate.nli.pairs import Encoded
from builder.annotate.nli.problems import ModelProblem
from builder.annotate.nli.weights import WEIGHT_FILES, Weights
from builder.run.cpu import cores, flags, has_bfloat16, instruction_set
from builder.run.progress import Progress

FILES = ("config.json", "tokenizer.json", "head.safetensors", "encoder.xml", "encoder.bin")
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def installed() -> bool:
    """Whether the extra is there; nothing is imported."""
    return find_spec("openvino") is not None


class OpenVinoBackend:
    """The encoder in OpenVINO, one stream a core.

    Args:
        folder: a folder of `converted`.
        threads: cores to use; default all.
        precision: "bfloat16", "float32", or "auto": bfloat16 where the CPU multiplies it.

    Raises:
        ModelProblem: the extra is missing, the precision is none of these, or the folder cannot be
            run.
    """

    kind: Kind = "openvino"

    def __init__(
        self, folder: Path, *, threads: int | None = None, precision: str = "auto"
    ) -> None:
        from safetensors.numpy import load_file

        ov = _library()
        if precision == "auto":
            precision = "bfloat16" if has_bfloat16() else "float32"
        if precision not in PRECISIONS:
            raise ModelProblem(
                f"the OpenVINO back end has no precision {precision!r}",
                field="nli.precision",
                way_out=f"use auto, {' or '.join(PRECISIONS)}",
            )
        config = read_config(folder)
        workers = threads or cores()
        settings = {
            "INFERENCE_NUM_THREADS": workers,
            "NUM_STREAMS": workers,
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
        }
        try:
            compiled = ov.Core().compile_model(folder / "encoder.xml", "CPU", settings)
            self._head = load_file(str(folder / "head.safetensors"))
        except (RuntimeError, OSError, ValueError) as error:
            raise ModelProblem(
                f"OpenVINO cannot load the converted model: {type(error).__name__}",
                file=folder,
                way_out="delete the folder (or clear the cache) and convert the checkpoint again",
            ) from error
        self._queue = ov.AsyncInferQueue(compiled, workers)
        self._pad = int(config.get("pad_token_id") or 0)
        self._window = positions(config)
        self.precision = precision
        units = "AMX" if precision == "bfloat16" and "amx_bf16" in flags() else instruction_set()
        self.made_with = f"openvino {version('openvino')} {precision}, {units}"

    def logits(self, pairs: Sequence[Encoded]) -> Floats:
        """See `Backend`. Raises `ModelProblem` when the head has an unknown form."""
        states: dict[int, Floats] = {}

        def done(request: Any, members: list[int]) -> None:
            found = request.get_output_tensor(0).data
            states.update({index: found[row].copy() for row, index in enumerate(members)})

        self._queue.set_callback(done)
        for wide, members in batches([len(pair.ids) for pair in pairs], limit=self._window):
            self._queue.start_async(self._batch([pairs[i] for i in members], wide), members)
        self._queue.wait_all()
        if not pairs:
            return np.empty((0, 3), np.float32)
        return np.stack([apply_head(self._head, states[index]) for index in range(len(pairs))])

    def _batch(self, pairs: Sequence[Encoded], wide: int) -> list[Any]:
        rows = max(TOKEN_BUDGET // wide, 1)
        ids = np.full((rows, wide), self._pad, np.int32)
        mask = np.zeros((rows, wide), np.float32)
        types = np.zeros((rows, wide), np.int32)
        mask[:, 0] = 1  # an empty row sees itself: a softmax over nothing is no number
        for row, pair in enumerate(pairs):
            ids[row, : len(pair.ids)] = pair.ids
            mask[row, : len(pair.ids)] = 1
            if pair.type_ids:
                types[row, : len(pair.ids)] = pair.type_ids
        return [ids, mask, types]


def converted(
    source: Path,
    *,
    cache_dir: Path | None = None,
    progress: Callable[[str, int], Progress] = Progress,
) -> Path:
    """The folder `OpenVinoBackend` reads, made once per cache from a checkpoint.

    Weights are kept in float16, half the size: as good as float32 here.

    Raises:
        ModelProblem: the extra is missing, or the checkpoint cannot be converted.
        DiskFull: no space in the cache; nothing half-written is kept.
    """
    ov = _library()
    if not any((source / name).is_file() for name in WEIGHT_FILES):
        raise ModelProblem(
            "this model is shipped for CTranslate2 only",
            file=source,
            way_out='use backend = "ctranslate2" or "auto"',
        )

    def make(target: Path) -> None:
        config = read_config(source)
        must_be_convertible(config, source)
        weights = Weights(source)
        target.mkdir(parents=True)
        layers = int(config["num_hidden_layers"])
        with progress(f"convert {source.name} to OpenVINO", layers + 2) as bar:
            graph = encoder_graph(config, weights, bar)
            ov.save_model(graph, target / "encoder.xml", compress_to_fp16=True)
            bar.advance(1)
        write_beside(source, target, config, weights)

    return kept(source, "openvino", version("openvino"), FILES, make, cache_dir)


def _library() -> Any:
    # Its own converter, which is imported along, has a part that reports home. It is not called
    # here, and with this it is not even loaded.
    modules: dict[str, Any] = sys.modules
    absent = "openvino_telemetry" not in modules
    try:
        if absent:
            modules["openvino_telemetry"] = None
        import openvino
    except ImportError as error:
        raise ModelProblem(
            "the OpenVINO back end needs openvino",
            way_out='pip install "ecuador-crisis-tiktok[openvino]", or use backend = "ctranslate2"',
        ) from error
    finally:
        if absent:
            modules.pop("openvino_telemetry", None)
    return openvino
