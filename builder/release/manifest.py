"""MANIFEST.json: what a release is, where it comes from, and the digest of every file.

Its keys are a contract with everybody who reads a release. `Manifest` is their one home: it reads
and writes itself, and nothing else in the package looks into the file. A key that a newer version
of the package added is kept as it is.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field, fields
from importlib import metadata as package_metadata
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from builder.config.profile import SentimentTable
from builder.errors import ContractBroken, UsageProblem
from builder.media.counts import MediaCounts
from builder.run.store import write_json

MANIFEST = "MANIFEST.json"
SIGNATURE = "model.sig"
AFTERWARDS = (MANIFEST, "validation.json", "validation.html", SIGNATURE)  # it does not list these
# a release made before the manifest said so was made with the default
DEFAULT_THRESHOLD = SentimentTable().threshold


class ManifestProblem(ContractBroken):
    """A MANIFEST.json lacks a key, or holds something of another type under it."""


def code_version() -> str:
    """Version of the installed package."""
    return package_metadata.version("ecuador-crisis-tiktok")


def _day(value: object) -> object:
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise ValueError("a day such as 2024-01-09 is needed")
    return dt.date.fromisoformat(value)


def _readable(value: object) -> object:
    """A note can quote a file name that is no UTF-8; JSON readers refuse lone surrogates."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]
Note = Annotated[str, BeforeValidator(_readable)]
Count = Annotated[int, Field(ge=0)]
Filled = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class ReleasedFile(_Part):
    """One released file: `sha256` (hex) and, for Parquet, its `rows`."""

    sha256: str
    rows: Count | None = None


class ReleasedWindow(_Part):
    """First and last UTC day of the campaign."""

    start: Day
    end: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError("the window ends before it starts")
        return self


class ReleasedPrivacy(_Part):
    """The campaign's privacy settings; see `config.campaign.Privacy`."""

    id_policy: str = "pseudonym"
    date_resolution: str = "day"
    round_counts: str | int = "exact"
    round_duration: str | int = "exact"
    author_pseudonym: bool = False
    texts: bool = True
    min_k: int = 1


class Anonymity(_Part):
    """What was hidden: see `release.k_anonymity`.

    Attributes:
        min_k: videos that at least share every released combination of `columns`; k: that do.
        hidden: column -> videos of which a value is hidden.
    """

    min_k: Count
    k: Count
    columns: list[str] = []
    hidden: dict[str, Count] = {}


class ScrubCountries(_Part):
    """The campaign's countries with (`loaded`) and without (`missing`) recognisers, ISO codes."""

    loaded: list[str] = []
    missing: list[str] = []


class NamesFacts(_Part):
    """How names were found: `method`, `model`, digest of our `tagger`, and what was `measured`.

    `measured` is of the tagger on names it never saw (scripts/eval_names.py): shares of full
    names, first names in a telling context and surnames behind a title that were found, with and
    without capitals; of other words that were replaced; of unlisted places that survived; each
    without lists of names and places, and with them (`listed_…`), as in use.
    """

    method: str
    model: str = ""
    tagger: str = ""
    measured: dict[str, float] = {}


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("a threshold lies between 0 and 1")
    return value


