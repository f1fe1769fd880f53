"""A folder of downloads in numbers: what `status`, the manifest, the card and the report say."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MediaCounts(BaseModel):
    """The folder of downloads in numbers: files = matched + unmatched + not_an_id + doubled.

    Attributes:
        files: media files, markers and slideshow folders found.
        matched: those that belong to a video of the campaign.
        unmatched: those whose id is no video of the campaign.
        not_an_id: those whose name is no TikTok id.
        doubled: those left out because a better one has the same id.
    """

    # a key that a newer version added is kept
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    files: int = Field(ge=0)
    matched: int = Field(ge=0)
    unmatched: int = Field(ge=0)
    not_an_id: int = Field(ge=0)
    doubled: int = Field(ge=0)

    def in_words(self) -> str:
        """One line for people; what is zero is left out."""
        told = [f"{self.files:,} files", f"{self.matched:,} of them of videos of this campaign"]
        for count, what in (
            (self.unmatched, "of other videos"),
            (self.not_an_id, "not named by a TikTok id"),
            (self.doubled, "doubled"),
        ):
            if count:
                told.append(f"{count:,} {what}")
        return ", ".join(told)
