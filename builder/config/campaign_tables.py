"""The tables of a campaign file: window, events, keywords, privacy, licence, words, publication.

What each field means stands here, beside it; docs/campaign.md is made from it.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Frozen(BaseModel):
    """A table whose keys are known, and which does not change once it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Frozen):
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


class Event(Frozen):
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


class PublicFigure(Frozen):
    """A person or institution whose name and handles may stay in released text.

    Attributes:
        name: as people write it.
        handles: its official accounts, without @.
        role: who it is, with the years; shown in the card.
        aliases: further names by which people speak of it ("Fito"); they stay in text too.
    """

    name: str
    handles: tuple[str, ...] = ()
    role: str = ""
    aliases: tuple[str, ...] = ()


class Keyword(Frozen):
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


class Licence(Frozen):
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


class SentimentWording(Frozen):
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


class Annotate(Frozen):
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


class Texts(Frozen):
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


class Publication(Frozen):
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


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())
