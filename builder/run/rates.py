"""How fast the steps of a build were, for `ecuador-crisis plan`: `work/rates.json`.

A run that computes nothing of a step leaves the rate that an earlier one measured.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from builder.run.store import write_json

RATES = "rates.json"


@dataclass(frozen=True)
class Rate:
    """What one step took, in a single process.

    Attributes:
        rows: rows that were computed.
        seconds: wall-clock seconds for these, without loading.
        loading: seconds until the first could be computed.
        share: rows the step has in all, for each video of the campaign.
    """

    rows: int
    seconds: float
    loading: float = 0.0
    share: float = 1.0

    @property
    def row_seconds(self) -> float:
        """Seconds a row."""
        return self.seconds / max(self.rows, 1)


def keep_rate(work: Path, step: str, rate: Rate) -> None:
    """Remember a rate. A step that found everything there (0 rows) leaves the earlier one."""
    if rate.rows:
        rates = read_rates(work) | {step: rate}
        write_json(work / RATES, {name: asdict(each) for name, each in rates.items()})


def read_rates(work: Path) -> dict[str, Rate]:
    """Step -> rate; what is missing or damaged is not known."""
    try:
        told = json.loads((work / RATES).read_text(encoding="utf-8"))
        return {str(name): Rate(**each) for name, each in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
