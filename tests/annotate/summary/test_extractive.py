"""Extractive summaries: central, ordered, deterministic, never longer than the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builder.annotate.summary.extractive import summarize
from builder.annotate.transcripts.pieces import pieces
from builder.annotate.transcripts.rules import words

NEWS = (
    "Hola amigos. El presidente Daniel Noboa declaró el conflicto armado interno en Ecuador. "
    "El presidente dijo que los militares combatirán a las bandas armadas. Me encanta el café. "
    "Las bandas armadas atacaron un canal de televisión en Guayaquil. Chao, besos."
)


def test_it_takes_what_the_text_is_about_in_order() -> None:
    summary = summarize(NEWS, max_sentences=2, max_words=40)
    assert "presidente" in summary
    assert "café" not in summary
    assert "besos" not in summary
    kept = [piece for piece in pieces(NEWS) if piece in summary]
    assert summary == " ".join(kept)


def test_unpunctuated_transcripts_are_cut_into_stretches() -> None:
    spoken = " ".join(words(NEWS)).lower() * 1 + " y entonces la gente corrió a su casa " * 6
    summary = summarize(spoken, max_sentences=2, max_words=30)
    assert 0 < len(words(summary)) <= 30


@given(
    text=st.text(alphabet=st.sampled_from("aeiou ñó.!?\n,🔥1"), max_size=600),
    sentences=st.integers(1, 4),
    most=st.integers(10, 80),
)
def test_any_text(text: str, sentences: int, most: int) -> None:
    summary = summarize(text, max_sentences=sentences, max_words=most)
    assert summary == summarize(text, max_sentences=sentences, max_words=most)
    assert len(summary) <= len(text)
    assert set(words(summary)) <= set(words(text))
    assert bool(summary) == bool(words(text))


@given(text=st.text(max_size=300), most=st.integers(3, 50))
def test_pieces_lose_no_word(text: str, most: int) -> None:
    assert words(" ".join(pieces(text, max_words=most))) == words(text)


def test_abbreviations_do_not_end_sentences() -> None:
    assert pieces("El Sr. Noboa llegó. El Dr. Pérez, de EE. UU., también.") == [
        "El Sr. Noboa llegó.",
        "El Dr. Pérez, de EE. UU., también.",
    ]
    assert len(pieces("Hay 1.500 policías. ¿Y ahora qué? ¡Nada!")) == 3
