"""What bench_nli.py runs on: made texts, and a checkpoint shaped as XLM-R-large. No torch."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

SYLLABLES = (
    "la de que el en con por un es se no lo ra ta mos do na ción ver qui to gua ya sa".split()
)
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEMPLATE, LABELS = "El sentimiento de este texto es {}.", ["negativo", "neutral", "positivo"]
HIDDEN, INNER = 1024, 4096


def make_texts(count: int, repeats: float, seed: int) -> list[str]:
    """Texts whose word counts are log-normal (median about 40 tokens, cut at 600), with repeats."""
    rng = random.Random(seed)
    fresh = max(1, round(count * (1 - repeats)))
    texts = []
    for _ in range(fresh):
        size = int(min(600, max(4, rng.lognormvariate(3.69, 0.95))))
        texts.append(" ".join("".join(rng.choices(SYLLABLES, k=2)) for _ in range(size)))
    texts += [rng.choice(texts) for _ in range(count - fresh)]
    rng.shuffle(texts)
    return texts


def make_checkpoint(folder: Path, layers: int) -> None:
    """Random weights in the shape of xlm-roberta-large, and a tokenizer of one token a word."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder.mkdir(parents=True)
    words = [a + b for a in SYLLABLES for b in SYLLABLES]
    words += [*TEMPLATE.replace("{}.", "").split(), *LABELS, "."]
    vocabulary = {w: i for i, w in enumerate(dict.fromkeys([*SPECIAL, *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(enumerate(("contradiction", "neutral", "entailment")))
    config = {
        "model_type": "xlm-roberta", "architectures": ["XLMRobertaForSequenceClassification"],
        "hidden_size": HIDDEN, "num_hidden_layers": layers, "num_attention_heads": 16,
        "intermediate_size": INNER, "vocab_size": len(vocabulary), "hidden_act": "gelu",
        "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "id2label": names,
        "label2id": {name: index for index, name in names.items()},
    }  # fmt: skip
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512,
        "model_input_names": ["input_ids", "attention_mask"], "pad_token": "<pad>",
        "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>",
        "sep_token": "</s>",
    }  # fmt: skip
    for name, content in (("config.json", config), ("tokenizer_config.json", told)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    save_file(random_tensors(len(vocabulary), layers), str(folder / "model.safetensors"))


def random_tensors(vocabulary: int, layers: int) -> dict[str, Any]:
    """The tensors of the checkpoint, as BERT's are before training: deviation 0.02."""
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {}

    def table(rows: int, columns: int) -> Any:
        return np.float32(0.02) * rng.standard_normal((rows, columns), np.float32)

    def linear(name: str, rows: int, columns: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = table(rows, columns), np.zeros(rows, "f4")

    def norm(name: str) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = (
            np.ones(HIDDEN, "f4"),
            np.zeros(HIDDEN, "f4"),
        )

    at = "roberta.embeddings."
    for name, rows in (("word", vocabulary), ("position", 514), ("token_type", 1)):
        found[f"{at}{name}_embeddings.weight"] = table(rows, HIDDEN)
    norm(f"{at}LayerNorm")
    for number in range(layers):
        at = f"roberta.encoder.layer.{number}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{at}attention.{part}", HIDDEN, HIDDEN)
        norm(f"{at}attention.output.LayerNorm")
        linear(f"{at}intermediate.dense", INNER, HIDDEN)
        linear(f"{at}output.dense", HIDDEN, INNER)
        norm(f"{at}output.LayerNorm")
    linear("classifier.dense", HIDDEN, HIDDEN)
    linear("classifier.out_proj", 3, HIDDEN)
    return found
