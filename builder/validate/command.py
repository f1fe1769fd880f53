"""What `ecuador-crisis validate` does and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builder.campaign import Campaign
from builder.errors import UsageProblem
from builder.validate.leaks import Private
from builder.validate.validate import PASS, validate, write_reports


def run(
    release: Path,
    json_path: Path | None,
    html_path: Path | None,
    campaign: str | None,
    work: Path | None,
) -> tuple[list[str], bool]:
    """Validate a release folder.

    Args:
        release: the folder.
        json_path: where to write the JSON report, if anywhere.
        html_path: where to write the page, if anywhere.
        campaign: campaign name or folder; None takes the one the manifest names.
        work: work folder whose raw ids and usernames must not appear.

    Returns:
        Lines to print, and whether the contract holds.

    Raises:
        UsageProblem: not a release, or `work` was never built in.
    """
    chosen = Campaign.load(campaign) if campaign else None
    private = None
    if work is not None:
        parts = sorted((work / "ingest").glob("*/part-*.parquet"))
        if not parts:
            raise UsageProblem(
                "this work folder holds no ingested rows",
                file=work,
                way_out="give the --work folder the release was built with",
            )
        private = Private.of(parts, chosen or Campaign.load())
    report = validate(release, chosen, private)
    write_reports(report, json_path, html_path)
    return summary_lines(report), report["verdict"] == PASS


def summary_lines(report: dict[str, Any]) -> list[str]:
    """The report in a few lines for the terminal."""
    synthetic = " (SYNTHETIC)" if report["synthetic"] else ""
    lines = [f"{report['release']} {report['version']}{synthetic}: contract {report['verdict']}"]
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
    return lines
