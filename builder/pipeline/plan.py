"""The one list of steps: what each reads, how it is made from the profile, what it releases.

Stage names, `--skip` and `--only`, the order, the manifest's counts, the card's table and the docs
derive from `PLAN`. Adding a stage is one module in `builder/annotate/`, one `Step` here, its
released columns in the schema, and one test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from builder.annotate.joined import SOURCES, Adds, Column, Joiner
from builder.annotate.transcripts.rules import DEFAULT_RULES
from builder.config.asr import TranscriptRules
from builder.config.profile import Profile
from builder.run.stage import Stage

_SEGMENTS = pl.List(pl.Struct({"start": pl.Float32, "end": pl.Float32, "text": pl.String}))
SECOND_OPINION = "second_opinion"
# Wide rows (joined with the steps that this one reads) and a view -> `id` and the input columns.
Rows = Callable[[pl.DataFrame, str], pl.DataFrame]


@dataclass(frozen=True)
class Step:
    """One step of the pipeline.

    Attributes:
        name: on the command line, in `work/<name>/`, in the manifest.
        about: what it does, in a few words, for the card and the docs.
        make: builds the stage of a row step from the profile; None for ingest and the steps of
            the release, which the pipeline knows by name.
        optional: runs only where `--only` names it.
        media: the rows are downloads (`id`, `path`, `size`, `mtime_ns`), not texts.
        reads: the row steps whose results `rows` looks at.
        rows: picks the rows the step concerns and names its input columns.
        adds: what it adds to the wide row.
        wanted: whether a profile asks for it; what no profile asks for is no step of its build.
    """

    name: str
    about: str
    make: Callable[[Profile], Stage] | None = None
    optional: bool = False
    media: bool = False
    reads: tuple[str, ...] = ()
    rows: Rows | None = None
    adds: Adds = field(default_factory=Adds)
    wanted: Callable[[Profile], bool] = lambda profile: True


@dataclass(frozen=True)
class Plan:
    """Steps in the order they run."""

    steps: tuple[Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all steps, in order."""
        return tuple(step.name for step in self.steps)

    @cached_property
    def row_steps(self) -> tuple[Step, ...]:
        """The steps that give every video (or every text of it) one result row."""
        return tuple(step for step in self.steps if step.make is not None)

    def of(self, profile: Profile) -> Plan:
        """The plan without the steps that this profile does not ask for."""
        return Plan(tuple(step for step in self.steps if step.wanted(profile)))

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def joiner(self, rules: TranscriptRules = DEFAULT_RULES) -> Joiner:
        """What joins the results of the row steps to raw rows."""
        return Joiner({step.name: step.adds for step in self.row_steps}, rules)


def transcript_rules(profile: Profile) -> TranscriptRules:
    """What makes a text a transcript, as the profile has it: for Whisper's and the API's alike."""
    return profile.asr.rules


def _probe(profile: Profile) -> Stage:
    from builder.media.probe import Probe

    return Probe()


def _transcribe(profile: Profile) -> Stage:
    from builder.annotate.transcribe import Transcribe

    return Transcribe(profile.asr)


def _language(profile: Profile) -> Stage:
    from builder.annotate.language import Language

    return Language(profile.language)


def _sentiment(profile: Profile) -> Stage:
    from builder.annotate.sentiment import Sentiment

    return Sentiment(profile.nli, profile.sentiment)


def _second_opinion(profile: Profile) -> Stage:
    from builder.annotate.second_opinion import SecondOpinion

    return SecondOpinion(profile.second_opinion)


def _summarize(profile: Profile) -> Stage:
    from builder.annotate.summarize import Summarize

    return Summarize(profile.summaries)


def _entailment(profile: Profile) -> Stage:
    from builder.annotate.entailment import Entailment

    return Entailment(profile.nli, profile.entailment)


def _embed_frames(profile: Profile) -> Stage:
    from builder.analyze.clusters.embedding import EmbedFrames

    return EmbedFrames(profile.frames)


def _every_text(wide: pl.DataFrame, view: str) -> pl.DataFrame:
    """Both transcripts of every video, usable or not."""
    return wide.select("id", text=f"{view}_text").drop_nulls("text")


def _usable(wide: pl.DataFrame, view: str) -> pl.DataFrame:
    """The usable transcript of every video, whoever labelled it."""
    return wide.select("id", text="usable_text").drop_nulls("text")


def _usable_without(column: str) -> Rows:
    """The usable transcript of the videos for which the source published no such column."""

    def rows(wide: pl.DataFrame, view: str) -> pl.DataFrame:
        todo = wide.filter(pl.col("usable_text").is_not_null() & pl.col(column).is_null())
        return todo.select("id", text="usable_text")

    return rows


