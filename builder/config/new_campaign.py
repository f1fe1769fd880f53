"""Writes a campaign to edit: every field with its meaning, and it loads as it is."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.config.campaign_fields import OTHER_FILES, Field, fields, table_meaning
from builder.config.campaign_files import KEYWORD_COLUMNS
from builder.errors import CampaignError, UsageProblem

# What has no default gets this, to be replaced. Nothing of it claims anything.
_GIVEN: dict[str, Any] = {
    "title": "TODO: what the data is, in one line",
    "version": "0.1.0",
    "window.start": dt.date(2024, 1, 1),
    "window.end": dt.date(2024, 1, 31),
    "licence.data": "other",
    "licence.data_name": "TODO: the licence in words",
    "texts.summary": "TODO: what happened, and what this dataset holds.",
    "texts.collection": "TODO: how the videos were found.",
    "texts.biases": "TODO: who and what is missing or over-represented.",
}
_SHOWN_WHERE_EMPTY: dict[str, Any] = {
    "key": "A",
    "date": dt.date(2024, 1, 8),
    "title": "TODO: what happened, in a few words",
    "description": "TODO: in one or two lines",
    "source": "TODO: where it is described",
    "name": "TODO: a person or institution",
}
_KEYWORD = {
    "term": "todo",
    "raw": "todo|ToDo",
    "kind": "hashtag",
    "english": "to do",
    "description": "TODO: replace this row by your search terms; raw holds every spelling",
}
_HEAD = """\
# A campaign to edit. It loads as it is; what says TODO is yours to write. A line that begins with
# "# name =" shows a default: take the # away to say something else. docs/campaign.md describes
# every field. keywords.csv beside this file holds the search terms. Optional files: paper.toml
# (numbers a paper printed, compared with ours by `validate`; leave it out where there is no paper)
# and words.toml (words of simulations).
"""


def write_campaign(
    folder: Path, *, country: str = "ZZ", language: str = "en", name: str | None = None
) -> Campaign:
    """Write campaign.toml and keywords.csv.

    Args:
        folder: new or empty.
        country: ISO 3166 code; ZZ stands for none.
        language: ISO 639-1 code of the transcripts.
        name: of the campaign; default: made of the folder's name.

    Returns:
        The campaign, as it loads.

    Raises:
        UsageProblem: the folder holds something, cannot be written, or an argument is no such code.
        CampaignError: the name is an embedded campaign's.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageProblem(
            "there is something already", file=folder, way_out="give a new or empty folder"
        )
    slug = name or _slug(folder.resolve().name)
    if (CAMPAIGNS / slug).is_dir():
        raise CampaignError(
            f"{slug} is the name of an embedded campaign",
            field="name",
            way_out="give the folder another name, or --name",
        )
    for code, form, what in (
        (country, "[A-Z]{2}", "ISO 3166 country code, such as BR"),
        (language, "[a-z]{2}", "ISO 639-1 language code, such as pt"),
        (slug, "[a-z0-9_]+", "name: lower-case letters, digits and _"),
    ):
        if not re.fullmatch(form, code):
            raise UsageProblem(f"{code!r} is no {what}", way_out="correct it")
    given = _GIVEN | {
        "name": slug,
        "release_name": "".join(part.capitalize() for part in slug.split("_")) + "TikTok",
        "country": country,
        "region_codes": (country,),
        "languages": (language,),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "campaign.toml").write_text(render(given), encoding="utf-8")
        (folder / "keywords.csv").write_text(_keywords(), encoding="utf-8", newline="")
    except OSError as error:
        raise UsageProblem(
            f"cannot write here ({error.strerror})", file=folder, way_out="give another folder"
        ) from error
    return Campaign.load(folder)


def render(given: dict[str, Any]) -> str:
    """campaign.toml with every field; one that is not in `given` is a comment with its default."""
    mine = [f for f in fields() if f.path.split(".")[0] not in OTHER_FILES]
    blocks = [_HEAD]
    for table, group in groupby(mine, key=lambda f: f.table):
        members = list(group)
        lines = [] if not table else ["", *_comment(table_meaning(table))]
        if members[0].listed:
            lines.append(f"# [[{table}]]")
            shown = [
                f"# {f.name} = {as_toml(_SHOWN_WHERE_EMPTY.get(f.name, f.default))}"
                for f in members
            ]
            pairs = zip(members, shown, strict=True)
            lines += [line for f, text in pairs for line in (*_comment(f.meaning), text)]
        else:
            lines += [f"[{table}]"] if table else []
            for member in members:
                lines += ["", *_comment(member.meaning), _line(member, given)]
        blocks.append("\n".join(lines) + "\n")
    return "".join(blocks)


def _line(field: Field, given: dict[str, Any]) -> str:
    if field.path in given:
        return f"{field.name} = {as_toml(given[field.path])}"
    if field.default is None and field.kind.startswith("{"):
        return f"# {field.name} = {{}}"
    if field.default is None:
        return f'# {field.name} = "…"'
    return f"# {field.name} = {as_toml(field.default)}"


def _comment(meaning: str) -> list[str]:
    text = meaning[:1].upper() + meaning[1:]
    return [f"# {line}" for line in textwrap.wrap(text, 96)]


def as_toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _keywords() -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, KEYWORD_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerow(_KEYWORD)
    return buffer.getvalue()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") or "campaign"
