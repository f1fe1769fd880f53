"""What `ecuador-crisis validate` does and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from builder.config.campaign import Campaign
from builder.errors import UsageProblem
from builder.review.score import gold_labels
from builder.validate.contract.leaks import Private
from builder.validate.release import Release
from builder.validate.whole import PASS, asked_campaign, summary_lines, validate, write_reports


def run(
    release: Path,
    json_path: Path | None,
    html_path: Path | None,
    campaign: str | None,
    work: Path | None,
    gold: Sequence[Path] = (),
    design: Path | None = None,
) -> tuple[list[str], bool]:
    """Validate a release folder.

    Args:
        release: the folder.
        json_path: where to write the JSON report, if anywhere.
        html_path: where to write the page, if anywhere.
        campaign: campaign name or folder; None takes the one the manifest names.
        work: work folder whose raw ids and usernames must not appear.
        gold: filled review CSVs: the labels are compared with people's.
        design: the review's design, if it is not beside the CSVs.

    Returns:
        Lines to print, the verdict last, and whether it is pass: contract and quality.

    Raises:
        UsageProblem: not a release, or `work` was never built in.
    """
    chosen, private = private_of(release, campaign, work)
    labels = gold_labels(gold, design) if gold else None
    report = validate(release, chosen, private, labels)
    # what lies beside a release does not travel with it, so a page inside does not link to it
    inside = html_path is not None and release.resolve() in html_path.resolve().parents
    explorer = None if inside else release.resolve().parent / "explorer" / "index.html"
    write_reports(report, json_path, html_path, release / "figures" / "index.html", explorer)
    return summary_lines(report), report["verdict"] == PASS


def private_of(
    release: Path, campaign: str | None, work: Path | None
) -> tuple[Campaign | None, Private | None]:
    """The campaign of a release, and what of its work folder must not appear in it.

    Args:
        release: the folder.
        campaign: campaign name or folder; None takes the one the manifest names.
        work: the work folder; None: nothing of it is looked for.

    Raises:
        UsageProblem: not a release, or `work` was never built in.
    """
    named = Release(release).manifest.campaign
    chosen = asked_campaign(campaign, named)
    private = None
    if work is not None:
        parts = sorted((work / "ingest").glob("*/part-*.parquet"))
        if not parts:
            raise UsageProblem(
                "this work folder holds no ingested rows",
                file=work,
                way_out="give the --work folder the release was built with",
            )
        if chosen is None:
            raise UsageProblem(
                f"the campaign {named!r} of this release is not an embedded one",
                way_out="give its folder with --campaign",
            )
        private = Private.of(parts, chosen)
    return chosen, private
