"""What `ecuador-crisis new-campaign` does and prints."""

from __future__ import annotations

from pathlib import Path

from builder.config.new_campaign import write_campaign


def run_new_campaign(
    folder: Path, *, country: str, language: str, name: str | None = None
) -> list[str]:
    """Write a campaign to edit.

    Raises:
        UsageProblem, CampaignError: see `write_campaign`.
    """
    campaign = write_campaign(folder, country=country, language=language, name=name)
    return [
        f"campaign {campaign.name} in {folder}: edit campaign.toml and keywords.csv; it loads as "
        "it is",
        "  paper.toml (numbers a paper printed) is optional; docs/campaign.md has every field",
        f"  try it: ecuador-crisis simulate --campaign {folder} --videos 200 --out pages",
    ]
