"""Windows cover a whole text, and none is larger than asked."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nli_checkpoints import TEXTS

from builder.annotate.nli.windows import windows


@given(
    words=st.lists(st.sampled_from(" ".join(TEXTS[:8]).split()), min_size=1, max_size=300),
    size=st.integers(32, 120),
    overlap=st.integers(0, 40),
)
def test_windows_cover_every_word(
    xlmr_engine: Any, words: list[str], size: int, overlap: int
) -> None:
    text = " ".join(words)
    found = windows(xlmr_engine.pairs, text, size, overlap)
    assert sum(window.tokens for window in found) == max(len(xlmr_engine.pairs.offsets(text)), 1)
    at = 0
    for window in found:
        assert text[at : window.start].strip() == "", "a gap between windows"
        assert text[window.start :].startswith(window.text)
        at = max(at, window.start + len(window.text))
        # A little grace: a stretch cut inside a word may be tokenised anew.
        assert xlmr_engine.pairs.lengths([window.text])[0] <= size + 3
    assert at == len(text)


def test_a_text_that_fits_is_its_own_window(bert_engine: Any) -> None:
    text = f" {TEXTS[0]}  "
    assert [window.text for window in windows(bert_engine.pairs, text, 100, 10)] == [text]


def test_50_000_characters_without_a_space(bert_engine: Any) -> None:
    found = windows(bert_engine.pairs, "ñandú" * 10_000, 64, 8)
    assert found
    assert sum(len(window.text) for window in found) >= 50_000


def test_windows_are_of_about_equal_length(xlmr_engine: Any) -> None:
    found = windows(xlmr_engine.pairs, " ".join(TEXTS), 100, 0)
    sizes = [window.tokens for window in found]
    assert len(sizes) > 3
    assert min(sizes) > max(sizes) / 2
