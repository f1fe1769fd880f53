"""What the documents of a release say, once, in sentences made of the campaign and the build."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from builder.config.campaign import Campaign
from builder.config.citation import bibtex
from builder.release.assemble import Assembled, anonymity_of, file_digest
from builder.release.manifest import BuildFacts

_LICENCES = {
    "cc-by": "https://creativecommons.org/licenses/by/",
    "cc-by-nc": "https://creativecommons.org/licenses/by-nc/",
    "cc-by-sa": "https://creativecommons.org/licenses/by-sa/",
    "cc-by-nc-sa": "https://creativecommons.org/licenses/by-nc-sa/",
    "cc-by-nd": "https://creativecommons.org/licenses/by-nd/",
    "cc-by-nc-nd": "https://creativecommons.org/licenses/by-nc-nd/",
}


@dataclass(frozen=True)
class Facts:
    """A build, ready to be told.

    Attributes:
        tables: path of a Parquet file -> (bytes, sha256).
    """

    campaign: Campaign
    assembled: Assembled
    build: BuildFacts
    optional: tuple[str, ...] = ()
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, campaign: Campaign, assembled: Assembled, folder: Path, build: BuildFacts) -> Facts:
        """Of a release folder whose tables are written."""
        tables = {
            name: ((folder / name).stat().st_size, file_digest(folder / name))
            for name in sorted(assembled.files)
        }
        return cls(campaign, assembled, build, assembled.optional, tables)

    @property
    def models(self) -> dict[str, str]:
        """Step -> what made its rows."""
        return self.build.models

    @property
    def bibtex(self) -> str:
        """How to cite it."""
        return bibtex(self.campaign, synthetic=self.build.synthetic).strip()

    @property
    def keywords(self) -> list[str]:
        """For search engines."""
        tags = ["TikTok", "crisis informatics", "social media", *self.campaign.tags]
        return [*tags, "SYNTHETIC"] if self.build.synthetic else tags

    @property
    def licence_url(self) -> str:
        """A link where the licence has one, else its name."""
        name, _, version = self.campaign.licence.data.rpartition("-")
        if name in _LICENCES:
            return f"{_LICENCES[name]}{version}/"
        return self.campaign.licence.data_name

    @property
    def description(self) -> str:
        """What it is, SYNTHETIC first where it is."""
        made_up = "SYNTHETIC DATA made of invented posts. " if self.build.synthetic else ""
        return f"{made_up}{self.campaign.title}. {self.campaign.texts.summary.strip()}"

    @property
    def missing(self) -> str:
        """What is not there, and why."""
        gone = self.build.dropped
        told = ", ".join(f"{count:,} {reason}" for reason, count in gone.items())
        flagged = sum(self.assembled.excluded.values())
        return (
            f"Rows left out: {told or 'none'}. Videos without a usable transcript are kept and "
            f"flagged ({flagged:,} of {self.assembled.rows['videos']:,}). What the source does not "
            "supply is null, never zero. Videos deleted before the collection are absent."
        )

    @property
    def processing(self) -> list[str]:
        """What was done to the rows, step by step."""
        taken = sum(sum(kinds.values()) for kinds in self.build.scrubbed.values())
        ids = self.campaign.privacy.id_policy
        return [
            "Duplicates, rows outside the window or region, and damaged ids were left out and "
            "counted.",
            "Ids are keyed pseudonyms (HMAC-SHA256, 128 bits)."
            if ids == "pseudonym"
            else "Ids are the platform's own, by decision of this campaign.",
            f"Identifiers in texts were replaced by rules ({taken:,} replacements).",
            f"Publication time is released by {self.campaign.privacy.date_resolution}.",
        ]

    @property
    def annotation(self) -> list[str]:
        """What machines added."""
        if not self.models:
            return ["No model was run for this build."]
        return [
            f"{step} was done by {model} without human correction."
            for step, model in self.models.items()
        ]

    @property
    def limits(self) -> list[str]:
        """What not to expect of it."""
        return [
            "Machine labels are guesses; confidence columns say how sure the model was.",
            "Engagement counts are a snapshot of the day of collection.",
            "The API it was collected with is known not to return everything it should.",
            *(["This build is SYNTHETIC and says nothing about anybody."] * self.build.synthetic),
        ]

    @property
    def uses(self) -> list[str]:
        """What it is for, and what not."""
        return [
            "For: research on crisis communication, misinformation, multilingual text analysis.",
            "Not for: identifying, contacting or profiling people; decisions about individuals; "
            "training systems that imitate the speakers.",
        ]

    @property
    def _findable(self) -> str:
        told = anonymity_of(self.assembled.hidden)
        if told is None:
            return (
                "Exact counts and dates can be unique to a video: whoever has the same API could "
                "find it again."
            )
        return (
            f"At least {told.k} videos share every released combination of what the API shows "
            "too; what would single one out is hidden."
        )

    @property
    def personal(self) -> list[str]:
        """What of people is in it."""
        names = getattr(self.build, "names_scrubbed", None) is True
        return [
            "Names of accounts, captions and links to the videos are not released.",
            "Names of private people in texts were looked for and replaced; some may remain."
            if names
            else "Names of people in texts were not looked for.",
            "Political opinions, health or religion can be told in what people said.",
            self._findable,
        ]
