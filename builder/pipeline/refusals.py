"""Which cells of a new release the contract refuses and can be withheld, in anonymize's words."""

from __future__ import annotations

from collections.abc import Sequence

from builder.config.campaign import Campaign
from builder.release.texts.refused import Refused
from builder.sources.schema import LABELS
from builder.validate.contract.leaks import Private, leaks
from builder.validate.release import Release

# Released column -> columns of the anonymised rows that it is made of. What is not here (ids,
# terms, the card, the manifest) cannot be withheld: it breaks the build.
_MADE_OF = {
    ("transcripts", "segments"): ("segments",),
    ("summaries", "summary"): ("summary",),
    ("summaries", "reason"): ("summary_reason", "entailment_reason"),
    ("sentiment", "reason"): ("sentiment_reason",),
    **{("metadata", column): (column,) for column in LABELS},
}
_OF_ITS_SOURCE = {"text", "reason"}  # of a transcript: Whisper's or the API's


def refused_cells(release: Release, campaign: Campaign, private: Private) -> Refused:
    """Walk the release as the contract does, and name what must not leave.

    Args:
        release: a new release, not yet in its place, whose schema was found in order.
        campaign: its campaign.
        private: raw ids and usernames.
    """
    refused = Refused()
    for leak in leaks(release, campaign, private):
        if (leak.file, leak.column) == ("metadata", "hashtags"):
            refused.hashtags.update(leak.texts.to_list())
        elif (leak.file, leak.column) in _MADE_OF:
            ids = _ids(release, leak.file, leak.rows)
            for column in _MADE_OF[leak.file, leak.column]:
                refused.cells.setdefault(column, set()).update(ids)
        elif leak.file == "transcripts" and leak.column in _OF_ITS_SOURCE:
            rows = release.columns("transcripts", ["video_id", "source"])[leak.rows]
            for video, source in rows.drop_nulls().iter_rows():
                refused.cells.setdefault(f"{source}_{leak.column}", set()).add(video)
    return refused


def _ids(release: Release, config: str, rows: Sequence[int]) -> list[str]:
    return release.columns(config, ["video_id"])["video_id"][list(rows)].to_list()
