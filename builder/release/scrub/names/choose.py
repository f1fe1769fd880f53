"""Which finder of names a profile asks for, and what a release says about it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

from builder.config.campaign import Campaign
from builder.config.profile import NamesTable
from builder.release.scrub.names.find import NameFinder
from builder.release.scrub.names.known import KNOWN
from builder.release.scrub.names.replace import Finder
from builder.release.scrub.names.tagger import FOLDER

VERSION = "1"  # of the rules around the network
_QUOTED = (
    "full_cased full_bare first_cased first_bare last_cased last_bare replaced unlisted".split()
)
SCORES = FOLDER / "scores.json"  # written by scripts/eval_names.py


@cache
def revision() -> str:
    """Digest of everything the offline finder goes by: weights, lists, rules."""
    files = [*(FOLDER / name for name in ("weights.npz", "first.txt", "last.txt"))]
    files += sorted(path for path in KNOWN.iterdir() if path.suffix in (".toml", ".txt"))
    digest = hashlib.sha256(VERSION.encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def tagger_name() -> str:
    """The offline finder as a release names it."""
    return f"names@{revision()}"


def offline_finder(campaign: Campaign) -> NameFinder:
    """The finder that needs nothing but the package."""
    return NameFinder(campaign.figure_names, campaign.public_persons, campaign.allowed_terms)


def finder_of(names: NamesTable, campaign: Campaign) -> Finder | None:
    """The finder of a profile; None where it asks for none.

    Raises:
        NamesUnavailable: the profile asks for GLiNER, and it is not installed or has no weights.
    """
    if names.method == "none":
        return None
    ours = offline_finder(campaign)
    if names.method == "tagger":
        return ours
    from builder.release.scrub.names.gliner import GlinerFinder

    return GlinerFinder(names, ours)


def mark_of(names: NamesTable) -> dict[str, Any]:
    """What of the settings decides the results, for fingerprints."""
    if names.method == "none":
        return {"method": "none"}
    found: dict[str, Any] = {"method": names.method, "tagger": revision()}
    if names.method == "gliner":
        found |= names.model_dump(exclude={"method"})
    return found


def told_of(names: NamesTable) -> dict[str, Any] | None:
    """What the manifest says: `method`, `model`, `tagger`, and `measured`; None: names were left.

    `measured` are the figures of scripts/eval_names.py on names the tagger never saw. GLiNER was
    not measured by us; it only adds to what the tagger finds.
    """
    if names.method == "none":
        return None
    model = tagger_name()
    if names.method == "gliner":
        model = f"{names.model}{f'@{names.revision}' if names.revision else ''} + {model}"
    return {"method": names.method, "model": model, "tagger": revision(), "measured": measured()}


def measured() -> dict[str, float]:
    """Recall and restraint of the offline finder, as measured; empty: not measured.

    `listed_…` is with the lists whole, as in use; the others on names and places nobody listed.
    """
    if not SCORES.is_file():
        return {}
    scores = json.loads(SCORES.read_text(encoding="utf-8"))
    outer = {key: float(scores[key]) for key in _QUOTED if key in scores}
    inner = {f"listed_{key}": float(scores["listed"][key]) for key in _QUOTED if key in scores}
    return outer | inner
