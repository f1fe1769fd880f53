"""Our zero-shot sentiment against transformers' pipeline in float32, on real Spanish texts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from builder.annotate.nli.checkpoint import MODELS
from builder.annotate.nli.convert import is_converted

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))


@pytest.mark.slow
def test_labels_and_scores_are_those_of_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shipped model: >= 800 texts, agreement >= 99.5 %, mean difference <= 0.01."""
    torch = pytest.importorskip("torch", reason="the reference is transformers' pipeline")
    pytest.importorskip("transformers", reason="the reference is transformers' pipeline")
    parity = pytest.importorskip("parity_nli")
    model = MODELS / "mini_nli"
    if not is_converted(model):
        pytest.skip("the shipped NLI model is not in this checkout")
    if not (parity.TEXTS / "umsab-es-val.tsv").is_file():
        pytest.skip("the evaluation texts (shared/data/text) are not on this machine")
    texts = parity.real_texts(parity.TEXTS, 850)
    assert len(texts) >= 800
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads on two busy cores wait for each other
    try:
        result = parity.compare(model, texts)
    finally:
        torch.set_num_threads(threads)
    assert result["label_agreement"] >= parity.AGREEMENT, result
    assert result["mean_abs_difference"] <= parity.DIFFERENCE, result
    assert min(result["labels"]) > 20, "the model must use every label, or agreement says nothing"
