"""A folder of downloads in numbers: what `status`, the manifest, the card and the report say."""

from __future__ import annotations

from collections.abc import Sequence

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

    def line(self, shapes: Sequence[str] = ()) -> str:
        """The line of a run: N files: M matched, K unmatched, with examples of the unmatched.

        Args:
            shapes: how names without an id are built, never what they say.
        """
        unmatched = self.unmatched + self.not_an_id
        kinds = [f"<TikTok id>.* of no video here: {self.unmatched:,}"] if self.unmatched else []
        kinds += [f"no id in the name: {self.not_an_id:,}"] if self.not_an_id else []
        examples = f", such as {', '.join(shapes)}" if shapes else ""
        told = f"{self.files:,} files: {self.matched:,} matched, {unmatched:,} unmatched"
        told += f" ({'; '.join(kinds)}{examples})" if kinds else ""
        return told + (f", {self.doubled:,} doubled" if self.doubled else "")

    def warning(self, unread: int = 0) -> str | None:
        """What must be said aloud; None when all is well.

        Args:
            unread: subfolders that could not be read.
        """
        told = []
        if not self.matched:
            told.append(
                f"WARNING: not one of {self.files:,} downloads belongs to a video of this "
                "campaign, so nothing was transcribed: look at the names (<id>.mp4, "
                "@user_video_<id>.mp4, title [<id>].mp4) and at --videos-dir"
            )
        if unread:
            told.append(f"WARNING: {unread:,} folder(s) of downloads could not be read")
        return "; ".join(told) or None
