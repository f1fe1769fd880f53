"""A release tells how it is cited, wherever somebody looks: card and `DatasetInfo`."""

from __future__ import annotations

from pathlib import Path

from release_kit import Built

from builder.config.campaign import Campaign
from builder.config.campaign_tables import Publication
from builder.config.citation import citation_cff, paper_in_words
from ecuador_crisis_tiktok import EcuadorCrisisTikTok

ECUADOR = Campaign.load("ecuador_2024")


def test_card_and_info_hold_the_same_entry(small: Built, tmp_path: Path) -> None:
    card = (small.release / "README.md").read_text(encoding="utf-8")
    entry = card.partition("```bibtex\n")[2].partition("```")[0]
    assert entry.startswith("@misc{ecuador_2024") and "SYNTHETIC" in entry
    builder = EcuadorCrisisTikTok(
        config_name="videos", data_dir=str(small.release), cache_dir=str(tmp_path)
    )
    assert builder.info.citation == entry
    alone = EcuadorCrisisTikTok(
        config_name="videos", data_dir=str(tmp_path), cache_dir=str(tmp_path)
    )
    assert alone.info.citation.startswith("@misc{EcuadorCrisisTikTok")


def test_an_unknown_paper_is_said_to_be_unknown(small: Built) -> None:
    assert "not stated in the campaign file yet" in paper_in_words(ECUADOR)
    card = (small.release / "README.md").read_text(encoding="utf-8")
    assert "not stated in the campaign file yet" in card
    assert "the campaign file names none yet" in card  # the contact


def test_a_paper_is_not_attributed_to_the_data_sets_creators() -> None:
    stated = Publication(creators=("A Group",), paper="A title", paper_authors=("Invented Author",))
    campaign = ECUADOR.model_copy(update={"publication": stated})
    assert paper_in_words(campaign) == "A title (Invented Author; address not stated)"
    told = citation_cff(campaign, synthetic=False)
    assert "Invented Author" in told.partition("preferred-citation")[2]
    assert "A Group" not in told.partition("preferred-citation")[2].partition("license")[0]
