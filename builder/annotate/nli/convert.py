"""Turns a Hugging Face NLI checkpoint into the folder the engine runs: CTranslate2 int8 plus head.

The folder (also what ships as the offline model; converting and shipping are the same layout):

* ``config.json``: the transformers configuration, with `id2label`,
* ``tokenizer.json``: the fast tokenizer,
* ``ct2/``: the encoder as CTranslate2 reads it (`model.bin`, `config.json`, `vocabulary.json`),
* ``head.safetensors``: the classification head in float32, under the checkpoint's own tensor
  names (`pooler.dense.*` and `classifier.*`; XLM-R: `classifier.dense.*`, `classifier.out_proj.*`).

CTranslate2's own converter is not used: it needs torch and transformers, and its BERT and XLM-R
loaders read a configuration field (`position_embedding_type`) that transformers 5 dropped. The
specification classes it fills are used directly, with numpy (sources: ctranslate2
`converters/transformers.py`, `BertLoader`, `XLMRobertaLoader`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from builder.annotate.nli.checkpoint import first_position, identity, read_config
from builder.annotate.nli.problems import ModelProblem
from builder.annotate.nli.weights import Floats, Weights
from builder.run.cache import cache_folder, is_sealed, make_sealed
from builder.run.ct2 import library
from builder.run.progress import Progress

CONVERTER_VERSION = 1
CONVERTED_FILES = ("config.json", "tokenizer.json", "head.safetensors", "ct2/model.bin")
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


def is_converted(folder: Path) -> bool:
    """Whether a folder has the layout above."""
    return all((folder / name).is_file() for name in CONVERTED_FILES)


def convertible(config: dict[str, Any]) -> bool:
    """Whether CTranslate2 can run this architecture; others (mDeBERTa) run on torch."""
    return (
        config.get("model_type") in ENCODER_PREFIX
        and config.get("position_embedding_type", "absolute") == "absolute"
        and config.get("hidden_act", "gelu") in ACTIVATIONS
    )


def must_be_convertible(config: dict[str, Any], source: Path) -> None:
    """Raises `ModelProblem` where `convertible` says no."""
    if not convertible(config):
        raise ModelProblem(
            f"this back end cannot run the architecture {config.get('model_type')!r}",
            file=source,
            way_out='use backend = "torch" (or "auto") for this model',
        )


def cached(
    source: Path,
    *,
    quantization: str = "int8",
    cache_dir: Path | None = None,
    progress: Callable[[str, int], Progress] = Progress,
) -> Path:
    """The converted folder of a local checkpoint, converting it once per cache.

    Args:
        source: a checkpoint folder, or a converted one (returned as it is).
        quantization: CTranslate2 weight type.
        cache_dir: default `cache_folder()`.
        progress: makes the progress display.

    Raises:
        ModelProblem: the checkpoint cannot be converted.
        DiskFull: no space in the cache; nothing half-written is kept.
    """
    if is_converted(source):
        return source

    def make(target: Path) -> None:
        convert(source, target, quantization=quantization, progress=progress)

    made_by = version("ctranslate2").split(".")[0]
    return kept(source, quantization, made_by, CONVERTED_FILES, make, cache_dir)


def kept(
    source: Path,
    form: str,
    made_by: str,
    files: Sequence[str],
    make: Callable[[Path], None],
    cache_dir: Path | None = None,
) -> Path:
    """A folder of the cache, made once: whole and sealed, or made anew.

    Args:
        source: the checkpoint it is made of.
        form: what it is converted to; part of its name.
        made_by: version of the library that reads it.
        files: what it must hold.
        make: writes it.
        cache_dir: default `cache_folder()`.

    Raises:
        ModelProblem: it is damaged even when made anew, or as `make`.
        DiskFull: no space in the cache; nothing half-written is kept.
    """

    def is_whole() -> bool:
        return all((target / name).is_file() for name in files) and is_sealed(target)

    target = (cache_dir or cache_folder()) / "nli" / _key(source, form, made_by)
    if is_whole():
        return target
    make_sealed(target, make)
    if not is_whole():
        raise ModelProblem(
            "the conversion cache holds a damaged model",
            file=target,
            way_out="delete that folder and run again",
        )
    return target


def convert(
    source: Path,
    target: Path,
    *,
    quantization: str = "int8",
    progress: Callable[[str, int], Progress] = Progress,
) -> None:
    """Write the converted folder of a checkpoint. Not atomic by itself: see `cached`.

    Args:
        source: checkpoint folder (config.json, tokenizer, weights).
        target: folder to write; made if missing.
        quantization: CTranslate2 weight type ("int8", "int8_float32", "float32", ...).
        progress: makes the progress display; a unit is one layer.

    Raises:
        ModelProblem: unsupported architecture, or a damaged or incomplete checkpoint.
    """
    config = read_config(source)
    must_be_convertible(config, source)
    weights = Weights(source)
    (target / "ct2").mkdir(parents=True, exist_ok=True)
    tokenizer = _write_tokenizer(source, target)
    with progress(f"convert {source.name} to CTranslate2 {quantization}", _layers(config) + 3) as b:
        save_encoder(config, weights, tokenizer, target / "ct2", quantization=quantization, bar=b)
    write_beside(source, target, config, weights)


def write_beside(source: Path, target: Path, config: dict[str, Any], weights: Weights) -> None:
    """What stands beside every converted encoder: head, configuration, tokenizer; all on disk.

    Raises:
        ModelProblem: the checkpoint has no classification head, or no tokenizer.
    """
    if not (target / "tokenizer.json").is_file():
        _write_tokenizer(source, target)
    write_head(target, head_of(config, weights))
    (target / "config.json").write_text(
        json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )
    limit = source / "tokenizer_config.json"
    if limit.is_file():  # model_max_length, where it is tighter than the positions
        shutil.copyfile(limit, target / limit.name)
    fsync_files(target)


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


def fsync_files(folder: Path) -> None:
    """Bring every file of a folder to the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open(path, "rb") as handle:
                os.fsync(handle.fileno())


