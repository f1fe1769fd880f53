"""Which back end is faster here, measured once per machine and model shape."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from builder.annotate.nli.backends.base import Backend, Kind
from builder.annotate.nli.pairs import Encoded
from builder.run.cache import cache_folder
from builder.run.cpu import cores, flags
from builder.run.store import write_json

_SHAPE = ("model_type", "hidden_size", "num_hidden_layers", "intermediate_size")
_LENGTH, _PAIRS, _ROUNDS = 64, 12, 3
_MARGIN = 1.05


def remembered(
    config: dict[str, Any], candidates: Iterable[Kind], cache_dir: Path | None = None
) -> Kind | None:
    """The back end measured before for this machine, model shape, candidates and versions."""
    kinds = list(candidates)
    try:
        choice = json.loads(_path(config, kinds, cache_dir).read_text(encoding="utf-8"))["choice"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return next((kind for kind in kinds if kind == choice), None)


def measure(
    config: dict[str, Any],
    makers: dict[Kind, Callable[[], Backend]],
    cache_dir: Path | None = None,
) -> Kind:
    """Time every back end on the same pairs and remember the fastest.

    Each counts with its best round. Another one than CTranslate2 must be faster by `_MARGIN`: what
    is chosen must not be slower, and no measurement is more exact than that.

    Args:
        config: the model's configuration.
        makers: how to load each back end; loaded one after the other, so that only one is in
            memory.
        cache_dir: where the result is kept.

    Returns:
        The back end with the most pairs a second.
    """
    token = int(config.get("vocab_size", 100)) // 2
    pairs = [Encoded([token] * _LENGTH, None)] * _PAIRS
    rates: dict[Kind, float] = {}
    for kind, make in makers.items():
        backend = make()
        backend.logits(pairs[:2])
        best = float("inf")
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            backend.logits(pairs)
            best = min(best, time.perf_counter() - started)
        rates[kind] = round(_PAIRS / best, 2)
        del backend
    choice = fastest(rates)
    with suppress(OSError):  # a cache that cannot be written to: measured again the next time
        write_json(
            _path(config, list(makers), cache_dir),
            {"choice": choice, "pairs_per_second": rates, "tokens_per_pair": _LENGTH},
        )
    return choice


def fastest(rates: Mapping[Kind, float]) -> Kind:
    """The back end with the highest rate; CTranslate2 unless another one is clearly faster."""
    choice = max(rates, key=lambda kind: rates[kind])
    usual = rates.get("ctranslate2", 0.0)
    return choice if rates[choice] > usual * _MARGIN else "ctranslate2"


def _path(config: dict[str, Any], kinds: Sequence[Kind], cache_dir: Path | None) -> Path:
    facts = [
        sorted(kinds),
        platform.machine(),
        sorted(flags()),
        cores(),
        [config.get(key) for key in _SHAPE],
    ]
    facts += [_version(name) for name in ("ctranslate2", "openvino", "torch", "transformers")]
    digest = hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]
    return (cache_dir or cache_folder()) / "nli" / f"backend-{digest}.json"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
