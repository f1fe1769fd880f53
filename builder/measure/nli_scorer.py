"""Our NLI engine as a function of (premises, hypotheses); imported only when it is needed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import builder
from builder.measure.measurements import Scorer

OFFLINE_MODEL = Path(builder.__file__).parent / "models" / "mini_nli"
"""The model that ships with the package."""


@lru_cache(maxsize=2)
def nli_scorer(model: str | Path | None = None) -> Scorer:
    """Load a model once.

    Args:
        model: folder, name of a shipped model, or Hub name; None takes the offline model.

    Returns:
        (premises, hypotheses) -> array of shape (n, 3): entailment, neutral, contradiction.

    Raises:
        ModelProblem: the model cannot be found or run.
    """
    from builder.annotate.nli.engine import NliEngine

    return NliEngine.load(OFFLINE_MODEL if model is None else model).score
