"""Tiny NLI checkpoints with random weights, written with numpy: no torch, no transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import UnigramTrainer, WordPieceTrainer

# Sentences of our own.
TEXTS = [
    "El presidente declaró el estado de excepción en todo el país.",
    "La gente tiene miedo y no sale de su casa por la noche.",
    "Qué alegría, hoy volvimos a clases y todo está tranquilo en Quito.",
    "Hombres armados entraron a un canal de televisión en Guayaquil, dicen las noticias.",
    "El sentimiento de este texto es negativo, neutral o positivo.",
    "¡Qué día! 123 policías, 45 militares; nadie sabe qué pasó después...",
    "Hoje o povo está com medo. The city is quiet today, they say.",
    "Una receta de cocina: dos huevos, un poco de sal y mucho amor.",
] * 4

ID2LABEL = {"0": "contradiction", "1": "neutral", "2": "entailment"}


def bert_tokenizer(vocab: int = 300) -> Tokenizer:
    """A WordPiece tokenizer as BERT's: [CLS] a [SEP] b [SEP], segments 0 and 1."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(TEXTS, WordPieceTrainer(vocab_size=vocab, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def xlmr_tokenizer(vocab: int = 300) -> Tokenizer:
    """A unigram tokenizer as XLM-R's: <s> a </s></s> b </s>."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = UnigramTrainer(vocab_size=vocab, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def write_checkpoint(
    folder: Path,
    kind: str = "bert",
    *,
    hidden: int = 32,
    layers: int = 2,
    positions: int = 128,
    seed: int = 0,
    id2label: dict[str, str] | None = None,
    pooler: bool = True,
) -> Path:
    """Write a random checkpoint (`bert` or `xlm-roberta`) as `save_pretrained` would.

    The weights are larger than a trained model's first ones, so that outputs differ by input.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = bert_tokenizer() if kind == "bert" else xlmr_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    bert = kind == "bert"
    config = {
        "model_type": kind,
        "architectures": [
            "BertForSequenceClassification" if bert else "XLMRobertaForSequenceClassification"
        ],
        "vocab_size": 320,  # more than the tokenizer has, as in many a checkpoint
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * hidden,
        "hidden_act": "gelu",
        "max_position_embeddings": positions if bert else positions + 2,
        "type_vocab_size": 2 if bert else 1,
        "layer_norm_eps": 1e-12 if bert else 1e-5,
        "pad_token_id": 0 if bert else 1,
        "id2label": id2label or ID2LABEL,
        "label2id": {label: int(index) for index, label in (id2label or ID2LABEL).items()},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "pad_token": "[PAD]" if bert else "<pad>",
        "model_input_names": ["input_ids", "attention_mask"] + ["token_type_ids"] * bert,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config), encoding="utf-8")
    save_file(_tensors(config, bert, pooler, seed), str(folder / "model.safetensors"))
    return folder


def _tensors(config: dict[str, Any], bert: bool, pooler: bool, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    root = "bert." if bert else "roberta."
    tensors: dict[str, Any] = {}

    def random(name: str, *shape: int, scale: float = 0.25) -> None:
        tensors[name] = rng.normal(0, scale, shape).astype(np.float32)

    def linear(name: str, rows: int, columns: int) -> None:
        random(f"{name}.weight", rows, columns)
        random(f"{name}.bias", rows, scale=0.05)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = (1 + rng.normal(0, 0.1, hidden)).astype(np.float32)
        random(f"{name}.bias", hidden, scale=0.05)

    random(f"{root}embeddings.word_embeddings.weight", config["vocab_size"], hidden, scale=1)
    positions = config["max_position_embeddings"]
    random(f"{root}embeddings.position_embeddings.weight", positions, hidden, scale=0.5)
    types = config["type_vocab_size"]
    random(f"{root}embeddings.token_type_embeddings.weight", types, hidden, scale=0.5)
    norm(f"{root}embeddings.LayerNorm")
    for number in range(config["num_hidden_layers"]):
        at = f"{root}encoder.layer.{number}."
        for part in ("query", "key", "value"):
            linear(f"{at}attention.self.{part}", hidden, hidden)
        linear(f"{at}attention.output.dense", hidden, hidden)
        norm(f"{at}attention.output.LayerNorm")
        linear(f"{at}intermediate.dense", inner, hidden)
        linear(f"{at}output.dense", hidden, inner)
        norm(f"{at}output.LayerNorm")
    labels = len(config["id2label"])
    if bert:
        if pooler:
            linear("bert.pooler.dense", hidden, hidden)
        linear("classifier", labels, hidden)
    else:
        linear("classifier.dense", hidden, hidden)
        linear("classifier.out_proj", labels, hidden)
    return tensors


SENTIMENTS = {"0": "NEG", "1": "NEU", "2": "POS"}


def write_word_counter(
    folder: Path, negative: list[str], positive: list[str], *, positions: int = 128
) -> Path:
    """A RoBERTa whose weights are set by hand, in the labels of RoBERTuito: it counts words.

    Attention is uniform and copies two numbers, so the first token's state holds the mean of all
    tokens' polarity; the head reads it off. Neutral wins where neither kind of word is there.
    """
    write_checkpoint(folder, "xlm-roberta", id2label=SENTIMENTS, positions=positions)
    words = ["<s>", "<pad>", "</s>", "<unk>", *negative, *positive]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"vocab_size": len(words), "num_hidden_layers": 1, "model_type": "roberta"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tensors = {name: 0 * value for name, value in _tensors(config, False, True, 0).items()}
    for name in tensors:
        if "LayerNorm.weight" in name:
            tensors[name] += 1
    hidden = config["hidden_size"]
    table = tensors["roberta.embeddings.word_embeddings.weight"]
    table[:, 4::2], table[:, 5::2] = 1, -1  # so that a norm neither sees nor makes a polarity
    table[4 : 4 + len(negative), 0:2] = [9, -9]
    table[4 + len(negative) :, 2:4] = [9, -9]
    for name in ("value", "output"):
        at = "attention.self.value" if name == "value" else "attention.output.dense"
        matrix = tensors[f"roberta.encoder.layer.0.{at}.weight"]
        matrix[:4, :4] = 4 * np.eye(4)
    dense = tensors["classifier.dense.weight"]
    dense[0, 0], dense[2, 2] = 1, 1
    assert hidden >= 8
    tensors["classifier.out_proj.weight"][[0, 2], [0, 2]] = 6
    tensors["classifier.out_proj.bias"][1] = 1
    save_file(tensors, str(folder / "model.safetensors"))
    return folder


def loaded(folder: Path, cache: Path, kind: str = "bert", **options: Any) -> Any:
    """An engine on a fresh tiny checkpoint, in CTranslate2."""
    from builder.annotate.nli.engine import NliEngine

    write_checkpoint(folder, kind)
    return NliEngine.load(folder, "ctranslate2", cache_dir=cache, **options)
