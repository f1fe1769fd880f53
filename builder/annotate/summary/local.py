"""Summaries by a transformers chat model on this machine. Imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builder.annotate.nli.checkpoint import identity
from builder.annotate.summary.endpoint import CallFailed, Reply
from builder.config.profile import SummariesTable
from builder.errors import StageFailed
from builder.run.cache import hub_folder

HUB_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
HUB_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")


class LocalModel:
    """A causal language model, decoded greedily.

    Args:
        table: the `[summaries]` table; `model` is a folder or Hub name.

    Raises:
        StageFailed: torch or transformers is missing, or the model cannot be loaded.
        ModelUnavailable: the Hub does not deliver it.
    """

    def __init__(self, table: SummariesTable) -> None:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise StageFailed(
                "local summaries need torch and transformers",
                way_out='install them, or use method = "extractive" or "llm"',
            ) from error
        self._torch, self._table = torch, table
        folder = Path(table.model)
        if not folder.is_dir():
            folder = hub_folder(table.model, table.revision, files=HUB_FILES, weights=HUB_WEIGHTS)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
            self._model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
        except Exception as error:
            raise StageFailed(
                f"the local summary model cannot be loaded ({type(error).__name__})",
                field="summaries.model",
                way_out="give a folder or Hub name of a causal language model",
            ) from error
        self.name = f"{table.model}@{table.revision}" if table.revision else table.model
        if folder == Path(table.model):  # a folder of this machine: its name, not its path
            self.name = f"{folder.resolve().name}@{identity(folder)}"

    def complete(self, messages: list[dict[str, str]], *, retries: int | None = None) -> Reply:
        """Answer greedily. `retries` is ignored.

        Raises:
            CallFailed: the prompt is longer than the model's window, or memory ran out.
        """
        ids = self._prompt(messages)
        limit = int(getattr(self._model.config, "max_position_embeddings", 0) or 10**9)
        if ids.shape[1] + self._table.max_tokens > limit:
            raise CallFailed("prompt_too_long", passing=False)
        try:
            with self._torch.inference_mode():
                output = self._model.generate(
                    ids,
                    attention_mask=self._torch.ones_like(ids),
                    max_new_tokens=self._table.max_tokens,
                    do_sample=False,
                    pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0,
                )
        except (RuntimeError, MemoryError) as error:
            raise CallFailed("out_of_memory", passing=False) from error
        new = output[0, ids.shape[1] :]
        finish = "length" if len(new) >= self._table.max_tokens else "stop"
        text = self._tokenizer.decode(new, skip_special_tokens=True)
        return Reply(text, finish, int(ids.shape[1]), len(new))

    def _prompt(self, messages: list[dict[str, str]]) -> Any:
        if getattr(self._tokenizer, "chat_template", None):
            text = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
            return self._tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        text = "\n\n".join(message["content"] for message in messages)
        return self._tokenizer(text, return_tensors="pt")["input_ids"]
