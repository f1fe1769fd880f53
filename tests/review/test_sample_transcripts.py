"""The seeded, stratified review sheet."""

import csv
import stat

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import UsageProblem
from builder.review.strata import allocate, largest
from builder.review.transcripts import draw_sample, write_review


def transcripts(n=200):
    return pl.DataFrame(
        {
            "id": [7_321_000_000_000_000_000 + i for i in range(n)],
            "status": ["near_empty" if i % 50 == 0 else "ok" for i in range(n)],
            "language": ["pt" if i % 40 == 1 else None if i % 50 == 0 else "es" for i in range(n)],
            "text": [f'=texto {i} <b>"ñ"</b>' for i in range(n)],
            "path": [f"/videos/a b/{i}.mp4" if i else None for i in range(n)],
            "avg_logprob": [-0.3] * n,
            "n_words": [3] * n,
        }
    )


def test_rare_strata_are_seen_and_sizes_are_exact():
    sample = draw_sample(transcripts(), 20)
    assert sample.height == 20
    assert set(sample["stratum"]) == {"ok/es", "ok/pt", "near_empty/none"}


def test_the_seed_decides_and_the_order_of_rows_does_not():
    first = draw_sample(transcripts(), 20, seed=1)
    assert draw_sample(transcripts().reverse(), 20, seed=1).equals(first)
    assert not draw_sample(transcripts(), 20, seed=2)["id"].equals(first["id"])


def test_a_small_set_is_taken_whole():
    assert draw_sample(transcripts(5), 100).height == 5


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 50), min_size=1, max_size=8), st.data())
def test_shares_add_up_and_never_exceed_a_stratum(counts, data):
    size = data.draw(st.integers(1, sum(counts.values())))
    seen = largest(counts, size)
    given_out = allocate(seen, size, least=1)
    assert sum(given_out.values()) == size
    assert all(1 <= given_out[k] <= counts[k] for k in seen)
    assert set(given_out) == set(counts) or len(given_out) == size < len(counts)


def test_sheet_is_private_complete_and_harmless(tmp_path):
    sample = draw_sample(transcripts(), 12)
    csv_path, html_path = write_review(sample, tmp_path / "review")
    assert stat.S_IMODE(csv_path.stat().st_mode) == stat.S_IMODE(html_path.stat().st_mode) == 0o600
    with open(csv_path, encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 12
    assert {"reference", "verdict", "remarks"} <= set(rows[0])
    assert all(row["text"].startswith("'=texto") for row in rows)
    page = html_path.read_text(encoding="utf-8")
    assert page.count("<article") == 12
    assert "<b>&quot;" not in page
    assert "&lt;b&gt;" in page
    assert 'src="file:///videos/a%20b/' in page
    again = [p.read_bytes() for p in write_review(sample, tmp_path / "again")]
    assert again == [csv_path.read_bytes(), html_path.read_bytes()]


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(UsageProblem, match="language"):
        draw_sample(transcripts().drop("language"), 5)
    with pytest.raises(UsageProblem, match="path"):
        write_review(draw_sample(transcripts(), 5).drop("path"), tmp_path)
    with pytest.raises(UsageProblem, match="at least one"):
        draw_sample(transcripts(), 0)
