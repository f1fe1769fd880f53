"""Values of a release: ranges, closed lists, dates, and columns that must agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

import ecuador_crisis_tiktok as schema
from builder.release.coarsen import TIMES, coarse_day, coarsen
from builder.release.k_anonymity import k_of
from builder.release.tables import under
from builder.sources.schema import ALL_COUNTS
from builder.validate.contract.check import Check, Problem, shown
from builder.validate.release import Release

_REBUILD = "build the release again; if it comes back, the stage that made the column is at fault"

_COARSE = "build the release again with this campaign file; values are coarsened by `assemble`"


def check_values(release: Release) -> Iterator[Check]:
    """One check a rule, over every config that has the column."""
    yield from _row_rules(release)
    yield _dates(release)
    yield _coarse(release)
    yield _shared(release)
    yield _order(release)


def _between(column: str, low: float, high: float | None = None) -> pl.Expr:
    bad = (pl.col(column) < low) | pl.col(column).is_nan()
    return bad if high is None else bad | (pl.col(column) > high)


def _outside(column: str, allowed: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).is_not_null() & ~pl.col(column).is_in(allowed)


def _rules(threshold: float, *, texts: bool) -> list[tuple[str, str, str, pl.Expr, str]]:
    """(config, column, rule, expression that is true where it is broken, way out)."""
    rules: list[tuple[str, str, str, pl.Expr, str]] = [
        ("metadata", column, "counts are not negative", pl.col(column) < 0, _REBUILD)
        for column in (*ALL_COUNTS, "n_frames")
    ]
    rules.append(
        (
            "metadata",
            "duration_seconds",
            "durations are not negative",
            _between("duration_seconds", 0),
            _REBUILD,
        )
    )
    rules.append(
        (
            "metadata",
            "fetched_on",
            "no video was fetched before it was published",
            pl.col("fetched_on") < pl.col("date"),
            _REBUILD,
        )
    )
    for config, columns in {
        "videos": ("sentiment_confidence", "entailment_confidence"),
        "transcripts": ("language_confidence", "no_speech_prob"),
        "sentiment": (
            *("confidence", "score_negative", "score_neutral", "score_positive"),
            "second_confidence",
        ),
        "summaries": ("entailment_confidence",),
    }.items():
        rule = "confidences and scores lie between 0 and 1"
        rules += [(config, c, rule, _between(c, 0.0, 1.0), _REBUILD) for c in columns]
    closed = {
        ("sentiment", "label"): schema.SENTIMENT_LABELS,
        ("sentiment", "second_label"): schema.SENTIMENT_LABELS,
        ("videos", "sentiment"): schema.SENTIMENT_LABELS,
        ("summaries", "entailment"): schema.ENTAILMENT_LABELS,
        ("transcripts", "source"): schema.TRANSCRIPT_SOURCES,
        ("transcripts", "status"): schema.TRANSCRIPT_STATUSES,
        ("metadata", "exclusion_reason"): schema.EXCLUSION_REASONS,
    }
    for (config, column), allowed in closed.items():
        rule = "labels and statuses come from their closed lists"
        way_out = f"allowed: {', '.join(allowed)}"
        rules.append((config, column, rule, _outside(column, allowed), way_out))
    rules += [
        (
            "sentiment",
            "low_confidence",
            f"low_confidence is true exactly where the confidence is under {threshold:g}",
            under(threshold).ne_missing(pl.col("low_confidence")),
            _REBUILD,
        ),
        (
            "sentiment",
            "label",
            "a sentiment row has a label exactly where its status is ok",
            (pl.col("status") == "ok") != pl.col("label").is_not_null(),
            _REBUILD,
        ),
        (
            "sentiment",
            "second_label",
            "a second opinion has label, confidence and model exactly where its status is ok",
            pl.any_horizontal(
                (pl.col("second_status") == "ok") != pl.col(column).is_not_null()
                for column in ("second_label", "second_confidence", "second_model")
            ).fill_null(True),
            _REBUILD,
        ),
        (
            "metadata",
            "is_excluded",
            "is_excluded is true exactly where a reason is given",
            pl.col("is_excluded") != pl.col("exclusion_reason").is_not_null(),
            _REBUILD,
        ),
    ]
    if texts:
        rules += [
            (
                "summaries",
                "summary",
                "a summary row has a summary exactly where its status is ok",
                (pl.col("status") == "ok") != pl.col("summary").is_not_null(),
                _REBUILD,
            ),
            (
                "transcripts",
                "text",
                "a transcript with status ok has a text",
                (pl.col("status") == "ok") & pl.col("text").is_null(),
                _REBUILD,
            ),
        ]
    return rules


def _row_rules(release: Release) -> Iterator[Check]:
    checks: dict[str, Check] = {}
    rules = _rules(release.threshold, texts=release.manifest.privacy.texts)
    for config in dict.fromkeys(rule[0] for rule in rules):
        known = schema.features_of(config, release.optional, release.manifest.schema_version)
        mine = [rule for rule in rules if rule[0] == config and rule[1] in known]
        needed = {name for rule in mine for name in rule[3].meta.root_names()}
        start = 0
        for frame in release.batches(config, sorted({"video_id", *needed})):
            broken = frame.select(
                rule[3].fill_null(False).alias(str(i)) for i, rule in enumerate(mine)
            )
            for index, (_, column, name, _, way_out) in enumerate(mine):
                check = checks.setdefault(name, Check(name))
                bad = broken[str(index)].arg_true().to_list()
                for row in bad[:20]:
                    where = f"{start + row} ({frame['video_id'][row]})"
                    check.fail(Problem(config, where, column, shown(frame[column][row]), way_out))
                check.count += max(len(bad) - 20, 0)
            start += frame.height
        for _, _, name, _, _ in mine:
            checks.setdefault(name, Check(name))
    yield from checks.values()


def _dates(release: Release) -> Check:
    check = Check("every date lies in the campaign's window")
    window, unit = release.manifest.window, release.manifest.privacy.date_resolution
    for config, key in (("metadata", "video_id"), ("events", "key")):
        start, end = window.start, window.end
        if config == "metadata":  # a coarse date is the first day of its week or month
            start = coarse_day(start, unit)
        outside = pl.col("date").is_null() | (pl.col("date") < start) | (pl.col("date") > end)
        frame = release.columns(config, [key, "date"]).with_row_index("row")
        for row in frame.filter(outside).iter_rows(named=True):
            where = f"{row['row']} ({row[key]})"
            check.fail(Problem(config, where, "date", shown(row["date"]), f"{start} to {end}"))
    return check


def _coarse(release: Release) -> Check:
    """What the manifest says about coarse values holds: coarsening again changes nothing."""
    check = Check("dates, counts and durations are as coarse as the manifest says")
    policy = release.manifest.privacy
    for column in release.optional:
        released = policy.author_pseudonym if column == "author_id" else None
        if released is False or (column == "published_at" and policy.date_resolution not in TIMES):
            check.fail(
                Problem("MANIFEST.json", "", column, "the policy does not release it", _COARSE)
            )
    told = () if policy.texts else ("sentiment", "summaries")
    for config in ("metadata", "transcripts", *told):  # `videos` is compared with them
        start = 0
        for frame in release.batches(config):
            again = coarsen(frame, policy)
            for column in again.columns:
                finer = frame[column].ne_missing(again[column]).arg_true().to_list()
                for row in finer[:20]:
                    where = f"{start + row} ({frame['video_id'][row]})"
                    # the value itself is what must not be known
                    check.fail(Problem(config, where, column, "finer than allowed", _COARSE))
                check.count += max(len(finer) - 20, 0)
            start += frame.height
    return check


def _shared(release: Release) -> Check:
    """k is what the manifest says: nobody's facts are fewer than `min_k` videos'."""
    check = Check("as many videos share their released facts as the manifest says")
    policy, told = release.manifest.privacy, release.manifest.anonymity
    if policy.min_k == 1 and told is None:
        return check
    k = k_of(release.scan("metadata"), release.facts)
    if told is None or k != told.k or k < policy.min_k or told.min_k != policy.min_k:
        value = f"{k} here, {told.k if told else 'nothing'} stated, {policy.min_k} wanted"
        check.fail(Problem("MANIFEST.json", "", "anonymity.k", value, _COARSE))
    return check


def _order(release: Release) -> Check:
    check = Check("videos are sorted by date, then video_id")
    for config in ("videos", "metadata"):
        frame = release.columns(config, ["date", "video_id"])
        ordered = frame.sort("date", "video_id")
        if not frame.equals(ordered):
            row = (frame["video_id"] != ordered["video_id"]).arg_true().to_list()
            first = str(row[0]) if row else ""
            check.fail(Problem(config, first, "video_id", "out of order", _REBUILD))
    return check
