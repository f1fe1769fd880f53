"""Words, near-empty texts, normalisation, statuses, and what counts as invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.annotate.transcripts.invented import (
    clean_text,
    compression_ratio,
    find_loops,
    is_credit,
    is_sign_off,
    judge_segment,
)
from builder.annotate.transcripts.rules import (
    near_empty,
    normalise,
    sentences,
    words,
)
from builder.annotate.transcripts.status import transcript_status
from builder.annotate.whisper.decoding import Decoded, Piece, looks_failed, quality
from builder.config.asr import TranscriptRules


def test_words_keep_hyphens_apostrophes_and_accents():
    assert words("¡Ñaño! 20 guayaquileños-quiteños, p'alante…") == [
        "Ñaño",
        "20",
        "guayaquileños-quiteños",
        "p'alante",
    ]


def test_words_of_scripts_without_spaces_are_characters():
    assert len(words("你好吗")) == 3
    assert not near_empty("你好吗")


def test_decomposed_accents_are_one_word():
    assert words("excepcio\u0301n") == ["excepción"]


@pytest.mark.parametrize("text", [None, "", "   ", "[Música]", "♪♪", "...", "(aplausos)"])
def test_no_words_is_no_speech(text):
    assert transcript_status(text) == ("no_speech", "no_text")


@pytest.mark.parametrize(
    ("text", "expected"), [("Buenos días", True), ("Buenos días Quito", False)]
)
def test_near_empty_is_fewer_than_three_words(text, expected):
    assert near_empty(text) is expected


def test_min_words_is_configurable():
    rules = TranscriptRules(min_words=5)
    assert transcript_status("uno dos tres cuatro", rules) == ("near_empty", "few_words")
    assert transcript_status("uno dos tres cuatro") == ("ok", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¿Qué pasó? ¡NADA!", "qué pasó nada"),
        ("El 15% de 1.000 años", "el 15 por ciento de 1000 años"),
        ("papá y papa", "papá y papa"),
        ("[Música] Hola", "hola"),
        ("ﬁn", "fin"),
    ],
)
def test_normalise(text, expected):
    assert normalise(text) == expected


@given(st.text(max_size=200))
def test_normalise_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.text(max_size=200))
def test_statuses_are_from_the_closed_list(text):
    status, reason = transcript_status(text)
    assert status in ("ok", "near_empty", "no_speech")
    assert (status == "ok") is (reason is None)


@pytest.mark.parametrize(
    "credit",
    [
        "Subtítulos realizados por la comunidad de Amara.org",
        "Subtitulos por la comunidad de Amara.org",
        "¡Subtítulos en español de Amara.org!",
        "Subtitulado por la comunidad de Amara.org",
        "Subtítulos realizados por Juan Pérez",
        "Más información www.alimmenta.com",
        "Legendas pela comunidade Amara.org",
        "Subtitles by the Amara.org community",
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Untertitel der Amara.org-Community",
        "Sottotitoli creati dalla comunità Amara.org",
        "Субтитры сделал DimaTorzok",
        "字幕由Amara.org社区提供",
    ],
)
def test_known_subtitle_credits_are_never_a_transcript(credit):
    assert is_credit(credit)
    assert transcript_status(credit) == ("near_empty", "subtitle_credit")
    spoken = f"Hoy no hay clases en Quito. {credit}"
    assert clean_text(spoken).text == "Hoy no hay clases en Quito."
    assert transcript_status(spoken) == ("ok", None)


@pytest.mark.parametrize(
    "spoken",
    [
        "Los subtítulos de la cadena nacional no se veían bien",
        "La comunidad de Amara pidió ayuda a la policía",
        "Gracias por ver el video, nos vemos mañana en Quito",
        "Pusieron subtítulos por si alguien no escuchaba al presidente de la república hoy",
        "Suscríbete",
    ],
)
def test_speech_that_looks_like_a_credit_stays(spoken):
    assert clean_text(spoken).text == spoken


def test_a_sign_off_is_invented_only_where_the_sound_says_silence():
    assert is_sign_off("¡Gracias por ver el video!")
    assert judge_segment("Gracias por ver el video", -0.4, 0.9, 4.0) == ("", "silence")
    assert judge_segment("Gracias por ver el video", -0.4, 0.1, 4.0)[1] is None


def test_chants_stay_and_loops_are_cut():
    chant = "Noboa Noboa Noboa Noboa"
    assert clean_text(chant).text == chant
    loop = clean_text("y entonces la policía llegó " * 9)
    assert loop.text == "y entonces la policía llegó y entonces la policía llegó"
    assert loop.reasons == ("repetition",)


def test_a_text_that_is_mostly_a_loop_is_near_empty():
    assert transcript_status("no sé qué decir " * 12) == ("near_empty", "repetition")


def test_loop_in_a_longer_text_is_cut_and_the_rest_stays():
    text = "Esto pasó ayer en el centro de la ciudad de Guayaquil " + "bueno pues " * 5 + "adiós."
    cleaned = clean_text(text)
    assert cleaned.text.endswith("Guayaquil bueno pues bueno pues adiós.")
    assert transcript_status(text) == ("ok", None)


def test_find_loops_names_the_shortest_phrase_once():
    assert find_loops(["a", "b"] * 6) == [(0, 2, 6)]
    assert find_loops(["a"] * 7) == []
    assert find_loops(["a"] * 8) == [(0, 1, 8)]


@given(st.lists(st.sampled_from(["sí", "no", "eh"]), max_size=60))
def test_cleaning_twice_changes_nothing_more(tokens):
    once = clean_text(" ".join(tokens)).text
    assert set(once.split()) == set(tokens)
    assert clean_text(once).text == once or len(clean_text(once).text) < len(once)


@pytest.mark.parametrize(
    ("logprob", "no_speech", "seconds", "reason"),
    [
        (-1.2, 0.8, 5, "silence"),
        (-1.7, 0.1, 5, "uncertain"),
        (-0.3, 0.1, 0.5, "too_fast"),
        (-0.3, 0.1, 5, None),
        (-0.8, 0.8, 5, None),
    ],
)
def test_text_over_silence(logprob, no_speech, seconds, reason):
    text = "los vecinos hablaron con la policía esta mañana"
    kept, why = judge_segment(text, logprob, no_speech, seconds)
    assert why == reason
    assert kept == ("" if reason else text)


def test_sentences_lose_nothing():
    text = "Hola. ¿Qué tal? Bien… ¡Adiós!"
    assert " ".join(sentences(text)) == text


COUNTED = "; ".join(f"y entonces son {n} dólares para toda la gente de aquí" for n in range(12))
SAID = (
    "El presidente anunció anoche un nuevo decreto. Los colegios de Guayaquil cierran hasta "
    "el viernes, dijo la ministra, y los buses salen con escolta. En el mercado nadie vende."
)


def test_a_segment_that_goes_round_in_circles_without_a_loop_is_dropped():
    assert not find_loops(normalise(COUNTED).split())
    assert compression_ratio(COUNTED) > TranscriptRules().max_compression_ratio
    assert judge_segment(COUNTED, -0.3, 0.1, 60.0) == ("", "repetition")
    loose = TranscriptRules(max_compression_ratio=20.0)
    assert judge_segment(COUNTED, -0.3, 0.1, 60.0, loose) == (COUNTED, None)


def test_ordinary_speech_stays_below_the_compression_ratio():
    assert judge_segment(SAID, -0.3, 0.1, 29.0) == (SAID, None)
    strict = TranscriptRules(max_compression_ratio=1.0)
    assert judge_segment(SAID, -0.3, 0.1, 29.0, strict) == ("", "repetition")


def test_a_loop_is_cut_before_the_ratio_is_looked_at():
    text = SAID + " no hay paso" * 6
    kept, reason = judge_segment(text, -0.3, 0.1, 29.0)
    assert (kept, reason) == (SAID + " no hay paso" * 2, "repetition")


def test_the_same_number_decides_what_is_decoded_again():
    passed = Decoded((Piece(0.0, 5.0, "x"),), 20, -0.3, 0.1, compression_ratio=2.6)
    assert looks_failed(passed, 2.4) and not looks_failed(passed, 3.0)
    assert quality(passed, 2.4) < quality(passed, 3.0)
