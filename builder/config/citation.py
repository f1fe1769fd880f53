"""How a release is cited, and what a reader of a gated repository signs; all from the campaign."""

from __future__ import annotations

from typing import Any

import yaml

from builder.config.campaign import Campaign

CFF_NAME, BIB_NAME = "CITATION.cff", "citation.bib"


def bibtex(campaign: Campaign, *, synthetic: bool) -> str:
    """A BibTeX entry of this version."""
    who, note = campaign.publication, "SYNTHETIC data" if synthetic else ""
    fields = {
        "title": f"{{{campaign.release_name}: {campaign.title}}}",
        "author": " and ".join(f"{{{name}}}" for name in who.creators),
        "year": str(who.published.year) if who.published else "",
        "version": campaign.version,
        "url": who.url,
        "note": note,
    }
    # in quotes, so that no double braces stand in the card, where they would look like a template
    lines = [
        f'  {key} = "{value.replace(chr(34), chr(39))}",' for key, value in fields.items() if value
    ]
    key = f"{campaign.name}_{campaign.version.replace('.', '_')}"
    return "\n".join([f"@misc{{{key},", *lines, "}"]) + "\n"


def in_words(campaign: Campaign) -> str:
    """One sentence, for people."""
    who = campaign.publication
    year = f" ({who.published.year})" if who.published else ""
    names = ", ".join(who.creators) or "Its authors"
    where = f" {who.url}" if who.url else ""
    what = f"{campaign.release_name}: {campaign.title}"
    return f"{names}{year}. {what}. Version {campaign.version}.{where}"


def paper_in_words(campaign: Campaign) -> str:
    """The work that describes the data, as far as the campaign states it; empty without one."""
    who = campaign.publication
    if who.paper or who.paper_authors or who.paper_url:
        names = ", ".join(who.paper_authors) or "authors not stated in the campaign file"
        where = who.paper_url or "address not stated"
        return f"{who.paper or 'title not stated'} ({names}; {where})"
    if campaign.paper:
        return (
            "title, authors and address of the paper are not stated in the campaign file yet; "
            "numbers that it printed are"
        )
    return ""


def citation_cff(campaign: Campaign, *, synthetic: bool) -> str:
    """CITATION.cff of this version (Citation File Format 1.2.0)."""
    who = campaign.publication
    told: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it."
        + (" This build is SYNTHETIC: do not cite its numbers." if synthetic else ""),
        "type": "dataset",
        "title": f"{campaign.release_name}: {campaign.title}",
        "version": campaign.version,
        "authors": [{"name": name} for name in who.creators or ("unknown",)],
        "license": campaign.licence.data.upper(),
        "abstract": campaign.texts.summary.strip(),
    }
    if who.published:
        told["date-released"] = who.published
    if who.url:
        told["url"] = who.url
    if who.paper:
        told["preferred-citation"] = {
            "type": "article",
            "title": who.paper,
            "authors": [{"name": name} for name in who.paper_authors or ("unknown",)],
            **({"url": who.paper_url} if who.paper_url else {}),
        }
    return str(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1_000))


def access_form(campaign: Campaign) -> dict[str, Any]:
    """The card's `extra_gated_*`: what the Hub asks a reader of a gated repository.

    They have no effect on a repository that is not gated.
    """
    return {
        "extra_gated_heading": f"Terms of access to {campaign.release_name}",
        "extra_gated_prompt": campaign.publication.terms.strip(),
        "extra_gated_fields": {
            "Name and institution": "text",
            "What I want to study": "text",
            "I will not try to identify, contact or profile anybody": "checkbox",
            "I accept the terms above and the licence": "checkbox",
        },
        "extra_gated_button_content": "I accept",
    }
