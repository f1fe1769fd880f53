"""``[privacy]`` of a campaign: what leaves the house, and how coarse; one tier or two."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Names of the two tiers, as manifest and card say them, and what the public one's name ends in.
EXACT, PUBLIC = "exact", "public"
PUBLIC_SUFFIX = "-public"

Counts = Literal["exact", "omit"] | Annotated[int, Field(strict=True, ge=1, le=6)]
Duration = Literal["exact", "omit"] | Annotated[int, Field(strict=True, ge=1)]


class PublicTier(BaseModel):
    """``[privacy.public_tier]``: how much coarser the public release of the same build is.

    Attributes:
        date_resolution, round_counts, round_duration, texts, min_k: as in `Privacy`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date_resolution: Literal["month", "week", "day"] = "week"
    round_counts: Counts = 1
    round_duration: Duration = 10
    texts: bool = False
    min_k: int = Field(default=5, ge=2)


class Privacy(BaseModel):
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
        min_hashtag_videos: hashtags used by fewer different authors are folded out.
        min_username_hashtag_authors: a hashtag that spells an author's username stays only when
            at least this many different authors use it.
        texts: release transcripts and summaries; false leaves them out, with word counts, timed
            segments and scores, which tell a text to whoever has it; confidences go down to 0.05.
        min_k: at least so many videos share every combination of date, region, counts, duration,
            hashtags and terms that is released; values that would single a video out are hidden
            (null), and a video whose date alone does is left out. 1 hides nothing.
        public_tier: a second, public release from the same build, beside the first and with the
            same pseudonyms; an empty table takes its defaults: date_resolution "week",
            round_counts 1, round_duration 10, texts false, min_k 5.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id_policy: Literal["pseudonym", "raw"] = "pseudonym"
    date_resolution: Literal["month", "week", "day", "hour", "second"] = "day"
    round_counts: Counts = "exact"
    round_duration: Duration = "exact"
    author_pseudonym: bool = False
    min_hashtag_videos: int = Field(default=5, ge=1)
    min_username_hashtag_authors: int = Field(default=20, ge=2)
    texts: bool = True
    min_k: int = Field(default=1, ge=1)
    public_tier: PublicTier | None = None

    @model_validator(mode="after")
    def _hides_what_it_says(self) -> Privacy:
        told = "public_tier" if self.public_tier else "min_k over 1"
        if self.public_tier is None and self.min_k == 1:
            return self
        if self.id_policy == "raw":
            raise ValueError(f'{told} hides nothing beside id_policy = "raw"')
        if self.public_tier is None and (
            self.author_pseudonym or self.date_resolution in ("hour", "second")
        ):
            raise ValueError(f"{told} wants dates by day or coarser, and no author_pseudonym")
        public = self.of_public_tier()
        for name in ("date_resolution", "round_counts", "round_duration", "texts", "min_k"):
            if public and _detail(name, getattr(public, name)) > _detail(name, getattr(self, name)):
                raise ValueError(f"public_tier.{name} lets more out than privacy.{name} does")
        return self

    def of_public_tier(self) -> Privacy | None:
        """The settings of the public release; None: there is none."""
        if self.public_tier is None:
            return None
        coarser = {
            **self.public_tier.model_dump(),
            "author_pseudonym": False,
            "public_tier": None,
        }
        return self.model_copy(update=coarser)


def _detail(name: str, value: str | int) -> float:
    """How much a setting lets out; greater is more. Counts: digits; durations and k: the finer."""
    if name == "date_resolution":
        return ("month", "week", "day", "hour", "second").index(str(value))
    if isinstance(value, str):
        return float("inf") if value == "exact" else float("-inf")
    return -value if name in ("round_duration", "min_k") else value
