"""A new campaign loads as it is, shows every field, and builds."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from builder.config.campaign import CAMPAIGNS, Campaign
from builder.config.campaign_fields import OTHER_FILES, fields
from builder.config.new_campaign import write_campaign
from builder.errors import BuilderError, CampaignError, UsageProblem


def test_it_loads_as_it_is_and_says_nothing_of_ecuador(tmp_path: Path) -> None:
    made = write_campaign(tmp_path / "Chile 2025!", country="CL", language="es")
    assert made == Campaign.load(tmp_path / "Chile 2025!")
    assert (made.name, made.release_name) == ("chile_2025", "Chile2025TikTok")
    assert made.countries == ("CL",) and made.languages == ("es",)
    for path in (tmp_path / "Chile 2025!").iterdir():
        assert "ecuador" not in path.read_text(encoding="utf-8").casefold()
    assert not (tmp_path / "Chile 2025!" / "paper.toml").exists()


def test_every_field_is_there_and_every_comment_is_toml(tmp_path: Path) -> None:
    write_campaign(tmp_path / "mine")
    text = (tmp_path / "mine" / "campaign.toml").read_text(encoding="utf-8")
    spoken = re.sub(r"^# (?=\[\[|\w+ = )", "", text, flags=re.MULTILINE)
    data = tomllib.loads(spoken)
    for field in fields():
        if field.path.split(".")[0] in OTHER_FILES:
            continue
        table = data
        for part in filter(None, field.table.split(".")):
            table = table[part][0] if isinstance(table[part], list) else table[part]
        assert field.name in table, field.path


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_campaign(tmp_path / "mine")
    with pytest.raises(UsageProblem, match="something already"):
        write_campaign(tmp_path / "mine")


@pytest.mark.parametrize(
    "wrong",
    [{"country": "Chile"}, {"language": "Spanish"}, {"name": "Ñ"}, {"name": "ecuador_2024"}],
)
def test_wrong_words_are_refused_and_nothing_is_written(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(BuilderError) as refusal:
        write_campaign(tmp_path / "mine", **wrong)
    assert refusal.value.way_out
    assert not (tmp_path / "mine").exists()


def test_an_embedded_name_with_other_content_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(CAMPAIGNS / "ecuador_2024", copy)
    assert Campaign.load(copy) == Campaign.load("ecuador_2024")
    text = (copy / "campaign.toml").read_text(encoding="utf-8")
    (copy / "campaign.toml").write_text(text.replace("2024-03-07", "2024-03-06", 1))
    with pytest.raises(CampaignError, match="name of an embedded campaign") as refusal:
        Campaign.load(copy)
    assert refusal.value.field == "name"
    renamed = (copy / "campaign.toml").read_text(encoding="utf-8")
    (copy / "campaign.toml").write_text(renamed.replace('"ecuador_2024"', '"mine"', 1))
    assert Campaign.load(copy).name == "mine"
