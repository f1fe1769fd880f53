"""What `ecuador-crisis review` and `ecuador-crisis calibrate` do and print."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from builder.errors import UsageProblem
from builder.review.calibrate import fit_release, save, write_calibrated
from builder.review.draw import write_review
from builder.review.score import gold_labels, score_lines, score_review
from builder.review.sheet import design_path
from builder.run.store import write_json
from builder.validate.release import Release


def run_review(
    release: Path | None,
    out: Path | None,
    score: Sequence[Path],
    *,
    rows: int = 200,
    seed: int = 0,
    annotators: int = 2,
    design: Path | None = None,
    json_path: Path | None = None,
    replace: bool = False,
) -> list[str]:
    """Write a sample to review, or score filled ones.

    Args:
        release: the release to draw from.
        out: the CSV to write.
        score: filled CSVs; given, nothing is drawn.
        rows: of each task, `seed` of the draw, `annotators`: blank columns.
        design: the sample's design, if it is not beside the CSVs.
        json_path: where to write the scores as JSON.
        replace: overwrite `out`.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: neither or both were asked for; see `write_review` and `score_review`.
    """
    if score:
        if out is not None:
            raise UsageProblem(
                "--out and --score exclude each other",
                way_out="write a sample first, score the filled file later",
            )
        result = score_review(score, design)
        if json_path is not None:
            write_json(json_path, result)
        return score_lines(result)
    if release is None or out is None:
        raise UsageProblem(
            "nothing to do",
            way_out="ecuador-crisis review RELEASE --out review.csv, later "
            "ecuador-crisis review --score review.csv",
        )
    drawn = write_review(
        Release(release), out, rows=rows, seed=seed, annotators=annotators, replace=replace
    )
    tasks = Counter(item.task for item in drawn.items)
    lines = [f"{out}: a sample of {drawn.release} (seed {seed}) for people to judge"]
    for task, n in tasks.items():
        by = ", ".join(drawn.dimensions[task])
        lines.append(f"  {task}: {n:,} rows out of {len(drawn.strata[task]):,} strata by {by}")
    lines.append(f"  fill annotator_1, …; keep {design_path(out).name}, it holds the answers")
    return lines


def run_calibrate(
    release: Path,
    labels: Sequence[Path],
    out: Path,
    *,
    design: Path | None = None,
    parquet: Path | None = None,
) -> list[str]:
    """Fit a temperature on reviewed labels; optionally write the calibrated confidences.

    Args:
        release: the release the labels are about; it is not changed.
        labels: filled review CSVs.
        out: the calibration, JSON.
        design: the sample's design, if it is not beside the CSVs.
        parquet: where to write `video_id`, `label`, `confidence`, `calibrated_confidence`.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: see `calibrate.fit_release` and `score_review`.
    """
    gold = gold_labels(labels, design)
    digest = hashlib.sha256()
    for path in labels:
        digest.update(path.read_bytes())
    opened = Release(release)
    found = fit_release(
        opened,
        gold,
        labels=", ".join(path.name for path in labels),
        labels_sha256=digest.hexdigest(),
    )
    save(found, out)
    before, after = found.expected_calibration_error
    lines = [
        f"temperature {found.temperature:.4f}, fitted on {found.rows:,} labelled rows ({out})",
        f"  log loss {found.log_loss[0]:.4f} before, {found.log_loss[1]:.4f} after",
        f"  expected calibration error {before:.4f} before, {after:.4f} after (same rows)",
    ]
    if parquet is not None:
        n = write_calibrated(opened, found, parquet)
        lines.append(f"  {n:,} calibrated confidences in {parquet}; the release is unchanged")
    return lines
