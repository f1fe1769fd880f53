"""The row stages in order: probe, transcribe, language, sentiment, summarize, entailment.

Each is run over the rows it concerns; what the source already supplies is not computed again: a
published sentiment label or summary stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from builder.annotate.joined import wide_rows
from builder.config.profile import Profile, load_profile
from builder.run.cpu import prefer_avx512
from builder.run.ledger import Entry, Ledger
from builder.run.local import Engine, StageReport, run_stage
from builder.run.progress import Progress
from builder.run.stage import Stage
from builder.run.store import Store
from builder.sources.ingest import Ingested

prefer_avx512()  # before the first model of CTranslate2 is loaded, so that every run rounds alike

MEDIA_STAGES = ("probe", "transcribe")
TEXT_STAGES = ("language", "sentiment", "summarize", "entailment")
ROW_STAGES = MEDIA_STAGES + TEXT_STAGES
_MODEL_COLUMNS = ("model", "entailment_model")
RUN, STORED, SKIP = "run", "stored", "skip"


@dataclass
class Annotated:
    """What the row stages found.

    Attributes:
        results: stage -> its output, for the stages that have one.
        counts: stage -> {"in", "out", and every status other than ok} in rows.
        models: stage -> the models that made its rows.
        media_unmatched: downloads that belong to no video of the campaign.
    """

    results: dict[str, pl.DataFrame] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    media_unmatched: int = 0


class Annotator:
    """Runs the row stages of one build.

    Args:
        profile: name or path of the profile.
        mode: stage -> `run` (compute what is missing), `stored` (take what is there) or `skip`.
        store: the work folder.
        ledger: told what happens.
        engine: where batches are computed.
        progress: makes the progress displays.
    """

    def __init__(
        self,
        profile: str,
        mode: Callable[[str], str],
        store: Store,
        ledger: Ledger,
        engine: Engine,
        progress: Callable[[str, int], Progress] = Progress,
    ) -> None:
        self._profile_name, self._mode, self._store = profile, mode, store
        self._ledger, self._engine, self._progress = ledger, engine, progress
        self._profile: Profile | None = None
        self.done = Annotated()

    @property
    def profile(self) -> Profile:
        """The profile, read when the first stage needs it."""
        if self._profile is None:
            self._profile = load_profile(self._profile_name)
        return self._profile

    def annotate(self, ingested: Ingested, videos_dir: Path | None) -> Annotated:
        """Run every stage that is wanted.

        Args:
            ingested: the videos.
            videos_dir: folder of downloads; None leaves probe and transcribe out.

        Raises:
            ProfileError, EmptySource, StageFailed: see the stages.
        """
        if videos_dir is not None and any(self._wanted(s) for s in MEDIA_STAGES):
            self._media(ingested, videos_dir)
        if any(self._wanted(stage) for stage in TEXT_STAGES):
            self._texts(ingested)
        return self.done

    def _wanted(self, stage: str) -> bool:
        return self._mode(stage) != SKIP

    def _media(self, ingested: Ingested, videos_dir: Path) -> None:
        from builder.annotate.transcribe import Transcribe
        from builder.media.probe import Probe, find_media

        media = find_media(videos_dir)
        known = pl.concat([pl.read_parquet(part, columns=["id"]) for part in ingested.parts])
        mine = media.join(known, on="id", how="semi")
        self.done.media_unmatched = media.height - mine.height
        if self._wanted("probe"):
            self._run("probe", Probe(), mine)
        if self._wanted("transcribe"):
            self._run("transcribe", Transcribe(self.profile.asr), mine)

    def _texts(self, ingested: Ingested) -> None:
        texts = self._transcripts(ingested)
        if self._wanted("language"):
            self._languages(texts)
        usable = texts.filter(pl.col("text").is_not_null())
        if self._wanted("sentiment"):
            from builder.annotate.sentiment import Sentiment

            stage = Sentiment(self.profile.nli, self.profile.sentiment)
            todo = usable.filter(~pl.col("has_sentiment"))
            self._run("sentiment", stage, todo)
        summaries = usable.filter(pl.col("published_summary").is_not_null()).select(
            "id", "text", summary="published_summary"
        )
        if self._wanted("summarize"):
            from builder.annotate.summarize import Summarize

            todo = usable.filter(pl.col("published_summary").is_null())
            made = self._run("summarize", Summarize(self.profile.summaries), todo)
            ours = todo.join(made.select("id", "summary"), on="id").select("id", "text", "summary")
            summaries = pl.concat([summaries, ours])
        if self._wanted("entailment"):
            from builder.annotate.entailment import Entailment

            judge = Entailment(self.profile.nli, self.profile.entailment)
            self._run("entailment", judge, summaries.filter(pl.col("summary").is_not_null()))

    def _transcripts(self, ingested: Ingested) -> pl.DataFrame:
        """`id`, both transcripts, the preferred usable one as `text`, and what is published."""
        heard = {k: v for k, v in self.done.results.items() if k == "transcribe"}
        rows = []
        for part in ingested.parts:
            wide = wide_rows(pl.read_parquet(part), heard)
            chosen = pl.col("preferred")
            whisper = (chosen == "whisper") & (pl.col("whisper_status") == "ok")
            api = (chosen == "api") & (pl.col("api_status") == "ok")
            text = pl.when(whisper).then(pl.col("whisper_text"))
            rows.append(
                wide.select(
                    "id",
                    "whisper_text",
                    "api_text",
                    text.when(api).then(pl.col("api_text")).alias("text"),
                    pl.col("upstream_sentiment").is_not_null().alias("has_sentiment"),
                    pl.when(pl.col("summary_method") == "upstream")
                    .then(pl.col("summary"))
                    .alias("published_summary"),
                )
            )
        return pl.concat(rows)

    def _languages(self, texts: pl.DataFrame) -> None:
        from builder.annotate.language import Language

        stage = Language(self.profile.language)
        found = []
        total = StageReport()
        for source in ("whisper", "api"):
            column = f"{source}_text"
            mine = texts.filter(pl.col(column).is_not_null()).select("id", text=column)
            if mine.is_empty():
                continue
            output, report = self._compute("language", stage, mine)
            found.append(output.with_columns(source=pl.lit(source)))
            total.rows += report.rows
            for sum_, part in ((total.statuses, report.statuses), (total.reasons, report.reasons)):
                for key, value in part.items():
                    sum_[key] = sum_.get(key, 0) + value
        if found:
            self._keep("language", stage, pl.concat(found), total)

    def _run(self, name: str, stage: Stage, inputs: pl.DataFrame) -> pl.DataFrame:
        output, report = self._compute(name, stage, inputs)
        self._keep(name, stage, output, report)
        return output

    def _compute(
        self, name: str, stage: Stage, inputs: pl.DataFrame
    ) -> tuple[pl.DataFrame, StageReport]:
        compute = self._mode(name) == RUN
        self._ledger.note(name, Entry("running", stage.fingerprint, inputs.height))
        return run_stage(
            stage, inputs, self._store, self._progress, compute=compute, engine=self._engine
        )

    def _keep(self, name: str, stage: Stage, output: pl.DataFrame, report: StageReport) -> None:
        self._ledger.note(name, _entry(stage, report))
        self.done.results[name] = output
        self.done.counts[name] = {
            "in": report.rows,
            "out": report.statuses.get("ok", 0),
            **{status: n for status, n in report.statuses.items() if status != "ok"},
        }
        for column in _MODEL_COLUMNS:
            if column in output.columns and output[column].null_count() < output.height:
                models = sorted(output[column].drop_nulls().unique().to_list())
                self.done.models[name] = ", ".join(models)


def _entry(stage: Stage, report: StageReport) -> Entry:
    return Entry("done", stage.fingerprint, report.rows, report.statuses, report.reasons)
