"""The row steps in the order of the plan, over slices of the ingested rows.

A stage sees the rows it concerns; what the source already supplies is not computed again: a
published sentiment label or summary stands. Nothing is held for all videos at once: a slice of
rows is joined with the stored results of the stages it reads, handed on, and forgotten.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow.parquet as pq

from builder.annotate.joined import Joiner
from builder.config.profile import Profile
from builder.errors import StageFailed
from builder.media.counts import MediaCounts
from builder.media.downloads import MEDIA_SCHEMA, MediaScan, scan_media
from builder.media.gone import PASSING, check_folders
from builder.pipeline.plan import Plan, Step, transcript_rules
from builder.run.ledger import Ledger
from builder.run.local import Engine, Slice, StageReport, collect, run_slices
from builder.run.progress import Progress
from builder.run.rates import Rate, keep_rate
from builder.run.stage import Stage
from builder.run.store import Store
from builder.sources.ingest import Ingested

SLICE_ROWS = 20_000
RUN, STORED, SKIP = "run", "stored", "skip"
QUARANTINED = "quarantined"
RETRIES = frozenset({QUARANTINED})
_MODEL_COLUMNS = ("model", "entailment_model")


@dataclass
class Annotated:
    """What the row stages found.

    Attributes:
        joiner: joins results to raw rows.
        counts: stage -> {"in", "out", and every status other than ok} in rows.
        models: stage -> the models that made its rows.
        media: what was found in the folder of downloads; None without one.
        shapes: how the names without an id in it are built.
        warning: what must be said about it aloud.
        digests: stage that ran -> digest of its results.
        results: (stage, raw rows) -> the stored results about these rows.
    """

    joiner: Joiner
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    media: MediaCounts | None = None
    shapes: tuple[str, ...] = ()
    warning: str | None = None
    digests: dict[str, str] = field(default_factory=dict)
    results: Callable[[str, pl.DataFrame], pl.DataFrame] | None = None
    _one_by_one: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """Of all results; changes when any of them does."""
        told = ",".join(f"{name}={digest}" for name, digest in sorted(self.digests.items()))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def found(self, raw: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """The stored results of every stage that ran about raw rows; one thread at a time."""
        if self.results is None:
            return {}
        with self._one_by_one:
            return {name: self.results(name, raw) for name in self.digests}

    def wide(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Raw rows joined with the results of every stage that ran; see `Joiner`."""
        return self.joiner(raw, self.found(raw))


