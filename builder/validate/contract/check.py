"""The words every check speaks: a problem names the rule, the place, the value and the way out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_NAMED = 20


@dataclass(frozen=True)
class Problem:
    """One place where a rule is broken.

    Attributes:
        file: released file.
        row: row number in the config from 0, or a video_id; empty when the file as a whole.
        field: column or key.
        value: the offending value, shortened; never a private one.
        way_out: what to do.
    """

    file: str
    row: str
    field: str
    value: str
    way_out: str


@dataclass
class Check:
    """A rule and whether it holds.

    Attributes:
        name: the rule in a few words.
        verdict: pass | fail | not applicable.
        count: how many places break it; `problems` names the first of them.
        note: what a reader should know about it.
    """

    name: str
    verdict: str = "pass"
    count: int = 0
    problems: list[Problem] = field(default_factory=list)
    note: str = ""

    def fail(self, problem: Problem, count: int = 1) -> None:
        """Record a broken place."""
        self.verdict = "fail"
        self.count += count
        if len(self.problems) < MAX_NAMED:
            self.problems.append(problem)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def shown(value: object, length: int = 60) -> str:
    """A value for a message, cut short."""
    text = str(value)
    return text if len(text) <= length else text[: length - 1] + "…"
