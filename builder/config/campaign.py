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

import datetime as dt
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from builder.config.campaign_files import read_folder
from builder.config.limits import QualityThresholds
from builder.config.toml import refusal
from builder.errors import CampaignError

CAMPAIGNS = Path(__file__).parents[1] / "campaigns"
DEFAULT_CAMPAIGN = "ecuador_2024"
_EXAMPLE = "docs/campaign.md, with builder/campaigns/ecuador_2024 as an example,"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Frozen):
    """Collection window in UTC days, both ends inclusive.

    Attributes:
        start: the first day.
        end: the last day.
    """

    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.end < self.start:
            raise ValueError("window.end is before window.start")
        return self

    @property
    def start_ts(self) -> int:
        """First second of the window, Unix time."""
        return _midnight(self.start)

    @property
    def end_ts(self) -> int:
        """First second after the window, Unix time."""
        return _midnight(self.end + dt.timedelta(days=1))

    @property
    def days(self) -> list[dt.date]:
        """Every day of the window, in order."""
        return [self.start + dt.timedelta(days=i) for i in range((self.end - self.start).days + 1)]


class Event(_Frozen):
    """A dated event of the crisis, marked in figures.

    Attributes:
        key: the letter that marks it.
        date: its day, UTC, inside the window.
        title: in a few words.
        description: what happened, in one or two lines.
        source: where it is described.
        titles: the title in other languages (ISO 639-1 code to text), for figures in these.
    """

    key: str
    date: dt.date
    title: str
    description: str
    source: str
    titles: dict[str, str] = Field(default_factory=dict)


class PublicFigure(_Frozen):
    """A person or institution whose name and handles may stay in released text.

    Attributes:
        name: as people write it.
        handles: its official accounts, without @.
        role: who it is, with the years; shown in the card.
    """

    name: str
    handles: tuple[str, ...] = ()
    role: str = ""


class Keyword(_Frozen):
    """One distinct search term.

    Attributes:
        term: lower case, spaces trimmed.
        raw: every spelling as published, separated by ``|``.
        kind: hashtag (one word) or phrase.
        english: English translation.
        description: what it stands for, in one or two lines.
    """

    term: str = Field(min_length=1)
    raw: tuple[str, ...] = Field(min_length=1)
    kind: Literal["hashtag", "phrase"]
    english: str
    description: str


class Privacy(_Frozen):
    """What leaves the house, and how coarse.

    Attributes:
        id_policy: `pseudonym` (HMAC-SHA256, 128 bits, hex) or `raw` (the TikTok id as text).
        date_resolution: publication time is released truncated to this unit; `week` is the Monday
            of the ISO week, `month` the first day of the month.
        round_counts: `exact`, `omit`, or to how many significant digits views, likes, comments and
            shares are rounded.
        round_duration: `exact`, `omit`, or to how many seconds durations are rounded; unless exact,
            frames and timed segments are left out, which would tell it.
        author_pseudonym: release a keyed pseudonym of the author as `author_id`.
        min_hashtag_videos: hashtags used by fewer videos are folded out.
        min_username_hashtag_authors: a hashtag that spells an author's username stays only when
            at least this many different authors use it.
    """

    id_policy: Literal["pseudonym", "raw"] = "pseudonym"
    date_resolution: Literal["month", "week", "day", "hour", "second"] = "day"
    round_counts: Literal["exact", "omit"] | Annotated[int, Field(strict=True, ge=1, le=6)] = (
        "exact"
    )
    round_duration: Literal["exact", "omit"] | Annotated[int, Field(strict=True, ge=1)] = "exact"
    author_pseudonym: bool = False
    min_hashtag_videos: int = Field(default=5, ge=1)
    min_username_hashtag_authors: int = Field(default=20, ge=2)


class Licence(_Frozen):
    """Data licence and contact of the release.

    Attributes:
        data: identifier of the licence, as the Hub knows it.
        data_name: its name in words.
        contact: whom to write to, so that they answer; empty: the card says that there is none yet.
        citation: how the data wants to be cited, in words.
    """

    data: str
    data_name: str
    contact: str = ""
    citation: str = ""


class SentimentWording(_Frozen):
    """How the labels are asked about; what is left out has the language's own wording.

    Attributes:
        template: the sentence a label is put into, with {} where it goes.
        negative, neutral, positive: the word for that label.
    """

    template: str | None = None
    negative: str | None = Field(default=None, min_length=1)
    neutral: str | None = Field(default=None, min_length=1)
    positive: str | None = Field(default=None, min_length=1)

    @field_validator("template")
    @classmethod
    def _has_place(cls, value: str | None) -> str | None:
        if value is not None and value.count("{}") != 1:
            raise ValueError("the template needs {} once, where the label goes")
        return value


class Annotate(_Frozen):
    """``[annotate]``: what this campaign asks of the models, whatever the profile.

    Attributes:
        sentiment: wording of the labels.
        summary_language: ISO 639-1 code of the summaries; default: the campaign's language.
        subject: what the videos are about, in the summaries' language, for the prompt.
        prompt: a prompt of `builder/annotate/prompts`, or a file in the campaign's folder.
        language_weights: how much likelier than others a language is before anything was heard.
    """

    sentiment: SentimentWording = SentimentWording()
    summary_language: str | None = Field(default=None, pattern=r"^[a-z]{2}$")
    subject: str = ""
    prompt: str | None = None
    language_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)


class Texts(_Frozen):
    """Campaign-specific prose of the card.

    Attributes:
        summary: what happened, and what this dataset holds.
        collection: how the videos were found.
        biases: who and what is missing or over-represented.
        linkage: what others have published or can ask for that a release can be joined with.
    """

    summary: str
    collection: str
    biases: str
    linkage: str = ""


class Publication(_Frozen):
    """``[publication]``: who publishes, and the words a reader sees before the data.

    Attributes:
        creators: people or groups, as they want to be cited.
        url: where the release is, once that is known.
        published: the day of the version, for citations.
        paper: title of the work that describes the data.
        paper_authors: its authors, in order.
        paper_url: where it is.
        warning: what may disturb a reader.
        terms: what a reader of a gated repository has to accept.
        social_impact, maintenance: for the datasheet and Croissant's RAI fields.
    """

    creators: tuple[str, ...] = ()
    url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    published: dt.date | None = None
    paper: str = ""
    paper_authors: tuple[str, ...] = ()
    paper_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    warning: str = (
        "The videos are about a crisis. Transcripts and summaries can quote threats, violence, "
        "death, insults and false claims as they were said."
    )
    terms: str = (
        "I will not try to identify, contact or profile anybody whose post is in this dataset, nor "
        "join it with other data to that end. I will not pass it on. I will delete my copies of a "
        "version when it is withdrawn, and leave out posts that later versions leave out."
    )
    social_impact: str = (
        "Meant to help research on how a public speaks in a crisis. It could be misused to find "
        "people who spoke, or to tune messages that spread fear; ids are therefore pseudonyms, "
        "names of accounts are not released, and readers accept terms."
    )
    maintenance: str = (
        "Versions are semantic. Posts that were deleted on the platform, or whose removal was "
        "asked for, leave the next version; then earlier versions can be withdrawn. Problems are "
        "reported to the contact in the card."
    )


class Campaign(_Frozen):
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
    def countries(self) -> tuple[str, ...]:
        """Its country and the neighbours."""
        return (self.country, *self.neighbour_countries)

    @cached_property
    def allowed_handles(self) -> frozenset[str]:
        """Handles of public figures, lower case, without @."""
        return frozenset(
            handle.lstrip("@").casefold() for p in self.public_figures for handle in p.handles
        )

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


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())
