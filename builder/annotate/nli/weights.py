"""Reads the tensors of a Hugging Face checkpoint one at a time, without torch where possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from builder.annotate.nli.problems import ModelProblem

Floats = npt.NDArray[np.float32]

SAFETENSORS, SAFETENSORS_INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED, PICKLED_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
# What to fetch from the Hub: safetensors hold no code, so they come first.
HUB_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
WEIGHT_FILES = (SAFETENSORS, SAFETENSORS_INDEX, PICKLED, PICKLED_INDEX)


class Weights:
    """The tensors of a checkpoint, read on demand.

    safetensors files are read with numpy. bfloat16 tensors and `pytorch_model.bin` need torch
    (which then loads with `weights_only=True`: a checkpoint cannot run code here).

    Args:
        folder: a checkpoint as `save_pretrained` writes it, sharded or not.

    Raises:
        ModelProblem: there are no weights, or they need torch and it is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}
        self._pickled = False
        if (folder / SAFETENSORS).is_file():
            names = list(self._safetensors(SAFETENSORS).keys())
            self._where = dict.fromkeys(names, SAFETENSORS)
        elif (folder / SAFETENSORS_INDEX).is_file():
            self._where = _index(folder / SAFETENSORS_INDEX)
        elif (folder / PICKLED).is_file():
            self._pickled = True
            self._where = dict.fromkeys(self._state_dict(PICKLED), PICKLED)
        elif (folder / PICKLED_INDEX).is_file():
            self._pickled = True
            self._where = _index(folder / PICKLED_INDEX)
        else:
            raise ModelProblem(
                "the checkpoint holds no weights",
                file=folder,
                way_out=f"it needs one of {', '.join(WEIGHT_FILES)}",
            )

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def names(self) -> list[str]:
        """All tensor names, sorted."""
        return sorted(self._where)

    def __getitem__(self, name: str) -> Floats:
        """One tensor as float32, a fresh contiguous array of its own shape.

        Raises:
            ModelProblem: there is no such tensor, or it cannot be read.
        """
        if name not in self._where:
            raise ModelProblem(
                "the checkpoint lacks a tensor its configuration promises",
                file=self._folder,
                field=name,
                way_out="check that config.json and the weights belong together",
            )
        if self._pickled:
            return _from_torch(self._state_dict(self._where[name])[name])
        handle = self._safetensors(self._where[name])
        try:
            return np.array(handle.get_tensor(name), dtype=np.float32, order="C")
        except (TypeError, AttributeError, KeyError):
            # numpy has no bfloat16.
            torch = _torch(self._folder, "its tensors are bfloat16")
            from safetensors import safe_open

            with safe_open(self._folder / self._where[name], framework="pt") as torch_handle:
                return _from_torch(torch_handle.get_tensor(name).to(torch.float32))

    def _safetensors(self, name: str) -> Any:
        if name not in self._open:
            from safetensors import safe_open

            try:
                self._open[name] = safe_open(self._folder / name, framework="numpy")
            except Exception as error:
                raise ModelProblem(
                    f"cannot read the weights: {type(error).__name__}",
                    file=self._folder / name,
                    way_out="download the checkpoint again; the file is damaged or incomplete",
                ) from error
        return self._open[name]

    def _state_dict(self, name: str) -> Any:
        if name not in self._open:
            torch = _torch(self._folder, f"its weights are a {PICKLED}")
            try:
                self._open[name] = torch.load(
                    self._folder / name, map_location="cpu", weights_only=True, mmap=True
                )
            except Exception as error:
                raise ModelProblem(
                    f"cannot read the weights: {type(error).__name__}",
                    file=self._folder / name,
                    way_out="download the checkpoint again, or use its safetensors version",
                ) from error
        return self._open[name]


def _index(path: Path) -> dict[str, str]:
    try:
        mapping = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelProblem(
            "the index of the weights cannot be read", file=path, way_out="download it again"
        ) from error
    return {str(name): str(file) for name, file in mapping.items()}


def _from_torch(tensor: Any) -> Floats:
    return np.array(tensor.detach().float().numpy(), dtype=np.float32, order="C")


def _torch(folder: Path, why: str) -> Any:
    try:
        import torch
    except ImportError as error:
        raise ModelProblem(
            f"reading this checkpoint needs torch: {why}",
            file=folder,
            way_out="pip install torch, or use a checkpoint with float32/float16 safetensors",
        ) from error
    return torch
