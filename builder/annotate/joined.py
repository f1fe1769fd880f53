"""One wide row a video: what the source gave and what the stages found, side by side.

Still private: `anonymize` scrubs and drops columns afterwards. Which columns a stage adds is said
by the plan (`builder.pipeline.plan`); which transcript, label and summary counts is decided here,
with the rules of the profile, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from builder.annotate.transcripts.columns import judge
from builder.annotate.transcripts.rules import DEFAULT_RULES
from builder.config.asr import TranscriptRules
from builder.sources.encoding import REPLACEMENT

UPSTREAM_MODEL = "as published by the authors"
SYNTHETIC_MODEL = "SYNTHETIC, in the form the authors publish"
NOT_RUN, NO_TRANSCRIPT = "not_run", "no_usable_transcript"
NO_SPEECH, BLANK = "no_speech", "blank"
API_MODEL = "TikTok Research API voice_to_text"
SOURCES = ("whisper", "api")
# Media statuses (`builder.media.facts.STATUSES`) of files of which the end was not heard.
CUT_OFF = ("truncated", "unreadable")
# A file this much shorter than the service says the video is was cut off too.
SHORT_SHARE, SHORT_SECONDS = 0.9, 2.0
_SHORT = "_file_is_short"


class Column(NamedTuple):
    """A column of the wide row: its name and type.

    A `text` is scrubbed before release and its findings are counted. A `reason` is scrubbed too: it
    can quote a file name, and a download is called after its id.
    """

    name: str
    dtype: Any
    text: bool = False
    reason: bool = False


@dataclass(frozen=True)
class Adds:
    """What a stage adds to the wide row.

    Attributes:
        columns: column of the stage's output -> column of the wide row.
        views: a stage that judges several texts of a video (`source` in its results names which)
            adds its columns once for each, prefixed ``whisper_`` and ``api_``.
        says_why: a wide column that is never null: where there is no result it says why.
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    views: tuple[str, ...] = ()
    says_why: str | None = None


