"""Rules about labels, scores and verdicts that belong together, row by row.

`values` checks each column by itself; these rules look across the columns of a row.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.validate.contract.check import MAX_NAMED, Check, Problem, shown
from builder.validate.release import Release

_REBUILD = "build the release again; if it comes back, the stage that made the column is at fault"
# float32 scores, written once and compared with each other
_SAME = 1e-4
_SUM = 1e-2

_SCORES = [f"score_{name}" for name in schema.SENTIMENT_LABELS]


def check_quality_rules(release: Release) -> Iterator[Check]:
    """One check a rule, each naming the rows that break it.

    Args:
        release: a release whose schema was found in order.
    """
    yield from _sentiment(release)
    yield from _summaries(release)


def _sentiment(release: Release) -> Iterator[Check]:
    given = pl.all_horizontal(pl.col(name).is_not_null() for name in _SCORES)
    some = pl.any_horizontal(pl.col(name).is_not_null() for name in _SCORES)
    labelled = pl.col("label").is_not_null()
    own = pl.lit(None, pl.Float32)
    for name in schema.SENTIMENT_LABELS:
        own = pl.when(pl.col("label") == name).then(pl.col(f"score_{name}")).otherwise(own)
    highest = pl.max_horizontal(_SCORES)
    rules = [
        (
            "sentiment scores are given for all labels or for none, and sum to 1",
            _SCORES[0],
            (some & ~given) | (given & ((pl.sum_horizontal(_SCORES) - 1).abs() > _SUM)),
        ),
        (
            "the sentiment label is the one with the highest score",
            "label",
            labelled & given & (highest - own > _SAME),
        ),
        (
            "the sentiment confidence is the score of the label",
            "confidence",
            labelled & given & ((own - pl.col("confidence")).abs() > _SAME).fill_null(True),
        ),
        (
            "a confidence, scores or a low_confidence flag stand only beside a label",
            "label",
            ~labelled
            & (some | pl.col("confidence").is_not_null() | pl.col("low_confidence").is_not_null()),
        ),
    ]
    columns = ["label", "confidence", "low_confidence", *_SCORES]
    yield from _checked(release, "sentiment", columns, rules)


def _summaries(release: Release) -> Iterator[Check]:
    lazy = release.scan("summaries")
    judged = lazy.select(pl.col("entailment").is_not_null().any()).collect().item()
    verdict = pl.col("entailment").is_not_null()
    # a release without texts says by its status that there was one
    texts = release.manifest.privacy.texts
    summarised = pl.col("summary").is_not_null() if texts else pl.col("status") == "ok"
    # a summary published elsewhere may have no transcript to be judged by; a verdict that failed
    # says so in `reason`
    excused = ~pl.col("_usable") | pl.col("reason").fill_null("").str.contains("(?i)entail")
    rules = [
        (
            "every summary has an entailment verdict, if any has one",
            "entailment",
            summarised & ~verdict & ~excused & pl.lit(bool(judged)),
        ),
        ("a verdict stands only beside a summary", "summary", verdict & ~summarised),
        (
            "a verdict has a confidence and names its model, and neither stands alone",
            "entailment_confidence",
            (verdict != pl.col("entailment_confidence").is_not_null())
            | (verdict & pl.col("entailment_model").is_null()),
        ),
    ]
    columns = [
        "summary",
        "status",
        "reason",
        "entailment",
        "entailment_confidence",
        "entailment_model",
    ]
    usable = release.scan("videos").select(
        "video_id", (pl.col("transcript_status") == "ok").fill_null(False).alias("_usable")
    )
    table = usable.unique("video_id", keep="any").collect()
    yield from _checked(release, "summaries", columns, rules, usable=table)


def _checked(
    release: Release,
    config: str,
    columns: list[str],
    rules: list[tuple[str, str, pl.Expr]],
    *,
    usable: pl.DataFrame | None = None,
) -> Iterator[Check]:
    checks = [Check(name) for name, _, _ in rules]
    start = 0
    for frame in release.batches(config, ["video_id", *columns]):
        rows = frame
        if usable is not None:
            rows = frame.join(usable, on="video_id", how="left", maintain_order="left")
            rows = rows.with_columns(pl.col("_usable").fill_null(False))
        broken = rows.select(
            rule.fill_null(False).alias(str(i)) for i, (*_, rule) in enumerate(rules)
        )
        for i, (_, column, _) in enumerate(rules):
            bad = broken[str(i)].arg_true().to_list()
            for row in bad[:MAX_NAMED]:
                value = frame[column][row]
                told = "no value" if value is None else shown(value)
                where = f"{start + row} ({frame['video_id'][row]})"
                checks[i].fail(Problem(config, where, column, told, _REBUILD))
            checks[i].count += max(len(bad) - MAX_NAMED, 0)
        start += frame.height
    yield from checks
