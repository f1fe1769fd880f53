"""Whatever the service does, the set is the service's or the day is named as not complete."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from effort import examples
from fakes.research_api import ResearchApi
from fakes.research_corpus import make_corpus
from fakes.research_faults import ANSWERS, LIES, ODD, TRANSIENT, WIRE
from fakes.research_kit import CAMPAIGN, DAYS, check, collect
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.sources.research_api.problems import CredentialsProblem, QueryRefused

BIG = [250, 40, 101, 100]


def on_page(fault: str, numbers: set[int]) -> Callable[[int, dict[str, Any]], str | None]:
    return lambda number, body: fault if number in numbers else None


@pytest.mark.parametrize(
    ("fault", "inclusive", "numbers"),
    [
        *((fault, bool(n % 2), (0, 1, 3, 6)) for n, fault in enumerate(TRANSIENT)),
        *(
            pytest.param(fault, inclusive, (0, 1, 2, 3, 6, 9), marks=pytest.mark.slow)
            for fault in TRANSIENT
            for inclusive in (True, False)
        ),
    ],
)
def test_each_fault_alone_on_each_request(
    fault: str, inclusive: bool, numbers: tuple[int, ...], tmp_path: Path
) -> None:
    with ResearchApi(make_corpus(CAMPAIGN, DAYS, a_day=BIG, seed=1)) as api:
        api.inclusive = inclusive
        for number in numbers:
            api.plan = on_page(fault, {len(api.asked) + number})
            out = tmp_path / str(number)
            result = collect(api, out)
            check(api, out, result)
            assert result.complete, (number, result.reasons)
        assert fault in {answer for _, _, answer in api.asked}


def random_plan(seed: int, share: float, faults: tuple[str, ...]) -> Any:
    """Faults by chance. No two pages running are lies: who is lied to twice cannot know."""
    lied = False

    def plan(number: int, body: dict[str, Any]) -> str | None:
        nonlocal lied
        rng = random.Random(seed * 1_000_003 + number)
        fault = rng.choice(faults) if rng.random() < share else None
        if fault in LIES and lied:
            fault = None
        if fault not in (*WIRE, *ANSWERS):  # a page arrives
            lied = fault in LIES
        return fault

    return plan


def run_random(
    folder: Path,
    seed: int,
    share: float,
    faults: tuple[str, ...],
    counts: list[int],
    inclusive: bool,
    requests: int,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with ResearchApi(make_corpus(CAMPAIGN, DAYS, a_day=counts, seed=seed)) as api:
        api.inclusive, api.requests_a_day = inclusive, requests
        api.plan = random_plan(seed, share, faults)
        for _ in range(4):
            try:
                result = collect(api, folder, requests=requests)
            except (CredentialsProblem, QueryRefused):
                # no token, or no query, was ever taken: that ends the run, and claims nothing
                assert {"token", "400"} & set(faults) and share > 0.3
            else:
                check(api, folder, result)
                if result.complete:
                    break
            assert api.over_quota == 0
            api.ahead += 86_400
        api.plan = lambda number, body: None
        api.requests_a_day = 1_000
        api.ahead += 86_400
        result = collect(api, folder)
        check(api, folder, result)
        # with nothing in the way, all that can be had is had
        assert result.complete or 0 in counts, result.reasons
        assert api.over_quota == 0


PLANS = {
    "seed": st.integers(0, 10_000),
    "share": st.sampled_from([0.05, 0.2, 0.4, 0.7]),
    "faults": st.sampled_from([TRANSIENT, WIRE, ANSWERS, ODD, LIES])
    | st.lists(st.sampled_from(TRANSIENT), min_size=1, max_size=4).map(tuple),
    "counts": st.lists(st.sampled_from([0, 1, 2, 30, 99, 100, 101, 230]), min_size=4, max_size=4),
    "inclusive": st.booleans(),
    "requests": st.sampled_from([7, 20, 1_000]),
}


@settings(max_examples=examples(60))
@given(**PLANS)
def test_random_faults(scratch: Path, **plan: Any) -> None:
    run_random(scratch / "faults", **plan)


@pytest.mark.long
@settings(max_examples=600)
@given(**PLANS)
def test_hundreds_of_random_faults(scratch: Path, **plan: Any) -> None:
    run_random(scratch / "many-faults", **plan)
