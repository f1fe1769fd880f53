"""The NLI engine: probability that a premise entails, leaves open, or contradicts a hypothesis.

One engine serves sentiment (zero-shot), entailment of summaries, and the `nli_entailment`
measurement. It takes any Hugging Face sequence-classification NLI checkpoint: BERT, RoBERTa,
CamemBERT and XLM-R run in CTranslate2 int8, everything else (mDeBERTa) in torch.

    engine = NliEngine.load("joeddav/xlm-roberta-large-xnli")
    engine.score(["Llueve en Quito."], ["En Quito hay sol."])     # shape (1, 3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from builder.annotate.nli.backends.base import Backend, Floats
from builder.annotate.nli.batching import distinct
from builder.annotate.nli.checkpoint import label_order, read_config, resolve
from builder.annotate.nli.opening import Wanted, open_checkpoint
from builder.annotate.nli.pairs import Encoded, PairEncoder
from builder.run.progress import Progress

_CHUNK = 2_048
"""Pairs tokenised at a time; the next chunk is tokenised while this one is computed."""


class NliEngine:
    """Scores pairs. Use `load`.

    A pair's result is the same bit for bit whatever else is in the call (see `nli_batching`).

    Args:
        backend: runs encoded pairs.
        pairs: tokenises.
        order: output columns of entailment, neutral, contradiction.
        name: what outputs name as their model.
        exact: makes the same model in float32; None: this is it.
    """

    def __init__(
        self,
        backend: Backend,
        pairs: PairEncoder,
        order: tuple[int, ...],
        name: str,
        exact: Callable[[], Backend] | None = None,
    ) -> None:
        self.backend, self.pairs, self._order = backend, pairs, list(order)
        self._make_exact = exact
        self._exact: NliEngine | None = None
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
    ) -> NliEngine:
        """Load a model, converting it first if need be (once; kept in the cache).

        Args:
            model: a folder (checkpoint or converted), a shipped model's name, or a Hub name.
            backend: "auto" takes what can run, and where both can, what was measured as faster on
                this machine (measured once, remembered in the cache).
            revision: Hub commit or tag.
            labels: the outputs' names in order, for checkpoints that do not name them.
            precision: weight type: CTranslate2's ("int8", "float32", ...) or torch's
                ("bfloat16", "float32"); "auto": int8, or bfloat16 where the CPU has it.
            max_tokens: a window smaller than the model's.
            threads: cores to use; default all.
            cache_dir: default `run.cache.cache_folder()`.
            progress: makes the progress display of the conversion.

        Raises:
            ModelProblem, ModelUnavailable: the model cannot be found, read, converted or run.
            LabelMappingNeeded: its outputs are not named.
        """
        folder = resolve(model, revision)
        order = label_order(read_config(folder), labels)
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
        encoder = PairEncoder(opened.home, window=opened.window, segments=opened.segments)
        return cls(opened.backend, encoder, order, opened.name, opened.exact)

    def exact(self) -> NliEngine:
        """The same model in float32, loaded when first asked for.

        A model that is shipped in int8 only keeps its int8 weights, computed with in float32.

        Raises:
            ModelProblem: it cannot be loaded.
        """
        if self._make_exact is None:
            return self
        if self._exact is None:
            name = self.model.partition(" (")[0]
            self._exact = NliEngine(self._make_exact(), self.pairs, tuple(self._order), name)
        return self._exact

    def logits(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Floats:
        """Logits of each pair.

        Args:
            premises: n texts; one that does not fit is cut at its end.
            hypotheses: n texts; never cut.

        Returns:
            Shape (n, 3): entailment, neutral, contradiction.

        Raises:
            ValueError: the lengths differ.
            HypothesisTooLong: a hypothesis alone fills the model's window.
        """
        keys, back = distinct(list(zip(premises, hypotheses, strict=True)))
        if not keys:
            return np.empty((0, 3), np.float32)
        results = [self.backend.logits(chunk) for chunk in self._encoded(keys)]
        return np.concatenate(results)[back][:, self._order]

    def score(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Floats:
        """Probabilities of each pair; as `logits`, with rows that sum to 1."""
        return softmax(self.logits(premises, hypotheses))

    def _encoded(self, keys: list[tuple[str, str]]) -> Iterator[list[Encoded]]:
        chunks = [keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)]
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.pairs.encode, chunks[0])
            for following in [*chunks[1:], None]:
                ready = coming.result()
                if following is not None:
                    coming = pool.submit(self.pairs.encode, following)
                yield ready


def softmax(logits: Floats) -> Floats:
    """Softmax over the last axis, in float64 inside."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    probabilities: Floats = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
    return probabilities
