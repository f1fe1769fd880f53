"""The documents of a release, written while it is assembled, so that its manifest covers them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jinja2

import ecuador_crisis_tiktok as schema
from builder.config.campaign import Campaign
from builder.config.citation import BIB_NAME, CFF_NAME, citation_cff
from builder.publish.documents.croissant import croissant, schema_org
from builder.publish.documents.facts import Facts
from builder.release.assemble import Assembled
from builder.release.manifest import BuildFacts
from builder.run.store import write_atomic

CROISSANT, SCHEMA_ORG = "croissant.json", "schema_org.json"
TEMPLATES = {"DATASHEET.md": "datasheet.md.jinja", "CHECKLIST.md": "checklist.md.jinja"}


def write_documents(
    campaign: Campaign, assembled: Assembled, folder: Path, build: BuildFacts
) -> None:
    """Write Croissant, schema.org, citations, datasheet and checklist into a release folder.

    Args:
        campaign: texts, licence, publication.
        assembled: what the tables hold; they are written already.
        folder: the release folder, before its manifest.
        build: what the run knows.
    """
    facts = Facts.of(campaign, assembled, folder, build)
    write_atomic(folder / CROISSANT, _json(croissant(facts)))
    write_atomic(folder / SCHEMA_ORG, _json(schema_org(facts)))
    cff = citation_cff(campaign, synthetic=build.synthetic)
    write_atomic(folder / CFF_NAME, cff.encode())
    write_atomic(folder / BIB_NAME, f"{facts.bibtex}\n".encode())
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    )
    for name, template in TEMPLATES.items():
        text = resources.files("cards").joinpath(template).read_text(encoding="utf-8")
        body = environment.from_string(text).render(
            facts=facts,
            campaign=campaign,
            build=build,
            rows=assembled.rows,
            configs=schema.CONFIG_DESCRIPTIONS,
            texts={key: value.strip() for key, value in campaign.texts.model_dump().items()},
            who=campaign.publication,
        )
        write_atomic(folder / name, body.encode())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
