"""`regenerate`: every stage in order, from sources to a release in its place."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from builder.config.campaign import Campaign
from builder.config.merged import for_campaign
from builder.config.profile import load_profile
from builder.errors import disk_full_guard
from builder.pipeline.annotate import RUN, Annotated, Annotator
from builder.pipeline.plan import transcript_rules
from builder.pipeline.request import SAMPLE, Outcome, Request, check_request
from builder.pipeline.tiers import check_previous, public_place, tiers_of
from builder.publish.looks import read_looks
from builder.release.left_out import GONE, REMOVED, leave_out
from builder.release.manifest import Manifest
from builder.release.promote import claimed
from builder.release.pseudonym import Key, given_key, open_key
from builder.release.scrub.names.choose import finder_of
from builder.release.target import check_target
from builder.run.engines.choose import engine_of
from builder.run.ledger import Ledger
from builder.run.progress import of_all
from builder.run.removals import read_removed
from builder.run.store import Store
from builder.sources.files import find_sources
from builder.sources.ingest import Ingested, ingest


def regenerate(request: Request) -> Outcome:
    """Bring the work folder and the release up to date with the sources.

    Raises:
        BuilderError: any of its kinds; an earlier release in `request.out` is then untouched.
    """
    check_request(request)
    campaign = Campaign.load(request.campaign)
    # a bad setting must not be noticed hours later
    profile = for_campaign(load_profile(request.profile), campaign)
    request = replace(request, plan=request.plan.of(profile))
    if request.runs("anonymize") and profile.names.method == "gliner":
        finder_of(profile.names, campaign)  # not installed: better said now
    files = find_sources(request.sources or [Path(str(SAMPLE / "pages"))])
    given_key(request.key_file)
    store = Store(request.work)
    with ExitStack() as stack:
        stack.enter_context(store.lock())
        stack.enter_context(disk_full_guard(request.work))
        # before anything expensive: is the place free, and can it be written to?
        told = request.out
        tiers = tiers_of(request, campaign)
        if request.runs("assemble"):
            tiers = [replace(t, out=stack.enter_context(claimed(t.out))) for t in tiers]
            for tier in tiers:
                check_target(tier.out, tier.campaign, replace=request.replace)
        progress = of_all(request.progress, request.stages)
        request = replace(request, out=tiers[0].out, progress=progress)
        settings = {
            "campaign": campaign.name,
            "profile": request.profile,
            "sources": [str(source) for source in request.sources] or ["the embedded sample"],
            "out": str(told),
        }
        known = [s.name for s in request.plan.steps if not s.optional or request.runs(s.name)]
        ledger = Ledger(store, settings, known)
        engine = stack.enter_context(ExitStack())
        annotator = Annotator(
            request.plan,
            profile,
            request.mode,
            store,
            ledger,
            engine.enter_context(engine_of(request.engine)),
            request.progress,
            retry=request.retry,
        )
        annotator.check(media=request.media is not None)
        with ledger.step("ingest") as entry:
            ingested = ingest(campaign, files, store, request.progress)
            looks = read_looks(store.work)
            leaving = {REMOVED: read_removed(store.work), GONE: looks.gone()}
            ingested = leave_out(ingested, leaving, store)
            entry.rows, entry.reasons = ingested.rows_in, ingested.dropped
            entry.statuses = {"ok": ingested.videos}
        for tier in tiers if request.runs("assemble") else ():
            if tier.previous is not None:
                check_previous(tier.previous, tier.campaign, synthetic=ingested.synthetic)
            check_target(
                tier.out, tier.campaign, synthetic=ingested.synthetic, replace=request.replace
            )
        # before anything expensive: a lost key must not be noticed hours later
        key = _key(request, campaign, ingested, store) if request.runs("anonymize") else None
        annotated = Annotated(request.plan.joiner(transcript_rules(profile)))
        steps = [step.name for step in request.plan.row_steps]
        if key is not None or any(request.mode(step) == RUN for step in steps):
            annotated = annotator.annotate(ingested, request.media)
        engine.close()
        if key is None:
            return Outcome()
        # datasets and Altair: what is refused earlier, or stops earlier, need not wait for them
        from builder.pipeline.release import make_releases

        done = make_releases(request, tiers, profile, ingested, annotated, key, store, ledger)
        if done.release is not None:
            done.release = told
            done.public = public_place(told) if len(tiers) > 1 else None
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
