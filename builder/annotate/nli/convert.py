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
from typing import Any

from builder.annotate.nli.backends.ct2_spec import (
    ACTIVATIONS,
    ENCODER_PREFIX,
    layers,
    save_encoder,
)
from builder.annotate.nli.checkpoint import identity, read_config
from builder.annotate.nli.problems import ModelProblem
from builder.annotate.nli.weights import Floats, Weights
from builder.run.cache import cache_folder, is_sealed, make_sealed
from builder.run.progress import Progress

CONVERTER_VERSION = 1
CONVERTED_FILES = ("config.json", "tokenizer.json", "head.safetensors", "ct2/model.bin")


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
    with progress(f"convert {source.name} to CTranslate2 {quantization}", layers(config) + 3) as b:
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


def _key(source: Path, form: str, made_by: str) -> str:
    told = f"{CONVERTER_VERSION} {form} {made_by} {identity(source)}"
    digest = hashlib.sha256(told.encode()).hexdigest()
    return f"{source.resolve().name}-{form}-{digest[:16]}"
