"""What `regenerate` is asked for and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from builder.config.campaign import DEFAULT_CAMPAIGN
from builder.errors import UsageProblem
from builder.pipeline.annotate import RETRIES, RUN, SKIP, STORED
from builder.pipeline.plan import PLAN, Plan
from builder.release.manifest import Manifest
from builder.release.target import lies_in, refuse_entangled, refuse_in_sources
from builder.run.engines.options import EngineOptions
from builder.run.progress import Progress

SAMPLE = resources.files("builder") / "sample"
_ALWAYS = ("ingest",)


@dataclass(frozen=True)
class Request:
    """What a run was asked for; see `ecuador-crisis regenerate --help`."""

    work: Path
    out: Path
    sources: Sequence[Path] = ()
    campaign: str = DEFAULT_CAMPAIGN
    profile: str = "offline"
    videos_dir: Path | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
    retry: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    key_file: Path | None = None
    new_ids: bool = False
    replace: bool = False
    accept_quality: bool = False
    previous: Path | None = None
    progress: Callable[[str, int], Progress] = Progress
    plan: Plan = PLAN

    @property
    def profile_name(self) -> str:
        """Name of the profile as released: never a path of this machine."""
        return Path(self.profile).stem

    @property
    def stages(self) -> list[str]:
        """The stages this run runs, in order."""
        steps = [step for step in self.plan.steps if self.runs(step.name)]
        return [step.name for step in steps if self.media is not None or not step.media]

    @property
    def media(self) -> Path | None:
        """The folder of downloads; the sample campaign brings its own."""
        if self.videos_dir is None and not self.sources:
            clips = Path(str(SAMPLE / "videos"))
            return clips if clips.is_dir() else None
        return self.videos_dir

    def mode(self, stage: str) -> str:
        """run, stored (only what an earlier run computed) or skip."""
        if stage in self.skip or (self.plan.step(stage).optional and stage not in self.only):
            return SKIP
        return RUN if self.runs(stage) else STORED

    def runs(self, stage: str) -> bool:
        """Whether a stage is wanted."""
        if stage in _ALWAYS:
            return True
        if self.plan.step(stage).optional:
            return stage in self.only
        if self.only:
            wanted = set(self.only)
            if "validate" in wanted:
                wanted.add("assemble")
            if "assemble" in wanted:
                wanted.add("anonymize")
            return stage in wanted
        return stage not in self.skip


@dataclass
class Outcome:
    """What a run made.

    Attributes:
        release: the release folder; None when assemble was not asked for.
        manifest: its manifest; None with it.
        report: the validation report; None when validate was skipped.
        shapes: how the names of downloads without an id are built.
        damaged: files of the work folder that were found damaged.
        public, public_manifest: the public tier, where the campaign wants two.
    """

    release: Path | None = None
    manifest: Manifest | None = None
    report: dict[str, Any] | None = None
    shapes: tuple[str, ...] = ()
    damaged: int = 0
    public: Path | None = None
    public_manifest: Manifest | None = None

    def lines(self) -> list[str]:
        """What was made and where, for the terminal."""
        from builder.validate.whole import summary_lines  # datasets: a run that is refused waits

        there = self.manifest
        if self.release is None or there is None:
            return ["the stages asked for are done; no release was written"]
        kind = "SYNTHETIC release" if there.synthetic else "release"
        lines = [f"{kind} {there.name} {there.version} in {self.release}"]
        lines += [f"  {config}: {rows:,} rows" for config, rows in there.rows.items()]
        if there.dropped:
            told = ", ".join(f"{n:,} {why}" for why, n in there.dropped.items())
            lines.append(f"  left out: {told}")
        if there.media is not None:
            lines.append(f"  downloads: {there.media.line(self.shapes)}")
        lines += [f"  note: {note}" for note in there.notes]
        if self.damaged:
            lines.append(
                f"  {self.damaged:,} damaged work file(s) were set aside (folders `damaged`) and "
                "computed again"
            )
        lines += summary_lines(self.report) if self.report else []
        public = self.public_manifest
        if public is not None and public.anonymity is not None:
            lines += [
                f"public tier {public.name} {public.version} in {self.public}",
                f"  {public.rows['videos']:,} videos; at least {public.anonymity.k} share each "
                "combination of what the API shows too",
            ]
        return lines


def check_request(request: Request) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageProblem: unknown stage, both --skip and --only, skipping what a release needs, or
            folders that lie in each other: what is written, and what is read.
    """
    unknown = sorted((request.skip | request.only) - set(request.plan.names))
    if unknown:
        raise UsageProblem(
            f"unknown stage(s): {', '.join(unknown)}",
            way_out=f"stages: {', '.join(request.plan.names)}",
        )
    if unknown := sorted(request.retry - RETRIES):
        raise UsageProblem(
            f"nothing is called {', '.join(unknown)} that could be tried again",
            way_out=f"--retry takes: {', '.join(sorted(RETRIES))}",
        )
    if request.skip and request.only:
        raise UsageProblem("--skip and --only exclude each other", way_out="give one of them")
    for step in request.plan.steps:
        if step.optional and step.media and step.name in request.only and request.media is None:
            raise UsageProblem(
                f"{step.name} looks at downloads, and none are given", way_out="give --videos-dir"
            )
    if "ingest" in request.skip:
        raise UsageProblem("ingest cannot be skipped", way_out="everything reads its result")
    if "anonymize" in request.skip and "assemble" not in request.skip:
        raise UsageProblem(
            "nothing is released that was not anonymised",
            way_out="skip assemble too, or do not skip anonymize",
        )
    for what, path in (("--out", request.out), ("--work", request.work)):
        _check_name(what, path)
    if lies_in(request.out, request.work):
        raise UsageProblem(
            "--out lies inside --work, which holds private data",
            file=request.out,
            way_out="put the release outside the work folder",
        )
    read = [("a SOURCE", source) for source in request.sources]
    read += [("--videos-dir", request.videos_dir)] if request.videos_dir else []
    named = [("--work", request.work), *read]
    named += [("--key-file", request.key_file)] if request.key_file else []
    # both can be a name as well
    named += [("--campaign", Path(request.campaign)), ("--profile", Path(request.profile))]
    refuse_entangled(request.out, [(what, path) for what, path in named if _is_there(path)])
    refuse_in_sources(
        [("--out", request.out), ("--work", request.work)],
        [(what, path) for what, path in read if _is_there(path)],
    )


def _check_name(what: str, path: Path) -> None:
    """Names that only look like a place."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UsageProblem(
            f"the name given as {what} is not UTF-8",
            way_out="rename the folder: Parquet files cannot be written below such a name",
        ) from error
    if path.parts and path.parts[0].startswith("~") and not path.parent.is_dir():
        raise UsageProblem(
            f"{what} begins with ~, which the shell did not replace: a folder of that name would "
            "be made",
            file=path,
            way_out=f"write {what} ~/… with a space in between, or the whole path",
        )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, links in a circle
        return False