def _summaries(wide: pl.DataFrame, view: str) -> pl.DataFrame:
    """Every summary, ours or published, beside the usable transcript."""
    both = wide.select("id", "summary", text="usable_text")
    return both.drop_nulls(["text", "summary"])


PLAN = Plan(
    (
        Step("ingest", "source files to one row a video; damaged and doubled rows are counted"),
        Step(
            "probe",
            "opens every downloaded file: duration, frames, is it whole",
            make=_probe,
            media=True,
            adds=Adds(
                {
                    "status": Column("media_status", pl.String),
                    "duration_seconds": Column("probe_duration", pl.Float64),
                    "n_frames": Column("probe_frames", pl.Int64),
                }
            ),
        ),
        Step(
            "transcribe",
            "downloaded videos to Whisper transcripts",
            make=_transcribe,
            media=True,
            adds=Adds(
                {
                    "text": Column("whisper_text", pl.String, text=True),
                    "status": Column("whisper_status", pl.String),
                    "reason": Column("whisper_reason", pl.String, reason=True),
                    "model": Column("whisper_model", pl.String),
                    "avg_logprob": Column("avg_logprob", pl.Float32),
                    "no_speech_prob": Column("no_speech_prob", pl.Float32),
                    "compression_ratio": Column("compression_ratio", pl.Float32),
                    "segments": Column("segments", _SEGMENTS),
                }
            ),
        ),
        Step(
            "language",
            "the language of each transcript",
            make=_language,
            reads=("transcribe",),
            rows=_every_text,
            adds=Adds(
                {
                    "language": Column("language", pl.String),
                    "language_confidence": Column("language_confidence", pl.Float32),
                },
                views=SOURCES,
            ),
        ),
        Step(
            "sentiment",
            "zero-shot sentiment of the usable transcript; a published label stands",
            make=_sentiment,
            reads=("probe", "transcribe"),
            rows=_usable_without("label"),
            adds=Adds(
                {
                    "label": Column("label", pl.String),
                    "confidence": Column("confidence", pl.Float32),
                    "score_negative": Column("score_negative", pl.Float32),
                    "score_neutral": Column("score_neutral", pl.Float32),
                    "score_positive": Column("score_positive", pl.Float32),
                    "low_confidence": Column("low_confidence", pl.Boolean),
                    "status": Column("sentiment_status", pl.String),
                    "reason": Column("sentiment_reason", pl.String, reason=True),
                    "model": Column("sentiment_model", pl.String),
                },
                says_why="sentiment_status",
            ),
        ),
        Step(
            SECOND_OPINION,
            "what a second, supervised model says; only where the profile names one",
            make=_second_opinion,
            reads=("probe", "transcribe"),
            rows=_usable,
            adds=Adds(
                {
                    "label": Column("second_label", pl.String),
                    "confidence": Column("second_confidence", pl.Float32),
                    "status": Column("second_status", pl.String),
                    "model": Column("second_model", pl.String),
                },
                says_why="second_status",
            ),
            wanted=lambda profile: bool(profile.second_opinion.model),
        ),
        Step(
            "summarize",
            "a summary of the usable transcript; a published summary stands",
            make=_summarize,
            reads=("probe", "transcribe"),
            rows=_usable_without("summary"),
            adds=Adds(
                {
                    "summary": Column("summary", pl.String, text=True),
                    "method": Column("summary_method", pl.String),
                    "model": Column("summary_model", pl.String),
                    "status": Column("summary_status", pl.String),
                    "reason": Column("summary_reason", pl.String, reason=True),
                },
                says_why="summary_status",
            ),
        ),
        Step(
            "entailment",
            "does the transcript entail its summary",
            make=_entailment,
            reads=("probe", "transcribe", "summarize"),
            rows=_summaries,
            adds=Adds(
                {
                    "status": Column("entailment_status", pl.String),
                    "reason": Column("entailment_reason", pl.String),
                    "entailment": Column("entailment", pl.String),
                    "entailment_confidence": Column("entailment_confidence", pl.Float32),
                    "entailment_model": Column("entailment_model", pl.String),
                }
            ),
        ),
        Step(
            "embed_frames",
            "frames of every downloaded file to a vector, for the map of `clusters`",
            make=_embed_frames,
            optional=True,
            media=True,
        ),
        Step("anonymize", "pseudonyms; identifiers leave the texts, rare hashtags are folded"),
        Step("assemble", "the released tables, the card and the manifest"),
        Step("validate", "contract, fidelity, privacy and quality of the released bytes"),
    )
)
