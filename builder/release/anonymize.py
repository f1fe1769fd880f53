"""The anonymize stage: private rows in, rows that may be released out, bucket by bucket.

After this stage nothing private is left but the column `id`, which `assemble` never copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from builder.annotate.joined import Joiner
from builder.config.campaign import Campaign
from builder.config.profile import NamesTable
from builder.release.hashtags import (
    allowed_hashtags,
    distinctive_usernames,
    known_usernames,
    matched_terms,
    normalised,
    shared_usernames,
)
from builder.release.pseudonym import Key
from builder.release.scrub.names.choose import finder_of, mark_of
from builder.release.scrub.scrubber import Scrubber
from builder.release.texts.notes import public_name
from builder.release.texts.persons import PERSON, Persons, rosters
from builder.release.texts.withhold import SEGMENTS, Cleaned, Cleaner, mark_withheld
from builder.run.progress import Progress
from builder.run.resume import once
from builder.run.stage import fingerprint
from builder.run.store import Store, write_frame
from builder.sources.ingest import Ingested
from builder.sources.schema import LABELS

VERSION = "3"
SLICE_ROWS = 20_000
CROSSWALK = "crosswalk"


class Annotations(Protocol):
    """What the row steps found, asked for slice by slice; `pipeline.annotate.Annotated` is one."""

    joiner: Joiner

    @property
    def digest(self) -> str:
        """Changes when any result does."""

    def wide(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Raw rows joined with the results."""


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

    @cache
    def worker() -> _Worker:  # costly, and not needed where everything is done
        usernames = known_usernames(ingested.parts)
        return _Worker(campaign, ingested, annotated, key, usernames, asked)

    def make(part: Path, target: Path) -> list[dict[str, Any]]:
        # in slices: the columns in between are several times the size of the rows
        slices = pl.read_parquet(part, glob=False).iter_slices(SLICE_ROWS)
        done_slices = [worker().rows(piece) for piece in slices]
        write_frame(target, pl.concat([frame for frame, _ in done_slices]))
        return [counts for _, counts in done_slices]

    targets = [folder / f"part-{number:06d}.parquet" for number in range(len(ingested.parts))]
    reports: list[dict[str, Any]] = []
    with progress("anonymize", ingested.videos) as bar:
        for part, target in zip(ingested.parts, targets, strict=True):
            mine: list[dict[str, Any]] = once(
                target.with_suffix(".json"),
                partial(make, part, target),
                [target],
            )
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


class _Worker:
    """Everything that is decided once for the whole campaign."""

    def __init__(
        self,
        campaign: Campaign,
        ingested: Ingested,
        annotated: Annotations,
        key: Key,
        usernames: frozenset[str],
        names: NamesTable,
    ) -> None:
        self.campaign, self.annotated, self.key = campaign, annotated, key
        shared = shared_usernames(ingested.parts, campaign, usernames)
        raw = campaign.privacy.id_policy == "raw"
        ids = (
            [] if raw else [pl.read_parquet(p, columns=["id"], glob=False) for p in ingested.parts]
        )
        known = pl.concat([pl.DataFrame(schema={"id": pl.Int64}), *ids])["id"]
        self.cleaner = Cleaner(campaign, distinctive_usernames(usernames, shared), known)
        finder = finder_of(names, campaign)
        self.persons = Persons(finder, self.cleaner) if finder else None
        allowed, self.folded = allowed_hashtags(
            ingested.parts, campaign, usernames - shared, self.cleaner.scrubber
        )
        self.allowed = pl.Series(sorted(allowed), dtype=pl.String)

    def rows(self, raw: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Any]]:
        frame = self._identity(self.annotated.wide(raw))
        tags = normalised(pl.col("hashtags"))
        frame = frame.with_columns(
            matched_terms(raw, self.campaign),
            hashtags=tags.list.eval(
                pl.element().filter(pl.element().is_in(self.allowed.implode()))
            ),
        )
        scrubbed: dict[str, dict[str, int]] = {}
        texts: dict[str, int] = {}
        withheld: Counter[str] = Counter()
        people = rosters(frame.height)
        for name in self.annotated.joiner.texts:
            clean = self.cleaner.clean(frame[name])
            named = self.persons.column(clean, people) if self.persons else None
            whole, clean = clean, named.clean if named else clean
            found = Counter(clean.kinds.explode().drop_nulls().to_list())
            scrubbed[name] = dict(sorted(found.items()))
            texts[name] = int((clean.kinds.list.len() > 0).sum())
            withheld.update(clean.withheld.drop_nulls().to_list())
            if name == "whisper_text":
                plain = frame["segments"]
                if self.persons and named:
                    plain = self.persons.segments(plain, whole, named, people)
                segments, dirty = self._segments(plain, clean)
                frame = frame.with_columns(segments.alias("segments"))
                withheld.update({SEGMENTS: dirty} if dirty else {})
            frame = mark_withheld(frame.with_columns(clean.text.alias(name)), name, clean.withheld)
        for name in (*self.annotated.joiner.reasons, *LABELS):
            if name not in frame.columns:
                continue
            told = self.cleaner.clean(frame[name])
            text = told.text if name in LABELS else told.text.fill_null(told.withheld)
            frame = frame.with_columns(text.alias(name))
        models = [name for name in frame.columns if name.endswith("_model")]
        frame = frame.with_columns(_public(frame[name]) for name in models)
        private = ("username", "description", "create_time", "upstream_sentiment", "usable_text")
        frame = frame.drop([c for c in private if c in frame.columns])
        counts = {
            "rows": frame.height,
            "scrubbed": scrubbed,
            "scrubbed_texts": texts,
            "withheld": dict(withheld),
            "folded": self.folded,
        }
        return frame, counts

    def _segments(self, segments: pl.Series, text: Cleaned) -> tuple[pl.Series, int]:
        """The segments that may be released, and how many lists are withheld for one of theirs.

        An identifier can straddle segments: where one was found in the text, none is released.
        Names of persons are replaced in them as in the text.
        """
        found = text.kinds.list.eval(pl.element().filter(pl.element() != PERSON)).list.len()
        touched = (found > 0) | text.withheld.is_not_null()
        fine = pl.select(pl.when(~touched).then(segments).alias("segments")).to_series()
        dirty = self.cleaner.dirty_segments(fine, text.text)
        kept = pl.select(pl.when(~dirty).then(fine).alias("segments")).to_series()
        return kept, int(dirty.sum())

    def _identity(self, frame: pl.DataFrame) -> pl.DataFrame:
        privacy = self.campaign.privacy
        ids = frame["id"].to_list()
        released = [str(i) for i in ids] if privacy.id_policy == "raw" else self.key.pseudonyms(ids)
        time = pl.from_epoch("create_time", time_unit="s").dt.replace_time_zone("UTC")
        columns = [
            pl.Series("video_id", released, dtype=pl.String),
            time.dt.date().alias("date"),
        ]
        if privacy.date_resolution in ("hour", "second"):
            unit = "1h" if privacy.date_resolution == "hour" else "1s"
            columns.append(time.dt.truncate(unit).dt.cast_time_unit("ms").alias("published_at"))
        if privacy.author_pseudonym:
            authors = [
                None if name is None else self.key.pseudonym(f"author:{name}")
                for name in frame["username"].to_list()
            ]
            columns.append(pl.Series("author_id", authors, dtype=pl.String))
        return frame.with_columns(columns)


def _public(models: pl.Series) -> pl.Series:
    """Names of models without the folders they lie in."""
    names = {name: public_name(name) for name in models.drop_nulls().unique().to_list()}
    return models.replace(names) if names else models


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
