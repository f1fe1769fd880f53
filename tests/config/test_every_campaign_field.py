"""No field of a campaign without effect: each changes something that can be observed.

The fields are found by walking the model, so a new one fails here until a value that differs is
known and something that is made from the campaign differs with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel
from release_kit import quiet

from builder.analyze.figures.material import Material
from builder.config.campaign import Campaign
from builder.config.campaign_tables import Event, Keyword, PublicFigure
from builder.config.limits import Limit
from builder.config.merged import for_campaign
from builder.config.profile import load_profile
from builder.release.assemble import Assembled, optional_columns
from builder.release.card import write_card
from builder.release.coarsen import coarsen
from builder.release.hashtags import (
    allowed_hashtags,
    known_usernames,
    matched_terms,
    shared_usernames,
)
from builder.release.k_anonymity import hide
from builder.release.manifest import BuildFacts
from builder.release.scrub.names.choose import offline_finder
from builder.release.scrub.scrubber import Scrubber
from builder.release.tables import events_table, keywords_table
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import ingest
from builder.sources.simulate.plan import make_plan
from builder.sources.simulate.simulate import simulate
from builder.sources.simulate.text import Texts
from builder.validate.release import Tables
from builder.validate.thresholds import judge, thresholds_of
from ecuador_crisis_tiktok import FEATURES

ECUADOR = Campaign.load("ecuador_2024")
OFFLINE = load_profile("offline")
# Another value for every field; a field of a table in a list changes in the first of them.
OTHERS: dict[str, Any] = {
    "name": "other_2024",
    "title": "Another title",
    "release_name": "OtherTikTok",
    "version": "1.0.1",
    "window.start": dt.date(2024, 1, 2),
    "window.end": dt.date(2024, 3, 6),
    "region_codes": ("EC", "CO", "PE", "US", "ES", "MX", "CL", "AR", "VE"),
    "country": "BR",
    "neighbour_countries": (),
    "languages": ("pt",),
    "tags": ("other",),
    "generic_hashtags": ("fyp",),
    "figure_hashtags": ("noboa",),
    "events.key": "Z",
    "events.date": dt.date(2024, 1, 8),
    "events.title": "Another title",
    "events.description": "Another description",
    "events.source": "Another source",
    "events.titles": {"es": "Otro título"},
    "public_figures.name": "Another Name",
    "public_figures.handles": ("another_handle",),
    "public_figures.role": "Another role",
    "public_figures.aliases": ("Zutano",),
    "public_persons": ("Menganito Pérez",),
    "allowed_terms": ("0991234567",),
    "annotate.sentiment.template": "Es {}.",
    "annotate.sentiment.negative": "malo",
    "annotate.sentiment.neutral": "regular",
    "annotate.sentiment.positive": "bueno",
    "annotate.summary_language": "pt",
    "annotate.subject": "otra cosa",
    "annotate.prompt": "another_prompt",
    "annotate.language_weights": {"pt": 9.0},
    "privacy.id_policy": "raw",
    "privacy.date_resolution": "hour",
    "privacy.round_counts": 2,
    "privacy.round_duration": 10,
    "privacy.author_pseudonym": True,
    "privacy.min_hashtag_videos": 9,
    "privacy.min_username_hashtag_authors": 2,
    "privacy.texts": False,
    "privacy.min_k": 3,
    "privacy.public_tier": {"min_k": 7},
    "quality.min_rows": 5,
    "quality.limits": {"entailment_share": Limit(warn=0.9, fail=0.8)},
    "licence.data": "mit",
    "licence.data_name": "Another licence",
    "licence.contact": "another contact",
    "licence.citation": "another citation",
    "texts.summary": "Another summary.",
    "texts.collection": "Another collection.",
    "texts.biases": "Other biases.",
    "texts.linkage": "Something else is public.",
    "publication.creators": ("Another group",),
    "publication.url": "https://example.org/data",
    "publication.published": dt.date(2024, 6, 1),
    "publication.paper": "Another paper",
    "publication.paper_authors": ("Invented Author",),
    "publication.paper_url": "https://example.org/paper",
    "publication.warning": "Another warning.",
    "publication.terms": "Other terms.",
    "publication.social_impact": "Another impact.",
    "publication.maintenance": "Another plan.",
    "keywords.term": "anotherterm",
    "keywords.raw": ("AnotherSpelling",),
    "keywords.kind": "phrase",
    "keywords.english": "another translation",
    "keywords.description": "another description",
    "paper": {},
    "words": {"emoji": [" ?"]},
}
LISTS: dict[str, type[BaseModel]] = {
    "events": Event,
    "public_figures": PublicFigure,
    "keywords": Keyword,
}


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every field of the model by its dotted name; tables, and tables in lists, walked through."""
    for name, field in model.model_fields.items():
        inner = LISTS.get(name, field.annotation) if not prefix else field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def changed(name: str, value: Any) -> Campaign:
    """Ecuador's campaign with one field another."""
    data = ECUADOR.model_dump()
    *path, last = name.split(".")
    table: Any = data
    for part in path:
        table = table[part]
        if isinstance(table, list | tuple):
            table = table[0]
    assert table[last] != value, f"{name}: OTHERS must differ from what Ecuador has"
    table[last] = value
    return Campaign.model_validate(data)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A tag used six times, two authors whose tag is a third one's name, 60 simulated videos."""
    path = tmp_path_factory.mktemp("parts") / "part-0.parquet"
    tags = [["ecuador", "seldom"]] * 6 + [["persona_x"], ["persona_x"], ["ecuador"]]
    frame = pl.DataFrame(
        {
            "id": list(range(9)),
            "username": [f"invented_{n}" for n in range(8)] + ["persona_x"],
            "hashtags": tags,
            "description": ["toquedequeda"] * 9,
        }
    )
    frame.write_parquet(path)
    simulate(ECUADOR, videos=60, seed=1, out=path.parent / "pages")
    return [path]


