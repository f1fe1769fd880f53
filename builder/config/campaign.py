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

import csv
import datetime as dt
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from builder.config.limits import QualityThresholds
from builder.config.toml import read_toml, refusal
from builder.errors import CampaignError

CAMPAIGNS = Path(__file__).parents[1] / "campaigns"
DEFAULT_CAMPAIGN = "ecuador_2024"
_EXAMPLE = "builder/config/campaign.py, with builder/campaigns/ecuador_2024 as an example,"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Frozen):
    """Collection window in UTC days, both ends inclusive."""

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

    `titles` holds the title in other languages (ISO 639-1), for figures in these.
    """

    key: str
    date: dt.date
    title: str
    description: str
    source: str
    titles: dict[str, str] = Field(default_factory=dict)


class PublicFigure(_Frozen):
    """A person or institution whose name and handles may stay in released text."""

    name: str
    handles: tuple[str, ...] = ()
    role: str = ""


class Keyword(_Frozen):
    """One distinct search term; `raw` keeps every spelling as published."""

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
    """Data licence and contact of the release."""

    data: str
    data_name: str
    contact: str
    citation: str = ""


class SentimentWording(_Frozen):
    """How the labels are asked about; what is left out has the language's own wording."""

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
        linkage: what others have published or can ask for that a release can be joined with.
    """

    summary: str
    collection: str
    biases: str
    linkage: str = ""


class Campaign(_Frozen):
    """A whole campaign file, validated. See the module docstring for the folder layout.

    Attributes (those that do not speak for themselves):
        country: ISO 3166 code: whose national numbers, plates and telephones the scrubber knows.
        neighbour_countries: whose people appear in the videos too; their numbers are replaced
            where a cue or check digit speaks for them.
        languages: ISO 639-1 codes of the transcripts, the most spoken first.
        annotate: wins over the profile, see `builder.config.merged`.
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
    languages: tuple[str, ...] = Field(default=("es",), min_length=1)
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
            CampaignError: no such campaign, unreadable file, missing or contradictory field.
        """
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
        data = read_toml(folder / "campaign.toml", CampaignError, "campaign file")
        data["keywords"] = _read_keywords(folder / "keywords.csv")
        if (folder / "paper.toml").is_file():
            data["paper"] = read_toml(folder / "paper.toml", CampaignError, "campaign file")
        if (folder / "words.toml").is_file():
            data["words"] = read_toml(folder / "words.toml", CampaignError, "campaign file")
        _find_prompt(data.get("annotate"), folder)
        try:
            return cls.model_validate(data)
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


def _find_prompt(table: Any, folder: Path) -> None:
    """Make a prompt in the campaign's folder a path; leave the name of an embedded one."""
    if isinstance(table, dict) and isinstance(table.get("prompt"), str):
        own = folder / table["prompt"]
        if own.is_file():
            table["prompt"] = str(own)


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _read_keywords(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise CampaignError(
            "the campaign has no keywords.csv",
            file=path,
            way_out="add one with the columns term, raw, kind, english, description",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CampaignError(
            f"cannot read the keywords: {error}", file=path, way_out="save the file as UTF-8 CSV"
        ) from error
    wanted = {"term", "raw", "kind", "english", "description"}
    if not rows or not wanted <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "none"
        raise CampaignError(
            f"keywords.csv needs the columns {', '.join(sorted(wanted))}; found: {found}",
            file=path,
            way_out="add the missing columns",
        )
    return [
        {key: row[key] for key in wanted - {"raw"}}
        | {"raw": tuple(form for form in (row["raw"] or "").split("|") if form.strip())}
        for row in rows
    ]
