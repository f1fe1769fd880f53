"""What `ecuador-crisis figures` does and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from builder.analyze.captions import released_ngrams
from builder.analyze.figures.make import INDEX, write_all
from builder.analyze.figures.material import Material
from builder.analyze.figures.words import Language
from builder.errors import UsageProblem
from builder.run.progress import Progress
from builder.validate.release import Release
from builder.validate.whole import asked_campaign

_FIGURES = 9


def run_figures(
    release: Path,
    out: Path,
    *,
    work: Path | None = None,
    language: Language = "en",
    campaign: str | None = None,
    hashtags: Sequence[str] = (),
) -> list[str]:
    """Write the paper's tables and figures of a release.

    Args:
        release: the release folder.
        out: folder to write; its other files stay.
        work: the work folder it was built in, for the captions' n-grams.
        language: of the figures.
        campaign: campaign name or folder; None takes the one the manifest names.
        hashtags: those to draw over time; empty: the campaign's.

    Returns:
        Lines to print.

    Raises:
        UsageProblem: not a release, `out` lies in it or is a file, or `work` is not its own.
    """
    opened = Release(release)
    check_out(release, out)
    named = opened.manifest.campaign
    chosen = asked_campaign(campaign, named)
    ngrams = None
    if work is not None:
        if chosen is None:
            raise UsageProblem(
                f"the campaign {named!r} of this release is not an embedded one",
                way_out="give its folder with --campaign",
            )
        ngrams = released_ngrams(opened, work, chosen)
    tags = [tag.strip().lstrip("#").lower() for tag in hashtags]
    material = Material.of(
        opened, chosen, language=language, ngrams=ngrams, selected=[t for t in tags if t]
    )
    with Progress("figures", _FIGURES) as bar:
        written = write_all(material, out, lambda name: bar.advance(1))
    kind = " (SYNTHETIC)" if material.synthetic else ""
    return [
        f"{len(written)} files of {material.name} {material.version}{kind} in {out}",
        f"Open {out / INDEX}",
    ]


def check_out(release: Path, out: Path) -> None:
    """Raise UsageProblem if `out` lies in the release or is a file."""
    there, inside = release.resolve(), out.resolve()
    if inside == there or there in inside.parents:
        raise UsageProblem(
            "--out lies inside the release, whose files its manifest lists",
            file=out,
            way_out="give a folder beside the release",
        )
    check_folder(out)


def check_folder(out: Path) -> None:
    """Raise UsageProblem if `out` is a file."""
    if out.exists() and not out.is_dir():
        raise UsageProblem("the output is a file", file=out, way_out="give a folder as --out")
