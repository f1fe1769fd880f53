"""The anonymize stage: private rows in, rows that may be released out, bucket by bucket.

After this stage nothing private is left but the column `id`, which `assemble` never copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from builder.annotate.joined import Joiner
from builder.config.campaign import Campaign
from builder.config.profile import NamesTable
from builder.release.pseudonym import Key
from builder.release.scrub.names.choose import mark_of
from builder.release.scrub.scrubber import Scrubber
from builder.release.slices.rows import Rows
from builder.run.cpu import cores
from builder.run.progress import Progress
from builder.run.resume import once
from builder.run.stage import fingerprint
from builder.run.store import Store, write_frame
from builder.run.workers.slices import Slices
from builder.sources.ingest import Ingested

VERSION = "3"
SLICE_ROWS = 20_000
FEW_ROWS = 2 * SLICE_ROWS  # up to here other processes would take longer to start than to work
CROSSWALK = "crosswalk"


class Annotations(Protocol):
    """What the row steps found, asked for slice by slice; `pipeline.annotate.Annotated` is one."""

    joiner: Joiner

    @property
    def digest(self) -> str:
        """Changes when any result does."""

    def found(self, raw: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Stage -> its stored results about raw rows; may be asked by several threads."""


@dataclass
class Anonymised:
    """What anonymize leaves behind.

    Attributes:
        parts: one Parquet file a bucket: `id` and releasable columns.
        bucket_days: first day number of each.
        scrubbed: field -> kind of identifier -> replacements.
        scrubbed_texts: field -> texts in which something was replaced.
        withheld: reason -> texts (and lists of segments) not released.
        folded: reason -> distinct hashtags not released.
        rows: rows of all parts.
    """

    parts: list[Path] = field(default_factory=list)
    bucket_days: list[int] = field(default_factory=list)
    scrubbed: dict[str, dict[str, int]] = field(default_factory=dict)
    scrubbed_texts: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    folded: dict[str, int] = field(default_factory=dict)
    rows: int = 0


def anonymize(
    campaign: Campaign,
    ingested: Ingested,
    annotated: Annotations,
    key: Key,
    store: Store,
    progress: Callable[[str, int], Progress] = Progress,
    names: NamesTable | None = None,
) -> Anonymised:
    """Bring `work/anonymize/` up to date.

    Args:
        campaign: its privacy settings, public figures and terms.
        ingested: the ingest stage's result.
        annotated: what the row steps found.
        key: makes the pseudonyms.
        store: the work folder; the crosswalk goes to `work/private/`.
        progress: makes the progress display.
        names: how names of private persons are found; None: they stay.

    Returns:
        Where the anonymised rows are, and what was replaced.
    """
    rules = campaign.model_dump(
        exclude={"paper", "texts", "licence", "events", "annotate", "words"}
    )
    asked = names or NamesTable(method="none")
    mark = fingerprint(
        VERSION,
        Scrubber.version,
        ingested.fingerprint,
        annotated.digest,
        key.check,
        rules,
        mark_of(asked),
    )
    folder = store.folder("anonymize", mark)

    def rows() -> Rows:  # costly, and not needed where everything is done
        return Rows(campaign, ingested, annotated.joiner, key, asked)

    many = ingested.videos > FEW_ROWS and asked.method != "gliner"  # it takes all cores itself
    targets = [folder / f"part-{number:06d}.parquet" for number in range(len(ingested.parts))]
    reports: list[dict[str, Any]] = []
    with (
        progress("anonymize", ingested.videos) as bar,
        Slices(rows, cores() if many else 1, "to anonymise the rows") as slices,
    ):

        def make(part: Path, target: Path) -> list[dict[str, Any]]:
            raws = pl.read_parquet(part, glob=False).iter_slices(SLICE_ROWS)
            done = list(slices.map((raw, annotated.found(raw)) for raw in raws))
            write_frame(target, pl.concat([frame for frame, _ in done], rechunk=True))
            return [counts for _, counts in done]

        def one(part: Path, target: Path) -> list[dict[str, Any]]:
            report = target.with_suffix(".json")
            mine: list[dict[str, Any]] = once(report, partial(make, part, target), [target])
            return mine

        if not all(target.with_suffix(".json").is_file() for target in targets):
            slices.ready()
        for mine in slices.side_by_side(one, zip(ingested.parts, targets, strict=True)):
            reports += mine
            bar.advance(sum(counts["rows"] for counts in mine))
    done = _summed(reports)
    done.parts = targets
    done.bucket_days = ingested.bucket_days
    _write_crosswalk(done.parts, mark, store)
    return done


def crosswalk_parts(work: Path) -> list[Path]:
    """The crosswalk of a work folder: `id`, `video_id`; empty where no build was finished."""
    return sorted((work / "private" / CROSSWALK).glob("part-*.parquet"))


def _write_crosswalk(parts: list[Path], mark: str, store: Store) -> None:
    """`work/private/crosswalk/`: which id has which pseudonym, in the release of this run."""
    folder = store.private / CROSSWALK
    folder.mkdir(mode=0o700, exist_ok=True)
    targets = {folder / part.name: part for part in parts}

    def make() -> dict[str, int]:
        for old in folder.iterdir():
            old.unlink()
        for target, part in targets.items():
            pairs = pl.read_parquet(part, columns=["id", "video_id"], glob=False)
            write_frame(target, pairs, mode=0o600)
        return {"parts": len(parts)}

    once(folder / f"{mark}.json", make, targets)


def _summed(reports: list[dict[str, Any]]) -> Anonymised:
    total = Anonymised(
        rows=sum(report["rows"] for report in reports),
        folded=reports[0]["folded"] if reports else {},
    )
    withheld: Counter[str] = Counter()
    for report in reports:
        withheld.update(report["withheld"])
    total.withheld = dict(sorted(withheld.items()))
    for name in reports[0]["scrubbed"] if reports else ():
        kinds: Counter[str] = Counter()
        for report in reports:
            kinds.update(report["scrubbed"].get(name, {}))
        total.scrubbed[name] = dict(sorted(kinds.items()))
        total.scrubbed_texts[name] = sum(r["scrubbed_texts"].get(name, 0) for r in reports)
    return total
