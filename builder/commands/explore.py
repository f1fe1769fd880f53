"""What `ecuador-crisis explore` does and prints."""

from __future__ import annotations

from pathlib import Path

from builder.analyze.explorer.make import INDEX, write_site
from builder.analyze.explorer.topics import Topics
from builder.analyze.figures.material import Material
from builder.analyze.figures.words import Language
from builder.commands.figures import check_out
from builder.validate.release import Release
from builder.validate.whole import asked_campaign


def run_explore(
    release: Path,
    out: Path,
    *,
    topics: Path | None = None,
    language: Language = "en",
    campaign: str | None = None,
) -> list[str]:
    """Write the explorer of a release.

    Args:
        release: the release folder.
        out: folder to write; its other files stay.
        topics: what `topics` wrote for this release.
        language: of the page.
        campaign: campaign name or folder; None takes the one the manifest names.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: not a release, `out` lies in it or is a file, or the topics are not its own.
    """
    opened = Release(release)
    check_out(release, out)
    named = opened.manifest.campaign
    chosen = asked_campaign(campaign, named)
    material = Material.of(opened, chosen, language=language)
    write_site(material, out, Topics.read(topics) if topics is not None else None)
    kind = " (SYNTHETIC)" if material.synthetic else ""
    size = (out / INDEX).stat().st_size / 1e6
    return [
        f"Explorer of {material.name} {material.version}{kind} in {out}, {size:.2f} MB",
        f"Open {out / INDEX}",
    ]
