"""The engine's promises that need no torch: company, order, duplicates, cutting, privacy."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nli_checkpoints import TEXTS, write_checkpoint

from builder.annotate.nli.engine import NliEngine, softmax
from builder.annotate.nli.problems import LabelMappingNeeded, ModelProblem

PREMISES = [TEXTS[i % 8] * (1 + i % 4) for i in range(48)]
HYPOTHESES = [TEXTS[(3 * i + 1) % 8] for i in range(48)]


@pytest.mark.parametrize("name", ["bert_engine", "xlmr_engine"])
def test_a_pair_scores_the_same_bit_for_bit_in_any_company(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine = request.getfixturevalue(name)
    together = engine.logits(PREMISES, HYPOTHESES)
    alone = [engine.logits([p], [h])[0] for p, h in zip(PREMISES, HYPOTHESES, strict=True)]
    assert np.array_equal(together, np.stack(alone))
    order = random.Random(0).sample(range(48), 17)
    some = engine.logits([PREMISES[i] for i in order], [HYPOTHESES[i] for i in order])
    assert np.array_equal(some, together[order])


def test_scores_are_probabilities_in_the_stated_order(bert_engine: Any) -> None:
    scores = bert_engine.score(PREMISES, HYPOTHESES)
    assert scores.shape == (48, 3)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(scores, softmax(bert_engine.logits(PREMISES, HYPOTHESES)))
    assert len(np.unique(scores.argmax(axis=1))) > 1, "the fixture must tell pairs apart"


def test_label_order_is_read_from_the_checkpoint(nli_home: Path, bert_engine: Any) -> None:
    """The same weights under other names give the columns in another order."""
    names = {"0": "ENTAILMENT", "1": "Neutral", "2": "contradiction"}
    other = nli_home / "renamed"
    shutil.copytree(nli_home / "bert", other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "id2label": names}))
    engine = NliEngine.load(other, "ctranslate2", cache_dir=nli_home / "cache")
    swapped = engine.logits(PREMISES[:4], HYPOTHESES[:4])
    assert np.array_equal(swapped[:, ::-1], bert_engine.logits(PREMISES[:4], HYPOTHESES[:4]))


def test_unnamed_labels_ask_for_a_mapping(nli_home: Path) -> None:
    folder = nli_home / "unnamed"
    write_checkpoint(folder, id2label={str(i): f"LABEL_{i}" for i in range(3)})
    with pytest.raises(LabelMappingNeeded, match="LABEL_0"):
        NliEngine.load(folder, "ctranslate2", cache_dir=nli_home / "cache")
    labels = ("contradiction", "neutral", "entailment")
    engine = NliEngine.load(folder, "ctranslate2", labels=labels, cache_dir=nli_home / "cache")
    assert engine.score(["a"], ["b"]).shape == (1, 3)


def test_two_class_models_are_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "two", id2label={"0": "entailment", "1": "not_entailment"})
    with pytest.raises(LabelMappingNeeded):
        NliEngine.load(tmp_path / "two", "ctranslate2", cache_dir=tmp_path)


def test_identical_pairs_are_computed_once(bert_engine: Any, monkeypatch: Any) -> None:
    seen: list[int] = []
    real = bert_engine.backend.logits
    monkeypatch.setattr(
        bert_engine.backend, "logits", lambda pairs: (seen.append(len(pairs)), real(pairs))[1]
    )
    scores = bert_engine.score(["uno", "dos", "uno"] * 100, ["tres"] * 300)
    assert sum(seen) == 2
    assert np.array_equal(scores[0], scores[2])


def test_no_pairs_and_unequal_lists(bert_engine: Any) -> None:
    assert bert_engine.score([], []).shape == (0, 3)
    with pytest.raises(ValueError, match="shorter"):
        bert_engine.score(["a", "b"], ["a"])


def test_odd_texts_have_scores(xlmr_engine: Any) -> None:
    texts = ["", "   ", "😀🔥", "\x00", "a" * 50_000, "palabra " * 6_000, "صباح الخير", "\u200b"]
    scores = xlmr_engine.score(texts, ["El sentimiento de este texto es negativo."] * len(texts))
    assert np.isfinite(scores).all()


def test_unknown_model_says_what_to_do() -> None:
    with pytest.raises(ModelProblem, match="Way out"):
        NliEngine.load("no-such-model")
    with pytest.raises(ModelProblem, match="no NLI model called"):
        NliEngine.load("/no/such/folder")


def test_torch_stays_out_when_a_converted_model_is_used(
    nli_home: Path, bert_engine: Any, tmp_path: Path
) -> None:
    """Neither torch nor transformers is imported, and `auto` takes what is there."""
    converted = next((nli_home / "cache" / "nli").glob("bert-int8-*"))
    code = (
        "import sys\n"
        "from builder.annotate.nli.engine import NliEngine\n"
        "import builder.annotate.sentiment, builder.annotate.entailment, "
        "builder.annotate.summarize\n"
        f"e = NliEngine.load({str(converted)!r})\n"
        "print(e.score(['hoy'], ['no']).shape, e.backend.kind)\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "(1, 3) ctranslate2" in done.stdout