class Manifest(_Part):
    """The content of MANIFEST.json, in the order of its keys.

    Attributes:
        name, version: of the release; `schema_version`, `code_version`: of what made it.
        campaign: name of the campaign; `window`: its first and last day.
        tier: `exact` or `public` where one build makes both; null: it makes one release.
        privacy: what was released and how coarse; `optional_columns`: columns it adds.
        anonymity: what was hidden so that no video stands alone; null: nothing had to be.
        synthetic: True: made of invented posts.
        sources: kind of source -> rows read; `inputs`: digests of the source files.
        notes: what was matched and skipped in the sources.
        scrub_countries: whose national numbers were looked for; null: made before it was said.
        counts: step -> rows in, out, and by every status other than ok.
        media: the folder of downloads in numbers; null: there was none.
        dropped: reason -> rows left out.
        tombstones: reason -> posts that left because they were deleted upstream or their removal
            was asked for. Numbers only; a release with none has none.
        refresh: `last`, the day on which every post had been asked for again, and `due`, that of
            the next time; empty: never.
        scrubbed: field -> kind of identifier -> replacements; `scrubbed_texts`: field -> texts.
        names_scrubbed: names of private persons were looked for and replaced; `names`: how.
        withheld_texts: reason -> texts (and lists of segments) that are not released.
        hashtags_folded: reason -> distinct hashtags that are not released.
        profile: null when no model ran; `models`: step -> what made its rows.
        sentiment_threshold: `low_confidence` is true under it.
        instruction_set: of the processor that ran the models.
        key_check: tells whether two releases have the same pseudonyms, not the key.
        rows: config -> rows; `usable_transcripts`: source -> rows; `excluded`: reason -> rows kept
            and flagged.
        files: path -> digest and rows.
    """

    name: Filled
    version: Filled
    schema_version: str = ""
    code_version: str = ""
    campaign: Filled
    window: ReleasedWindow
    tier: Literal["exact", "public"] | None = None
    privacy: ReleasedPrivacy = ReleasedPrivacy()
    anonymity: Anonymity | None = None
    optional_columns: list[str] = []
    synthetic: bool
    sources: dict[str, Count] = {}
    inputs: list[str] = []
    notes: list[Note] = []
    scrub_countries: ScrubCountries | None = None
    counts: dict[str, dict[str, Count]] = {}
    media: MediaCounts | None = None
    dropped: dict[str, Count] = {}
    tombstones: dict[str, Count] = {}
    refresh: dict[str, str] = {}
    scrubbed: dict[str, dict[str, Count]] = {}
    scrubbed_texts: dict[str, Count] = {}
    names_scrubbed: bool = False
    names: NamesFacts | None = None
    withheld_texts: dict[str, Count] = {}
    hashtags_folded: dict[str, Count] = {}
    profile: str | None = None
    models: dict[str, str] = {}
    sentiment_threshold: Annotated[float, AfterValidator(_share)] = DEFAULT_THRESHOLD
    instruction_set: str | None = None
    key_check: str | None = None
    rows: dict[str, Count] = {}
    usable_transcripts: dict[str, Count] = {}
    excluded: dict[str, Count] = {}
    files: dict[str, ReleasedFile]

    @classmethod
    def find(cls, release: Path) -> Self | None:
        """The manifest of a folder; None when there is none, or it is not a JSON object.

        Raises:
            ManifestProblem: a key is missing or has the wrong type; names it.
        """
        path = release / MANIFEST
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            missing = first["type"] == "missing"
            key = ".".join(str(step) for step in first["loc"])
            more = error.error_count() - 1
            problem = "the manifest lacks a key" if missing else f"in the manifest: {first['msg']}"
            raise ManifestProblem(
                problem + (f" (and {more} more)" if more else ""),
                file=path,
                field=key or None,
                way_out="build the release again with `ecuador-crisis regenerate`, or fetch it "
                "again; released files are not edited by hand",
            ) from error

    @classmethod
    def read(cls, release: Path) -> Self:
        """The manifest of a release.

        Raises:
            UsageProblem: the folder holds no readable manifest: it is not a release.
            ManifestProblem: a key is missing or has the wrong type.
        """
        found = cls.find(release)
        if found is None:
            raise UsageProblem(
                f"this is not a release: it has no readable {MANIFEST}",
                file=release,
                way_out=f"give the folder that `regenerate --out` made; it holds {MANIFEST}",
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return self.model_dump(mode="json")

    def write(self, folder: Path) -> None:
        """Write MANIFEST.json; from then on the folder is a release."""
        write_json(folder / MANIFEST, self.as_dict())


@dataclass(frozen=True)
class BuildFacts:
    """What a run knows and the tables do not tell: handed to the manifest and to the card.

    Every field is a key of `Manifest` and documented there.
    """

    synthetic: bool
    tier: Literal["exact", "public"] | None = None
    sources: dict[str, int] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scrub_countries: ScrubCountries | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    media: MediaCounts | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    tombstones: dict[str, int] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    scrubbed: dict[str, dict[str, int]] = field(default_factory=dict)
    scrubbed_texts: dict[str, int] = field(default_factory=dict)
    names_scrubbed: bool = False
    names: NamesFacts | None = None
    withheld_texts: dict[str, int] = field(default_factory=dict)
    hashtags_folded: dict[str, int] = field(default_factory=dict)
    profile: str | None = None
    models: dict[str, str] = field(default_factory=dict)
    sentiment_threshold: float = DEFAULT_THRESHOLD
    instruction_set: str | None = None
    key_check: str | None = None
    code_version: str = field(default_factory=code_version)

    def as_dict(self) -> dict[str, Any]:
        """Key of the manifest -> value."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
