"""Finds an NLI checkpoint and reads what its configuration says: labels, window, identity."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.annotate.nli.problems import LabelMappingNeeded, ModelProblem
from builder.annotate.nli.weights import HUB_WEIGHTS
from builder.run.cache import file_sha256, hub_folder
from ecuador_crisis_tiktok import ENTAILMENT_LABELS as LABELS

MODELS = Path(__file__).parents[2] / "models"
"""Models that ship with the package, found by their folder's name."""

HUB_FILES = ("*.json", "*.txt", "*.model")
# How checkpoints spell them: "ENTAILMENT", "entail", "contradictory", "cnt" (InferES).
_SPELLINGS = {
    "entailment": ("ent",),
    "neutral": ("neu",),
    "contradiction": ("contra", "cnt"),
}
_SMALL = 256 * 2**20  # hashed with the rest; larger files once in a process


def read_config(folder: Path) -> dict[str, Any]:
    """The model's `config.json`.

    Raises:
        ModelProblem: missing or not a JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelProblem(
            "the model's config.json is missing or unreadable",
            file=folder,
            way_out="give a folder or Hub name of a transformers sequence-classification model",
        ) from error
    if not isinstance(config, dict):
        raise ModelProblem("config.json is not a JSON object", file=folder)
    return config


def label_order(config: dict[str, Any], labels: Sequence[str] | None = None) -> tuple[int, ...]:
    """Output columns of entailment, neutral and contradiction, in this order.

    Args:
        config: a transformers configuration; its `id2label` is read.
        labels: names of the outputs in their order, where the checkpoint does not name them.

    Raises:
        LabelMappingNeeded: the names do not tell (LABEL_0, or two classes), and none were given.
    """
    names = list(labels) if labels else output_names(config)
    found: dict[str, list[int]] = {label: [] for label in LABELS}
    for index, name in enumerate(names):
        for label, spelling in _SPELLINGS.items():
            if name.strip().casefold().startswith(spelling):
                found[label].append(index)
    if len(names) != 3 or any(len(where) != 1 for where in found.values()):
        raise LabelMappingNeeded(
            f"the model's outputs are called {', '.join(names) or 'nothing'}; entailment, neutral "
            "and contradiction cannot be told apart",
            field="id2label",
            way_out="state the order of the outputs, from the model's card, as labels = "
            '["contradiction", "neutral", "entailment"] in the profile\'s [nli] table',
        )
    return tuple(found[label][0] for label in LABELS)


def output_names(config: dict[str, Any]) -> list[str]:
    """What a configuration calls the model's outputs, in order; empty: it does not say."""
    mapping = config.get("id2label") or {}
    try:
        return [str(mapping[key]) for key in sorted(mapping, key=int)]
    except (TypeError, ValueError):
        return []


def positions(config: dict[str, Any]) -> int | None:
    """Most tokens the position embeddings allow; None where positions are relative."""
    limit = config.get("max_position_embeddings")
    if not limit or config.get("model_type") in ("deberta-v2", "deberta"):
        return None
    if config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        # RoBERTa counts positions from padding_idx + 1.
        return int(limit) - first_position(config)
    return int(limit)


def first_position(config: dict[str, Any]) -> int:
    """Row of the position table that the first token uses."""
    if config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        pad = config.get("pad_token_id")
        return (1 if pad is None else int(pad)) + 1
    return 0


def window(folder: Path, config: dict[str, Any]) -> int:
    """Most tokens of an encoded pair: positions, or the tokenizer's limit where it is tighter."""
    limits = [positions(config) or 512]
    try:
        stated = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        limits.append(int(stated.get("model_max_length") or limits[0]))
    except (OSError, ValueError, OverflowError, TypeError):
        pass  # optional file; the positions decide
    return min(limits)


def resolve(model: str | Path, revision: str | None = None) -> Path:
    """The local folder of a model: a path, the name of a shipped model, or a Hub name.

    Args:
        model: a folder; a name under `builder/models`; or `owner/name` on the Hub, downloaded into
            the Hub's own cache (safetensors preferred).
        revision: Hub commit or tag.

    Raises:
        ModelProblem: there is no such model.
        ModelUnavailable: the Hub does not deliver it.
    """
    return local_folder(model) or hub_folder(
        str(model), revision, files=HUB_FILES, weights=HUB_WEIGHTS
    )


def local_folder(model: str | Path) -> Path | None:
    """The folder of a model that is here; None for a Hub name.

    Raises:
        ModelProblem: it is neither.
    """
    for folder in (Path(model), MODELS / str(model)):
        if (folder / "config.json").is_file():
            return folder
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(model)) or Path(model).exists():
        shipped = ", ".join(sorted(p.parent.name for p in MODELS.glob("*/config.json"))) or "none"
        raise ModelProblem(
            f"no NLI model called {str(model)!r}",
            way_out="give a folder with config.json, tokenizer.json and weights, a Hub name "
            f"(owner/name), or a shipped model ({shipped})",
        )
    return None


def identity(folder: Path) -> str:
    """12 hex digits of a model folder's content, the same for every copy of it.

    Every bit counts: one flipped in the middle of the weights makes other labels.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        wanted = path.suffix in (".bin", ".safetensors") or path.name == "tokenizer.json"
        if not path.is_file() or not (wanted or name == "config.json"):
            continue
        size = path.stat().st_size
        digest.update(f"{name} {size}\n".encode())
        if size <= _SMALL:
            digest.update(path.read_bytes())
        else:
            digest.update(file_sha256(path).encode())
    return digest.hexdigest()[:12]
