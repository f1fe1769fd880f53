"""Every number the paper printed, beside ours, with a verdict and the paper's own contradictions.

Verdicts: `match`, `differs`, `cannot be computed from this source`, `not comparable` (a mean over
other videos than the paper's), and `the paper contradicts itself` for a printed number that no data
could meet together with the others. Nothing is bent to fit: `ours` is always what the release says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from builder.config.campaign import Campaign
from builder.release.coarsen import EXACT
from builder.sources.schema import COUNTS
from builder.validate.release import Release

MATCH, DIFFERS = "match", "differs"
NOT_COMPUTABLE = "cannot be computed from this source"
NOT_COMPARABLE = "not comparable"
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
    """Our side: per released date, and whether dates and counts are exact enough to compare."""

    def __init__(self, release: Release, campaign: Campaign, daily: pl.DataFrame) -> None:
        self.release, self.campaign, self.daily = release, campaign, daily
        self.videos = int(daily["videos"].sum())
        policy = release.manifest.privacy
        unit = policy.date_resolution
        self.coarse_dates = f"dates are coarse ({unit})" if unit in ("week", "month") else ""
        self.hides = policy.min_k > 1
        exact = policy.round_counts == EXACT and not self.hides
        self.rounded = "" if exact else "counts are rounded or left out in this release"

    def total(self, column: str) -> int | None:
        known = int(self.daily[f"{column}_known"].sum())
        return int(self.daily[column].sum()) if known and not self.rounded else None


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
    window, coarse = facts.campaign.window, facts.coarse_dates
    first, last = facts.daily["date"].min(), facts.daily["date"].max()
    days = [
        ("first day (methods)", window.start, first, ""),
        ("last day (methods)", window.end, last, ""),
    ]
    abstract = paper.get("window_end_in_abstract")
    if abstract is not None and abstract != window.end:
        note = f"the methods section says {window.end}; we follow the methods"
        days.append(("last day (abstract)", abstract, last, note))
    for name, printed, ours, note in days:
        if coarse:
            yield Comparison(name, str(printed), None, NOT_COMPUTABLE, coarse)
        else:
            verdict = _verdict(printed, ours)
            verdict = CONTRADICTION if note and verdict == DIFFERS else verdict
            yield Comparison(name, str(printed), str(ours), verdict, note)


def _engagement(paper: dict[str, Any], facts: _Facts) -> Iterator[Comparison]:
    for column, printed in paper.get("totals", {}).items():
        ours = facts.total(column)
        yield Comparison(f"total {column}", printed, ours, _verdict(printed, ours), facts.rounded)
    for column, printed in paper.get("means", {}).items():
        yield _mean(paper, facts, column, printed)
    for column, peak in paper.get("peaks", {}).items():
        printed = [str(peak["date"]), peak["value"]]
        ours_peak: list[Any] | None = None
        if facts.total(column) is not None and not facts.coarse_dates:
            row = facts.daily.sort(column, "date", descending=[True, False]).row(0, named=True)
            ours_peak = [str(row["date"]), int(row[column])]
        why = "; ".join(note for note in (facts.coarse_dates, facts.rounded) if note)
        yield Comparison(
            f"peak day {column}", printed, ours_peak, _verdict(printed, ours_peak), why
        )


def _mean(paper: dict[str, Any], facts: _Facts, column: str, printed: float) -> Comparison:
    """A printed mean beside that of our videos; comparable only where the videos are as many.

    Table 1 divides by its own, slightly smaller number of videos: with the paper's videos in hand
    ours divides by that too, or no mean could ever match.
    """
    stated = [paper.get(key) for key in ("videos_in_table_1", "videos_in_text")]
    divisor = next((n for n in stated if n), facts.videos)
    total, known = facts.total(column), int(facts.daily[f"{column}_known"].sum())
    same = facts.videos in stated or not any(stated)
    notes = [facts.rounded] if facts.rounded else []
    mean = None if total is None else round(total / (divisor if same else known), 2)
    verdict = _verdict(printed, mean)
    if mean is not None and same:
        notes.append(f"total divided by {divisor:,}, as Table 1 does")
        notes.append(f"over our {known:,} videos it is {total / known:,.2f}")  # type: ignore[operator]
    elif mean is not None:
        verdict = NOT_COMPARABLE
        notes.append(f"ours is over the {known:,} videos here, the paper's over {divisor:,}")
    implied = round(paper.get("totals", {}).get(column, 0) / divisor, 2)
    if column in paper.get("totals", {}) and implied != printed:
        notes.insert(
            0,
            f"the printed mean does not follow from the printed total ({implied:,.2f}); it would "
            f"need n = {paper['totals'][column] / printed:,.0f}",
        )
        verdict = CONTRADICTION if mean is not None and same else verdict
    return Comparison(f"mean {column}", printed, mean, verdict, "; ".join(notes))


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
    known = tags.height > 0 and not facts.hides
    hidden = "hashtags that would single a video out are hidden" if facts.hides else ""
    counts = dict(tags.iter_rows())
    for tag, count in printed.items():
        ours = counts.get(tag, 0) if known else None
        yield Comparison(f"hashtag #{tag}", count, ours, _verdict(count, ours), hidden)
    generic = list(facts.campaign.generic_hashtags)
    ranked = tags.filter(~pl.col("tag").is_in(generic)).sort("len", "tag", descending=[True, False])
    top = ranked.head(len(printed))["tag"].to_list() if known else None
    yield Comparison(
        f"top {len(printed)} hashtags in order",
        list(printed),
        top,
        _verdict(list(printed), top),
        hidden or f"without the generic {', '.join(generic)}",
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
