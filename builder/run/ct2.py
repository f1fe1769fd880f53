"""The one place that opens CTranslate2 models, under an instruction set that is known.

CTranslate2 fixes its instruction set for the whole process when its first model is opened. By
itself it takes AVX2 on every x86 processor; AVX-512 must be asked for in the environment. Int8
sums round differently under the two, so which one it was belongs to every row that it made
(`made_with`), and it must not depend on who opened the first model: a build, a benchmark, or a
worker on another machine.

`ctranslate2` and `faster_whisper` are imported through `library` and `whisper_library` only; a test
reads the sources for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from builder.errors import StageFailed
from builder.run.cpu import ISA_VARIABLE, automatic_instruction_set, cores, instruction_set

_settled: str | None = None
"""The instruction set this process runs CTranslate2 with, once that is settled."""


def settle() -> str:
    """Settle the instruction set of this process, before CTranslate2 looks.

    AVX-512 where the processor has it (measured on Zen 5, XLM-R-large, int8: 10 to 15 % faster), an
    own setting of CT2_FORCE_CPU_ISA before that. Where somebody else has imported ctranslate2
    already, a model may be open: then it stays with what CTranslate2 takes by itself, so that what
    is told is true either way.

    numpy's BLAS keeps to one thread from then on: with two it adds in another order, a spectrogram
    differs in its last digits, and int8 makes other words of it.

    Returns:
        Its name: AVX512, AVX2, AVX, NEON or GENERIC.

    Raises:
        StageFailed: CT2_FORCE_CPU_ISA changed after the first model was opened.
    """
    global _settled
    if _settled is None:
        foreign = "ctranslate2" in sys.modules and not os.environ.get(ISA_VARIABLE)
        _settled = automatic_instruction_set() if foreign else instruction_set()
        os.environ[ISA_VARIABLE] = _settled
        threadpool_limits(1, user_api="blas")
    elif os.environ.get(ISA_VARIABLE) != _settled:
        raise StageFailed(
            f"CTranslate2 runs with {_settled} in this process, and {ISA_VARIABLE} was changed",
            field=ISA_VARIABLE,
            way_out="set the variable before the process starts, or leave it alone",
        )
    return _settled


def library() -> ModuleType:
    """The module `ctranslate2`, with the instruction set settled before it is imported."""
    settle()
    import ctranslate2

    return ctranslate2  # type: ignore[no-any-return]


def whisper_library() -> ModuleType:
    """The module `faster_whisper` (which imports ctranslate2), likewise."""
    settle()
    import faster_whisper

    return faster_whisper  # type: ignore[no-any-return]


def open_encoder(folder: Path, **options: Any) -> Any:
    """A `ctranslate2.Encoder`. Raises as it does: RuntimeError, ValueError.

    One worker of one thread for each core, unless `options` say otherwise: small batches then need
    no synchronisation inside a matrix product, and a worker's activations stay in its core's cache.
    """
    usual: dict[str, Any] = {"device": "cpu", "inter_threads": cores(), "intra_threads": 1}
    return library().Encoder(str(folder), **(usual | {"max_queued_batches": -1} | options))


def open_whisper(folder: Path, **options: Any) -> Any:
    """A `faster_whisper.WhisperModel` of a local folder. Raises RuntimeError, ValueError."""
    return whisper_library().WhisperModel(str(folder), local_files_only=True, **options)


def hidden_states(
    encoder: Any,
    sequences: Sequence[Sequence[int]],
    wide: int,
    *,
    pad: int = 0,
    types: list[list[int]] | None = None,
) -> npt.NDArray[np.float32]:
    """States of the last layer for sequences of token ids, shape (sequences, wide, hidden).

    Args:
        encoder: what `open_encoder` gave.
        sequences: none longer than `wide`.
        wide: all are padded to so many tokens.
        pad: id of the padding.
        types: token types, padded likewise.
    """
    storage = library().StorageView
    ids = np.full((len(sequences), wide), pad, np.int32)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
    lengths = np.array([len(sequence) for sequence in sequences], np.int32)
    output = encoder.forward_batch(
        storage.from_array(ids), storage.from_array(lengths), token_type_ids=types
    )
    return np.asarray(output.last_hidden_state)


def made_with(model: Any) -> str:
    """How an open model computes, for the rows it makes: "ctranslate2 int8_float32, AVX512".

    Args:
        model: what `open_encoder` gave, or the `model` of a WhisperModel.
    """
    where = settle() if model.device == "cpu" else str(model.device).upper()
    return f"ctranslate2 {model.compute_type}, {where}"