class Annotator:
    """Runs the row steps of one build.

    Args:
        plan: the steps.
        profile: the models and their settings.
        mode: step -> `run` (compute what is missing), `stored` (take what is there) or `skip`.
        store: the work folder.
        ledger: told what happens.
        engine: where batches are computed.
        progress: makes the progress displays.
        retry: what is computed again though it has a result: `QUARANTINED`.
    """

    def __init__(
        self,
        plan: Plan,
        profile: Profile,
        mode: Callable[[str], str],
        store: Store,
        ledger: Ledger,
        engine: Engine,
        progress: Callable[[str, int], Progress] = Progress,
        *,
        retry: frozenset[str] = frozenset(),
    ) -> None:
        self._plan, self._profile, self._mode, self._store = plan, profile, mode, store
        self._retry = retry
        self._ledger, self._engine, self._progress = ledger, engine, progress
        self._stages: dict[str, Stage] = {}
        self._media = pl.DataFrame(schema=MEDIA_SCHEMA)
        self._slice: tuple[pl.DataFrame, dict[tuple[str, ...], pl.DataFrame]] = (pl.DataFrame(), {})
        self._done = Annotated(plan.joiner(transcript_rules(profile)), results=self._results)

    def check(self, *, media: bool) -> None:
        """Notice what would stop a step, before the first one starts.

        Args:
            media: whether there is a folder of downloads.

        Raises:
            BuilderError: as `Stage.check` of the stages that would compute something.
        """
        for step in self._plan.row_steps:
            if step.make is not None and self._mode(step.name) == RUN and (media or not step.media):
                step.make(self._profile).check()

    def annotate(self, ingested: Ingested, videos_dir: Path | None) -> Annotated:
        """Run every step that is wanted.

        Args:
            ingested: the videos.
            videos_dir: folder of downloads; None leaves the steps about media out.

        Raises:
            ProfileError, EmptySource, StageFailed: see the stages.
        """
        wanted = [step for step in self._plan.row_steps if self._mode(step.name) != SKIP]
        if videos_dir is not None and any(step.media for step in wanted):
            scan = scan_media(videos_dir)
            self._check_emptied(videos_dir, scan)
            self._media = scan.frame
            self._done.media = scan.counts(_count_known(scan.frame, ingested.parts))
            self._done.shapes = scan.shapes
            self._done.warning = self._done.media.warning(scan.unread)
            self._ledger.found("media", self._done.media.model_dump())
        for step in wanted:
            if step.make is not None and (self._done.media is not None or not step.media):
                stage = self._stages[step.name] = step.make(self._profile)
                stage.retry_quarantined = QUARANTINED in self._retry
                self._run(step, list(_slices(ingested.parts)), ingested.videos)
        return self._done

    def _check_emptied(self, videos_dir: Path, scan: MediaScan) -> None:
        """Stop when a folder that held downloads is empty: an unmounted disk looks like this."""
        earlier = self._ledger.before.get("media", {}).get("matched", 0)
        if earlier and scan.frame.is_empty():
            raise StageFailed(
                f"the folder of videos is empty; the last run found {earlier:,} of them",
                file=videos_dir,
                way_out="mount it and run again; to build without videos leave --videos-dir out",
            )

    def _run(self, step: Step, raws: list[Slice], videos: int) -> None:
        stage = self._stages[step.name]
        total, digest, models = StageReport(), hashlib.sha256(), set()

        def seen(output: pl.DataFrame) -> None:
            digest.update(_bytes(output))
            for column in _MODEL_COLUMNS:
                if column in output.columns:
                    for label in output[column].drop_nulls().unique():
                        models.update(label.split(" + "))  # a row can have two judges

        with self._ledger.step(step.name, stage.fingerprint) as entry:

            def planned(rows: int) -> None:
                entry.rows += rows
                self._ledger.note(step.name, entry)  # a kill leaves behind how many there were

            for view in step.adds.views or ("",):
                report = run_slices(
                    stage,
                    [partial(self._read_inputs, step, view, raw) for raw in raws],
                    self._store,
                    self._progress,
                    compute=self._mode(step.name) == RUN,
                    engine=self._engine,
                    seen=seen,
                    planned=planned,
                )
                total.merge(report)
            entry.rows = total.rows
            entry.statuses, entry.reasons = total.statuses, total.reasons
            share = total.rows / max(videos, 1)
            rate = Rate(total.computed, total.computing, total.loading, share)
            keep_rate(self._store.work, step.name, rate)
            if step.media and {*total.statuses, *total.reasons} & {*PASSING}:
                check_folders(self._media)
        self._done.digests[step.name] = digest.hexdigest()
        self._done.counts[step.name] = {
            "in": total.rows,
            "out": total.statuses.get("ok", 0),
            **{status: n for status, n in total.statuses.items() if status != "ok"},
        }
        if models:
            self._done.models[step.name] = ", ".join(sorted(models))

    def _read_inputs(self, step: Step, view: str, raw: Slice) -> pl.DataFrame:
        return self._inputs(step, view, raw())

    def _inputs(self, step: Step, view: str, raw: pl.DataFrame) -> pl.DataFrame:
        """The rows of a slice that a step concerns, with its input columns."""
        if step.media:
            return self._media.join(raw.select("id"), on="id", how="semi")
        if step.rows is None:
            raise ValueError(f"the plan does not say which rows {step.name} concerns")
        reads = [name for name in step.reads if name in self._done.digests]

        def joined() -> pl.DataFrame:
            return self._done.joiner(raw, {name: self._results(name, raw) for name in reads})

        return step.rows(self._once(raw, ("wide", *reads), joined), view)

    def _results(self, name: str, raw: pl.DataFrame) -> pl.DataFrame:
        """The stored results of a step that ran, for the rows of a slice."""
        step, stage = self._plan.step(name), self._stages[name]

        def collected() -> pl.DataFrame:
            found = [
                collect(stage, self._inputs(step, view, raw), self._store).with_columns(
                    source=pl.lit(view or None, pl.String)
                )
                for view in step.adds.views or ("",)
            ]
            return pl.concat(found)

        return self._once(raw, ("results", name), collected)

    def _once(
        self, raw: pl.DataFrame, key: tuple[str, ...], make: Callable[[], pl.DataFrame]
    ) -> pl.DataFrame:
        """What several stages ask about one slice is made once; the next slice forgets it."""
        if self._slice[0] is not raw:
            self._slice = (raw, {})
        made = self._slice[1]
        if key not in made:
            made[key] = make()
        return made[key]


def _slices(parts: list[Path]) -> Iterator[Slice]:
    """Readers of the ingested rows, at most SLICE_ROWS of one part at a time."""
    for part in parts:
        with pq.ParquetFile(part) as parquet:
            rows = parquet.metadata.num_rows
        for start in range(0, rows, SLICE_ROWS):
            yield partial(_read, part, start)


def _count_known(media: pl.DataFrame, parts: list[Path]) -> int:
    """How many downloads belong to a video of the campaign."""
    known = (pl.scan_parquet(part, glob=False).select("id").collect() for part in parts)
    return sum(media.join(ids, on="id", how="semi").height for ids in known)


def _read(part: Path, start: int) -> pl.DataFrame:
    return pl.scan_parquet(part, glob=False).slice(start, SLICE_ROWS).collect()


def _bytes(frame: pl.DataFrame) -> bytes:
    """A frame's content as bytes, whatever the parts it came in."""
    return frame.with_columns(cs.binary().bin.encode("hex")).write_json().encode()
