"""Days, states and what ends a run: the collector against the local service."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from fakes.research_api import FIELDS, ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_kit import CAMPAIGN, DAY, DAYS, check, collect, expected, ids_of

from builder.errors import DiskFull, UsageProblem
from builder.sources.research_api.calendar import calendar_lines, estimate
from builder.sources.research_api.days.pages import Pages
from builder.sources.research_api.problems import (
    CollectorRunning,
    CredentialsProblem,
    QuotaReached,
)
from builder.sources.research_api.query import campaign_queries


def corpus(**options: Any) -> list[dict[str, Any]]:
    return make_corpus(CAMPAIGN, DAYS, **options)


def record(out: Path, day: dt.date) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / day.isoformat() / "COLLECTED.json").read_text())
    return found


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_quiet_service_costs_few_requests_and_a_second_run_none(
    inclusive: bool, tmp_path: Path
) -> None:
    with ResearchApi(corpus(a_day=120)) as api:
        api.inclusive = inclusive
        assert collect(api, tmp_path).complete
        # two pages a day, one question what follows, one lesson about end_date
        assert len(api.asked) == 12 + (not inclusive)
        assert ids_of(tmp_path) == expected(api)
        before = len(api.asked)
        assert collect(api, tmp_path).complete
        assert len(api.asked) == before


def test_a_day_keeps_the_words_of_the_service_and_the_time_of_each_page(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        api.ahead = 86_400.0 * 10
        collect(api, tmp_path)
        today = api.today()
    kept = record(tmp_path, DAY)
    assert kept["fetched_on"] == today
    assert kept["videos"] == 30
    assert set(kept["fields"]) == set(FIELDS)
    files = {path.name for path in (tmp_path / DAY.isoformat()).glob("*.zst")}
    assert {page["file"] for page in kept["pages"]} == files
    assert all(page["requested_at"].startswith(today) for page in kept["pages"])


def test_a_service_that_knows_the_other_spelling_and_fewer_fields(tmp_path: Path) -> None:
    notices: list[str] = []
    with ResearchApi(corpus()) as api:
        api.fields = [
            name.replace("favorites", "favourites") for name in FIELDS if name != "video_tag"
        ]
        result = collect(api, tmp_path, notices=notices)
        check(api, tmp_path, result)
        assert result.complete
    assert "favourites_count" in record(tmp_path, DAY)["fields"]
    assert len(record(tmp_path, DAY)["fields"]) == 22
    assert any("favourites_count" in line for line in notices)
    assert any("video_tag" in line for line in notices)


@pytest.mark.parametrize("most", [25, 5, 1])
def test_more_terms_than_one_query_takes(most: int, tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=12)) as api:
        api.max_terms = most
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        queries = record(tmp_path, DAYS[-1])["queries"] if result.complete else {}
        assert result.complete, result.reasons
        assert len(queries) > 1
        answers = [answer for _, _, answer in api.asked]
        assert answers.count("invalid_params") <= 12  # learned once, on the first day


def test_a_service_that_takes_no_window_of_one_day(tmp_path: Path) -> None:
    def plan(number: int, body: dict[str, Any]) -> str | None:
        return "dates" if body["start_date"] == body["end_date"] else None

    with ResearchApi(corpus(), plan) as api:
        api.inclusive = False
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete


def test_queries_are_cut_where_the_caller_says(tmp_path: Path) -> None:
    whole = campaign_queries(CAMPAIGN)
    assert len(whole) == 1
    cut = campaign_queries(CAMPAIGN, 10)
    assert {term for query in cut for term in query.terms} == set(whole[0].terms)
    assert all(len(query.terms) <= 10 for query in cut)


def test_a_campaign_of_more_than_thirty_days(tmp_path: Path) -> None:
    days = CAMPAIGN.window.days
    with ResearchApi(make_corpus(CAMPAIGN, days, a_day=3)) as api:
        result = collect(api, tmp_path, days)
        check(api, tmp_path, result, days)
        assert result.complete and len(result.days) == 68


# -- empty days -------------------------------------------------------------------------------


def test_a_truly_empty_day_is_confirmed_by_canaries(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=[5, 0, 5, 0])) as api:
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete, result.reasons
        assert record(tmp_path, DAYS[1])["empty_confirmed_by"] == "canary"
        complete_before = api.queries[:4]
        assert complete_before  # the canaries asked for no window that was complete
        windows = [(body["start_date"], body["end_date"]) for body in api.queries]
        assert windows.count((f"{DAYS[0]:%Y%m%d}", f"{DAYS[0]:%Y%m%d}")) <= 2


@pytest.mark.parametrize("kind", ["lying", "lying_all"])
def test_a_day_on_which_the_search_finds_nothing_is_not_complete(kind: str, tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=40)) as api:
        getattr(api, kind).add(DAYS[1])
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.days[DAYS[1]] == "empty_unconfirmed"
        assert collect(api, tmp_path).days[DAYS[1]] == "empty_unconfirmed"
        getattr(api, kind).clear()
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete


def test_all_searches_finding_nothing_completes_no_day(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=40)) as api:
        api.lying |= set(DAYS)
        result = collect(api, tmp_path)
        assert set(result.days.values()) == {"empty_unconfirmed"}
        api.ahead += 30 * 3600
        assert set(collect(api, tmp_path).days.values()) == {"empty_unconfirmed"}


def test_a_day_without_anything_wants_a_second_look_at_another_time(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=[5, 0, 5, 5], noise=0)) as api:
        assert collect(api, tmp_path).days[DAYS[1]] == "empty_unconfirmed"
        assert collect(api, tmp_path).days[DAYS[1]] == "empty_unconfirmed"
        api.ahead += 3_700
        result = collect(api, tmp_path)
        assert result.complete
        assert record(tmp_path, DAYS[1])["empty_confirmed_by"] == "second look"


# -- the service stops us ---------------------------------------------------------------------


def test_a_dead_period_is_named_and_stops_eating_quota(tmp_path: Path) -> None:
    days = CAMPAIGN.window.days
    with ResearchApi(make_corpus(CAMPAIGN, days, a_day=2)) as api:
        api.dead = set(days[20:50])
        result = collect(api, tmp_path, days)
        check(api, tmp_path, result, days)
        states = {result.days[day] for day in api.dead}
        assert states == {"unavailable_upstream", "not_asked"}
        assert all(result.days[day] == "complete" for day in set(days) - api.dead)
        wasted = [answer for _, _, answer in api.asked].count("internal_error")
        assert wasted <= 30
        api.dead = set()
        assert collect(api, tmp_path, days).complete


def test_a_service_that_is_down_costs_little(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        api.dead = set(DAYS) | {DAYS[-1] + dt.timedelta(days=1)}
        result = collect(api, tmp_path)
        assert not result.complete and set(result.days) == set(DAYS)
        assert len(api.asked) <= 6 + 3 * 5
        url = api.url
    with ResearchApi(corpus()) as gone:
        gone._server.server_close()
        gone.__dict__["url_before"] = url
        result = collect(gone, tmp_path)
        assert result.stopped is not None and "cannot be reached" in str(result.stopped)


def test_our_quota_is_kept_and_the_next_day_goes_on(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        for _ in range(3):
            result = collect(api, tmp_path, requests=5)
            check(api, tmp_path, result)
            if result.complete:
                break
            assert isinstance(result.stopped, QuotaReached)
            assert "00:00 UTC" in str(result.stopped)
            again = len(api.asked)
            assert not collect(api, tmp_path, requests=5).complete
            assert len(api.asked) == again, "asked although nothing was left"
            api.ahead += 86_400
        assert result.complete
        assert max(count for (_, kind), count in api.used.items() if kind == "requests") <= 5


def test_rows_are_a_quota_too(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        api.rows_a_day = 420
        result = collect(api, tmp_path, rows=420)
        assert not result.complete and api.over_quota == 0
        assert max(count for (_, kind), count in api.used.items() if kind == "rows") <= 420


def test_a_quota_of_the_service_that_we_did_not_know(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        api.requests_a_day = 6
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert isinstance(result.stopped, QuotaReached) and "00:00 UTC" in str(result.stopped)
        assert api.over_quota == 1
        notices: list[str] = []
        assert collect(api, tmp_path, wait=True, notices=notices).complete
        assert any("waiting until" in line for line in notices)


def test_two_collectors_in_one_folder(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api, Pages(tmp_path).lock():
        with pytest.raises(CollectorRunning, match="another collector"):
            collect(api, tmp_path)
        assert not api.asked


def test_one_folder_belongs_to_one_query(tmp_path: Path) -> None:
    other = CAMPAIGN.model_copy(update={"keywords": CAMPAIGN.keywords[:5]})
    with ResearchApi(corpus()) as api:
        collect(api, tmp_path)
        with pytest.raises(UsageProblem, match="other keywords"):
            collect(api, tmp_path, campaign=other)


def test_a_client_without_the_scope(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        api.scope = False
        with pytest.raises(CredentialsProblem, match="scope"):
            collect(api, tmp_path)
        assert len(api.asked) == 1


def test_a_token_that_ends_is_renewed(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        api.token_lives = 0.5
        api.delay = 0.08
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete and len(api.tokens) > 1


def test_tokens_that_are_never_good_end_the_run(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        api.token_lives = -1
        with pytest.raises(CredentialsProblem, match="just issued"):
            collect(api, tmp_path)
        assert len(api.asked) <= 6


def test_an_answer_that_drips_is_given_up(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        api.plan = lambda number, body: "drip" if number == 1 else None
        result = collect(api, tmp_path, deadline=0.5)
        check(api, tmp_path, result)
        assert result.complete


def test_another_clock_at_the_service_is_told_and_followed(tmp_path: Path) -> None:
    notices: list[str] = []
    with ResearchApi(corpus()) as api:
        api.ahead = -86_400.0 * 365
        result = collect(api, tmp_path, notices=notices)
        assert result.complete
        ledger = json.loads((tmp_path / ".collect" / "quota.json").read_text())
        assert list(ledger["days"]) == [api.today()]


def test_recent_days_are_refused_unless_asked_for(tmp_path: Path) -> None:
    with ResearchApi(corpus()) as api:
        now = dt.datetime.combine(DAYS[-1], dt.time(12), dt.UTC) + dt.timedelta(days=2)
        api.ahead = now.timestamp() - dt.datetime.now(dt.UTC).timestamp()
        with pytest.raises(UsageProblem, match="48 hours") as caught:
            collect(api, tmp_path)
        assert f"--to {DAYS[-2]}" in str(caught.value) and not api.asked
        assert collect(api, tmp_path, recent=True).complete


def test_a_full_disk_ends_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        written = 0
        replace = os.replace

        def full(source: Any, target: Any) -> None:
            nonlocal written
            written += str(target).endswith(".zst")
            if written == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
            replace(source, target)

        monkeypatch.setattr("builder.sources.research_api.days.pages.os.replace", full)
        with pytest.raises(DiskFull):
            collect(api, tmp_path)
        monkeypatch.undo()
        assert not list(tmp_path.rglob("*.tmp"))
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete


def test_a_saved_page_that_was_damaged_is_fetched_again(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=150)) as api:
        api.requests_a_day = 1
        collect(api, tmp_path, requests=1)
        [page] = (tmp_path / ".collect").rglob("*.zst")
        page.write_bytes(b"")
        api.requests_a_day = 1_000
        result = collect(api, tmp_path)
        check(api, tmp_path, result)
        assert result.complete


def test_the_calendar_and_the_estimate(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=[40, 150, 0, 40])) as api:
        api.dead = {DAYS[0]}
        collect(api, tmp_path)
        text = "\n".join(calendar_lines(Pages(tmp_path)))
        assert "2024-01-10  complete" in text and "2024-01-09  unavailable_upstream" in text
        asked = len(api.asked)
        cost = estimate(
            CAMPAIGN, Pages(tmp_path), DAYS, expected=None, requests_a_day=1_000, rows_a_day=100_000
        )
        assert cost.days == 1 and cost.based_on.startswith("3 complete days")
        assert len(api.asked) == asked


def test_the_estimate_is_near_the_truth(tmp_path: Path) -> None:
    with ResearchApi(corpus(a_day=[250, 40, 101, 100])) as api:
        cost = estimate(
            CAMPAIGN, Pages(tmp_path), DAYS, expected=491, requests_a_day=1_000, rows_a_day=100_000
        )
        collect(api, tmp_path)
        assert abs(cost.requests - len(api.asked)) <= 4
        assert cost.rows == 491 and cost.quota_days == 1
