"""The classifier of single texts: what its outputs mean, what it reads, and in what company."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nli_checkpoints import TEXTS, write_checkpoint, write_word_counter
from tokenizers import Tokenizer

from builder.annotate.nli.classifier import TextClassifier, meaning_of
from builder.annotate.nli.engine import softmax
from builder.annotate.nli.problems import LabelMappingNeeded, ModelProblem

NAMES = {
    "RoBERTuito": ["NEG", "NEU", "POS"],
    "cardiffnlp xlm": ["negative", "neutral", "positive"],
    "Spanish, another order": ["Positivo", "Negativo", "Neutro"],
}


@pytest.fixture(scope="module")
def random_one(nli_home: Path) -> TextClassifier:
    folder = nli_home / "random-classifier"
    write_checkpoint(folder, "xlm-roberta", id2label={"0": "NEG", "1": "NEU", "2": "POS"})
    return TextClassifier.load(folder, "ctranslate2", cache_dir=nli_home / "cache")


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_what_the_outputs_mean_is_read_from_the_checkpoint(names: list[str]) -> None:
    found = meaning_of({"id2label": {str(i): name for i, name in enumerate(names)}})
    assert [("neg", "neu", "pos")[i] for i in found] == [name[:3].lower() for name in names]


def test_outputs_that_do_not_say_are_asked_for() -> None:
    unnamed = {"id2label": {str(i): f"LABEL_{i}" for i in range(3)}}
    with pytest.raises(LabelMappingNeeded, match=r"(?s)LABEL_0.*\[second_opinion\]"):
        meaning_of(unnamed)
    assert meaning_of(unnamed, ["positive", "neutral", "negative"]) == (2, 1, 0)
    stars = {"id2label": {str(i): f"{i + 1} stars" for i in range(5)}}
    five = ["negative", "negative", "neutral", "positive", "positive"]
    assert meaning_of(stars, five) == (0, 0, 1, 2, 2)
    for wrong in (five[:3], ["negative"] * 5, ["negative", "positive"]):
        with pytest.raises(LabelMappingNeeded):
            meaning_of(stars, wrong)
    with pytest.raises(LabelMappingNeeded):
        meaning_of({"id2label": {"0": "NEG", "1": "POS"}})


def test_the_scores_are_the_softmax_of_the_models_own_outputs(
    random_one: TextClassifier, nli_home: Path
) -> None:
    tokenizer = Tokenizer.from_file(str(nli_home / "random-classifier" / "tokenizer.json"))
    encoded = random_one.texts.encode(TEXTS[:8])
    assert [one.ids for one in encoded] == [tokenizer.encode(text).ids for text in TEXTS[:8]]
    expected = softmax(random_one.backend.logits(encoded))
    assert np.array_equal(random_one.scores(TEXTS[:8]), expected)
    assert np.ptp(expected, axis=0).min() > 0.01, "the fixture must tell texts apart"


def test_outputs_that_mean_the_same_are_added(nli_home: Path, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "five", id2label={str(i): f"{i + 1}" for i in range(5)})
    five = ["negative", "negative", "neutral", "positive", "positive"]
    made = TextClassifier.load(folder, "ctranslate2", labels=five, cache_dir=nli_home / "cache")
    each = softmax(made.backend.logits(made.texts.encode(TEXTS[:4])))
    added = np.stack([each[:, :2].sum(1), each[:, 2], each[:, 3:].sum(1)], axis=1)
    assert np.allclose(made.scores(TEXTS[:4]), added, atol=1e-7)


def test_a_text_scores_the_same_bit_for_bit_in_any_company(random_one: TextClassifier) -> None:
    texts = [TEXTS[i % 8] * (1 + i % 3) for i in range(24)]
    alone = np.concatenate([random_one.scores([text]) for text in texts])
    assert np.array_equal(random_one.scores(texts), alone)
    assert random_one.scores([]).shape == (0, 3)


def test_a_long_text_is_cut_to_the_window(random_one: TextClassifier) -> None:
    (one,) = random_one.texts.encode(["palabra " * 5_000])
    assert len(one.ids) == random_one.texts.window == 128
    assert one.ids[-1] == 2, "the closing token stays"


def test_a_checkpoint_that_is_broken_is_named(tmp_path: Path, nli_home: Path) -> None:
    folder = write_word_counter(tmp_path / "broken", ["miedo"], ["amor"])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelProblem) as caught:
        TextClassifier.load(folder, "ctranslate2", cache_dir=nli_home / "cache")
    assert caught.value.way_out


def test_a_tokenizer_without_its_special_tokens_is_refused(tmp_path: Path, nli_home: Path) -> None:
    folder = write_word_counter(tmp_path / "bare", ["miedo"], ["amor"])
    told = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**told, "post_processor": None}))
    with pytest.raises(ModelProblem, match="no token before a text"):
        TextClassifier.load(folder, "ctranslate2", cache_dir=nli_home / "cache")


def test_labels_are_looked_at_before_anything_is_converted(tmp_path: Path) -> None:
    names: dict[str, Any] = {str(i): f"LABEL_{i}" for i in range(3)}
    write_checkpoint(tmp_path / "unnamed", id2label=names)
    with pytest.raises(LabelMappingNeeded):
        TextClassifier.load(tmp_path / "unnamed", "ctranslate2", cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