def write_head(folder: Path, head: dict[str, Floats]) -> None:
    """Write `head.safetensors` (float32 tensors by checkpoint name)."""
    from safetensors.numpy import save_file

    save_file(dict(head), str(folder / "head.safetensors"))


def head_of(config: dict[str, Any], weights: Weights) -> dict[str, Floats]:
    """The classification head's tensors under the names of the module docstring.

    Raises:
        ModelProblem: the checkpoint has no classification head.
    """
    head = {name: weights[name] for name in weights.names() if name.startswith("classifier.")}
    if not head:
        raise ModelProblem(
            "the checkpoint has no classification head",
            way_out="use a model fine-tuned on NLI, such as joeddav/xlm-roberta-large-xnli",
        )
    prefix = ENCODER_PREFIX[config["model_type"]]
    if "classifier.weight" in head:
        for part in ("weight", "bias"):
            name = f"pooler.dense.{part}"
            if prefix + name in weights:
                head[name] = weights[prefix + name]
    return head


def _layers(config: dict[str, Any]) -> int:
    return int(config["num_hidden_layers"])


def _encoder_spec(config: dict[str, Any], weights: Tensors, bar: Progress) -> Any:
    specs = library().specs
    common_spec, transformer_spec = specs.common_spec, specs.transformer_spec
    activation = getattr(common_spec.Activation, ACTIVATIONS[config.get("hidden_act", "gelu")])
    encoder = transformer_spec.TransformerEncoderSpec(
        _layers(config),
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


def _write_tokenizer(source: Path, target: Path) -> Any:
    from tokenizers import Tokenizer

    path = target / "tokenizer.json"
    if (source / "tokenizer.json").is_file():
        shutil.copyfile(source / "tokenizer.json", path)
    else:
        # Older checkpoints hold only a sentencepiece or WordPiece vocabulary.
        try:
            from transformers import AutoTokenizer

            AutoTokenizer.from_pretrained(source).backend_tokenizer.save(str(path))
        except Exception as error:
            raise ModelProblem(
                f"the checkpoint has no tokenizer.json and none could be made "
                f"({type(error).__name__})",
                file=source,
                way_out="install transformers and sentencepiece, or add tokenizer.json",
            ) from error
    return Tokenizer.from_file(str(path))


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


def _key(source: Path, form: str, made_by: str) -> str:
    told = f"{CONVERTER_VERSION} {form} {made_by} {identity(source)}"
    digest = hashlib.sha256(told.encode()).hexdigest()
    return f"{source.resolve().name}-{form}-{digest[:16]}"
