"""Pairs are encoded with the premise cut and the hypothesis whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nli_checkpoints import TEXTS

from builder.annotate.nli.pairs import HypothesisTooLong


def reference(encoder: Any, premise: str, hypothesis: str) -> tuple[list[int], list[int]]:
    """What the tokenizers library itself makes of a pair, cut with its own `only_first`."""
    tokenizer = encoder._tokenizer
    tokenizer.enable_truncation(encoder.window, strategy="only_first")
    try:
        encoding = tokenizer.encode(premise, hypothesis)
        return encoding.ids, encoding.type_ids
    finally:
        tokenizer.no_truncation()


@pytest.mark.parametrize("name", ["bert_engine", "xlmr_engine"])
@pytest.mark.parametrize("repeat", [1, 3, 40])
def test_ids_are_those_of_the_tokenizer(
    name: str, repeat: int, request: pytest.FixtureRequest
) -> None:
    encoder = request.getfixturevalue(name).pairs
    for premise in TEXTS[:8]:
        ids, types = reference(encoder, f"{premise} " * repeat, TEXTS[1])
        encoded = encoder.encode([(f"{premise} " * repeat, TEXTS[1])])[0]
        assert encoded.ids == ids
        assert encoded.type_ids == (types if encoder.segments else None)
        assert len(ids) <= encoder.window


@given(premise=st.text(max_size=80), hypothesis=st.text(max_size=30))
def test_ids_are_those_of_the_tokenizer_for_any_text(
    xlmr_engine: Any, premise: str, hypothesis: str
) -> None:
    encoded = xlmr_engine.pairs.encode([(premise, hypothesis)])[0]
    assert encoded.ids == reference(xlmr_engine.pairs, premise, hypothesis)[0]


def test_the_hypothesis_is_never_cut(bert_engine: Any) -> None:
    encoder = bert_engine.pairs
    hypothesis = " ".join(TEXTS[:3])
    size = encoder.lengths([hypothesis])[0]
    encoded = encoder.encode([("palabra " * 5_000, hypothesis)])[0]
    assert len(encoded.ids) == encoder.window
    assert encoded.ids[-1 - size : -1] == encoder.tokenize([hypothesis])[0]


def test_a_hypothesis_that_leaves_no_room_is_refused_without_showing_it(bert_engine: Any) -> None:
    with pytest.raises(HypothesisTooLong) as caught:
        bert_engine.score(["palabra " * 50], ["secreto " * 400])
    assert "secreto" not in str(caught.value)
