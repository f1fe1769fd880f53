"""A campaign: the window, region, keywords, events and release settings of one crisis, as data.

A campaign is a folder with

* ``campaign.toml``: everything below except the keywords,
* ``keywords.csv``: columns ``term, raw, kind, english, description``; `raw` holds every published
  spelling, separated by ``|``,
* ``paper.toml`` (optional): numbers a paper printed about it, which `validate` compares with ours,
* ``words.toml`` (optional): the words of its simulations.

Another crisis is another folder; nothing in the code names Ecuador.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from builder.config.campaign_files import read_folder
from builder.config.campaign_tables import (
    Annotate,
    Event,
    Frozen,
    Keyword,
    Licence,
    Publication,
    PublicFigure,
    Texts,
    Window,
)
from builder.config.limits import QualityThresholds
from builder.config.privacy import PUBLIC_SUFFIX, Privacy
from builder.config.toml import refusal
from builder.errors import CampaignError

CAMPAIGNS = Path(__file__).parents[1] / "campaigns"
DEFAULT_CAMPAIGN = "ecuador_2024"
_EXAMPLE = "docs/campaign.md, with builder/campaigns/ecuador_2024 as an example,"


class Campaign(Frozen):
    """A whole campaign file, validated. See the module docstring for the folder layout.

    Attributes:
        name: its short name; one that no embedded campaign has.
        title: what the data is, in one line.
        release_name: name of the release folder and of the dataset on the Hub.
        version: of the data, three numbers.
        window: the days that are collected.
        region_codes: regions the Research API is asked for: where accounts were registered.
        country: ISO 3166 code: whose national numbers, plates and telephones the scrubber knows.
        neighbour_countries: whose people appear in the videos too; their numbers are replaced
            where a cue or check digit speaks for them.
        languages: ISO 639-1 codes of the transcripts, the most spoken first.
        tags: further tags of the dataset card, for whoever searches the Hub.
        generic_hashtags: say nothing about the crisis: left out of tables and figures, kept in the
            data.
        figure_hashtags: drawn over time; empty: the most frequent ones.
        events: dated events, marked in figures.
        public_figures: people and institutions whose names may stay in released text.
        public_persons: further people whose full names may ("Lenín Moreno"; the surname alone only
            beside it), or by a single name that is enough ("Glas"). Of figures the surname is.
        allowed_terms: ordinary strings that the scrubber might take for something private.
        annotate: wins over the profile, see `builder.config.merged`.
        privacy: what leaves the house, and how coarse.
        quality: thresholds of quality.
        licence: of the data, and the contact.
        texts: prose of the card.
        keywords: rows of `keywords.csv`.
        paper: content of `paper.toml`: numbers a paper printed, compared with ours. Optional.
        words: the invented language of its simulations (`words.toml` of the folder), if it has one
            of its own; see `builder.sources.simulate.text`.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    release_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._]*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    window: Window
    region_codes: tuple[str, ...] = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    neighbour_countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = Field(min_length=1)
    tags: tuple[str, ...] = ()
    generic_hashtags: tuple[str, ...] = ()
    figure_hashtags: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    public_figures: tuple[PublicFigure, ...] = ()
    public_persons: tuple[str, ...] = ()
    allowed_terms: tuple[str, ...] = ()
    annotate: Annotate = Annotate()
    privacy: Privacy = Privacy()
    quality: QualityThresholds = QualityThresholds()
    licence: Licence
    texts: Texts
    publication: Publication = Publication()
    keywords: tuple[Keyword, ...] = Field(min_length=1)
    paper: dict[str, Any] = Field(default_factory=dict)
    words: dict[str, Any] = Field(default_factory=dict)

    @field_validator("neighbour_countries")
    @classmethod
    def _iso_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not re.fullmatch("[A-Z]{2}", code):
                raise ValueError(f"{code!r} is no ISO 3166 country code, such as PE")
        return codes

    @field_validator("keywords")
    @classmethod
    def _distinct(cls, keywords: tuple[Keyword, ...]) -> tuple[Keyword, ...]:
        terms = [keyword.term.casefold() for keyword in keywords]
        doubled = sorted({term for term in terms if terms.count(term) > 1})
        if doubled:
            raise ValueError(f"keywords.csv repeats the term(s) {', '.join(doubled)}")
        return keywords

    @model_validator(mode="after")
    def _consistent(self) -> Campaign:
        for event in self.events:
            if not self.window.start <= event.date <= self.window.end:
                raise ValueError(f"event {event.key} lies outside the window")
        return self

    @property
    def language(self) -> str:
        """The language most of it is in."""
        return self.languages[0]

    @property
    def tiers(self) -> tuple[Campaign, ...]:
        """What one build releases: itself, or the exact tier and then the public one."""
        public = self.privacy.of_public_tier()
        if public is None:
            return (self,)
        exact = self.privacy.model_copy(update={"public_tier": None})
        return (
            self.model_copy(update={"privacy": exact}),
            self.model_copy(
                update={"privacy": public, "release_name": self.release_name + PUBLIC_SUFFIX}
            ),
        )

    @property
    def countries(self) -> tuple[str, ...]:
        """Its country and the neighbours."""
        return (self.country, *self.neighbour_countries)

    @cached_property
    def allowed_handles(self) -> frozenset[str]:
        """Handles of public figures, lower case, without @."""
        return frozenset(
            handle.lstrip("@").casefold() for p in self.public_figures for handle in p.handles
        )

    @property
    def figure_names(self) -> tuple[str, ...]:
        """Names of the public figures, and their aliases."""
        return tuple(name for p in self.public_figures for name in (p.name, *p.aliases))

    @cached_property
    def known_terms(self) -> frozenset[str]:
        """Words that belong to the campaign itself (keywords, allowed handles), lower case."""
        return self.allowed_handles | {keyword.term.casefold() for keyword in self.keywords}

    @classmethod
    def load(cls, name_or_dir: str | Path = DEFAULT_CAMPAIGN) -> Campaign:
        """Read a campaign by its embedded name or from a folder.

        Args:
            name_or_dir: the name of a folder under `builder/campaigns`, or any folder's path.

        Raises:
            CampaignError: no such campaign, unreadable file, missing or contradictory field, or the
                name of an embedded campaign with other content.
        """
        campaign, folder = cls._read(name_or_dir)
        embedded = CAMPAIGNS / campaign.name
        if (
            folder.resolve() != embedded.resolve()
            and (embedded / "campaign.toml").is_file()
            and cls._read(embedded)[0] != campaign
        ):
            raise CampaignError(
                f"{campaign.name} is the name of an embedded campaign, whose content is another",
                file=folder / "campaign.toml",
                field="name",
                way_out="give it a name of its own (and a release_name): a release must not pass "
                "for another campaign's",
            )
        return campaign

    @classmethod
    def _read(cls, name_or_dir: str | Path) -> tuple[Campaign, Path]:
        folder = Path(name_or_dir)
        if not (folder / "campaign.toml").is_file():
            folder = CAMPAIGNS / str(name_or_dir)
        if not (folder / "campaign.toml").is_file():
            known = ", ".join(sorted(p.parent.name for p in CAMPAIGNS.glob("*/campaign.toml")))
            raise CampaignError(
                f"no campaign called {str(name_or_dir)!r}",
                way_out=f"use an embedded one ({known}) or the path of a folder that holds "
                "campaign.toml and keywords.csv",
            )
        data = read_folder(folder)
        try:
            return cls.model_validate(data), folder
        except ValidationError as error:
            where = error.errors(include_input=False)[0]["loc"]
            if where[:1] != ("keywords",):
                raise refusal(
                    cls,
                    error,
                    CampaignError,
                    file=folder / "campaign.toml",
                    describes=_EXAMPLE,
                ) from None
            # a row of keywords.csv, or the whole table
            row = f"{int(where[1]) + 1} below the header" if len(where) > 1 else None
            raise refusal(
                cls,
                error,
                CampaignError,
                file=folder / "keywords.csv",
                describes=_EXAMPLE,
                row=row,
                skip=2,
            ) from None
