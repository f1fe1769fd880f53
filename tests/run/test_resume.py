"""Work that is done once: killed anywhere, it ends as if it had not been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.run.resume import once


class Work:
    """Writes two parts, and counts how often."""

    def __init__(self, folder: Path, dies_after: int = 2) -> None:
        self.parts = [folder / "a", folder / "b"]
        self.report, self.calls, self.dies_after = folder / "report.json", 0, dies_after

    def make(self) -> dict[str, Any]:
        self.calls += 1
        for number, part in enumerate(self.parts):
            if number == self.dies_after:
                raise KeyboardInterrupt
            part.write_text(f"part {number}")
        return {"parts": ("a", "b")}

    def run(self) -> Any:
        return once(self.report, self.make, self.parts)


def test_made_once_and_both_runs_see_the_same(tmp_path: Path) -> None:
    work = Work(tmp_path)
    assert work.run() == work.run() == {"parts": ["a", "b"]}
    assert work.calls == 1


@pytest.mark.parametrize("gone", ["a", "b", "report.json"])
def test_made_again_when_a_part_or_the_report_is_gone(tmp_path: Path, gone: str) -> None:
    work = Work(tmp_path)
    work.run()
    (tmp_path / gone).unlink()
    work.run()
    assert work.calls == 2 and all(part.is_file() for part in work.parts)


@pytest.mark.parametrize("content", ["", "{", "\xff", "[1]", "{}"])
def test_a_report_of_another_form_is_made_again(tmp_path: Path, content: str) -> None:
    work = Work(tmp_path)
    work.report.write_bytes(content.encode("latin-1"))
    known = once(work.report, work.make, lambda known: [tmp_path / n for n in known["parts"]])
    assert known == {"parts": ["a", "b"]} and work.calls == 1


@pytest.mark.parametrize("dies_after", [0, 1])
def test_killed_in_between_there_is_no_report(tmp_path: Path, dies_after: int) -> None:
    dying = Work(tmp_path, dies_after)
    with pytest.raises(KeyboardInterrupt):
        dying.run()
    assert not dying.report.exists()
    assert Work(tmp_path).run() == {"parts": ["a", "b"]}
