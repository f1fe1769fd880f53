"""`regenerate`: every stage in order, from sources to a release in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from builder.config.campaign import DEFAULT_CAMPAIGN, Campaign
from builder.config.merged import for_campaign
from builder.config.profile import load_profile
from builder.errors import ContractBroken, UsageProblem, disk_full_guard
from builder.pipeline.annotate import RUN, SKIP, STORED, Annotated, Annotator
from builder.pipeline.plan import PLAN, Plan, transcript_rules
from builder.release.anonymize import anonymize
from builder.release.assemble import manifest_of, write_tables
from builder.release.card import write_card
from builder.release.manifest import BuildFacts, Manifest, ScrubCountries
from builder.release.promote import check_target, promote, staged
from builder.release.pseudonym import Key, open_key
from builder.release.scrub.registry import coverage, missing_note
from builder.run.cpu import instruction_set
from builder.run.ledger import Ledger
from builder.run.local import Engine, in_process
from builder.run.progress import Progress
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import Ingested, ingest
from builder.validate.contract.leaks import Private
from builder.validate.page import write_figures
from builder.validate.quality import check_quality
from builder.validate.release import Tables
from builder.validate.whole import (
    FAIL,
    HTML_NAME,
    JSON_NAME,
    summary_lines,
    validate,
    write_reports,
)

SAMPLE = resources.files("builder") / "sample"
_ALWAYS = ("ingest",)
_RELEASE = ("anonymize", "assemble")


@dataclass(frozen=True)
class Request:
    """What a run was asked for; see `ecuador-crisis regenerate --help`."""

    work: Path
    out: Path
    sources: Sequence[Path] = ()
    campaign: str = DEFAULT_CAMPAIGN
    profile: str = "offline"
    videos_dir: Path | None = None
    engine: str = "local"
    skip: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    key_file: Path | None = None
    replace: bool = False
    progress: Callable[[str, int], Progress] = Progress
    plan: Plan = PLAN

    @property
    def profile_name(self) -> str:
        """Name of the profile as released: never a path of this machine."""
        return Path(self.profile).stem

    @property
    def media(self) -> Path | None:
        """The folder of downloads; the sample campaign brings its own."""
        if self.videos_dir is None and not self.sources:
            clips = Path(str(SAMPLE / "videos"))
            return clips if clips.is_dir() else None
        return self.videos_dir

    def mode(self, stage: str) -> str:
        """run, stored (only what an earlier run computed) or skip."""
        if stage in self.skip:
            return SKIP
        return RUN if self.runs(stage) else STORED

    def runs(self, stage: str) -> bool:
        """Whether a stage is wanted."""
        if stage in _ALWAYS:
            return True
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
    """

    release: Path | None = None
    manifest: Manifest | None = None
    report: dict[str, Any] | None = None
    shapes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What was made and where, for the terminal."""
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
        return lines + (summary_lines(self.report) if self.report else [])


def check_request(request: Request) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageProblem: unknown stage, both --skip and --only, or skipping what a release needs.
    """
    unknown = sorted((request.skip | request.only) - set(request.plan.names))
    if unknown:
        raise UsageProblem(
            f"unknown stage(s): {', '.join(unknown)}",
            way_out=f"stages: {', '.join(request.plan.names)}",
        )
    if request.skip and request.only:
        raise UsageProblem("--skip and --only exclude each other", way_out="give one of them")
    if "ingest" in request.skip:
        raise UsageProblem("ingest cannot be skipped", way_out="everything reads its result")
    if "anonymize" in request.skip and "assemble" not in request.skip:
        raise UsageProblem(
            "nothing is released that was not anonymised",
            way_out="skip assemble too, or do not skip anonymize",
        )
    inside = request.out.resolve()
    if inside == request.work.resolve() or request.work.resolve() in inside.parents:
        raise UsageProblem(
            "--out lies inside --work, which holds private data",
            file=request.out,
            way_out="put the release outside the work folder",
        )


def regenerate(request: Request) -> Outcome:
    """Bring the work folder and the release up to date with the sources.

    Raises:
        BuilderError: any of its kinds; an earlier release in `request.out` is then untouched.
    """
    check_request(request)
    campaign = Campaign.load(request.campaign)
    # a bad setting must not be noticed hours later
    profile = for_campaign(load_profile(request.profile), campaign)
    files = find_sources(request.sources or [Path(str(SAMPLE / "pages"))])
    store = Store(request.work)
    with store.lock(), disk_full_guard(request.work):
        settings = {
            "campaign": campaign.name,
            "profile": request.profile,
            "sources": [str(source) for source in request.sources] or ["the embedded sample"],
            "out": str(request.out),
        }
        ledger = Ledger(store, settings, request.plan.names)
        annotator = Annotator(
            request.plan,
            profile,
            request.mode,
            store,
            ledger,
            _engine(request),
            request.progress,
        )
        annotator.check(media=request.media is not None)
        with ledger.step("ingest") as entry:
            ingested = ingest(campaign, files, store, request.progress)
            entry.rows, entry.reasons = ingested.rows_in, ingested.dropped
            entry.statuses = {"ok": ingested.videos}
        if request.runs("assemble"):
            check_target(
                request.out, campaign, synthetic=ingested.synthetic, replace=request.replace
            )
        # before anything expensive: a lost key must not be noticed hours later
        key = _key(request, campaign, ingested, store) if request.runs("anonymize") else None
        annotated = Annotated(request.plan.joiner(transcript_rules(profile)))
        steps = [step.name for step in request.plan.row_steps]
        if key is not None or any(request.mode(step) == RUN for step in steps):
            annotated = annotator.annotate(ingested, request.media)
        if key is None:
            return Outcome()
        threshold = profile.sentiment.threshold
        return _release(request, campaign, threshold, ingested, annotated, key, store, ledger)


