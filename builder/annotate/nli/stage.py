"""What the stages that use an NLI model share: one loaded engine a process, and its fingerprint."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from builder.annotate.nli.checkpoint import MODELS, identity, local_folder
from builder.annotate.nli.engine import NliEngine
from builder.config.profile import CheckpointTable, EntailmentTable, NliTable, SentimentTable
from builder.run.stage import Stage

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
def nli_params(table: CheckpointTable) -> dict[str, Any]:
    """The table for a fingerprint; a local model by its content, wherever it lies.

    Remembered: a stage asks for its fingerprint often, and hashing a model takes a while.
    """
    params = table.model_dump(mode="json")
    for folder in (Path(table.model), MODELS / table.model):
        if (folder / "config.json").is_file():
            return {**params, "model": folder.name, "content": identity(folder)}
    return params


class NliStage(Stage):
    """A stage that scores pairs with the `[nli]` model.

    Args:
        nli: the model.
        engine: a loaded engine, for tests; default: the one all stages of the process share.
    """

    batch_size = 128
    table: SentimentTable | EntailmentTable

    def __init__(self, nli: NliTable, engine: NliEngine | None = None) -> None:
        self.nli, self._given = nli, engine

    @property
    def params(self) -> dict[str, Any]:
        """The `[nli]` table and the stage's own."""
        return {
            "nli": nli_params(self.nli),
            self.name: self.table.model_dump(mode="json"),
            "digits": SCORE_DIGITS,
        }

    def check(self) -> None:
        """Is there such a model, or could there be on the Hub? Raises `ModelProblem`."""
        local_folder(self.nli.model)

    def load(self) -> NliEngine:
        """The model. Raises `ModelProblem` when it cannot be had."""
        return self._given or shared_engine(self.nli)

    @property
    def engine(self) -> NliEngine:
        """The loaded model."""
        engine: NliEngine = self.loaded
        return engine
