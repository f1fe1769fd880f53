"""The files of a campaign's folder, as the data that `Campaign` checks."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from builder.config.toml import read_toml
from builder.errors import CampaignError

KEYWORD_COLUMNS = ("term", "raw", "kind", "english", "description")


def read_folder(folder: Path) -> dict[str, Any]:
    """Everything in a campaign's folder; `paper.toml` and `words.toml` need not be there.

    Raises:
        CampaignError: a file cannot be read, or there is no keywords.csv.
    """
    data = read_toml(folder / "campaign.toml", CampaignError, "campaign file")
    data["keywords"] = _read_keywords(folder / "keywords.csv")
    for name in ("paper", "words"):
        if (folder / f"{name}.toml").is_file():
            data[name] = read_toml(folder / f"{name}.toml", CampaignError, "campaign file")
    _find_prompt(data.get("annotate"), folder)
    return data


def _find_prompt(table: Any, folder: Path) -> None:
    """Make a prompt in the campaign's folder a path; leave the name of an embedded one."""
    if isinstance(table, dict) and isinstance(table.get("prompt"), str):
        own = folder / table["prompt"]
        if own.is_file():
            table["prompt"] = str(own)


def _read_keywords(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise CampaignError(
            "the campaign has no keywords.csv",
            file=path,
            way_out="add one with the columns term, raw, kind, english, description",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CampaignError(
            f"cannot read the keywords: {error}", file=path, way_out="save the file as UTF-8 CSV"
        ) from error
    wanted = set(KEYWORD_COLUMNS)
    if not rows or not wanted <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "none"
        raise CampaignError(
            f"keywords.csv needs the columns {', '.join(sorted(wanted))}; found: {found}",
            file=path,
            way_out="add the missing columns",
        )
    return [
        {key: row[key] for key in wanted - {"raw"}}
        | {"raw": tuple(form for form in (row["raw"] or "").split("|") if form.strip())}
        for row in rows
    ]
