"""What `ecuador-crisis validate` does and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.campaign import Campaign
from builder.errors import UsageProblem
from builder.validate.leaks import Private
from builder.validate.quality import quality_lines
from builder.validate.release import Release
from builder.validate.review_score import gold_labels
from builder.validate.validate import PASS, embedded_campaign, validate, write_reports


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
        Lines to print, and whether the contract holds.

    Raises:
        UsageProblem: not a release, or `work` was never built in.
    """
    named = Release(release).manifest.get("campaign")
    chosen = Campaign.load(campaign) if campaign else embedded_campaign(named)
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
    labels = gold_labels(gold, design) if gold else None
    report = validate(release, chosen, private, labels)
    write_reports(report, json_path, html_path)
    return summary_lines(report), report["contract"]["verdict"] == PASS


def summary_lines(report: dict[str, Any]) -> list[str]:
    """The report in a few lines for the terminal."""
    synthetic = " (SYNTHETIC)" if report["synthetic"] else ""
    verdict = report["contract"]["verdict"]
    lines = [f"{report['release']} {report['version']}{synthetic}: contract {verdict}"]
    for check in report["contract"]["checks"]:
        if check["verdict"] != "fail":
            continue
        lines.append(f"  broken: {check['name']} ({check['count']:,} place(s))")
        for problem in check["problems"][:3]:
            row = f", row {problem['row']}" if problem["row"] else ""
            field = f", {problem['field']}" if problem["field"] else ""
            lines.append(f"    {problem['file']}{row}{field}: {problem['value']}")
            lines.append(f"      way out: {problem['way_out']}")
    fidelity = report["fidelity"] or []
    if fidelity:
        verdicts = [row["verdict"] for row in fidelity]
        told = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
        lines.append(f"  the paper's numbers: {told}")
    uniqueness = (report["privacy"] or {}).get("uniqueness") or []
    if uniqueness:
        first = uniqueness[0]
        lines.append(f"  unique on {first['facts']}: {first['share']:.1%} of the videos")
    return lines + quality_lines(report["quality"])
