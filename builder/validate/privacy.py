"""What the scrubber replaced, and how many videos could be found again."""

from __future__ import annotations

from typing import Any

from builder.config.campaign import Campaign
from builder.release.k_anonymity import k_of
from builder.validate.release import Release
from builder.validate.uniqueness import uniqueness

# Said wherever a release speaks of its pseudonyms.
TEXT_MATCHING = (
    "No pseudonym survives text matching: a released transcript can be joined to its TikTok id by "
    "its words alone, by whoever holds the ids with the transcripts. Pseudonyms, coarse dates and "
    "rounded counts do not change that."
)


def check_privacy(release: Release, campaign: Campaign | None = None) -> dict[str, Any]:
    """Privacy figures of a release.

    Args:
        release: the release.
        campaign: tells what others have published; None if its file is not at hand.

    Returns:
        ``policy`` (how coarse; see `config.campaign.Privacy`), ``scrubbed`` (field -> kind ->
        replacements), ``scrubbed_texts``, ``withheld_texts`` (reason -> texts), ``scrub_countries``
        (``loaded`` and ``missing`` ISO codes), ``names_scrubbed``, ``names`` (how, and the measured
        recall; see `manifest.NamesFacts`; empty: they were left), ``hashtags_folded``,
        ``uniqueness`` (see `uniqueness.uniqueness`; never empty),
        ``k_anonymity`` (``k``: the fewest videos that share
        everything released that the API shows too; ``columns``; ``min_k``: what was asked for;
        ``hidden``: column -> values hidden; see `release.k_anonymity`), ``tier`` (exact, public or
        null), and ``linkage``: a list of sentences.
    """
    manifest = release.manifest
    countries = manifest.scrub_countries
    published = campaign.texts.linkage.strip() if campaign else ""
    return {
        "policy": manifest.privacy.model_dump(),
        "scrubbed": manifest.scrubbed,
        "scrubbed_texts": manifest.scrubbed_texts,
        "withheld_texts": manifest.withheld_texts,
        "scrub_countries": countries.model_dump() if countries else {},
        "names_scrubbed": manifest.names_scrubbed,
        "names": manifest.names.model_dump() if manifest.names else {},
        "hashtags_folded": manifest.hashtags_folded,
        "linkage": [TEXT_MATCHING, *([published] if published else [])],
        "uniqueness": uniqueness(release),
        "k_anonymity": _k_anonymity(release),
        "tier": manifest.tier,
    }


def _k_anonymity(release: Release) -> dict[str, Any]:
    columns = release.facts
    told = release.manifest.anonymity
    return {
        "k": k_of(release.scan("metadata"), columns),
        "columns": columns,
        "min_k": release.manifest.privacy.min_k,
        "hidden": told.hidden if told else {},
    }
