"""The `evaluate` module that scores transcripts."""

import doctest
import importlib.util
from pathlib import Path

import evaluate
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builder.annotate.transcripts.rules import normalise
from builder.measure.wer import error_rates

FOLDER = Path(__file__).parents[2] / "cards" / "transcript_wer"


@pytest.fixture(scope="module")
def module():
    spec = importlib.util.spec_from_file_location("wer_module", FOLDER / "transcript_wer.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def metric(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return evaluate.load(str(FOLDER), cache_dir=str(tmp_path))


def test_pooled_and_per_clip(metric):
    result = metric.compute(
        predictions=["¡Hola, Quito!", "la ciudad esta tranquila"],
        references=["hola quito", "La ciudad está tranquila."],
    )
    assert result["wer"] == pytest.approx(1 / 6)
    assert result["wer_per_clip"] == [0.0, 0.25]
    assert result["cer"] == pytest.approx(1 / 34)
    assert result["n_words"] == 6


def test_words_invented_over_silence_count(metric):
    result = metric.compute(predictions=["a b", "uno dos tres"], references=["a b", ""])
    assert result["words_where_silent"] == 3
    assert result["wer"] == pytest.approx(1.5)
    assert result["wer_per_clip"] == [0.0, None]


def test_only_silence_has_no_rate(metric):
    result = metric.compute(predictions=[""], references=[""])
    assert result["wer"] is None
    assert result["words_where_silent"] == 0


def test_normalisation_can_be_turned_off(metric):
    result = metric.compute(predictions=["Hola"], references=["hola"], normalize=False)
    assert result["wer"] == 1.0


def test_lists_of_different_lengths_are_refused(module):
    with pytest.raises(ValueError, match="2 predictions for 1 references"):
        module.score(["a", "b"], ["a"])


def test_doctests(module, monkeypatch):
    monkeypatch.chdir(FOLDER.parents[1])
    module.evaluate = evaluate
    assert doctest.testmod(module).failed == 0


# Newer characters than this Python knows are spelled by `regex`, not by `unicodedata`.
KNOWN = st.characters(exclude_categories=["Cn", "Cs"])
PIECES = st.sampled_from(
    "¿Qué? [Música] 1.000 15% papá, ñandú… P’alante (risas) ♪ ﬁn 3,500".split()
)
TEXTS = st.one_of(
    st.text(KNOWN, max_size=40), st.lists(PIECES, max_size=8).map(" ".join), st.just("")
)


@given(TEXTS)
@example("P’alante (risas) ♪ 3,500 ﬁn 1.000 %")
def test_normalises_like_the_builder(module, text):
    assert module.normalize(text) == normalise(text)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_scores_like_the_builder(module, clips):
    """The copy that stands alone and `builder.measure.wer` give the same numbers."""
    heard, said = ([module.normalize(text) for text in side] for side in zip(*clips, strict=True))
    found = module.score(heard, said)
    assert (found["wer"], found["cer"]) == error_rates(*zip(*clips, strict=True))
