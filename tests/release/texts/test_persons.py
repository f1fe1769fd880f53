"""Names out of columns: one number a row, segments as the text, nothing left for the contract."""

from __future__ import annotations

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.names.choose import offline_finder
from builder.release.texts.persons import PERSON, Persons, rosters
from builder.release.texts.withhold import Cleaner

ECUADOR = Campaign.load("ecuador_2024")
CLEANER = Cleaner(ECUADOR, frozenset())
PERSONS = Persons(offline_finder(ECUADOR), CLEANER)
SEGMENT = pl.List(pl.Struct({"start": pl.Float64, "end": pl.Float64, "text": pl.String}))


def test_a_row_keeps_its_numbers_from_column_to_column() -> None:
    people = rosters(3)
    said = pl.Series(
        "whisper_text",
        ["Mataron a Maycol Quishpe en Quito.", None, "Vive doña Rosa. Llame al 0991234567."],
    )
    whole = CLEANER.clean(said)
    named = PERSONS.column(whole, people)
    assert named.clean.text.to_list() == [
        "Mataron a <PERSON_1> en Quito.",
        None,
        "Vive doña <PERSON_1>. Llame al [PHONE].",
    ]
    assert named.clean.kinds.to_list() == [[PERSON], [], ["phone", PERSON]]
    summary = CLEANER.clean(pl.Series("summary", ["Quishpe murió.", "Nadie.", None]))
    assert PERSONS.column(summary, people).clean.text.to_list() == [
        "<PERSON_1> murió.",
        "Nadie.",
        None,
    ]


def test_segments_are_the_text_in_pieces() -> None:
    people = rosters(2)
    pieces = ["Mataron a Maycol", "Quishpe en Quito.", "Nadie vio nada."]
    segments = pl.Series(
        "segments",
        [[{"start": 0.0, "end": 1.0, "text": piece} for piece in pieces], None],
        dtype=SEGMENT,
    )
    whole = CLEANER.clean(pl.Series("whisper_text", [" ".join(pieces), None], dtype=pl.String))
    named = PERSONS.column(whole, people)
    done = PERSONS.segments(segments, whole, named, people)
    assert done.dtype == SEGMENT and done[1] is None
    texts = [item["text"] for item in done[0]]
    assert " ".join(" ".join(texts).split()) == named.clean.text[0]
    assert not CLEANER.dirty_segments(done, named.clean.text).any()
