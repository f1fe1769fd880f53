"""Thresholds of quality: which numbers of a release pass, deserve a warning, or fail.

They belong to the campaign file, table ``[quality]``; what it leaves out has the defaults below::

    [quality]
    min_rows = 50
    [quality.limits.contradiction_share]
    warn = 0.05
    fail = 0.25

A default fails only what is certainly broken: a model that gives everything the same label, a stage
that failed for half the videos. Imports nothing of the builder, so that `campaign` may import it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PASS, WARN, FAIL, NOT_APPLICABLE = "pass", "warn", "fail", "not applicable"
Direction = Literal["at least", "at most"]

# metric -> (direction, warn, fail, what it is)
_METRICS: dict[str, tuple[Direction, float | None, float | None, str]] = {
    "high_confidence_share": ("at least", 0.50, None, "sentiment labels with high confidence"),
    "single_label_share": ("at most", 0.90, 0.995, "sentiment labels that are all the same one"),
    "sentiment_failed_share": ("at most", 0.02, 0.50, "usable transcripts without a sentiment"),
    "summary_failed_share": ("at most", 0.05, 0.50, "usable transcripts without a summary"),
    "entailment_share": ("at least", 0.60, None, "judged summaries entailed by the transcript"),
    "contradiction_share": ("at most", 0.10, 0.50, "judged summaries the transcript contradicts"),
    "campaign_language_share": ("at least", 0.50, None, "transcripts in the campaign's languages"),
    "accuracy": ("at least", 0.60, 0.34, "sentiment labels that people confirm"),
    "macro_f1": ("at least", 0.55, 0.20, "macro-F1 of sentiment against people"),
    "expected_calibration_error": ("at most", 0.15, 0.60, "distance of confidence from accuracy"),
    "entailment_accuracy": ("at least", 0.60, 0.34, "entailment verdicts that people confirm"),
}


class Limit(BaseModel):
    """Where a number gets a warning and where it fails; None: never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: float | None = None
    fail: float | None = None


def _defaults() -> dict[str, Limit]:
    return {name: Limit(warn=warn, fail=fail) for name, (_, warn, fail, _) in _METRICS.items()}


class QualityThresholds(BaseModel):
    """The campaign's ``[quality]`` table.

    Attributes:
        min_rows: a share of fewer rows than this is not judged.
        limits: metric -> limit; metrics that are left out keep their defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_rows: int = Field(default=50, ge=1)
    limits: dict[str, Limit] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> QualityThresholds:
        for name, limit in self.limits.items():
            if name not in _METRICS:
                raise ValueError(f"unknown metric {name!r}; known: {', '.join(_METRICS)}")
            if limit.warn is None or limit.fail is None:
                continue
            falls = _METRICS[name][0] == "at least"
            if (limit.fail > limit.warn) if falls else (limit.fail < limit.warn):
                raise ValueError(f"{name}: a number would fail before it gets a warning")
        return self

    def limit(self, metric: str) -> Limit:
        """The limit of a metric: the campaign's, else the default."""
        return self.limits.get(metric, _defaults()[metric])


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
    for name, (direction, _, _, what) in _METRICS.items():
        value, rows = values.get(name, (None, 0))
        limit = thresholds.limit(name)
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
