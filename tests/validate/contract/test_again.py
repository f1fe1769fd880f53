"""Texts read once more in several processes: what is found is what one process finds."""

from __future__ import annotations

import polars as pl
import pytest

from builder.release.scrub.names.find import NameFinder
from builder.release.scrub.scrubber import Scrubber
from builder.validate.contract import again
from builder.validate.contract.again import FindsIdentifiers, FindsNames, spread


def test_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "cores", lambda: 2)
    monkeypatch.setattr(again, "_PIECE", 2)
    texts = pl.Series(
        "text",
        [
            "Nada.",
            "Ayer mataron a Kevin Quishpe en Quito.",
            "Llame al 0991234567.",
            "",
            "Todo bien.",
        ],
    )
    readers = (FindsIdentifiers(Scrubber(country="EC")), FindsNames(NameFinder()))
    slices, shared = spread(*readers, texts=again.FEW_TEXTS + 1)
    with slices:
        found = [read(texts).to_list() for read in shared]
        nothing = shared[1](texts.clear())
    assert found == [read(texts).to_list() for read in readers]
    assert found == [[at == 2 for at in range(5)], [at == 1 for at in range(5)]]
    assert nothing.len() == 0 and nothing.dtype == pl.Boolean
