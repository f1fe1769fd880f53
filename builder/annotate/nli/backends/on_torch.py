"""The torch back end, through transformers: for architectures nothing else here can run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from builder.annotate.nli.backends.base import Floats, Kind
from builder.annotate.nli.batching import TOKEN_BUDGET, batches
from builder.annotate.nli.checkpoint import positions
from builder.annotate.nli.pairs import Encoded
from builder.annotate.nli.problems import ModelProblem
from builder.run.cpu import cores, has_bfloat16


class TorchBackend:
    """The checkpoint in torch, through transformers. For architectures CTranslate2 cannot run.

    Args:
        folder: a transformers checkpoint.
        threads: cores to use; default all.
        precision: "bfloat16", "float32", or "auto": bfloat16 where the CPU multiplies it.

    Raises:
        ModelProblem: torch or transformers is missing, or the checkpoint cannot be loaded.
    """

    kind: Kind = "torch"

    def __init__(
        self, folder: Path, *, threads: int | None = None, precision: str = "auto"
    ) -> None:
        try:
            import torch
            from transformers import AutoModelForSequenceClassification
        except ImportError as error:
            raise ModelProblem(
                "the torch back end needs torch and transformers",
                way_out='pip install "ecuador-crisis-tiktok[torch]", or use backend = '
                '"ctranslate2" with a BERT, RoBERTa or XLM-R checkpoint',
            ) from error
        self._torch = torch
        if precision == "auto":
            precision = "bfloat16" if has_bfloat16() else "float32"
        self.precision = precision
        self.made_with = f"torch {precision}"
        self._threads = threads or cores()
        try:
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=getattr(torch, precision), local_files_only=True
            ).eval()
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelProblem(
                f"transformers cannot load the checkpoint: {type(error).__name__}",
                file=folder,
                way_out="check that the folder is a sequence-classification checkpoint",
            ) from error
        config = self._model.config
        self._pad = int(config.pad_token_id or 0)
        self._types = int(getattr(config, "type_vocab_size", 0) or 0) >= 2
        self._window = positions(config.to_dict())

    def logits(self, pairs: Sequence[Encoded]) -> Floats:
        """See `Backend`."""
        torch = self._torch
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        out = np.empty((len(pairs), int(self._model.config.num_labels)), np.float32)
        try:
            planned = batches(
                [len(pair.ids) for pair in pairs], budget=2 * TOKEN_BUDGET, limit=self._window
            )
            for wide, members in planned:
                chosen = [pairs[index] for index in members]
                ids = torch.full((len(chosen), wide), self._pad)
                mask = torch.zeros((len(chosen), wide), dtype=torch.long)
                types = torch.zeros((len(chosen), wide), dtype=torch.long)
                for row, pair in enumerate(chosen):
                    ids[row, : len(pair.ids)] = torch.tensor(pair.ids)
                    mask[row, : len(pair.ids)] = 1
                    if pair.type_ids:
                        types[row, : len(pair.ids)] = torch.tensor(pair.type_ids)
                extra = {"token_type_ids": types} if self._types else {}
                with torch.inference_mode():
                    result = self._model(input_ids=ids, attention_mask=mask, **extra).logits
                out[members] = result.float().numpy()
        finally:
            torch.set_num_threads(before)
        return out
