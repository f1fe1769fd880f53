"""Every number the paper printed, beside ours, with a verdict and the paper's own contradictions.

Verdicts: `match`, `differs`, `cannot be computed from this source`, and `the paper contradicts
itself` for a printed number that no data could meet together with the others. Nothing is bent to
fit: `ours` is always what the release says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from builder.config.campaign import Campaign
from builder.sources.schema import COUNTS
from builder.validate.release import Release

MATCH, DIFFERS = "match", "differs"
NOT_COMPUTABLE = "cannot be computed from this source"
CONTRADICTION = "the paper contradicts itself"


@dataclass(frozen=True)
class Comparison:
    """One printed number beside ours.

    Attributes:
        name: what is compared.
        paper: the printed value.
        ours: the release's value; None when it cannot be computed.
        verdict: see the module docstring.
        note: explanation, empty when there is nothing to explain.
    """

    name: str
    paper: Any
    ours: Any
    verdict: str
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def compare(release: Release, campaign: Campaign | None) -> list[Comparison]:
    """Compare a release with `paper.toml` of its campaign.

    Args:
        release: the release.
        campaign: the campaign; one without paper numbers gives an empty list.
    """
    paper = campaign.paper if campaign else {}
    if not paper or campaign is None:
        return []
    columns = ["date", "region_code", *COUNTS]
    daily = (
        release.scan("metadata")
        .select(columns)
        .group_by("date")
        .agg(
            pl.len().alias("videos"),
            *(pl.col(c).sum() for c in COUNTS),
            *(pl.col(c).count().alias(f"{c}_known") for c in COUNTS),
        )
        .sort("date")
        .collect(engine="streaming")
    )
    facts = _Facts(release, campaign, daily)
    return [
        *_volume(paper, facts),
        *_engagement(paper, facts),
        *_hashtags(paper, facts),
        *_transcripts(paper, release),
    ]


class _Facts:
    def __init__(self, release: Release, campaign: Campaign, daily: pl.DataFrame) -> None:
        self.release, self.campaign, self.daily = release, campaign, daily
        self.videos = int(daily["videos"].sum())

    def total(self, column: str) -> int | None:
        known = int(self.daily[f"{column}_known"].sum())
        return int(self.daily[column].sum()) if known else None


def _verdict(paper: Any, ours: Any) -> str:
    if ours is None:
        return NOT_COMPUTABLE
    return MATCH if paper == ours else DIFFERS


def _volume(paper: dict[str, Any], facts: _Facts) -> Iterator[Comparison]:
    in_text, in_table = paper.get("videos_in_text"), paper.get("videos_in_table_1")
    if in_text is not None:
        yield Comparison("videos (text)", in_text, facts.videos, _verdict(in_text, facts.videos))
    if in_table is not None and in_table != in_text:
        yield Comparison(
            "videos (Table 1)",
            in_table,
            facts.videos,
            MATCH if facts.videos == in_table else CONTRADICTION,
            f"the text says {in_text:,}; Table 1 prints {in_table:,} and divides by it",
        )
    window = facts.campaign.window
    first, last = facts.daily["date"].min(), facts.daily["date"].max()
    yield Comparison(
        "first day (methods)", str(window.start), str(first), _verdict(window.start, first)
    )
    yield Comparison("last day (methods)", str(window.end), str(last), _verdict(window.end, last))
    abstract = paper.get("window_end_in_abstract")
    if abstract is not None and abstract != window.end:
        yield Comparison(
            "last day (abstract)",
            str(abstract),
            str(last),
            MATCH if last == abstract else CONTRADICTION,
            f"the methods section says {window.end}; we follow the methods",
        )


def _engagement(paper: dict[str, Any], facts: _Facts) -> Iterator[Comparison]:
    divisor = paper.get("videos_in_table_1") or paper.get("videos_in_text") or facts.videos
    for column, printed in paper.get("totals", {}).items():
        ours = facts.total(column)
        yield Comparison(f"total {column}", printed, ours, _verdict(printed, ours))
    for column, printed in paper.get("means", {}).items():
        total = facts.total(column)
        mean = None if total is None else round(total / divisor, 2)
        verdict = _verdict(printed, mean)
        notes = [f"total divided by {divisor:,}, as Table 1 does"]
        if total is not None:
            notes.append(f"over our {facts.videos:,} videos it is {total / facts.videos:,.2f}")
        implied = round(paper.get("totals", {}).get(column, 0) / divisor, 2)
        if column in paper.get("totals", {}) and implied != printed:
            notes.insert(
                0,
                f"the printed mean does not follow from the printed total "
                f"({implied:,.2f}); it would need n = "
                f"{paper['totals'][column] / printed:,.0f}",
            )
            verdict = NOT_COMPUTABLE if mean is None else CONTRADICTION
        yield Comparison(f"mean {column}", printed, mean, verdict, "; ".join(notes))
    for column, peak in paper.get("peaks", {}).items():
        printed = [str(peak["date"]), peak["value"]]
        ours_peak: list[Any] | None = None
        if facts.total(column) is not None:
            row = facts.daily.sort(column, "date", descending=[True, False]).row(0, named=True)
            ours_peak = [str(row["date"]), int(row[column])]
        yield Comparison(f"peak day {column}", printed, ours_peak, _verdict(printed, ours_peak))


def _hashtags(paper: dict[str, Any], facts: _Facts) -> Iterator[Comparison]:
    printed: dict[str, int] = paper.get("hashtags", {})
    if not printed:
        return
    tags = (
        facts.release.scan("metadata")
        .select(pl.col("hashtags").explode().alias("tag"))
        .drop_nulls()
        .group_by("tag")
        .len()
        .collect(engine="streaming")
    )
    known = tags.height > 0
    counts = dict(tags.iter_rows())
    for tag, count in printed.items():
        ours = counts.get(tag, 0) if known else None
        yield Comparison(f"hashtag #{tag}", count, ours, _verdict(count, ours))
    generic = list(facts.campaign.generic_hashtags)
    ranked = tags.filter(~pl.col("tag").is_in(generic)).sort("len", "tag", descending=[True, False])
    top = ranked.head(len(printed))["tag"].to_list() if known else None
    yield Comparison(
        f"top {len(printed)} hashtags in order",
        list(printed),
        top,
        _verdict(list(printed), top),
        f"without the generic {', '.join(generic)}",
    )


def _transcripts(paper: dict[str, Any], release: Release) -> Iterator[Comparison]:
    usable = (
        release.scan("transcripts")
        .filter(pl.col("status") == "ok")
        .group_by("source")
        .len()
        .collect(engine="streaming")
    )
    counts = dict(usable.iter_rows())
    for source, key in (("whisper", "transcripts_whisper"), ("api", "transcripts_api")):
        if key in paper:
            ours = counts.get(source)
            note = "transcripts with status ok"
            yield Comparison(
                f"transcripts ({source})", paper[key], ours, _verdict(paper[key], ours), note
            )
