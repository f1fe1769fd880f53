"""Judges the numbers of a release against the campaign's limits (`config.limits`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from builder.config.limits import FAILED_SHARES, METRICS, Direction, Limit, QualityThresholds

PASS, WARN, FAIL, NOT_APPLICABLE = "pass", "warn", "fail", "not applicable"


@dataclass(frozen=True)
class Judged:
    """One number beside its limits.

    Attributes:
        name: the metric; `what` says it in words.
        value: null when this release has nothing to compute it from.
        rows: how many rows it is computed from.
        direction: at least | at most.
        warn: limit of a warning; `fail`: limit of a failure.
        verdict: pass | warn | fail | not applicable.
        note: why it is not applicable.
    """

    name: str
    what: str
    value: float | None
    rows: int
    direction: str
    warn: float | None
    fail: float | None
    verdict: str
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def judge(
    values: dict[str, tuple[float | None, int]], thresholds: QualityThresholds
) -> list[Judged]:
    """Judge every metric.

    Args:
        values: metric -> (value, rows it is computed from); what is absent is not applicable.
        thresholds: the campaign's.

    Returns:
        One entry a metric, in the order of the table above.
    """
    judged = []
    for name, (direction, _, _, what) in METRICS.items():
        value, rows = values.get(name, (None, 0))
        limit = thresholds.limit(name)
        if name in FAILED_SHARES and value == 1.0 and rows:
            verdict, note = FAIL, f"the whole stage failed: every one of {rows:,} row(s)"
        else:
            verdict, note = _verdict(value, rows, direction, limit, thresholds.min_rows)
        judged.append(
            Judged(name, what, value, rows, direction, limit.warn, limit.fail, verdict, note)
        )
    return judged


def _verdict(
    value: float | None, rows: int, direction: Direction, limit: Limit, min_rows: int
) -> tuple[str, str]:
    if value is None:
        return NOT_APPLICABLE, "nothing to compute it from"
    if rows < min_rows:
        return NOT_APPLICABLE, f"only {rows:,} rows; judged from {min_rows:,}"
    for verdict, bound in ((FAIL, limit.fail), (WARN, limit.warn)):
        if bound is None:
            continue
        if (value < bound) if direction == "at least" else (value > bound):
            return verdict, ""
    return PASS, ""


def worst(verdicts: list[str]) -> str:
    """The worst of some verdicts; pass when none of them is a warning or a failure."""
    return next((verdict for verdict in (FAIL, WARN) if verdict in verdicts), PASS)


def thresholds_of(campaign: Any) -> QualityThresholds:
    """The thresholds of a campaign; the defaults when it has none (or is None)."""
    own = getattr(campaign, "quality", None)
    if isinstance(own, QualityThresholds):
        return own
    return QualityThresholds.model_validate(own or {})
