"""The encoder of a BERT, RoBERTa or XLM-R checkpoint as an OpenVINO graph, built from its tensors.

OpenVINO's own converter traces a torch model. The graph is written down here instead, with
OpenVINO's operations and the checkpoint's tensors: no torch, no transformers, no telemetry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from builder.annotate.nli.backends.ct2_spec import ENCODER_PREFIX
from builder.annotate.nli.checkpoint import first_position
from builder.annotate.nli.weights import Weights
from builder.run.progress import Progress

_HIDDEN_ACT = {"gelu": "erf", "gelu_new": "tanh"}
_FAR = np.float32(-1e9)  # what padding adds to a score before the softmax


def encoder_graph(config: dict[str, Any], weights: Weights, bar: Progress) -> Any:
    """The first token's state from token ids.

    Args:
        config: the checkpoint's configuration; `convert.convertible` says which can be had.
        weights: its tensors.
        bar: advanced by one for the embeddings and for each layer.

    Returns:
        An `openvino.Model`: inputs `ids` (int32), `mask` (float32, 1 for a token, 0 for padding)
        and `types` (int32), all of shape (n, width); output of shape (n, hidden), float32.
    """
    graph = _Graph(config, weights)
    state = graph.embeddings()
    bar.advance(1)
    for number in range(int(config["num_hidden_layers"])):
        state = graph.layer(state, number)
        bar.advance(1)
    return graph.model(state)


class _Graph:
    """The pieces, in the order they are put together."""

    def __init__(self, config: dict[str, Any], weights: Weights) -> None:
        import openvino
        from openvino import opset13

        self._ov, self._op, self._config, self._weights = openvino, opset13, config, weights
        self._root = ENCODER_PREFIX[config["model_type"]]
        self._hidden = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        kinds = openvino.Type
        self._ids, self._mask, self._types = (
            opset13.parameter([-1, -1], kind, name=name)
            for name, kind in (("ids", kinds.i32), ("mask", kinds.f32), ("types", kinds.i32))
        )
        padding = opset13.subtract(opset13.constant(np.float32(1)), self._mask)
        far = opset13.multiply(padding, opset13.constant(_FAR))
        self._far = opset13.unsqueeze(far, self._whole(1, 2))  # (n, 1, 1, width)

    def _whole(self, *values: int) -> Any:
        return np.array(values, np.int64)

    def embeddings(self) -> Any:
        """Words, positions and segments, normalised: (n, width, hidden)."""
        op, at = self._op, f"{self._root}embeddings."
        zero = np.array(0, np.int64)
        words = op.gather(self._table(f"{at}word_embeddings"), self._ids, zero)
        types = op.gather(self._table(f"{at}token_type_embeddings"), self._types, zero)
        table = self._weights[f"{at}position_embeddings.weight"][first_position(self._config) :]
        width = op.gather(op.shape_of(self._ids), self._whole(1), zero)
        places = op.slice(
            op.constant(np.ascontiguousarray(table)),
            self._whole(0),
            width,
            self._whole(1),
            self._whole(0),
        )
        state = op.add(op.add(words, types), op.unsqueeze(places, zero))
        return self._norm(state, f"{at}LayerNorm")

    def layer(self, state: Any, number: int) -> Any:
        """One layer of the encoder, normalised after each half."""
        op, at = self._op, f"{self._root}encoder.layer.{number}."
        split = self._whole(0, 0, self._heads, self._hidden // self._heads)
        swap = self._whole(0, 2, 1, 3)
        query, key, value = (
            op.transpose(
                op.reshape(self._linear(state, f"{at}attention.self.{part}"), split, True), swap
            )
            for part in ("query", "key", "value")
        )
        seen = op.transpose(op.scaled_dot_product_attention(query, key, value, self._far), swap)
        seen = op.reshape(seen, self._whole(0, 0, self._hidden), True)
        seen = self._linear(seen, f"{at}attention.output.dense")
        state = self._norm(op.add(seen, state), f"{at}attention.output.LayerNorm")
        inner = self._activated(self._linear(state, f"{at}intermediate.dense"))
        inner = self._linear(inner, f"{at}output.dense")
        return self._norm(op.add(inner, state), f"{at}output.LayerNorm")

    def model(self, state: Any) -> Any:
        """The graph from its inputs to the first token's state."""
        first = self._op.gather(state, np.array(0, np.int64), np.array(1, np.int64))
        inputs = [self._ids, self._mask, self._types]
        return self._ov.Model([self._op.result(first)], inputs, "encoder")

    def _table(self, name: str) -> Any:
        return self._op.constant(self._weights[f"{name}.weight"])

    def _linear(self, state: Any, name: str) -> Any:
        product = self._op.matmul(state, self._table(name), False, True)
        return self._op.add(product, self._op.constant(self._weights[f"{name}.bias"]))

    def _norm(self, state: Any, name: str) -> Any:
        op, epsilon = self._op, float(self._config.get("layer_norm_eps", 1e-12))
        even = op.mvn(state, self._whole(-1), True, epsilon, "inside_sqrt")
        scaled = op.multiply(even, op.constant(self._weights[f"{name}.weight"]))
        return op.add(scaled, op.constant(self._weights[f"{name}.bias"]))

    def _activated(self, state: Any) -> Any:
        act = self._config.get("hidden_act", "gelu")
        if act in _HIDDEN_ACT:
            return self._op.gelu(state, _HIDDEN_ACT[act])
        return self._op.relu(state) if act == "relu" else self._op.swish(state)