def _key(request: Request, campaign: Campaign, ingested: Ingested, store: Store) -> Key:
    """The key; that of the release in `out` unless the user lets another release go."""
    there = Manifest.find(request.out)
    ours = (campaign.release_name, campaign.name, ingested.synthetic)
    same = there is None or (there.name, there.campaign, there.synthetic) == ours
    release = request.out if same or not request.replace else None
    return open_key(store, key_file=request.key_file, release=release)


def _engine(request: Request) -> Engine:
    if request.engine == "local":
        return in_process
    from builder.run.on_ray import ray_engine

    return ray_engine()


def _release(
    request: Request,
    campaign: Campaign,
    threshold: float,
    ingested: Ingested,
    annotated: Annotated,
    key: Key,
    store: Store,
    ledger: Ledger,
) -> Outcome:
    counts = {
        "ingest": {
            "in": ingested.rows_in,
            "out": ingested.videos,
            **({"merged": ingested.merged} if ingested.merged else {}),
        },
        **annotated.counts,
    }
    with ledger.step("anonymize", rows=ingested.videos) as entry:
        anonymised = anonymize(campaign, ingested, annotated, key, store, request.progress)
        entry.statuses = {"ok": anonymised.rows}
    counts["anonymize"] = {"in": ingested.videos, "out": anonymised.rows}
    if not request.runs("assemble"):
        return Outcome()
    with disk_full_guard(request.out.parent), staged(request.out) as staging:
        with ledger.step("assemble", rows=anonymised.rows) as entry:
            assembled = write_tables(campaign, anonymised, staging, threshold)
            counts["assemble"] = {"in": anonymised.rows, "out": assembled.rows["videos"]}
            scrubbed_for = coverage(campaign.countries)
            unseen = missing_note(scrubbed_for["missing"])
            facts = BuildFacts(
                synthetic=ingested.synthetic,
                sources=ingested.sources,
                inputs=sorted(ingested.inputs.values()),
                notes=[*ingested.notes, *filter(None, [unseen, annotated.warning])],
                scrub_countries=ScrubCountries(**scrubbed_for),
                counts=counts,
                media=annotated.media,
                dropped=dict(sorted((ingested.dropped | assembled.dropped).items())),
                scrubbed=anonymised.scrubbed,
                scrubbed_texts=anonymised.scrubbed_texts,
                hashtags_folded=anonymised.folded,
                profile=request.profile_name if annotated.models else None,
                models=annotated.models,
                sentiment_threshold=threshold,
                # int8 rounds differently with other instructions: part of what made these labels
                instruction_set=instruction_set() if annotated.models else None,
                key_check=key.check,
            )
            quality = check_quality(Tables(staging, threshold), campaign)
            figures = write_figures(quality, staging / "figures")
            write_card(campaign, assembled, staging, facts, figures)
            manifest = manifest_of(campaign, assembled, staging, facts)
            manifest.write(staging)
            entry.statuses, entry.reasons = {"ok": assembled.rows["videos"]}, assembled.dropped
        report = None
        if request.runs("validate"):
            with ledger.step("validate") as entry:
                report = _validated(staging, campaign, ingested, quality)
                entry.statuses = {report["verdict"]: 1}
        promote(staging, request.out)
    return Outcome(request.out, manifest, report, annotated.shapes)


def _validated(
    staging: Path, campaign: Campaign, ingested: Ingested, quality: dict[str, Any]
) -> dict[str, Any]:
    private = Private.of(ingested.parts, campaign)
    report = validate(staging, campaign, private, quality=quality)
    write_reports(report, staging / JSON_NAME, staging / HTML_NAME)
    if report["contract"]["verdict"] == FAIL:
        broken = [check for check in report["contract"]["checks"] if check["verdict"] == FAIL]
        first = broken[0]["problems"][0]
        raise ContractBroken(
            f"the new release breaks its contract: {broken[0]['name']} ({first['value']})",
            file=first["file"],
            row=first["row"],
            field=first["field"],
            way_out=f"{first['way_out']}. The full report is {staging / HTML_NAME}; the release "
            "was not put in place",
        )
    return report
