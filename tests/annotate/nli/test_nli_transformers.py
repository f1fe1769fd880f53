"""The engine against transformers itself, on tiny random checkpoints. Needs torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nli_checkpoints import TEXTS, write_checkpoint

from builder.annotate.nli.backends.choice import remembered
from builder.annotate.nli.backends.on_openvino import installed
from builder.annotate.nli.engine import NliEngine
from builder.annotate.sentiment import Sentiment
from builder.config.profile import NliTable, SentimentTable

torch = pytest.importorskip("torch", reason="compares with transformers, which needs torch")
transformers = pytest.importorskip("transformers", reason="compares with transformers")
# torch is installed for the slow step only
pytestmark = pytest.mark.slow

PREMISES = [TEXTS[i % 8] * (1 + i % 5) for i in range(30)]
HYPOTHESES = [TEXTS[(3 * i + 1) % 8] for i in range(30)]
ORDER = [2, 1, 0]  # the fixtures' outputs: contradiction, neutral, entailment


@pytest.fixture(autouse=True)
def _few_threads() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def reference(folder: Path, premises: list[str], hypotheses: list[str]) -> Any:
    """Logits of the checkpoint in transformers, one pair at a time, float32."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        return np.concatenate(
            [
                model(**tokenizer(p, h, truncation="only_first", return_tensors="pt")).logits
                for p, h in zip(premises, hypotheses, strict=True)
            ]
        )[:, ORDER]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_float32_logits_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    """Positions, segments, special tokens, truncation, head: all of it, or this fails."""
    folder = write_checkpoint(tmp_path / kind, kind)
    expected = reference(folder, PREMISES, HYPOTHESES)
    assert expected.std(axis=0).min() > 0.05, "the fixture must tell pairs apart"
    for backend in ("ctranslate2", "torch"):
        engine = NliEngine.load(folder, backend, precision="float32", cache_dir=tmp_path / "cache")
        assert np.allclose(engine.logits(PREMISES, HYPOTHESES), expected, atol=2e-5), backend


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_zero_shot_scores_are_those_of_the_pipeline(tmp_path: Path, kind: str) -> None:
    folder = write_checkpoint(tmp_path / kind, kind)
    engine = NliEngine.load(folder, "ctranslate2", precision="float32", cache_dir=tmp_path)
    table = SentimentTable(long="truncate")
    texts = [*TEXTS[:8], " ".join(TEXTS)]
    ours = [scores for scores, _ in Sentiment(NliTable(model="t"), table, engine).scores(texts)]
    pipe = transformers.pipeline("zero-shot-classification", model=str(folder))
    labels = [table.negative, table.neutral, table.positive]
    answers = pipe(texts, candidate_labels=labels, hypothesis_template=table.template)
    theirs = [[a["scores"][a["labels"].index(x)] for x in labels] for a in answers]
    assert np.allclose(ours, theirs, atol=1e-5)


def test_mdeberta_falls_back_to_torch(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "deberta")
    names = json.loads((folder / "config.json").read_text())["id2label"]
    config = transformers.DebertaV2Config(
        vocab_size=320, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=128, type_vocab_size=0,
        relative_attention=True, position_buckets=32, pos_att_type=["p2c", "c2p"],
        id2label={int(k): v for k, v in names.items()},
        label2id={v: int(k) for k, v in names.items()}, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.DebertaV2ForSequenceClassification(config)
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(folder)
    engine = NliEngine.load(folder, cache_dir=tmp_path / "cache", precision="float32")
    assert engine.backend.kind == "torch"
    tokenizer_config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer_config["model_input_names"] = ["input_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    expected = reference(folder, PREMISES, HYPOTHESES)
    assert np.allclose(engine.logits(PREMISES, HYPOTHESES), expected, atol=1e-4)


def test_auto_measures_once_and_remembers(tmp_path: Path, monkeypatch: Any) -> None:
    folder = write_checkpoint(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    kinds = ["ctranslate2", *["openvino"] * installed(), "torch"]
    assert remembered(config, kinds, tmp_path / "cache") is None
    first = NliEngine.load(folder, cache_dir=tmp_path / "cache")
    assert remembered(config, kinds, tmp_path / "cache") == first.backend.kind
    monkeypatch.setattr("builder.annotate.nli.opening.measure", None)
    assert NliEngine.load(folder, cache_dir=tmp_path / "cache").backend.kind == first.backend.kind


def test_bfloat16_and_pickled_checkpoints(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "m")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    plain = NliEngine.load(folder, "ctranslate2", precision="float32", cache_dir=tmp_path)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "kept")
    pickled = NliEngine.load(folder, "ctranslate2", precision="float32", cache_dir=tmp_path)
    expected = plain.logits(PREMISES, HYPOTHESES)
    assert np.array_equal(pickled.logits(PREMISES, HYPOTHESES), expected)
    (folder / "pytorch_model.bin").unlink()
    model.to(torch.bfloat16).save_pretrained(folder)
    short = NliEngine.load(folder, "ctranslate2", precision="float32", cache_dir=tmp_path)
    assert np.allclose(short.logits(PREMISES, HYPOTHESES), expected, atol=0.1)


def test_torch_backend_for_a_shipped_model_says_no(nli_home: Path, bert_engine: Any) -> None:
    from builder.annotate.nli.problems import ModelProblem

    converted = next((nli_home / "cache" / "nli").glob("bert-int8-*"))
    with pytest.raises(ModelProblem, match="CTranslate2 only"):
        NliEngine.load(converted, "torch")