def what_comes_of(
    campaign: Campaign, parts: list[Path], folder: Path
) -> dict[str, Callable[[], Any]]:
    """What is made from a campaign by the code that reads it, the cheapest first."""

    def card() -> str:
        assembled = Assembled(rows=dict.fromkeys(FEATURES, 1), bytes=dict.fromkeys(FEATURES, 1))
        folder.mkdir(exist_ok=True)
        write_card(campaign, assembled, folder, BuildFacts(synthetic=True), [])
        return (folder / "README.md").read_text(encoding="utf-8")

    def hashtags() -> Any:
        names = known_usernames(parts)
        shared = shared_usernames(parts, campaign, names)
        return shared, allowed_hashtags(parts, campaign, names - shared, Scrubber.of(campaign))

    def scrubbed() -> list[Any]:
        scrubber = Scrubber.of(campaign)
        return [scrubber.scrub(text) for text in ("0991234567", "@danielnoboaok")]

    def names() -> list[Any]:
        finder = offline_finder(campaign)
        said = ("Ayer mataron a Zutano en Quito.", "Ayer mataron a Menganito Pérez en Quito.")
        return [finder.find(text) for text in said]

    def dropped() -> dict[str, int]:
        store = Store(folder / "work")
        with store.lock():
            return ingest(campaign, find_sources([parts[0].parent / "pages"]), store, quiet).dropped

    def figures() -> Any:
        tags = [["danielnoboa"], ["noboa"]]
        metadata = pl.DataFrame({"hashtags": tags, "view_count": [1, 2]})
        for name, frame in (("metadata", metadata), ("events", events_table(campaign, {}))):
            (folder / name).mkdir(parents=True, exist_ok=True)
            frame.write_parquet(folder / name / "train.parquet")
        window = campaign.window
        about = ("x", "1.0.0", True, window.start, window.end)
        material = Material(Tables(folder, 0.75), *about, campaign=campaign, language="es")
        return material.chosen_tags, material.events

    def simulated() -> Any:
        texts = Texts(campaign, 1)
        return make_plan(campaign, 60, 1), texts.captions, texts.popular, texts.kinds

    def released() -> Any:
        rows = pl.DataFrame({"video_id": ["a", "b"], "date": [dt.date(2024, 1, 8)] * 2})
        texts = coarsen(pl.DataFrame({"text": ["some words"]}), campaign.privacy)
        return texts.to_dicts(), hide(rows, campaign.privacy.min_k).left_out, len(campaign.tiers)

    return {
        "released": released,
        "card": card,
        "profile": lambda: for_campaign(OFFLINE, campaign),
        "keywords": lambda: keywords_table(campaign, None).to_dicts(),
        "events": lambda: events_table(campaign, {}).to_dicts(),
        "matched": lambda: matched_terms(pl.read_parquet(parts[0]), campaign).to_list(),
        "columns": lambda: optional_columns(campaign),
        "quality": lambda: judge({"entailment_share": (0.85, 20)}, thresholds_of(campaign)),
        "kinds": lambda: Scrubber.of(campaign).kinds,
        "scrubbed": scrubbed,
        "names": names,
        "hashtags": hashtags,
        "figures": figures,
        "dropped": dropped,
        "simulated": simulated,
    }


@pytest.fixture(scope="module")
def as_it_is(
    parts: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Callable[[], Any]]:
    made = what_comes_of(ECUADOR, parts, tmp_path_factory.mktemp("card"))
    return {key: cache(make) for key, make in made.items()}


@pytest.mark.parametrize("name", list(leaves(Campaign)))
def test_every_field_changes_something(
    name: str, as_it_is: dict[str, Callable[[], Any]], parts: list[Path], tmp_path: Path
) -> None:
    assert name in OTHERS, f"{name}: say in OTHERS what another value is"
    other = what_comes_of(changed(name, OTHERS[name]), parts, tmp_path / "card")
    assert any(make() != as_it_is[key]() for key, make in other.items()), f"{name}: no effect"


def test_no_value_is_kept_for_a_field_that_is_gone() -> None:
    assert set(OTHERS) == set(leaves(Campaign))
