"""One report about a release: contract, fidelity, privacy, quality; as JSON and as a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl

from builder.config.campaign import Campaign
from builder.errors import CampaignError
from builder.release.assemble import file_digest
from builder.release.manifest import MANIFEST
from builder.run.store import write_atomic, write_json
from builder.validate.contract.files import check_contract
from builder.validate.contract.leaks import Private
from builder.validate.fidelity import compare
from builder.validate.page import render_html
from builder.validate.privacy import check_privacy
from builder.validate.quality import check_quality, quality_lines
from builder.validate.release import Release

PASS, FAIL = "pass", "fail"
JSON_NAME, HTML_NAME = "validation.json", "validation.html"


def validate(
    folder: Path,
    campaign: Campaign | None = None,
    private: Private | None = None,
    gold: pl.DataFrame | None = None,
    quality: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Check a release folder.

    Args:
        folder: the release.
        campaign: its campaign; looked up by the manifest's name when not given.
        private: raw ids and usernames to look for.
        gold: people's labels, for `check_quality`.
        quality: what `check_quality` said of these very tables, when it was asked already.

    Returns:
        The report: `release`, `version`, `synthetic`, `manifest_sha256`, `media` (the folder of
        downloads in numbers, or null), `verdict` (pass | fail), `contract` ({verdict, checks}),
        `fidelity`, `privacy`, `quality`. After a broken contract the last three
        are left out as far as they cannot be trusted (null).

    Raises:
        UsageProblem: not a release.
        ManifestProblem: its manifest cannot be used.
    """
    release = Release(folder)
    manifest = release.manifest
    campaign = campaign or embedded_campaign(manifest.campaign)
    checks = check_contract(release, campaign, private)
    contract = FAIL if any(check.verdict == FAIL for check in checks) else PASS
    readable = len(checks) > 3
    if not readable:
        quality = None
    elif quality is None:
        quality = check_quality(release, campaign, gold)
    verdict = FAIL if FAIL in (contract, (quality or {}).get("verdict")) else PASS
    return {
        "release": manifest.name,
        "version": manifest.version,
        "synthetic": manifest.synthetic,
        "manifest_sha256": file_digest(folder / MANIFEST),
        "media": manifest.media.model_dump() if manifest.media else None,
        "verdict": verdict,
        "contract": {"verdict": contract, "checks": [check.as_dict() for check in checks]},
        "fidelity": [c.as_dict() for c in compare(release, campaign)] if readable else None,
        "privacy": check_privacy(release, campaign) if readable else None,
        "quality": quality,
    }


def embedded_campaign(name: object) -> Campaign | None:
    """The embedded campaign a manifest names; None when it is not an embedded one."""
    try:
        return Campaign.load(str(name)) if name else None
    except CampaignError:
        return None


def asked_campaign(given: str | None, named: object) -> Campaign | None:
    """The campaign a person gives by name or folder, else `embedded_campaign` of the manifest's.

    Raises:
        CampaignError: what was given is no campaign.
    """
    return Campaign.load(given) if given else embedded_campaign(named)


def write_reports(
    report: dict[str, Any],
    json_path: Path | None = None,
    html_path: Path | None = None,
    figures: Path | None = None,
    explorer: Path | None = None,
) -> None:
    """Write the report as JSON and as a self-contained page.

    Args:
        report: what `validate` returned.
        json_path, html_path: where to, if anywhere.
        figures, explorer: the release's page of figures and its explorer, which the report links
            to where they are there.
    """
    if json_path is not None:
        write_json(json_path, report)
    if html_path is not None:
        links = [
            Path(os.path.relpath(page, html_path.parent)).as_posix()
            if page is not None and page.is_file()
            else None
            for page in (figures, explorer)
        ]
        write_atomic(html_path, render_html(report, *links).encode())


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
        texts = [row for row in uniqueness if row.get("kind") == "text" and row["rows"]]
        lines += [
            f"  unique on {row['facts']}: {row['share']:.1%} of {row['rows']:,} videos"
            for row in (uniqueness[0], *texts[:1])
        ]
    return [*lines, *quality_lines(report["quality"]), verdict_line(report)]


def verdict_line(report: dict[str, Any]) -> str:
    """The verdict, and what an exit code says about it."""
    if report["verdict"] == PASS:
        return "verdict: pass"
    if report["contract"]["verdict"] == FAIL:
        return "verdict: fail: the contract is broken; do not use or publish this release"
    return (
        "verdict: fail: the contract holds, the quality does not. `validate` exits with 1; exit "
        "code 0 of `regenerate` says that the release was built, not that its labels are good"
    )
