"""Batches: every pair once, one width each, within the budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builder.annotate.nli.batching import batches, distinct, width


@given(lengths=st.lists(st.integers(1, 512), max_size=200), budget=st.integers(8, 2_000))
def test_every_pair_once_and_within_budget(lengths: list[int], budget: int) -> None:
    planned = batches(lengths, budget=budget, limit=512)
    assert sorted(index for _, members in planned for index in members) == list(range(len(lengths)))
    for wide, members in planned:
        assert len(members) == 1 or wide * len(members) <= budget
        for index in members:
            assert lengths[index] <= wide == width(lengths[index], limit=512)


@given(length=st.integers(1, 600))
def test_width_depends_on_the_pair_alone(length: int) -> None:
    assert length <= width(length) < length + 8
    assert width(length, limit=514) <= max(514, length)


@given(keys=st.lists(st.sampled_from("abcdef")))
def test_distinct_finds_its_way_back(keys: list[str]) -> None:
    unique, back = distinct(keys)
    assert [unique[index] for index in back] == keys
    assert len(unique) == len(set(keys))
