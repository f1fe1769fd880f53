"""Does our zero-shot sentiment say what transformers' pipeline says? One line of JSON.

The reference is the zero-shot pipeline in float32 on the same checkpoint; ours is the stage as it
ships (CTranslate2 int8). Texts are real Spanish: all of UMSAB-es val and premises of InferES.
Exit code 1 if label agreement is under 99.5 % or the mean absolute score difference over 0.01.

    python scripts/parity_nli.py CHECKPOINT [--texts DIR] [--count 900] [--precision int8]
    python scripts/parity_nli.py CHECKPOINT --backend openvino --against ctranslate2    # no torch

CHECKPOINT is a transformers checkpoint with its weights (a trained one: with random weights every
label scores a third, and agreement means nothing), or a converted folder such as
builder/models/mini_nli: its int8 weights are then written out in float32 for the reference.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np

from builder.annotate.nli.convert import is_converted
from builder.annotate.nli.engine import NliEngine
from builder.annotate.nli.opening import Wanted
from builder.annotate.sentiment import Sentiment
from builder.config.profile import NliTable, SentimentTable

TEXTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
AGREEMENT, DIFFERENCE = 0.995, 0.01


def real_texts(folder: Path, count: int) -> list[str]:
    """Distinct texts: UMSAB-es val whole, then InferES premises, then XNLI-es dev premises."""
    found: dict[str, None] = {}
    files: tuple[tuple[str, str, str, Literal[0, 3]], ...] = (
        ("umsab-es-val.tsv", "text", "\t", csv.QUOTE_NONE),
        ("inferes_train.csv", "Premise", ",", csv.QUOTE_MINIMAL),
        ("xnli-es-dev.tsv", "sentence1", "\t", csv.QUOTE_NONE),
    )
    for name, column, delimiter, quoting in files:
        with open(folder / name, encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle, delimiter=delimiter, quoting=quoting):
                if row.get(column) and len(found) < count:
                    found[row[column]] = None
    return list(found)


def ct2_variables(path: Path) -> dict[str, np.ndarray]:
    """The variables of a CTranslate2 model.bin (format: ctranslate2/specs/model_spec.py)."""
    data = path.read_bytes()
    at = 0

    def number(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize(form)
        return int(value)

    def text() -> str:
        nonlocal at
        size = number("H")
        at += size
        return data[at - size : at - 1].decode()

    kinds = (np.float32, np.int8, np.int16, np.int32, np.float16)
    number("I"), text(), number("I")
    found: dict[str, np.ndarray] = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = kinds[number("B")], number("I")
        found[name] = np.frombuffer(data, kind, size // np.dtype(kind).itemsize, at).reshape(shape)
        at += size
    for _ in range(number("I")):
        alias, name = text(), text()
        found[alias] = found[name]
    return found


def restore(folder: Path, target: Path) -> Path:
    """Write a converted BERT folder back as a float32 transformers checkpoint."""
    from safetensors.numpy import load_file, save_file

    raw = ct2_variables(folder / "ct2" / "model.bin")

    def tensor(name: str) -> np.ndarray:
        value = raw[f"encoder/{name}"].astype(np.float32)
        scale = raw.get(f"encoder/{name}_scale")
        return value if scale is None else value / scale.astype(np.float32)[:, None]

    out: dict[str, np.ndarray] = {}

    def linear(name: str, source: str) -> None:
        out[f"{name}.weight"], out[f"{name}.bias"] = (
            tensor(f"{source}/weight"),
            tensor(f"{source}/bias"),
        )

    def norm(name: str, source: str) -> None:
        out[f"{name}.weight"], out[f"{name}.bias"] = (
            tensor(f"{source}/gamma"),
            tensor(f"{source}/beta"),
        )

    out["bert.embeddings.word_embeddings.weight"] = tensor("embeddings_0/weight")
    out["bert.embeddings.token_type_embeddings.weight"] = tensor("embeddings_1/weight")
    out["bert.embeddings.position_embeddings.weight"] = tensor("position_encodings/encodings")
    norm("bert.embeddings.LayerNorm", "layernorm_embedding")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for number in range(config["num_hidden_layers"]):
        at, layer = f"bert.encoder.layer.{number}.", f"layer_{number}"
        fused = [tensor(f"{layer}/self_attention/linear_0/{part}") for part in ("weight", "bias")]
        for part, both in zip(("weight", "bias"), fused, strict=True):
            for name, piece in zip(("query", "key", "value"), np.split(both, 3), strict=True):
                out[f"{at}attention.self.{name}.{part}"] = piece
        linear(f"{at}attention.output.dense", f"{layer}/self_attention/linear_1")
        norm(f"{at}attention.output.LayerNorm", f"{layer}/self_attention/layer_norm")
        linear(f"{at}intermediate.dense", f"{layer}/ffn/linear_0")
        linear(f"{at}output.dense", f"{layer}/ffn/linear_1")
        norm(f"{at}output.LayerNorm", f"{layer}/ffn/layer_norm")
    for name, value in load_file(folder / "head.safetensors").items():
        out[f"bert.{name}" if name.startswith("pooler") else name] = value
    target.mkdir(parents=True)
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, target / "model.safetensors")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    (target / "config.json").write_text(json.dumps({**config, "dtype": "float32"}))
    return target


def compare(
    checkpoint: Path,
    texts: list[str],
    precision: str = "int8",
    recheck: float | None = None,
    backend: Wanted = "ctranslate2",
) -> dict[str, object]:
    """Labels and scores of ours and of the pipeline on the same texts."""
    import torch
    from transformers import logging, pipeline

    logging.set_verbosity_error()
    table = SentimentTable(long="truncate")
    if recheck is not None:
        table = table.model_copy(update={"recheck": recheck})
    with tempfile.TemporaryDirectory() as scratch:
        original = _original(checkpoint, Path(scratch))
        model = checkpoint if backend == "ctranslate2" else original
        engine = NliEngine.load(model, backend, precision=precision, cache_dir=_cache(scratch))
        ours = _scores(engine, texts, table)
        piped = pipeline("zero-shot-classification", model=str(original), dtype=torch.float32)
        labels = [table.negative, table.neutral, table.positive]
        answers = piped(
            texts, candidate_labels=labels, hypothesis_template=table.template, batch_size=16
        )
    theirs = np.array(
        [[answer["scores"][answer["labels"].index(x)] for x in labels] for answer in answers]
    )
    return _told(engine, ours, theirs, table)


def against_ctranslate2(
    checkpoint: Path, texts: list[str], backend: Wanted = "openvino", precision: str = "auto"
) -> dict[str, object]:
    """Labels and scores of a back end and of CTranslate2 in float32; torch is not needed."""
    table = SentimentTable(long="truncate")
    with tempfile.TemporaryDirectory() as scratch:
        original, cache = _original(checkpoint, Path(scratch)), _cache(scratch)
        engine = NliEngine.load(original, backend, precision=precision, cache_dir=cache)
        exact = NliEngine.load(original, "ctranslate2", precision="float32", cache_dir=cache)
        ours, theirs = _scores(engine, texts, table), _scores(exact, texts, table)
    return _told(engine, ours, theirs, table)


def _cache(scratch: str) -> Path:
    return Path(scratch) / "cache"


def _original(checkpoint: Path, scratch: Path) -> Path:
    """The checkpoint with float weights: itself, or what `restore` makes of it."""
    return restore(checkpoint, scratch / "restored") if is_converted(checkpoint) else checkpoint


def _scores(engine: NliEngine, texts: list[str], table: SentimentTable) -> Any:
    stage = Sentiment(NliTable(model="m"), table, engine=engine)
    return np.array([scores for scores, _ in stage.scores(texts)])


def _told(engine: NliEngine, ours: Any, theirs: Any, table: SentimentTable) -> dict[str, object]:
    same = ours.argmax(axis=1) == theirs.argmax(axis=1)
    top_two = np.sort(theirs, axis=1)[:, 1:]
    return {
        "model": engine.model,
        "texts": len(ours),
        "recheck": table.recheck,
        "label_agreement": round(float(same.mean()), 5),
        "disagreements": int((~same).sum()),
        "mean_abs_difference": round(float(np.abs(ours - theirs).mean()), 6),
        "max_abs_difference": round(float(np.abs(ours - theirs).max()), 5),
        "margin_of_disagreements": [round(float(b - a), 4) for a, b in top_two[~same]],
        "labels": np.bincount(theirs.argmax(axis=1), minlength=3).tolist(),
    }


def main() -> int:
    """Run, print, and say by the exit code whether parity holds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--count", type=int, default=900)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--backend", choices=("ctranslate2", "openvino", "torch"))
    parser.add_argument(
        "--against", choices=("pipeline", "ctranslate2"), default="pipeline",
        help="ctranslate2: in float32, which needs no torch",
    )  # fmt: skip
    parser.add_argument("--recheck", type=float, default=None, help="default: the profile's")
    args = parser.parse_args()
    texts = real_texts(args.texts, args.count)
    if args.against == "ctranslate2":
        result = against_ctranslate2(args.checkpoint, texts, args.backend or "openvino")
    else:
        backend: Wanted = args.backend or "ctranslate2"
        precision = "auto" if backend != "ctranslate2" else args.precision
        result = compare(args.checkpoint, texts, precision, args.recheck, backend)
    print(json.dumps(result))
    holds = (
        float(str(result["label_agreement"])) >= AGREEMENT
        and float(str(result["mean_abs_difference"])) <= DIFFERENCE
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
