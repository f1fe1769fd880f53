"""`regenerate`: every stage in order, from sources to a release in its place."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.analyze.example import example_row
from builder.analyze.figures.make import INDEX
from builder.config.campaign import Campaign
from builder.config.merged import for_campaign
from builder.config.profile import load_profile
from builder.errors import ContractBroken, disk_full_guard
from builder.pipeline.annotate import RUN, Annotated, Annotator
from builder.pipeline.pictures import FOLDER, release_pictures
from builder.pipeline.plan import transcript_rules
from builder.pipeline.request import SAMPLE, Outcome, Request, check_request
from builder.publish.changelog import bump_note, changelog, check_previous
from builder.publish.documents.write import write_documents
from builder.publish.looks import read_looks, told_of
from builder.release.anonymize import anonymize
from builder.release.assemble import manifest_of, write_tables
from builder.release.card import write_card
from builder.release.left_out import GONE, REMOVED, leave_out
from builder.release.manifest import BuildFacts, Manifest, ScrubCountries
from builder.release.promote import REJECTED, claimed, promote, staged
from builder.release.pseudonym import Key, given_key, open_key
from builder.release.scrub.registry import coverage, missing_note
from builder.release.target import (
    QualityKept,
    check_target,
    keep_the_good,
)
from builder.release.texts.notes import public_name, released_notes
from builder.run.cpu import instruction_set
from builder.run.ledger import Ledger
from builder.run.local import Engine, in_process
from builder.run.progress import of_all
from builder.run.removals import read_removed
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import Ingested, ingest
from builder.validate.contract.leaks import Private
from builder.validate.quality import check_quality
from builder.validate.release import Tables
from builder.validate.whole import (
    FAIL,
    HTML_NAME,
    JSON_NAME,
    validate,
    write_reports,
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
    given_key(request.key_file)
    store = Store(request.work)
    with ExitStack() as stack:
        stack.enter_context(store.lock())
        stack.enter_context(disk_full_guard(request.work))
        # before anything expensive: is the place free, and can it be written to?
        told = out = request.out
        if request.runs("assemble"):
            out = stack.enter_context(claimed(request.out))
            check_target(out, campaign, replace=request.replace)
        progress = of_all(request.progress, request.stages)
        request = replace(request, out=out, progress=progress)
        settings = {
            "campaign": campaign.name,
            "profile": request.profile,
            "sources": [str(source) for source in request.sources] or ["the embedded sample"],
            "out": str(told),
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
            looks = read_looks(store.work)
            leaving = {REMOVED: read_removed(store.work), GONE: looks.gone()}
            ingested = leave_out(ingested, leaving, store)
            entry.rows, entry.reasons = ingested.rows_in, ingested.dropped
            entry.statuses = {"ok": ingested.videos}
        if request.runs("assemble") and request.previous is not None:
            check_previous(request.previous, campaign, synthetic=ingested.synthetic)
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
        done = _release(request, campaign, threshold, ingested, annotated, key, store, ledger)
        done.release = None if done.release is None else told
        done.damaged = len(store.damaged)
        return done


def _key(request: Request, campaign: Campaign, ingested: Ingested, store: Store) -> Key:
    """The key; that of the release in `out` unless the user lets another release go."""
    there = Manifest.find(request.out)
    ours = (campaign.release_name, campaign.name, ingested.synthetic)
    same = there is None or (there.name, there.campaign, there.synthetic) == ours
    release = request.out if same or not request.replace else None
    # the ids of the embedded sample are nobody's
    new_ids = request.new_ids or not request.sources
    return open_key(store, key_file=request.key_file, release=release, new_ids=new_ids)


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
    if anonymised.withheld:
        counts["anonymize"]["texts_withheld"] = sum(anonymised.withheld.values())
    if not request.runs("assemble"):
        return Outcome()
    private = Private.of(ingested.parts, campaign)
    rejected = store.work / REJECTED / campaign.release_name
    with disk_full_guard(request.out.parent), staged(request.out, rejected) as staging:
        with ledger.step("assemble", rows=anonymised.rows) as entry:
            assembled = write_tables(campaign, anonymised, staging, threshold)
            counts["assemble"] = {"in": anonymised.rows, "out": assembled.rows["videos"]}
            scrubbed_for = coverage(campaign.countries)
            unseen = missing_note(scrubbed_for["missing"])
            facts = BuildFacts(
                synthetic=ingested.synthetic,
                sources=ingested.sources,
                inputs=sorted(ingested.inputs.values()),
                notes=released_notes(
                    [*ingested.notes, *filter(None, [unseen, annotated.warning])],
                    list(ingested.inputs),
                    campaign,
                    private.usernames,
                    private.ids,
                ),
                scrub_countries=ScrubCountries(**scrubbed_for),
                counts=counts,
                media=annotated.media,
                tombstones={
                    why: ingested.dropped[why] for why in (GONE, REMOVED) if why in ingested.dropped
                },
                refresh=told_of(read_looks(store.work)),
                dropped=dict(sorted((ingested.dropped | assembled.dropped).items())),
                scrubbed=anonymised.scrubbed,
                scrubbed_texts=anonymised.scrubbed_texts,
                withheld_texts=anonymised.withheld,
                hashtags_folded=anonymised.folded,
                profile=request.profile_name if annotated.models else None,
                models={step: public_name(name) for step, name in annotated.models.items()},
                sentiment_threshold=threshold,
                # int8 rounds differently with other instructions: part of what made these labels
                instruction_set=instruction_set() if annotated.models else None,
                key_check=key.check,
            )
            tables = Tables(staging, threshold)
            quality = check_quality(tables, campaign)
            figures = release_pictures(campaign, tables, ingested, store, quality)
            entries = ""
            if request.previous is not None:
                ours = manifest_of(campaign, assembled, staging, facts)
                entries, since = changelog(request.previous, staging, ours)
                facts.notes.extend(filter(None, [bump_note(since)]))
            write_card(campaign, assembled, staging, facts, figures, example_row(tables), entries)
            write_documents(campaign, assembled, staging, facts)
            manifest = manifest_of(campaign, assembled, staging, facts)
            manifest.write(staging)
            entry.statuses, entry.reasons = {"ok": assembled.rows["videos"]}, assembled.dropped
        report = None
        if request.runs("validate"):
            with ledger.step("validate") as entry:
                report = _validated(staging, campaign, private, quality, rejected)
                entry.statuses = {report["verdict"]: 1}
        _keep_the_good(request, quality, rejected)
        promote(staging, request.out)
    return Outcome(request.out, manifest, report, annotated.shapes)


def _validated(
    staging: Path,
    campaign: Campaign,
    private: Private,
    quality: dict[str, Any],
    rejected: Path,
) -> dict[str, Any]:
    report = validate(staging, campaign, private, quality=quality)
    figures = staging / FOLDER / INDEX
    write_reports(report, staging / JSON_NAME, staging / HTML_NAME, figures)
    if report["contract"]["verdict"] == FAIL:
        broken = [check for check in report["contract"]["checks"] if check["verdict"] == FAIL]
        first = broken[0]["problems"][0]
        raise ContractBroken(
            f"the new release breaks its contract: {broken[0]['name']} ({first['value']})",
            file=first["file"],
            row=first["row"],
            field=first["field"],
            way_out=f"{first['way_out']}. It was not put in place; it lies, with the full report "
            f"{HTML_NAME}, in {rejected}",
        )
    return report


def _keep_the_good(request: Request, quality: dict[str, Any], rejected: Path) -> None:
    """See `keep_the_good`; the error tells what failed and where the report is."""
    try:
        keep_the_good(request.out, quality["verdict"], accepted=request.accept_quality)
    except QualityKept as kept:
        failed = [line["what"] for line in quality["judged"] if line["verdict"] == FAIL]
        raise QualityKept(
            f"{kept.problem} ({', '.join(failed)})" if failed else kept.problem,
            file=request.out,
            way_out=f"{kept.way_out}. It lies, with its report {HTML_NAME}, in {rejected}",
        ) from kept
