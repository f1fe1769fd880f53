"""Writes the trained model: a transformers checkpoint and the small folder that ships."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

SHIPPED = ("config.json", "tokenizer.json", "tokenizer_config.json", "head.safetensors", "ct2")


def export(model: Any, tokenizer: Any, out: Path) -> None:
    """`out/hf`: transformers checkpoint in half precision; `out/model`: CTranslate2 int8 + head."""
    from transformers import PreTrainedTokenizerFast

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from builder.annotate.nli.convert import convert

    tokenizer.no_truncation()
    tokenizer.no_padding()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=model.config.max_position_embeddings,
        model_input_names=["input_ids", "attention_mask"],
    )
    checkpoint, shipped = out / "hf", out / "model"
    for folder in (checkpoint, shipped):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    model.eval().half().save_pretrained(checkpoint)
    fast.save_pretrained(checkpoint)
    tokenizer.save(str(checkpoint / "tokenizer.json"), pretty=False)  # half the size
    convert(checkpoint, shipped, quantization="int8")
    unknown = {p.name for p in shipped.iterdir()} - set(SHIPPED)
    if unknown:
        raise SystemExit(f"{shipped} holds files that do not ship: {sorted(unknown)}")
