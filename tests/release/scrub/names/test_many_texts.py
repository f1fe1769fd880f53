"""Texts read together say what each says when it is read alone, word by word."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.release.scrub.names.cues import LAST_OF_CUES, announces
from builder.release.scrub.names.find import NameFinder
from builder.release.scrub.names.known import known
from builder.release.scrub.names.many import vocabulary
from builder.release.scrub.names.many.readings import Readings
from builder.release.scrub.names.many.vocabulary import Vocabulary
from builder.release.scrub.names.marks import Marker
from builder.release.scrub.names.reading import read
from builder.release.scrub.names.replace import cuts, cuts_of_all
from builder.release.scrub.names.roster import Roster
from builder.release.scrub.names.tagger import REACH, shipped

FINDER = NameFinder()
VOCABULARY = Vocabulary(shipped(), known())
MARKER = Marker(shipped(), 512)
WORDS = st.sampled_from(
    "Ayer mataron a Kevin Quishpe María de la Cruz EN Quito , . … mi Hijo rosa paz el y Noboa "
    "<PERSON_2> [PHONE] #ana @ana https://a.b calle San José Luis señora se llama dijo\n ñaño é "
    "o'brien a_b 12 2º \t x..y (¡hola! ﬁn İ ǅ".split(" ")
)
TEXTS = st.lists(
    st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=20).map(" ".join)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_texts_read_together_are_the_texts_read_alone(texts: list[str]) -> None:
    many = Readings(texts, VOCABULARY, known())
    for at, text in enumerate(texts):
        alone = read(text, known())
        assert many.reading(at) == alone and many.words(at) == alone.plain


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_the_tagger_says_the_same_of_a_text_among_others(texts: list[str]) -> None:
    many = Readings(texts, VOCABULARY, known())
    for at, text in enumerate(texts):
        kinds = read(text, known()).kinds
        empty = np.zeros((1, *shipped().part_size), np.int32)
        parts = np.concatenate([empty, shipped().parts(kinds)])
        rows = np.concatenate([[0] * REACH, np.arange(len(kinds)) + 1, [0] * REACH]).astype(int)
        margin, begins = shipped().leads(parts, rows)
        assert (many.leads(at)[0] == margin).all() and (many.leads(at)[1] == begins).all()


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_who_is_no_suspect_has_no_mark(texts: list[str]) -> None:
    many = Readings(texts, VOCABULARY, known())
    suspects = MARKER.suspects(many)
    for at in range(len(texts)):
        marked = any(MARKER.marks(many.reading(at), *many.leads(at)))
        assert at in suspects or not marked


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sets(st.sampled_from(["quishpe", "kevin", "rosa", "cruz", "dijo"]), max_size=2))
def test_names_found_together_are_those_found_alone(texts: list[str], also: set[str]) -> None:
    alone = [FINDER.find(text, also) for text in texts]
    assert FINDER.find_all(texts, [also] * len(texts)) == alone
    people, others = [Roster() for _ in texts], [Roster() for _ in texts]
    one_by_one = [cuts(FINDER, text, who) for text, who in zip(texts, people, strict=True)]
    assert cuts_of_all(FINDER, texts, others) == one_by_one


def test_what_is_forgotten_is_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "KEEP", 8)
    texts = [f"Ayer mataron a Kevin Quishpe{word} en Quito." for word in "abcdefgh"]
    small = NameFinder()
    found = [small.find(text) for text in texts]
    assert found == [FINDER.find(text) for text in texts] and all(found)
    assert small.find_all(texts) == found


def test_a_finder_travels() -> None:
    text = "Ayer mataron a Kevin Quishpe en Guayaquil."
    assert pickle.loads(pickle.dumps(FINDER)).find(text) == FINDER.find(text) != []


@pytest.mark.parametrize(
    "cue",
    ["me llamo", "se chama", "mi nombre es", "o seu nome e", "chamo me", "le dicen", "mi hija"],
)
def test_a_word_before_an_announced_one_is_a_cue(cue: str) -> None:
    three = ["", "", *cue.split()][-3:]
    assert announces(*three) and three[-1] in LAST_OF_CUES
