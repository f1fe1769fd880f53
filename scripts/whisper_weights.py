"""Reads Whisper weights out of a CTranslate2 model, for rivals that want PyTorch's layout.

The benchmark's rivals must run the same weights, and only CTranslate2's file is to be had offline.
Format: CTranslate2's `python/ctranslate2/specs/model_spec.py` (MIT).
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np

_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_variables(model_bin: Path) -> dict[str, np.ndarray]:
    """Every tensor of a CTranslate2 model file, float32; aliases resolved."""
    with open(model_bin, "rb") as handle:

        def number(kind: str) -> int:
            return int(struct.unpack("<" + kind, handle.read(struct.calcsize("<" + kind)))[0])

        def text() -> str:
            return handle.read(number("H"))[:-1].decode()

        version = number("I")
        if version < 4:
            raise ValueError(f"model.bin of version {version} is too old")
        text()  # name of the specification
        number("I")  # its revision
        found = {}
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            dtype = _DTYPES[number("B")]
            raw = handle.read(number("I"))
            found[name] = np.frombuffer(raw, dtype).reshape(shape).astype(np.float32)
        for _ in range(number("I")):
            alias = text()
            found[alias] = found[text()]
    return found


def openai_state(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors under openai-whisper's names."""
    state: dict[str, np.ndarray] = {}

    def norm(source: str, target: str) -> None:
        state[f"{target}.weight"] = variables[f"{source}/gamma"]
        state[f"{target}.bias"] = variables[f"{source}/beta"]

    def linear(source: str, *targets: str) -> None:
        weights = np.split(variables[f"{source}/weight"], len(targets))
        biases = np.split(variables[f"{source}/bias"], len(targets))
        for target, weight, bias in zip(targets, weights, biases, strict=True):
            state[f"{target}.weight"] = weight
            if not target.endswith(".key"):  # keys have no bias in Whisper
                state[f"{target}.bias"] = bias

    for side in ("encoder", "decoder"):
        layers = {m[1] for name in variables if (m := re.match(rf"{side}/layer_(\d+)/", name))}
        for i in layers:
            here, there = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            norm(f"{here}/self_attention/layer_norm", f"{there}.attn_ln")
            attention = f"{there}.attn"
            linear(
                f"{here}/self_attention/linear_0",
                f"{attention}.query",
                f"{attention}.key",
                f"{attention}.value",
            )
            linear(f"{here}/self_attention/linear_1", f"{attention}.out")
            if side == "decoder":
                cross = f"{there}.cross_attn"
                norm(f"{here}/attention/layer_norm", f"{there}.cross_attn_ln")
                linear(f"{here}/attention/linear_0", f"{cross}.query")
                linear(f"{here}/attention/linear_1", f"{cross}.key", f"{cross}.value")
                linear(f"{here}/attention/linear_2", f"{cross}.out")
            norm(f"{here}/ffn/layer_norm", f"{there}.mlp_ln")
            linear(f"{here}/ffn/linear_0", f"{there}.mlp.0")
            linear(f"{here}/ffn/linear_1", f"{there}.mlp.2")
    for conv in ("conv1", "conv2"):
        state[f"encoder.{conv}.weight"] = variables[f"encoder/{conv}/weight"]
        state[f"encoder.{conv}.bias"] = variables[f"encoder/{conv}/bias"]
    norm("encoder/layer_norm", "encoder.ln_post")
    norm("decoder/layer_norm", "decoder.ln")
    state["encoder.positional_embedding"] = variables["encoder/position_encodings/encodings"]
    state["decoder.positional_embedding"] = variables["decoder/position_encodings/encodings"]
    state["decoder.token_embedding.weight"] = variables["decoder/embeddings/weight"]
    return state


def dimensions(state: dict[str, np.ndarray]) -> dict[str, int]:
    """openai-whisper's `ModelDimensions` of such a state."""
    width = state["encoder.conv1.weight"].shape[0]
    blocks = [name.split(".") for name in state if ".blocks." in name]
    count = {side: 1 + max(int(n[2]) for n in blocks if n[0] == side) for side in _SIDES}
    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": width,
        "n_audio_head": width // 64,
        "n_audio_layer": count["encoder"],
        "n_vocab": state["decoder.token_embedding.weight"].shape[0],
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": width,
        "n_text_head": width // 64,
        "n_text_layer": count["decoder"],
    }


_SIDES = ("encoder", "decoder")


def transformers_state(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """openai-whisper names to transformers names."""
    changes = (
        (r"\.blocks\.", ".layers."),
        (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
        (r"\.cross_attn\.", ".encoder_attn."),
        (r"\.attn_ln\.", ".self_attn_layer_norm."),
        (r"\.attn\.", ".self_attn."),
        (r"\.query\.", ".q_proj."),
        (r"\.key\.", ".k_proj."),
        (r"\.value\.", ".v_proj."),
        (r"attn\.out\.", "attn.out_proj."),
        (r"\.mlp_ln\.", ".final_layer_norm."),
        (r"\.mlp\.0\.", ".fc1."),
        (r"\.mlp\.2\.", ".fc2."),
        (r"ln_post\.", "layer_norm."),
        (r"decoder\.ln\.", "decoder.layer_norm."),
        (r"positional_embedding$", "embed_positions.weight"),
        (r"token_embedding\.", "embed_tokens."),
    )
    renamed = {}
    for name, value in state.items():
        target = name
        for pattern, replacement in changes:
            target = re.sub(pattern, replacement, target)
        renamed[f"model.{target}"] = value
    renamed["proj_out.weight"] = state["decoder.token_embedding.weight"]
    return renamed


def suppressed_tokens(folder: Path) -> tuple[list[int], list[int]]:
    """(suppress_ids, suppress_ids_begin) as the model's config.json lists them."""
    config = json.loads((folder / "config.json").read_text())
    return config["suppress_ids"], config["suppress_ids_begin"]
