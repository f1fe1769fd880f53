"""Error rates, and the agreement of Whisper's and the Research API's transcripts."""

import polars as pl
import pytest

from builder.measure.wer import agreement, edits, error_rates


def frame(texts):
    return pl.DataFrame(
        {"id": list(texts), "text": list(texts.values())},
        schema={"id": pl.Int64, "text": pl.String},
    )


def test_pooled_and_per_video():
    whisper = frame(
        {1: "La ciudad está tranquila hoy", 2: "no hay clases mañana", 3: "hola", 5: None}
    )
    api = frame(
        {1: "la ciudad esta tranquila hoy.", 2: "¡No hay clases, mañana!", 3: "hola", 4: "a"}
    )
    found = agreement(whisper, api)
    assert found.videos == 2
    assert found.wer == pytest.approx(1 / 9, abs=1e-4)
    assert found.share_identical == 0.5
    assert found.median_wer == pytest.approx(0.1)
    assert found.per_video.rows() == [(1, 0.2, 5), (2, 0.0, 4)]


def test_nothing_to_compare():
    found = agreement(frame({1: "hola a todos ustedes"}), frame({2: "hola a todos ustedes"}))
    assert found.summary() == {
        "videos": 0,
        "wer": None,
        "median_wer": None,
        "share_identical": None,
    }


def test_edits_are_counted_on_normalised_texts():
    found = edits("¡Buenos días, Quito!", "buenos dias quito quito")
    assert (found.words, found.of_words) == (2, 3)
    assert (found.characters, found.of_characters) == (7, 17)


def test_what_is_heard_where_nobody_speaks_is_inserted():
    assert error_rates(["a b", "uno dos tres"], ["a b", "[música]"]) == (1.5, 4.0)
    assert error_rates([""], [""]) == (None, None)
