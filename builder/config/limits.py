"""Thresholds of quality: which numbers of a release pass, deserve a warning, or fail.

They belong to the campaign file, table ``[quality]``; what it leaves out has the defaults below::

    [quality]
    min_rows = 50
    [quality.limits.contradiction_share]
    warn = 0.05
    fail = 0.25

A default fails only what is certainly broken: a model that gives everything the same label, a stage
that failed for half the videos."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# A share of rows that failed: at 1.0 the whole stage did, and that is a failure of any few rows.
FAILED_SHARES = frozenset(
    (
        "sentiment_failed_share",
        "transcription_failed_share",
        "summary_failed_share",
        "entailment_failed_share",
    )
)

Direction = Literal["at least", "at most"]

# metric -> (direction, warn, fail, what it is)
METRICS: dict[str, tuple[Direction, float | None, float | None, str]] = {
    "high_confidence_share": ("at least", 0.50, None, "sentiment labels with high confidence"),
    "single_label_share": ("at most", 0.90, 0.995, "sentiment labels that are all the same one"),
    "sentiment_failed_share": ("at most", 0.02, 0.50, "usable transcripts without a sentiment"),
    "transcription_failed_share": ("at most", 0.30, 0.995, "downloads without a transcription"),
    "summary_failed_share": ("at most", 0.05, 0.50, "usable transcripts without a summary"),
    "entailment_failed_share": ("at most", 0.05, 0.50, "summaries whose verdict failed"),
    "entailment_share": ("at least", 0.60, None, "judged summaries entailed by the transcript"),
    "contradiction_share": ("at most", 0.10, 0.50, "judged summaries the transcript contradicts"),
    "campaign_language_share": ("at least", 0.50, None, "transcripts in the campaign's languages"),
    "accuracy": ("at least", 0.60, 0.34, "sentiment labels the majority of people confirms"),
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
    return {name: Limit(warn=warn, fail=fail) for name, (_, warn, fail, _) in METRICS.items()}


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
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}; known: {', '.join(METRICS)}")
            if limit.warn is None or limit.fail is None:
                continue
            falls = METRICS[name][0] == "at least"
            if (limit.fail > limit.warn) if falls else (limit.fail < limit.warn):
                raise ValueError(f"{name}: a number would fail before it gets a warning")
        return self

    def limit(self, metric: str) -> Limit:
        """The limit of a metric: the campaign's, else the default."""
        return self.limits.get(metric, _defaults()[metric])
