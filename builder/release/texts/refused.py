"""The last net: cells that the contract refused are withheld, so that one row ends no build.

`anonymize` withholds what it knows must not leave, by the rules that the contract asks. Should a
text get past it all the same, because the scrubber is not settled on its own output or for a reason
nobody thought of, it stays here and the rest of the release is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl

from builder.release.anonymize import Anonymised
from builder.release.texts.withhold import mark_withheld
from builder.run.resume import once
from builder.run.stage import fingerprint
from builder.run.store import Store, write_frame

BY_CONTRACT = "withheld_by_contract"
SEGMENTS_BY_CONTRACT = "segments_withheld_by_contract"
REASON_BY_CONTRACT = "reason_withheld_by_contract"
FOLDED_BY_CONTRACT = "refused_by_contract"
TEXTS = ("whisper_text", "api_text", "summary")
REASONS = (
    *("whisper_reason", "api_reason", "sentiment_reason", "summary_reason", "entailment_reason"),
)
VERSION = "1"


@dataclass
class Refused:
    """Cells that must not leave.

    Attributes:
        cells: column of the anonymised rows (of `TEXTS` or `REASONS`, or ``segments``) ->
            video_ids.
        hashtags: tags that must not leave with any video. Private.
    """

    cells: dict[str, set[str]] = field(default_factory=dict)
    hashtags: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        """Whether there is anything to withhold."""
        return any(self.cells.values()) or bool(self.hashtags)


def withhold(anonymised: Anonymised, refused: Refused, store: Store) -> Anonymised:
    """Anonymised rows without what was refused; the parts of `anonymize` stay as they are.

    Args:
        anonymised: what `anonymize` left.
        refused: what must not leave.
        store: the work folder; the rows are written to `work/anonymize/`.

    Returns:
        The same rows in other parts, and what was withheld counted with the rest.
    """
    named = {column: sorted(ids) for column, ids in sorted(refused.cells.items())}
    mark = fingerprint(
        "refused", VERSION, [str(p) for p in anonymised.parts], named, sorted(refused.hashtags)
    )
    folder = store.folder("anonymize", mark)
    counts: Counter[str] = Counter()
    targets = []
    for part in anonymised.parts:
        target = folder / part.name
        make = partial(_one, part, target, named, frozenset(refused.hashtags))
        counts.update(once(target.with_suffix(".json"), make, [target]))
        targets.append(target)
    folded = dict(anonymised.folded)
    if refused.hashtags:
        folded[FOLDED_BY_CONTRACT] = len(refused.hashtags)
    withheld = dict(sorted((Counter(anonymised.withheld) + counts).items()))
    return replace(anonymised, parts=targets, withheld=withheld, folded=folded)


def told(refused: Refused) -> str:
    """What happened, for people."""
    cells = sum(len(ids) for ids in refused.cells.values())
    words = [f"{cells:,} text(s)"] if cells else []
    words += [f"{len(refused.hashtags):,} hashtag(s)"] if refused.hashtags else []
    return (
        f"the last check found {' and '.join(words)} in which an identifier may be left; withheld. "
        "That is a gap of the text scrubber: please report it"
    )


def _one(
    part: Path, target: Path, cells: Mapping[str, list[str]], tags: frozenset[str]
) -> dict[str, int]:
    frame = pl.read_parquet(part, glob=False)
    counts: Counter[str] = Counter()
    for column, ids in cells.items():
        wanted = pl.Series(ids, dtype=pl.String).implode()
        gone = frame["video_id"].is_in(wanted) & frame[column].is_not_null()
        if column in REASONS:
            reason = pl.when(gone).then(pl.lit(REASON_BY_CONTRACT)).otherwise(pl.col(column))
            frame = frame.with_columns(reason.alias(column))
            counts[REASON_BY_CONTRACT] += int(gone.sum())
            continue
        kept = pl.when(~gone).then(pl.col(column)).alias(column)
        counts[SEGMENTS_BY_CONTRACT if column == "segments" else BY_CONTRACT] += int(gone.sum())
        frame = frame.with_columns(kept)
        if column == "segments":
            continue
        if column == "whisper_text":  # they repeat it
            frame = frame.with_columns(pl.when(~gone).then(pl.col("segments")).alias("segments"))
        why = pl.select(pl.when(gone).then(pl.lit(BY_CONTRACT))).to_series()
        frame = mark_withheld(frame, column, why)
    if tags:
        fine = pl.element().filter(~pl.element().is_in(pl.Series(sorted(tags)).implode()))
        frame = frame.with_columns(pl.col("hashtags").list.eval(fine))
    write_frame(target, frame)
    return {why: n for why, n in counts.items() if n}
