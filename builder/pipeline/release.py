"""The right half of a run: from annotated rows to a validated release in its place."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.analyze.example import example_row
from builder.analyze.figures.make import INDEX
from builder.config.profile import Profile
from builder.errors import ContractBroken, disk_full_guard
from builder.pipeline.annotate import Annotated
from builder.pipeline.pictures import FOLDER, release_pictures
from builder.pipeline.refusals import refused_cells
from builder.pipeline.request import Outcome, Request
from builder.pipeline.tiers import Tier
from builder.publish.changelog import bump_note, changelog
from builder.publish.documents.write import write_documents
from builder.publish.looks import read_looks, told_of
from builder.release.anonymize import Anonymised, anonymize
from builder.release.assemble import manifest_of, write_tables
from builder.release.card import write_card
from builder.release.left_out import GONE, REMOVED
from builder.release.manifest import BuildFacts, Manifest, NamesFacts, ScrubCountries
from builder.release.promote import REJECTED, promote, staged
from builder.release.pseudonym import Key
from builder.release.scrub.names.choose import told_of as names_told
from builder.release.scrub.registry import coverage, missing_note
from builder.release.target import QualityKept, keep_the_good
from builder.release.texts.notes import public_name, released_notes
from builder.release.texts.refused import told, withhold
from builder.run.cpu import instruction_set
from builder.run.ledger import Ledger
from builder.run.store import Store
from builder.sources.ingest import Ingested
from builder.validate.contract.leaks import Private
from builder.validate.quality import check_quality
from builder.validate.release import Release, Tables
from builder.validate.whole import FAIL, HTML_NAME, JSON_NAME, validate, write_reports


@dataclass
class _Run:
    """What one run knows when the rows are annotated."""

    request: Request
    profile: Profile
    ingested: Ingested
    annotated: Annotated
    key: Key
    store: Store
    ledger: Ledger
    private: Private

    @property
    def threshold(self) -> float:
        """Under it a sentiment is flagged."""
        return self.profile.sentiment.threshold

    def rejected(self, tier: Tier) -> Path:
        """Where a finished release goes that must not be put in place."""
        return self.store.work / REJECTED / tier.campaign.release_name


@dataclass(frozen=True)
class _Made:
    """A finished release that is not in its place yet; `report` is None when it was skipped."""

    manifest: Manifest
    quality: dict[str, Any]
    report: dict[str, Any] | None


def make_releases(
    request: Request,
    tiers: Sequence[Tier],
    profile: Profile,
    ingested: Ingested,
    annotated: Annotated,
    key: Key,
    store: Store,
    ledger: Ledger,
) -> Outcome:
    """Anonymise, assemble, validate, and put every tier in its place, or none of them.

    Texts that the contract refuses are withheld, once a tier, and it is assembled again.

    Raises:
        ContractBroken: it is broken by what cannot be withheld.
        QualityKept: the release there is better.
    """
    campaign = tiers[0].campaign
    with ledger.step("anonymize", rows=ingested.videos) as entry:
        anonymised = anonymize(
            campaign, ingested, annotated, key, store, request.progress, profile.names
        )
        entry.statuses = {"ok": anonymised.rows}
    if not request.runs("assemble"):
        return Outcome()
    private = Private.of(ingested.parts, campaign)
    run = _Run(request, profile, ingested, annotated, key, store, ledger, private)
    made: list[_Made] = []
    with ExitStack() as stack:
        stack.enter_context(disk_full_guard(request.out.parent))
        places = [stack.enter_context(staged(tier.out, run.rejected(tier))) for tier in tiers]
        for tier, staging in zip(tiers, places, strict=True):
            # what is withheld from the exact tier, which comes first, is in no other
            one, anonymised = _made(run, tier, anonymised, staging)
            made.append(one)
        for tier, one in zip(tiers, made, strict=True):
            _keep_the_good(request, tier, one.quality, run.rejected(tier))
        for tier, staging in zip(tiers, places, strict=True):
            promote(staging, tier.out)
    return Outcome(
        request.out,
        made[0].manifest,
        made[0].report,
        annotated.shapes,
        public_manifest=made[1].manifest if len(made) > 1 else None,
    )


def _made(run: _Run, tier: Tier, anonymised: Anonymised, staging: Path) -> tuple[_Made, Anonymised]:
    """A tier, assembled and validated; and the rows without what had to be withheld for it."""
    manifest, quality = _assembled(run, tier, anonymised, staging, [])
    report = None
    if run.request.runs("validate"):
        with run.ledger.step("validate") as entry:
            report = _validated(run, tier, staging, quality)
            if _broken(report):
                refused = refused_cells(Release(staging), tier.campaign, run.private)
                if refused:
                    anonymised = withhold(anonymised, refused, run.store)
                    _empty(staging)
                    notes = [told(refused)]
                    manifest, quality = _assembled(run, tier, anonymised, staging, notes)
                    report = _validated(run, tier, staging, quality)
            _keep_contract(report, run.rejected(tier))
            entry.statuses = {report["verdict"]: 1}
    return _Made(manifest, quality, report), anonymised


def _assembled(
    run: _Run, tier: Tier, anonymised: Anonymised, staging: Path, notes: list[str]
) -> tuple[Manifest, dict[str, Any]]:
    """Tables, card, documents and manifest in an empty folder; the quality checks' result."""
    campaign, ingested, annotated = tier.campaign, run.ingested, run.annotated
    counts = {
        "ingest": {
            "in": ingested.rows_in,
            "out": ingested.videos,
            **({"merged": ingested.merged} if ingested.merged else {}),
        },
        **annotated.counts,
        "anonymize": {"in": ingested.videos, "out": anonymised.rows},
    }
    if anonymised.withheld:
        counts["anonymize"]["texts_withheld"] = sum(anonymised.withheld.values())
    with run.ledger.step("assemble", rows=anonymised.rows) as entry:
        asked = bool(run.profile.second_opinion.model)
        assembled = write_tables(campaign, anonymised, staging, run.threshold, second_opinion=asked)
        counts["assemble"] = {"in": anonymised.rows, "out": assembled.rows["videos"]}
        scrubbed_for = coverage(campaign.countries)
        named = names_told(run.profile.names)
        unseen = missing_note(scrubbed_for["missing"])
        facts = BuildFacts(
            synthetic=ingested.synthetic,
            tier=tier.name,
            sources=ingested.sources,
            inputs=sorted(ingested.inputs.values()),
            notes=released_notes(
                [*ingested.notes, *filter(None, [unseen, annotated.warning]), *notes],
                list(ingested.inputs),
                campaign,
                run.private.usernames,
                run.private.ids,
            ),
            scrub_countries=ScrubCountries(**scrubbed_for),
            names_scrubbed=named is not None,
            names=NamesFacts(**named) if named else None,
            counts=counts,
            media=annotated.media,
            tombstones={
                why: ingested.dropped[why] for why in (GONE, REMOVED) if why in ingested.dropped
            },
            refresh=told_of(read_looks(run.store.work)),
            dropped=dict(sorted((ingested.dropped | assembled.dropped).items())),
            scrubbed=anonymised.scrubbed,
            scrubbed_texts=anonymised.scrubbed_texts,
            withheld_texts=anonymised.withheld,
            hashtags_folded=anonymised.folded,
            profile=run.request.profile_name if annotated.models else None,
            models={step: public_name(name) for step, name in annotated.models.items()},
            sentiment_threshold=run.threshold,
            # int8 rounds differently with other instructions: part of what made these labels
            instruction_set=instruction_set() if annotated.models else None,
            key_check=run.key.check,
        )
        tables = Tables(staging, run.threshold)
        quality = check_quality(tables, campaign)
        figures = release_pictures(campaign, tables, ingested, run.store, quality)
        entries = ""
        if tier.previous is not None:
            ours = manifest_of(campaign, assembled, staging, facts)
            entries, since = changelog(tier.previous, staging, ours)
            facts.notes.extend(filter(None, [bump_note(since)]))
        write_card(
            campaign,
            assembled,
            staging,
            facts,
            figures,
            example_row(tables),
            entries,
            quality.get("second_opinion"),
        )
        write_documents(campaign, assembled, staging, facts)
        manifest = manifest_of(campaign, assembled, staging, facts)
        manifest.write(staging)
        entry.statuses, entry.reasons = {"ok": assembled.rows["videos"]}, assembled.dropped
    return manifest, quality


def _validated(run: _Run, tier: Tier, staging: Path, quality: dict[str, Any]) -> dict[str, Any]:
    report = validate(staging, tier.campaign, run.private, quality=quality)
    write_reports(report, staging / JSON_NAME, staging / HTML_NAME, staging / FOLDER / INDEX)
    return report


def _broken(report: dict[str, Any]) -> bool:
    return bool(report["contract"]["verdict"] == FAIL)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _keep_contract(report: dict[str, Any], rejected: Path) -> None:
    if not _broken(report):
        return
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


def _keep_the_good(request: Request, tier: Tier, quality: dict[str, Any], rejected: Path) -> None:
    """See `keep_the_good`; the error tells what failed and where the report is."""
    try:
        keep_the_good(tier.out, quality["verdict"], accepted=request.accept_quality)
    except QualityKept as kept:
        failed = [line["what"] for line in quality["judged"] if line["verdict"] == FAIL]
        raise QualityKept(
            f"{kept.problem} ({', '.join(failed)})" if failed else kept.problem,
            file=tier.out,
            way_out=f"{kept.way_out}. It lies, with its report {HTML_NAME}, in {rejected}",
        ) from kept
