"""The pictures of a release: the paper's figures, sentiment, and how sure the labels are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builder.analyze.captions import released_ngrams
from builder.analyze.figures.make import write_pictures
from builder.analyze.figures.material import Material, coarseness
from builder.config.campaign import Campaign
from builder.run.store import Store
from builder.sources.ingest import Ingested
from builder.validate.page import write_figures
from builder.validate.release import Tables

FOLDER = "figures"


def release_pictures(
    campaign: Campaign,
    tables: Tables,
    ingested: Ingested,
    store: Store,
    quality: dict[str, Any],
) -> list[dict[str, str]]:
    """Write `figures/` of a release.

    Args:
        campaign: names, window, events, texts.
        tables: the released tables.
        ingested: where the captions are; only counts of phrases leave it.
        store: the work folder, anonymised.
        quality: what `check_quality` said of the tables.

    Returns:
        One entry a picture of the card: `file` (its name), `title`, `alt` (it in words).
    """
    window = campaign.window
    material = Material(
        *(tables, campaign.release_name, campaign.version, ingested.synthetic),
        *(window.start, window.end),
        campaign=campaign,
        **coarseness(campaign.privacy),
        ngrams=released_ngrams(tables, store.work, campaign, ingested.parts),
    )
    folder: Path = tables.folder / FOLDER
    drawn = [
        {"file": f"{figure.name}.svg", "title": figure.title, "alt": figure.told}
        for figure in write_pictures(material, folder)
    ]
    foot = [material.words("synthetic")] if material.synthetic else []
    return drawn + write_figures(quality, folder, [*foot, material.source])
