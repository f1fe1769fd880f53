"""Draws a seeded stratified sample of sentiment and summary verdicts for people to judge.

Strata are made of the label, the confidence band, the language and the phase of the crisis, as far
as the sample has room for at least two rows in each (a variance needs two).
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import polars as pl

from builder.errors import UsageProblem
from builder.release.assemble import file_digest
from builder.release.manifest import MANIFEST
from builder.release.tables import under
from builder.review.sheet import Design, Item, design_path, refuse_filled, write_sheet
from builder.review.strata import allocate
from builder.validate.quality import TASKS, labelled
from builder.validate.release import Release

DIMENSIONS = ("label", "band", "language", "phase")
HIGH = 0.90
LEAST = 2  # a variance needs two
_LETTER = {"sentiment": "S", "summary": "E"}


def write_review(
    release: Release,
    out: Path,
    *,
    rows: int = 200,
    seed: int = 0,
    annotators: int = 2,
    replace: bool = False,
) -> Design:
    """Write the sample as a CSV with blank columns, and its design beside it.

    Args:
        release: the release.
        out: the CSV; its design is `<out>.design.json` without the `.csv`.
        rows: how many rows of each task (sentiment, summary); all of them if there are fewer.
        seed: the same seed, release and numbers give the same bytes.
        annotators: blank columns `annotator_1`, ….
        replace: overwrite an existing file, which may hold people's work.

    Raises:
        UsageProblem: the release has no sentiment and no verdict with a text.
        ReleaseConflict: `out` exists.
    """
    refuse_filled([out, design_path(out)], replace=replace)
    design = draw(release, rows, seed)
    write_sheet(out, design, _texts(release, design), annotators)
    return design


def draw(release: Release, rows: int, seed: int) -> Design:
    """Draw the sample.

    Args:
        release: the release.
        rows: of each task.
        seed: of the draw.

    Raises:
        UsageProblem: nothing to review.
    """
    items: list[Item] = []
    strata: dict[str, dict[str, int]] = {}
    dimensions: dict[str, list[str]] = {}
    for task in TASKS:
        frame = _population(release, task)
        if not frame.height:
            continue
        used, frame = _stratified(frame, rows)
        sizes = dict(frame.group_by("stratum").len().sort("stratum").iter_rows())
        dimensions[task], strata[task] = used, sizes
        items += _drawn(frame, task, allocate(sizes, rows, least=LEAST), seed)
    if not items:
        raise UsageProblem(
            "there is nothing to review: no sentiment and no entailment verdict with its text",
            file=release.folder,
            way_out="build the release with the stages sentiment, summarize and entailment",
        )
    return Design(
        release=f"{release.manifest.name} {release.manifest.version}",
        manifest_sha256=file_digest(release.folder / MANIFEST),
        seed=seed,
        dimensions=dimensions,
        strata=strata,
        items=items,
    )


def _population(release: Release, task: str) -> pl.DataFrame:
    """Rows that can be reviewed: `video_id`, `label`, `confidence`, and the dimensions."""
    needed = pl.col("transcript").is_not_null()
    if task == "summary":
        needed &= pl.col("summary").is_not_null()
    videos = release.scan("videos").filter(needed).select("video_id", "date", "language").collect()
    frame = labelled(release, task).drop("code").collect().join(videos, on="video_id", how="inner")
    common = _languages(frame)
    return frame.with_columns(
        band=pl.when(pl.col("confidence").is_null())
        .then(pl.lit("unknown"))
        .when(under(release.threshold))
        .then(pl.lit(f"under {release.threshold}"))
        .when(pl.col("confidence") < HIGH)
        .then(pl.lit(f"under {HIGH}"))
        .otherwise(pl.lit(f"{HIGH} and more")),
        language=pl.when(pl.col("language").is_in(common))
        .then(pl.col("language"))
        .otherwise(pl.lit("other")),
        phase=_phase(release),
    ).sort("video_id")


def _languages(frame: pl.DataFrame) -> list[str]:
    """Languages of at least one row in twenty; the others are one stratum."""
    counted = frame["language"].drop_nulls().value_counts()
    return [str(name) for name, n in counted.iter_rows() if n * 20 >= frame.height]


def _phase(release: Release) -> pl.Expr:
    """Before, during or after the events of the crisis."""
    dates: list[dt.date] = release.columns("events", ["date"])["date"].drop_nulls().to_list()
    if not dates:
        return pl.lit("any")
    return (
        pl.when(pl.col("date") < min(dates))
        .then(pl.lit("before"))
        .when(pl.col("date") <= max(dates))
        .then(pl.lit("during"))
        .otherwise(pl.lit("after"))
    )


def _stratified(frame: pl.DataFrame, rows: int) -> tuple[list[str], pl.DataFrame]:
    """Use as many dimensions as leave room for two rows a stratum; the last ones go first."""
    for count in range(len(DIMENSIONS), 0, -1):
        used = list(DIMENSIONS[:count])
        named = frame.with_columns(stratum=pl.concat_str(used, separator=" · "))
        if count == 1 or named["stratum"].n_unique() * LEAST <= rows:
            return used, named
    raise AssertionError("unreachable: one dimension is always used")  # pragma: no cover


def _drawn(frame: pl.DataFrame, task: str, drawn: dict[str, int], seed: int) -> list[Item]:
    dice = random.Random(f"{seed} {task}")
    chosen: list[tuple[str, str, str, float | None]] = []
    for stratum, count in sorted(drawn.items()):
        rows = frame.filter(pl.col("stratum") == stratum)
        mine = rows.select("video_id", "stratum", "label", "confidence").rows()
        chosen += dice.sample(mine, count)
    # the order must not tell annotators which rows belong together
    dice.shuffle(chosen)
    letter = _LETTER[task]
    return [
        Item(f"{letter}{number:04d}", task, video_id, stratum, label, confidence)
        for number, (video_id, stratum, label, confidence) in enumerate(chosen, start=1)
    ]


def _texts(release: Release, design: Design) -> list[tuple[str, str]]:
    wanted = {item.video_id for item in design.items}
    table = (
        release.scan("videos")
        .filter(pl.col("video_id").is_in(wanted))
        .select("video_id", "transcript", "summary")
        .collect()
    )
    found = {video_id: (text or "", summary or "") for video_id, text, summary in table.iter_rows()}
    return [
        (found[item.video_id][0], found[item.video_id][1] if item.task == "summary" else "")
        for item in design.items
    ]
