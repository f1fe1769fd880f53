"""An encoder of the BERT family as CTranslate2's specification: filled with numpy, then saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from builder.annotate.nli.checkpoint import first_position
from builder.annotate.nli.problems import ModelProblem
from builder.annotate.nli.weights import Floats
from builder.run.ct2 import library
from builder.run.progress import Progress

# model_type -> prefix of the encoder's tensors in a *ForSequenceClassification checkpoint.
ENCODER_PREFIX = {
    "bert": "bert.",
    "roberta": "roberta.",
    "xlm-roberta": "roberta.",
    "camembert": "roberta.",
}
ACTIVATIONS = {"gelu": "GELU", "gelu_new": "GELUTanh", "relu": "RELU", "silu": "SWISH"}


class Tensors(Protocol):
    """What gives a checkpoint's tensors by name."""

    def __getitem__(self, name: str, /) -> Floats:
        """The tensor of that name."""


def save_encoder(
    config: dict[str, Any],
    weights: Tensors,
    tokenizer: Any,
    target: Path,
    *,
    quantization: str,
    bar: Progress,
) -> None:
    """Write the folder that CTranslate2 opens.

    Args:
        config: a transformers configuration, `convertible`.
        weights: the encoder's tensors by their names in a checkpoint.
        tokenizer: of `tokenizers`; its vocabulary.
        target: folder to write; must be there.
        quantization: CTranslate2 weight type.
        bar: advanced by the layers and 3.
    """
    spec = _encoder_spec(config, weights, bar)
    spec.register_vocabulary(_vocabulary(tokenizer, int(config["vocab_size"])))
    spec.config.layer_norm_epsilon = float(config.get("layer_norm_eps", 1e-12))
    spec.config.unk_token = "<unk>"
    spec.validate()
    spec.optimize(quantization=quantization)
    bar.advance(1)
    spec.save(str(target))
    bar.advance(1)


def _encoder_spec(config: dict[str, Any], weights: Tensors, bar: Progress) -> Any:
    specs = library().specs
    common_spec, transformer_spec = specs.common_spec, specs.transformer_spec
    activation = getattr(common_spec.Activation, ACTIVATIONS[config.get("hidden_act", "gelu")])
    encoder = transformer_spec.TransformerEncoderSpec(
        layers(config),
        int(config["num_attention_heads"]),
        pre_norm=False,
        activation=activation,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    # The pooler belongs to the head: kept out of the int8 encoder, applied in float32.
    spec = transformer_spec.TransformerEncoderModelSpec(encoder, pooling_layer=False)
    encoder.scale_embeddings = False
    root = ENCODER_PREFIX[config["model_type"]]
    at = f"{root}embeddings."
    encoder.embeddings[0].weight = weights[f"{at}word_embeddings.weight"]
    encoder.embeddings[1].weight = weights[f"{at}token_type_embeddings.weight"]
    positions = weights[f"{at}position_embeddings.weight"]
    first = first_position(config)
    encoder.position_encodings.encodings = np.ascontiguousarray(positions[first:])
    _layer_norm(encoder.layernorm_embedding, weights, f"{at}LayerNorm")
    bar.advance(1)
    for number, layer in enumerate(encoder.layer):
        at = f"{root}encoder.layer.{number}."
        attention = layer.self_attention
        names = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
        attention.linear[0].weight = np.concatenate([weights[f"{name}.weight"] for name in names])
        attention.linear[0].bias = np.concatenate([weights[f"{name}.bias"] for name in names])
        _linear(attention.linear[1], weights, f"{at}attention.output.dense")
        _layer_norm(attention.layer_norm, weights, f"{at}attention.output.LayerNorm")
        _linear(layer.ffn.linear_0, weights, f"{at}intermediate.dense")
        _linear(layer.ffn.linear_1, weights, f"{at}output.dense")
        _layer_norm(layer.ffn.layer_norm, weights, f"{at}output.LayerNorm")
        bar.advance(1)
    return spec


def _linear(spec: Any, weights: Tensors, name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _layer_norm(spec: Any, weights: Tensors, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _vocabulary(tokenizer: Any, size: int) -> list[str]:
    """Tokens by id. Only their number matters: the engine passes ids."""
    tokens = [f"<extra_id_{index}>" for index in range(size)]
    for token, index in tokenizer.get_vocab().items():
        if index >= size:
            raise ModelProblem(
                "the tokenizer has ids beyond the model's vocabulary",
                way_out="check that tokenizer.json and the weights belong together",
            )
        tokens[index] = token
    return tokens


def layers(config: dict[str, Any]) -> int:
    """Layers of the encoder."""
    return int(config["num_hidden_layers"])
