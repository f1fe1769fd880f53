"""What a release says about its sources: never the name of a file that may be somebody's.

A file is called by its place and kind, unless its name is one that we or the authors give.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePath, PurePosixPath

import polars as pl

from builder.config.campaign import Campaign
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.residue import (
    campaign_words,
    is_figure,
    package_words,
    with_paths,
    with_raw_ids,
    with_words,
)
from builder.release.texts.withhold import scrub_safely

WITHHELD = "a note about a source is withheld: it holds what may identify somebody"
# Names that collectors, the simulator and the authors give; none of them is a person's.
_PLAIN = re.compile(
    r"(?:ecuador|March2025_Github"
    r"|(?:page|pages|part|videos|batch|day|response|planted|data|sample|wave|api|csv)s?"
    r"(?:[-_]?\d{1,8}){0,3}"
    r"|(?:day|page|part)?[-_]?\d{4}-?\d{2}(?:-?\d{2})?(?:[-_](?:page|part)?[-_]?\d{1,6})?)"
    r"(?:\.(?:json|jsonl|ndjson|csv|zip)(?:\.(?:gz|zst|bz2|xz))?)?",
)
_OF_NOTES = {"url", "plate", "username"}  # names of files and digests read like these


def labels(files: Sequence[str]) -> dict[str, str]:
    """Name of a source file -> what a release calls it.

    Args:
        files: names in reading order.
    """
    found: dict[str, str] = {}
    for number, name in enumerate(files, start=1):
        base = PurePosixPath(name).name
        kind = "CSV" if re.search(r"\.csv(?:\.\w+)?$", base, re.IGNORECASE) else "pages"
        found[name] = base if _PLAIN.fullmatch(base) else f"source file {number} ({kind})"
    return found


def public_name(text: str) -> str:
    """A model's name without the folders of the machine it lies on."""
    if not with_paths(pl.Series([text]))[0]:
        return text
    return ", ".join(PurePath(part.replace("\\", "/")).name for part in text.split(", "))


def released_notes(
    notes: Sequence[str],
    files: Sequence[str],
    campaign: Campaign,
    usernames: Collection[str] = (),
    ids: pl.Series | None = None,
) -> list[str]:
    """Notes as they may be released.

    Args:
        notes: sentences about sources.
        files: names of the source files, in reading order.
        campaign: whose words may stand there.
        usernames, ids: those of the campaign, which may not.

    Returns:
        As many sentences; one that still holds an identifier is `WITHHELD`.
    """
    named = _renamed(notes, labels(files))
    ours = package_words() | campaign_words(campaign)
    others = frozenset(n for n in usernames if n not in ours and not is_figure(n))
    texts = pl.Series(named, dtype=pl.String)
    scrubbed = scrub_safely(Scrubber.of(campaign), texts)
    kinds = pl.Series([bool(set(k) - _OF_NOTES) for k in scrubbed["kinds"]], dtype=pl.Boolean)
    bad = (
        kinds
        | scrubbed["failed"]
        | with_raw_ids(texts, ids)
        | with_words(texts, others)
        | with_paths(texts)
    )
    return [WITHHELD if hit else text for text, hit in zip(named, bad, strict=True)]


def _renamed(notes: Sequence[str], called: dict[str, str]) -> list[str]:
    swaps: dict[str, str] = {}
    for name, label in called.items():
        base, *folders = reversed(PurePosixPath(name).parts)
        # notes also speak of files by their last name, and of folders
        swaps |= {folder: "a folder" for folder in folders if not _PLAIN.fullmatch(folder)}
        swaps |= {str(parent): "a folder" for parent in PurePosixPath(name).parents}
        swaps |= {base: label} if base != label else {}
        swaps[name] = label
    swaps = {old: new for old, new in swaps.items() if old not in (".", "/", "", new)}
    if not swaps:
        return list(notes)
    longest = sorted(swaps, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w/]){re.escape(old)}(?![\w/]|\.\w)" for old in longest))
    return [pattern.sub(lambda hit: swaps[hit.group()], note) for note in notes]
