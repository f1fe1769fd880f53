"""Faults from outside: the service's set or a day that is named, and never over the quota."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.research_api import ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAYS, check, collect
from fakes.research_strangers import BODIES, LOSSY, STRANGERS

from builder.sources.research_api.problems import BuilderError

TWO, COUNTS = DAYS[:2], [130, 5]
# Whatever they do to every answer, the service can still be read.
HARMLESS = (
    *(
        "bom",
        "gzip_members",
        "cursor_negative",
        "cursor_float",
        "cursor_object",
        "more_number",
        "search_number",
    ),
    *("times_text", "times_float", "times_null", "counts_text", "counts_huge", "ids_spaced"),
    *("names_nul", "shuffled", "reversed", "doubled", "more_null", "foreign"),
)


def service() -> ResearchApi:
    return ResearchApi(make_corpus(CAMPAIGN, TWO, a_day=COUNTS, seed=4, noise=1))


@pytest.mark.parametrize("fault", STRANGERS)
def test_once_it_passes(fault: str, tmp_path: Path) -> None:
    with service() as api:
        for number in (0, 1, 4):
            start = len(api.asked)
            api.plan = lambda n, body, at=start + number: fault if n == at else None
            result = collect(api, tmp_path / str(number), TWO)
            check(api, tmp_path / str(number), result, TWO, strange=True)
            assert result.complete, (number, result.reasons)


@pytest.mark.parametrize("fault", STRANGERS)
def test_always_it_is_lived_with_or_told(fault: str, tmp_path: Path) -> None:
    with service() as api:
        api.requests_a_day = 400
        api.plan = lambda number, body: fault
        try:
            result = collect(api, tmp_path, TWO, requests=400)
        except BuilderError:
            assert fault in BODIES
        else:
            check(api, tmp_path, result, TWO, strange=True)
            assert result.complete == (fault in HARMLESS) or fault not in (*HARMLESS, *LOSSY)
            assert not (result.complete and fault in LOSSY)
        assert api.over_quota == 0
        api.plan = lambda number, body: None
        api.ahead += 86_400
        result = collect(api, tmp_path, TWO)
        check(api, tmp_path, result, TWO, strange=True)
        assert result.complete, result.reasons


def test_a_few_damaged_rows_are_counted_after_a_second_look(tmp_path: Path) -> None:
    with service() as api:
        api.plan = lambda number, body: "rows_null" if body["cursor"] == 100 else None
        first = collect(api, tmp_path, TWO)
        assert first.days[TWO[0]] == "partial" and "readable id" in first.reasons[TWO[0]]
        assert collect(api, tmp_path, TWO).days[TWO[0]] == "partial"  # the same moment
        api.ahead += 2 * 3_600
        last = collect(api, tmp_path, TWO)
        assert last.complete and last.videos == sum(COUNTS) - 1
