"""The scrubber on templates that no rule was fitted to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))

from eval_scrub import evaluate
from scrub_cases import Cases

from builder.release.scrub.scrubber import Scrubber

SCRUBBER = Scrubber(country="EC", neighbours=["PE", "CO"], usernames=["wilmerquishpe99"])


def _judge(name: str, each: int, slack: float) -> None:
    found = evaluate(name, each, seed=7)
    recall, changed = found["recall"], found["changed"]
    assert recall["written"] >= 0.97 - slack
    assert recall["spoken"] >= 0.90 - slack
    assert recall["evasive"] >= 0.90
    assert changed["all"] <= 0.01 + slack


@pytest.mark.parametrize("name", ["fresh", "pt_fresh"])
def test_a_sample_of_what_was_held_out(name: str) -> None:
    _judge(name, each=8, slack=0.03)


@pytest.mark.long
@pytest.mark.parametrize("name", ["fresh", "pt_fresh"])
def test_all_that_was_held_out(name: str) -> None:
    _judge(name, each=200, slack=0)


@settings(deadline=None, max_examples=examples(40))
@given(st.integers(0, 10_000), st.sampled_from(["digits", "pairs", "mixed", "hundreds", "double"]))
def test_a_mobile_said_aloud_is_gone_and_stays_gone(seed: int, style: str) -> None:
    cases = Cases("tune", seed)
    digits = "09" + "".join(cases.rng.choice("0123456789") for _ in range(8))
    text = f"mi número es el {cases.said(digits, style)}"
    once = SCRUBBER.scrub(text)
    assert once.text in ("mi número es el [PHONE]", "mi número es el [CEDULA]"), text
    assert SCRUBBER.scrub(once.text) == (once.text, ())


@settings(deadline=None, max_examples=examples(40))
@given(st.text("@.aA1 GSKarobcens,\n\u0301¹", max_size=60), st.integers(1, 60))
def test_no_text_raises(piece: str, times: int) -> None:
    once = SCRUBBER.scrub(piece * times)
    assert SCRUBBER.scrub(once.text) == (once.text, ())


def test_plates_one_behind_the_other_are_taken_in_bounded_passes() -> None:
    result = SCRUBBER.scrub("GSK 123 " * 50)
    assert result.text == "[PLATE] " * 50
