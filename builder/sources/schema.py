"""The one schema of raw videos, whatever source they come from.

Raw rows are private: they stay in the work folder.
"""

from __future__ import annotations

from typing import Any

import polars as pl

# Roles a row can have: rows of different roles about the same id complete each other, rows of the
# same role are duplicates of which the latest is kept.
ROLE_API, ROLE_CSV = 0, 1

# The counts of the paper: known for every row of the Research API.
COUNTS = ("view_count", "like_count", "comment_count", "share_count")
# Newer than the paper's collection: null where a source knows nothing of it.
FAVORITES = "favorites_count"
ALL_COUNTS = (*COUNTS, FAVORITES)
# What TikTok says about a video: an information label; paid or AI-generated.
LABELS = ("video_label", "video_tag")

RAW_SCHEMA: dict[str, Any] = {
    "id": pl.Int64,
    "create_time": pl.Int64,  # Unix time; from the id where the source does not give it
    "role": pl.Int8,
    "position": pl.Int64,  # reading order over all files: the latest fetch has the highest
    "username": pl.String,
    "region_code": pl.String,
    "description": pl.String,
    "hashtags": pl.List(pl.String),
    **dict.fromkeys(ALL_COUNTS, pl.Int64),
    "fetched_on": pl.Date,  # UTC day of the response: the counts are of that day
    **dict.fromkeys(LABELS, pl.String),
    "duration_seconds": pl.Float64,
    "n_frames": pl.Int64,
    "voice_to_text": pl.String,  # the Research API's transcript
    "whisper_text": pl.String,  # a Whisper transcript published upstream
    "upstream_sentiment": pl.String,
    "upstream_summary": pl.String,
    "synthetic": pl.Boolean,
}

MAX_ID = 2**63 - 1
# "id >> 32 is the creation time within two minutes for real ids" (design, facts).
ID_TIME_TOLERANCE = 120


def id_time(video_id: int) -> int:
    """Creation time a TikTok id carries in its upper bits, Unix seconds (within two minutes)."""
    return video_id >> 32
