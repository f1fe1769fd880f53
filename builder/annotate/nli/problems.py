"""How loading or running an NLI model can fail, as typed errors."""

from __future__ import annotations

from builder.errors import StageFailed


class ModelProblem(StageFailed):
    """An NLI model cannot be found, read, converted or run; the error says what to do."""


class LabelMappingNeeded(ModelProblem):
    """The checkpoint does not say which output is entailment, neutral or contradiction."""
