"""The CTranslate2 back end: the encoder in int8, the classification head in float32."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from builder.annotate.nli.backends.base import Floats, Kind
from builder.annotate.nli.batching import batches
from builder.annotate.nli.checkpoint import positions, read_config
from builder.annotate.nli.pairs import Encoded
from builder.annotate.nli.problems import ModelProblem
from builder.run.cpu import cores
from builder.run.ct2 import hidden_states, made_with, open_encoder


class CTranslate2Backend:
    """The encoder in CTranslate2, the classification head in float32 on the first token's state.

    Args:
        folder: a converted folder (`nli_convert`).
        threads: cores to use; default all.
        compute_type: CTranslate2 compute type.

    Raises:
        ModelProblem: the folder cannot be run.
    """

    kind: Kind = "ctranslate2"

    def __init__(
        self, folder: Path, *, threads: int | None = None, compute_type: str = "int8"
    ) -> None:
        from safetensors.numpy import load_file

        config = read_config(folder)
        self._pad = int(config.get("pad_token_id") or 0)
        self._workers = threads or cores()
        try:
            self._encoder = open_encoder(
                folder / "ct2", compute_type=compute_type, inter_threads=self._workers
            )
            self._head = load_file(str(folder / "head.safetensors"))
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelProblem(
                f"the converted model cannot be loaded: {type(error).__name__}",
                file=folder,
                way_out="delete the folder (or clear the cache) and convert the checkpoint again",
            ) from error
        self.precision = str(self._encoder.compute_type)
        self.made_with = made_with(self._encoder)
        self._window = positions(config)
        self._zero_types = int(config.get("type_vocab_size") or 1) < 2

    def logits(self, pairs: Sequence[Encoded]) -> Floats:
        """See `Backend`. Raises `ModelProblem` when the head has an unknown form."""
        planned = batches([len(pair.ids) for pair in pairs], limit=self._window)
        states: list[Floats] = []
        with ThreadPoolExecutor(self._workers) as pool:
            states.extend(pool.map(lambda b: self._states([pairs[i] for i in b[1]], b[0]), planned))
        out: Floats | None = None
        for (_, members), state in zip(planned, states, strict=True):
            # A row at a time: a matrix product's blocking, and with it the last bit of the sum,
            # depends on the number of rows.
            for index, row in zip(members, state, strict=True):
                values = apply_head(self._head, row)
                if out is None:
                    out = np.empty((len(pairs), len(values)), np.float32)
                out[index] = values
        return np.empty((0, 3), np.float32) if out is None else out

    def _states(self, pairs: Sequence[Encoded], wide: int) -> Floats:
        """First-token states of one batch, shape (len(pairs), hidden)."""
        types: list[list[int]] | None = None
        if not self._zero_types:
            types = [
                [*(pair.type_ids or [0] * len(pair.ids)), *[0] * (wide - len(pair.ids))]
                for pair in pairs
            ]
        ids = [pair.ids for pair in pairs]
        states = hidden_states(self._encoder, ids, wide, pad=self._pad, types=types)
        return np.array(states[:, 0], np.float32)


def apply_head(head: dict[str, Floats], state: Floats) -> Floats:
    """Logits from a first-token state, shape (hidden,) -> (labels,).

    Three forms: BERT (`pooler.dense`, tanh, `classifier`), RoBERTa and XLM-R (`classifier.dense`,
    tanh, `classifier.out_proj`), or a single `classifier` layer.

    Raises:
        ModelProblem: the tensors are of no known form.
    """
    last = "classifier.out_proj" if "classifier.out_proj.weight" in head else "classifier"
    hidden = {"classifier.out_proj": "classifier.dense", "classifier": "pooler.dense"}[last]
    try:
        if f"{hidden}.weight" in head:
            state = np.tanh(head[f"{hidden}.weight"] @ state + head[f"{hidden}.bias"])
        logits: Floats = head[f"{last}.weight"] @ state + head[f"{last}.bias"]
    except (KeyError, ValueError) as error:
        raise ModelProblem(
            "the classification head has an unknown form",
            way_out="see builder/annotate/nli/convert.py for the tensors it needs",
        ) from error
    return logits
