"""What a back end is: token ids in, logits out, in the checkpoint's own label order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from builder.annotate.nli.pairs import Encoded

Floats = npt.NDArray[np.float32]
Kind = Literal["ctranslate2", "openvino", "torch"]


class Backend(Protocol):
    """Runs encoded pairs through a model."""

    kind: Kind
    precision: str
    made_with: str
    """Library, precision and instruction set, for the rows it scores."""

    def logits(self, pairs: Sequence[Encoded]) -> Floats:
        """Logits, shape (len(pairs), labels), in the checkpoint's label order."""