@dataclass(frozen=True)
class Joiner:
    """Joins the stages' results to raw rows and settles which transcript is preferred.

    Args:
        stages: stage name -> what it adds.
        rules: what makes a text a transcript; those of the profile.
    """

    stages: Mapping[str, Adds]
    rules: TranscriptRules = DEFAULT_RULES
    _last: dict[str, tuple[pl.Series, pl.DataFrame]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def texts(self) -> tuple[str, ...]:
        """Wide columns of text that must be scrubbed before release."""
        own = [name for name, column in self._named() if column.text]
        return tuple(dict.fromkeys(["whisper_text", "api_text", *own]))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Wide columns of reasons, to be scrubbed as well."""
        own = [name for name, column in self._named() if column.reason]
        return tuple(dict.fromkeys(["whisper_reason", "api_reason", *own]))

    def _named(self) -> Iterator[tuple[str, Column]]:
        for adds in self.stages.values():
            for view in adds.views or ("",):
                for column in adds.columns.values():
                    yield f"{view}_{column.name}" if view else column.name, column

    def __call__(self, raw: pl.DataFrame, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Join.

        Args:
            raw: rows of ingest.
            results: stage name -> output (`id` and output columns); a stage with views also has
                `source`. A stage that is not named did not run.

        Returns:
            The rows of `raw`, in their order, with the columns of every stage (null where it did
            not run), `whisper_*` and `api_*` transcripts, `preferred` (whisper, api or null) and
            `usable_text`: the preferred transcript where its status is ok.
        """
        wide = self._transcripts(_whole(_published(self._joined(raw, results)), self.texts))
        usable = pl.col("usable_text").is_not_null()
        why = pl.when(usable).then(pl.lit(NOT_RUN)).otherwise(pl.lit(NO_TRANSCRIPT))
        return wide.with_columns(
            pl.col(adds.says_why).fill_null(why if stage in results else pl.lit(NOT_RUN))
            for stage, adds in self.stages.items()
            if adds.says_why
        )

    def _joined(self, raw: pl.DataFrame, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Raw rows with the columns of every stage; null where a stage did not run."""
        frame = raw.rename(
            {
                "voice_to_text": "api_text",
                "whisper_text": "upstream_text",
                "upstream_summary": "published_summary",
            }
        )
        for stage, adds in self.stages.items():
            for view in adds.views or ("",):
                prefix = f"{view}_" if view else ""
                names = {
                    source: f"{prefix}{column.name}" for source, column in adds.columns.items()
                }
                if stage not in results:
                    frame = frame.with_columns(
                        pl.lit(None, column.dtype).alias(names[source])
                        for source, column in adds.columns.items()
                    )
                    continue
                output = results[stage]
                if view:
                    output = output.filter(pl.col("source") == view)
                output = output.select("id", *names).rename(names)
                frame = frame.join(output, on="id", how="left", maintain_order="left")
        return frame

    def _judged(self, source: str, texts: pl.Series) -> pl.DataFrame:
        # The same slice is joined once for each stage that reads it: judged once.
        if source not in self._last or not self._last[source][0].equals(texts, null_equal=True):
            self._last[source] = texts, judge(texts, self.rules)
        return self._last[source][1]

    def _transcripts(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Status and word count of both transcripts, and which one is preferred."""
        for source in SOURCES:
            judged = self._judged(source, frame[f"{source}_text"])
            frame = frame.with_columns(judged["n_words"].alias(f"{source}_words"))
            status, reason = judged["status"], judged["reason"]
            # an empty text somebody else gives: nobody here listened
            silent = (status == NO_SPEECH).fill_null(False)
            status = status.zip_with(~silent, pl.repeat(BLANK, status.len(), eager=True))
            if source == "whisper":
                ours = frame["whisper_status"].is_not_null()
                status = status.zip_with(~ours, frame["whisper_status"])
                reason = reason.zip_with(~ours, frame["whisper_reason"])
            frame = frame.with_columns(
                status.alias(f"{source}_status"), reason.alias(f"{source}_reason")
            )
        whisper, api = pl.col("whisper_status"), pl.col("api_status")
        # Half a clip gives half a transcript: the service heard all of it.
        first = (whisper == "ok") & ~(_cut_off(frame) & (api == "ok").fill_null(False))
        return frame.with_columns(
            preferred=pl.when(first)
            .then(pl.lit("whisper"))
            .when(api == "ok")
            .then(pl.lit("api"))
            .when((whisper == "near_empty") | (api.is_null() & whisper.is_not_null()))
            .then(pl.lit("whisper"))
            .when(api.is_not_null())
            .then(pl.lit("api")),
            usable_text=pl.when(first)
            .then(pl.col("whisper_text"))
            .when(api == "ok")
            .then(pl.col("api_text")),
        ).drop(_SHORT)


def _cut_off(frame: pl.DataFrame) -> pl.Expr:
    """Our transcript is of a file that is not whole; one the authors published is not ours."""
    if "media_status" not in frame.columns:
        return pl.lit(False)
    ours = ~pl.col("whisper_model").is_in([UPSTREAM_MODEL, SYNTHETIC_MODEL]).fill_null(False)
    return ours & (pl.col("media_status").is_in(CUT_OFF).fill_null(False) | pl.col(_SHORT))


def _whole(frame: pl.DataFrame, texts: tuple[str, ...]) -> pl.DataFrame:
    """Texts without U+FFFD: models write it where a token ends inside a character."""

    def mend(text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(REPLACEMENT, "", literal=True)

    held = [name for name in texts if name in frame.columns]
    frame = frame.with_columns(mend(pl.col(name)) for name in held)
    if "segments" not in frame.columns:
        return frame
    mended = pl.element().struct.with_fields(mend(pl.field("text")))
    return frame.with_columns(pl.col("segments").list.eval(mended))


def _published(frame: pl.DataFrame) -> pl.DataFrame:
    """Media facts, transcripts, labels and summaries of the source stand where ours say nothing."""
    unheard = pl.col("whisper_status").is_null() | (pl.col("whisper_status") == "failed")
    take_text = unheard & pl.col("upstream_text").is_not_null()
    take_label = pl.col("sentiment_status").is_null() & pl.col("upstream_sentiment").is_not_null()
    take_summary = pl.col("summary_status").is_null() & pl.col("published_summary").is_not_null()

    def fill(name: str, take: pl.Expr, value: pl.Expr) -> pl.Expr:
        return pl.when(take).then(value).otherwise(pl.col(name)).alias(name)

    invented = pl.col("synthetic").fill_null(False)
    theirs = pl.when(invented).then(pl.lit(SYNTHETIC_MODEL)).otherwise(pl.lit(UPSTREAM_MODEL))
    # The service knows how long the video is, where the container of a cut file may not.
    short = pl.col("probe_duration") < SHORT_SHARE * pl.col("duration_seconds") - SHORT_SECONDS
    return frame.with_columns(
        short.fill_null(False).alias(_SHORT),
        pl.coalesce("probe_duration", "duration_seconds").alias("duration_seconds"),
        pl.coalesce("probe_frames", "n_frames").alias("n_frames"),
        fill("whisper_text", take_text, pl.col("upstream_text")),
        fill("whisper_status", take_text, pl.lit(None, pl.String)),
        fill("whisper_model", take_text, theirs),
        fill("label", take_label, pl.col("upstream_sentiment")),
        fill("sentiment_model", take_label, theirs),
        fill("sentiment_status", take_label, pl.lit("ok")),
        fill("summary", take_summary, pl.col("published_summary")),
        fill("summary_model", take_summary, theirs),
        fill("summary_method", take_summary, pl.lit("upstream")),
        fill("summary_status", take_summary, pl.lit("ok")),
    ).drop("upstream_text", "published_summary", "probe_duration", "probe_frames")
