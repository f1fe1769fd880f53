"""A supervised classifier of single texts: negative, neutral or positive.

Any Hugging Face sequence-classification checkpoint whose outputs can be told apart, on the back
ends of the NLI engine. Several outputs may mean one label (one to five stars): their probabilities
are added.

    robertuito = TextClassifier.load("pysentimiento/robertuito-sentiment-analysis")
    robertuito.scores(["qué alegría"])     # shape (1, 3): negative, neutral, positive
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from builder.annotate.nli.backends.base import Backend, Floats
from builder.annotate.nli.batching import distinct
from builder.annotate.nli.checkpoint import output_names, read_config, resolve
from builder.annotate.nli.engine import softmax
from builder.annotate.nli.opening import Wanted, open_checkpoint
from builder.annotate.nli.pairs import TextEncoder
from builder.annotate.nli.problems import LabelMappingNeeded
from builder.run.progress import Progress
from ecuador_crisis_tiktok import SENTIMENT_LABELS as LABELS

# "NEG", "Negative", "negativo"; "NEU", "neutral"; "POS", "Positive".
_SPELLINGS = ("neg", "neu", "pos")


class TextClassifier:
    """Scores texts. Use `load`. A text's result is the same whatever else is in the call.

    Args:
        backend: runs encoded texts.
        texts: tokenises.
        meaning: for each output of the model, the place in `LABELS` of what it means.
        name: what outputs name as their model.
    """

    def __init__(
        self, backend: Backend, texts: TextEncoder, meaning: Sequence[int], name: str
    ) -> None:
        self.backend, self.texts, self._meaning = backend, texts, list(meaning)
        self.model = f"{name} ({backend.made_with})"
        """Model, revision, back end, precision and instruction set, as outputs name it."""

    @classmethod
    def load(
        cls,
        model: str | Path,
        backend: Wanted = "auto",
        *,
        revision: str | None = None,
        labels: Sequence[str] | None = None,
        precision: str = "auto",
        max_tokens: int | None = None,
        threads: int | None = None,
        cache_dir: Path | None = None,
        progress: Callable[[str, int], Progress] = Progress,
    ) -> TextClassifier:
        """Load a model, converting it first if need be.

        Args:
            labels: what each output means, one of `LABELS` each, for checkpoints that do not say.
            model, backend, revision, precision, max_tokens, threads, cache_dir, progress: as
                `NliEngine.load`.

        Raises:
            ModelProblem, ModelUnavailable: the model cannot be found, read, converted or run.
            LabelMappingNeeded: its outputs are not named.
        """
        folder = resolve(model, revision)
        meaning = meaning_of(read_config(folder), labels)
        opened = open_checkpoint(
            model,
            folder,
            backend,
            revision=revision,
            precision=precision,
            max_tokens=max_tokens,
            threads=threads,
            cache_dir=cache_dir,
            progress=progress,
        )
        return cls(
            opened.backend, TextEncoder(opened.home, window=opened.window), meaning, opened.name
        )

    def scores(self, texts: Sequence[str]) -> Floats:
        """Probabilities of negative, neutral and positive, shape (n, 3); rows sum to 1.

        Args:
            texts: one that does not fit the model's window is cut at its end.
        """
        keys, back = distinct(list(texts))
        out = np.zeros((len(keys), len(LABELS)), np.float32)
        if keys:
            each = softmax(self.backend.logits(self.texts.encode(keys)))
            for output, label in enumerate(self._meaning):
                out[:, label] += each[:, output]
        return out[back]


def meaning_of(config: dict[str, Any], labels: Sequence[str] | None = None) -> tuple[int, ...]:
    """For each output of a model the place in `LABELS` of what it means.

    Args:
        config: a transformers configuration; its `id2label` is read.
        labels: what each output means, where the checkpoint does not say.

    Raises:
        LabelMappingNeeded: the names do not tell (LABEL_0, "5 stars"), and none were given; or
            not as many were given as there are outputs; or one of the three labels is missing.
    """
    own = output_names(config)
    names = list(labels) if labels else own
    marks = [name.strip().casefold()[:3] for name in names]
    found = tuple(_SPELLINGS.index(mark) if mark in _SPELLINGS else -1 for mark in marks)
    if set(found) != {0, 1, 2} or (own and len(found) != len(own)):
        raise LabelMappingNeeded(
            f"the model's outputs are called {', '.join(own) or 'nothing'}; negative, neutral and "
            "positive cannot be told apart",
            field="id2label",
            way_out="state what each output means, in order, from the model's card, as labels = "
            '["negative", "neutral", "positive"] in the profile\'s [second_opinion] table',
        )
    return found
