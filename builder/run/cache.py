"""The model cache: where made models are kept, and how models come from the Hugging Face Hub."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from builder.errors import BuilderError, StageFailed, disk_full_guard

CACHE_VARIABLE = "ECUADOR_CRISIS_CACHE"


class ModelUnavailable(StageFailed):
    """A model's files are not where they should be, and cannot be had."""


def cache_folder() -> Path:
    """Folder for models made here (assembled, converted) and for what was measured about them.

    ``$ECUADOR_CRISIS_CACHE``, else ``ecuador-crisis`` in the user's cache folder
    (``$XDG_CACHE_HOME``, else ``~/.cache``). It can be deleted at any time. Downloads lie in the
    Hub's own cache (``$HF_HOME``), where other programs share them.
    """
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ecuador-crisis"


def hub_folder(
    name: str, revision: str | None = None, *, files: Sequence[str], weights: Sequence[str]
) -> Path:
    """The local folder of a Hub model, downloaded into the Hub's own cache if need be.

    Args:
        name: ``owner/name``.
        revision: commit or tag; None is the newest.
        files: patterns of the files wanted beside the weights.
        weights: patterns of weight files, the best kind first; only the first kind that the model
            has is fetched.

    Raises:
        ModelUnavailable: no such model or revision, no weights in it, or the Hub is not reachable.
        DiskFull: no space left for it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE

    try:
        with disk_full_guard(Path(HF_HUB_CACHE)):
            for kind in weights:
                wanted = [*files, kind]
                folder = Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
                if any(folder.glob(kind)):
                    return folder
    except BuilderError:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"cannot get the model {name} from the Hugging Face Hub ({type(error).__name__})",
            way_out="check the name, the revision and the network (HF_ENDPOINT, HF_HUB_OFFLINE); "
            "for a gated model log in with `hf auth login`; without a network use a local folder, "
            "or --profile offline",
        ) from error
    raise ModelUnavailable(
        f"the Hub's model {name} has no weights of a kind this package reads",
        way_out=f"it needs {' or '.join(weights)}; name another model",
    )
