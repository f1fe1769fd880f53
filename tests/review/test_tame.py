"""No text of a sheet is a formula, whatever separator the reviewer's spreadsheet splits at."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from effort import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.review.sheet import tame

ALPHABET = "=+-@＝＋－＠ab1 ;,|\t\r\n\"'\u200b\ufeff\u00a0\v\x00"


def cells(text: str, delimiter: str) -> list[str]:
    """What a spreadsheet with that separator makes of our comma-separated line."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(["S0001", text, ""])
    raw = buffer.getvalue()
    naive = [cell for line in raw.splitlines() for cell in line.split(delimiter)]
    reader = csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter)
    try:
        return naive + [cell for row in reader for cell in row]
    except csv.Error:
        return naive


def is_formula(cell: str) -> bool:
    """Seen as a program sees it that trims, drops what is invisible and folds widths."""
    seen = "".join(c for c in cell if unicodedata.category(c) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", seen).lstrip(' "\u00a0').startswith(tuple("=+-@"))


@settings(max_examples=examples(300), deadline=None)
@given(st.text(ALPHABET, max_size=12))
@example("hola;=1+1")
@example('hola;"=1+1"')
@example("hola\r=1+1")
@example("＝1+1")
@example("\t＋1")
@example("\u200b@SUM(A1)")
def test_no_separator_makes_a_formula(text: str) -> None:
    tamed = tame(text)
    for delimiter in ",;\t|":
        assert not [cell for cell in cells(tamed, delimiter) if is_formula(cell)]
    assert tame(tamed) == tamed
    if not tamed.startswith("'"):  # nothing but apostrophes is added
        assert tamed.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    "text", ["hola, ¿qué tal?", "covid-19 y 1+1=2", "a las 7; mañana", "correo a@b.ec", "", "-"[1:]]
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert tame(text) == text


def test_what_is_no_text_stays() -> None:
    assert tame(-3) == -3 and tame(None) is None
