"""One loaded engine for all stages of a process, and what it contributes to their fingerprints."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from builder.annotate.nli import NliEngine
from builder.annotate.nli_models import MODELS, identity
from builder.annotate.profile import NliTable

SCORE_DIGITS = 4
"""Released scores are rounded to this many decimals: finer digits are quantisation noise."""


@lru_cache(maxsize=1)
def shared_engine(table: NliTable) -> NliEngine:
    """The engine of an `[nli]` table, loaded once per process. Raises as `NliEngine.load`."""
    return NliEngine.load(
        table.model,
        table.backend,
        revision=table.revision,
        labels=table.labels,
        precision=table.precision,
        max_tokens=table.max_tokens,
    )


@lru_cache(maxsize=8)
def nli_params(table: NliTable) -> dict[str, Any]:
    """The table for a fingerprint; a local model by its content, wherever it lies.

    Remembered: a stage asks for its fingerprint often, and hashing a model takes a while.
    """
    params = table.model_dump(mode="json")
    for folder in (Path(table.model), MODELS / table.model):
        if (folder / "config.json").is_file():
            return {**params, "model": folder.name, "content": identity(folder)}
    return params
