"""What the labels and transcripts of a release look like, and whether that is good enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from builder.annotate.joined import SYNTHETIC_MODEL, UPSTREAM_MODEL
from builder.config.campaign import Campaign
from builder.measure.measurements import entailment_result, sentiment_result
from builder.measure.scores import against_gold
from builder.measure.wer import agreement
from builder.validate.opinions import second_opinion
from builder.validate.release import Tables
from builder.validate.thresholds import FAIL, WARN, judge, thresholds_of, worst
from ecuador_crisis_tiktok import ENTAILMENT_LABELS, SENTIMENT_LABELS

_COUNTED = {
    "transcript_status": ("videos", "transcript_status"),
    "transcript_source": ("videos", "transcript_source"),
    "exclusion_reason": ("videos", "exclusion_reason"),
    "media_status": ("videos", "media_status"),
    "language": ("videos", "language"),
    "sentiment": ("videos", "sentiment"),
    "sentiment_status": ("sentiment", "status"),
    "summary_status": ("summaries", "status"),
    "entailment": ("summaries", "entailment"),
}
# task -> (config, column of the label, column of its confidence, closed list)
TASKS = {
    "sentiment": ("sentiment", "label", "confidence", SENTIMENT_LABELS),
    "summary": ("summaries", "entailment", "entailment_confidence", ENTAILMENT_LABELS),
}
_NOT_RUN = ("not_run", "missing")
_WORST = 10
_BINS = 20  # of a histogram: one edge stands at 0.75
AGREEMENT_VIDEOS = 5_000


def check_quality(
    release: Tables, campaign: Campaign | None = None, gold: pl.DataFrame | None = None
) -> dict[str, Any]:
    """Counts, confidence, entailment and, with gold labels, calibration; judged by the campaign.

    Args:
        release: its tables; rows whose label or confidence breaks the contract are left out.
        campaign: its thresholds and languages; None takes the default thresholds.
        gold: people's labels, `review_score.GOLD_SCHEMA`: task, video_id, gold, weight.

    Returns:
        ``counts``: name -> value -> rows (values that are null are left out).
        ``low_confidence_share``: null when no sentiment has a confidence.
        ``sentiment``: as `measures.measure_sentiment` without row numbers, or null.
        ``entailment``: as `measures.measure_entailment`; ``worst_contradictions`` are video_ids.
        ``gold``: task -> as `scores.against_gold`, for the tasks that have gold labels.
        ``transcript_agreement``: ``videos``, ``wer``, ``median_wer``, ``share_identical`` of
        Whisper's and the API's transcripts where both are usable; ``of``: how many such videos
        there are (of more than AGREEMENT_VIDEOS the first by video_id, which is random); or null.
        ``second_opinion``: as `opinions.second_opinion`; no such key without one.
        ``judged``: every metric beside its limits; ``verdict``: the worst of them.
    """
    counts = {name: _counts(release, *place) for name, place in _COUNTED.items()}
    sentiment = _sentiment(release)
    entailment = _entailment(release)
    against = {} if gold is None else _against_gold(release, gold)
    values = {
        **_shares(release, counts, campaign),
        **_measured(sentiment, entailment),
        **_confirmed(against),
    }
    judged = judge(values, thresholds_of(campaign))
    opinions = second_opinion(release)
    low = release.scan("sentiment").select(pl.col("low_confidence").mean()).collect().item()
    return {
        "verdict": worst([line.verdict for line in judged]),
        "judged": [line.as_dict() for line in judged],
        "counts": counts,
        "low_confidence_share": None if low is None else round(float(low), 4),
        "sentiment": sentiment,
        "entailment": entailment,
        "gold": against,
        "transcript_agreement": _transcript_agreement(release),
        **({} if opinions is None else {"second_opinion": opinions}),
    }


def labelled(release: Tables, task: str) -> pl.LazyFrame:
    """Labelled rows of a task that keep the contract: `video_id`, `label`, `confidence`, `code`.

    Args:
        release: the release.
        task: a key of `TASKS`.

    Returns:
        Lazy, in the order of the config; `code` (int64) is the label's place in its closed list;
        `confidence` (float64) is null where none was given.
    """
    config, label, confidence, names = TASKS[task]
    number = pl.col("label").replace_strict(
        list(names), list(range(len(names))), default=None, return_dtype=pl.Int64
    )
    value = pl.col("confidence")
    lazy = release.scan(config).select(
        "video_id",
        pl.col(label).alias("label"),
        pl.col(confidence).cast(pl.Float64).alias("confidence"),
    )
    kept = pl.col("code").is_not_null() & (value.is_null() | value.is_between(0.0, 1.0))
    return lazy.with_columns(number.alias("code")).filter(kept)


def _transcript_agreement(release: Tables) -> dict[str, Any] | None:
    usable = release.scan("transcripts").filter(pl.col("text").is_not_null(), status="ok")
    whisper = usable.filter(pl.col("source") == "whisper").select("video_id", whisper="text")
    api = usable.filter(pl.col("source") == "api").select("video_id", api="text")
    both = whisper.join(api, on="video_id").collect()
    if both.is_empty():
        return None
    taken = both.sort("video_id").head(AGREEMENT_VIDEOS).with_row_index("id")
    rows = taken.with_columns(pl.col("id").cast(pl.Int64))
    found = agreement(rows.select("id", text="whisper"), rows.select("id", text="api"))
    return {**found.summary(), "of": both.height}


def _counts(release: Tables, config: str, column: str) -> dict[str, int]:
    table = (
        release.scan(config)
        .select(column)
        .drop_nulls()
        .group_by(column)
        .len()
        .sort("len", column, descending=[True, False])
        .collect(engine="streaming")
    )
    return {str(value): int(number) for value, number in table.iter_rows()}


def _scored(release: Tables, task: str) -> pl.DataFrame:
    """`code` and `confidence` where both are: sixteen bytes a row, no ids."""
    return labelled(release, task).select("code", "confidence").drop_nulls().collect()


def _sentiment(release: Tables) -> dict[str, Any] | None:
    rows = _scored(release, "sentiment")
    if not rows.height:
        return None
    # the confidences are float32 values: the threshold is compared as one, and told as it was given
    result = sentiment_result(
        rows["code"].to_numpy(),
        rows["confidence"].to_numpy(),
        None,
        threshold=float(np.float32(release.threshold)),
        bins=_BINS,
    )
    result["threshold"] = release.threshold
    result.pop("flagged")  # as many row numbers as there are flags: `low_confidence` says it
    return result


def _entailment(release: Tables) -> dict[str, Any] | None:
    rows = _scored(release, "summary")
    if not rows.height:
        return None
    result = entailment_result(rows["code"].to_numpy(), rows["confidence"].to_numpy(), None)
    against = labelled(release, "summary").filter(pl.col("label") == "contradiction")
    most = against.drop_nulls("confidence").sort("confidence", "video_id", descending=[True, False])
    result["worst_contradictions"] = (
        most.select("video_id", "confidence").head(_WORST).collect().to_dicts()
    )
    return result


def _shares(
    release: Tables, counts: dict[str, dict[str, int]], campaign: Campaign | None
) -> dict[str, tuple[float | None, int]]:
    values: dict[str, tuple[float | None, int]] = {}
    usable = release.scan("videos").filter(pl.col("transcript_status") == "ok")
    found = usable.select(pl.len(), pl.col("sentiment").count(), pl.col("summary").count())
    total, sentiments, summaries = found.collect().row(0)
    if not summaries:  # none, or left out of the release: then their rows say that they had one
        written = release.scan("summaries").filter(_summarised(release))
        had = written.join(usable, on="video_id", how="semi").select(pl.len())
        summaries = had.collect().item()
    for metric, status, done in (
        ("sentiment_failed_share", "sentiment_status", sentiments),
        ("summary_failed_share", "summary_status", summaries),
    ):
        ran = any(name not in _NOT_RUN for name in counts[status])
        values[metric] = (1 - done / total if ran and total else None, total)
    theirs = pl.col("model").is_in([UPSTREAM_MODEL, SYNTHETIC_MODEL]).fill_null(False)
    heard = release.scan("transcripts").filter((pl.col("source") == "whisper") & ~theirs)
    failed = (pl.col("status") == "failed").sum()
    tried, lost = heard.select(pl.len(), failed).collect().row(0)
    values["transcription_failed_share"] = (lost / tried if tried else None, tried)
    unjudged = pl.col("reason").str.starts_with("entailment:").fill_null(False)
    judged = (pl.col("entailment").is_not_null() | unjudged) & _summarised(release)
    asked = release.scan("summaries").filter(judged)
    tried, lost = asked.select(pl.len(), unjudged.sum()).collect().row(0)
    values["entailment_failed_share"] = (lost / tried if tried else None, tried)
    languages = counts["language"]
    known = sum(languages.values())
    if campaign is not None and known:
        ours = sum(languages.get(language, 0) for language in campaign.languages)
        values["campaign_language_share"] = (ours / known, known)
    return values


def _summarised(release: Tables) -> pl.Expr:
    """Rows of `summaries` with a summary; where texts are left out, those that say they had one."""
    there = release.scan("summaries").select(pl.col("summary").is_not_null().any())
    return pl.col("summary").is_not_null() if there.collect().item() else pl.col("status") == "ok"


def _measured(
    sentiment: dict[str, Any] | None, entailment: dict[str, Any] | None
) -> dict[str, tuple[float | None, int]]:
    values: dict[str, tuple[float | None, int]] = {}
    if sentiment is not None:
        n = sentiment["count"]
        shares = [label["share"] for label in sentiment["per_label"].values()]
        values["high_confidence_share"] = (sentiment["high_confidence_share"], n)
        values["single_label_share"] = (max(shares), n)
    if entailment is not None:
        for metric in ("entailment_share", "contradiction_share"):
            values[metric] = (entailment[metric], entailment["count"])
    return values


def _against_gold(release: Tables, gold: pl.DataFrame) -> dict[str, Any]:
    results = {}
    for task, (*_, names) in TASKS.items():
        mine = gold.filter(pl.col("task") == task).select("video_id", "gold", "weight")
        rows = mine.lazy().join(labelled(release, task), on="video_id").collect()
        rows = rows.drop_nulls("confidence")
        if not rows.height:
            continue
        numbers = {name: number for number, name in enumerate(names)}
        truth = np.array([numbers[name] for name in rows["gold"]], dtype=np.int64)
        results[task] = against_gold(
            rows["code"].to_numpy(),
            truth,
            rows["confidence"].to_numpy(),
            names,
            weights=rows["weight"].to_numpy(),
        )
    return results


def _confirmed(against: dict[str, Any]) -> dict[str, tuple[float | None, int]]:
    values: dict[str, tuple[float | None, int]] = {}
    if "sentiment" in against:
        result = against["sentiment"]
        for metric in ("accuracy", "macro_f1", "expected_calibration_error"):
            values[metric] = (result[metric], result["gold_count"])
    if "summary" in against:
        result = against["summary"]
        values["entailment_accuracy"] = (result["accuracy"], result["gold_count"])
    return values


def quality_lines(quality: dict[str, Any] | None) -> list[str]:
    """The numbers of `check_quality` that deserve a look, for the terminal."""
    if not quality or "judged" not in quality:
        return []
    concerns = [line for line in quality["judged"] if line["verdict"] in (WARN, FAIL)]
    lines = [f"  quality: {quality['verdict']}"]
    for line in concerns:
        beyond = "under" if line["direction"] == "at least" else "over"
        bound = line[line["verdict"]]
        if line.get("note"):
            lines.append(f"    {line['verdict']}: {line['what']}: {line['note']} ({line['name']})")
            continue
        lines.append(
            f"    {line['verdict']}: {line['what']} {line['value']:.3f}, {beyond} {bound:g} "
            f"({line['name']}, {line['rows']:,} rows)"
        )
    return lines
