"""The second embedded campaign, Brasília 2023: another country and language, in data only."""

from __future__ import annotations

import re

import polars as pl
import pytest
from release_kit import Built, build

from builder.config.campaign import Campaign
from builder.config.merged import for_campaign
from builder.config.profile import EMBEDDED, load_profile
from builder.release.scrub.scrubber import Scrubber
from builder.sources.simulate.dice import Dice
from builder.sources.simulate.simulate import simulate
from builder.sources.simulate.text import Texts, identifier_patterns, spoken, words_of

BRASILIA = Campaign.load("brasilia_2023")
ECUADOR = Campaign.load("ecuador_2024")
# What belongs to the package, whose name is Ecuador's.
PACKAGE = re.compile(r"ecuador[-_]crisis(?:[-_]tiktok)?(?:\.py)?")
SPANISH = re.compile(
    r"\b(?:el|los|las|una|del|y|cárcel(?:es)?|toque de queda|seguridad|hoy|muy|español|Spanish|"
    r"c[eé]dulas?|RUC|Noboa|Guayaquil|Quito|Choneros|Kichwa)\b"
)


@pytest.fixture(scope="module")
def brasilia(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """300 simulated videos, built without models."""
    folder = tmp_path_factory.mktemp("brasilia")
    simulate(BRASILIA, videos=300, seed=4, out=folder / "pages")
    name = BRASILIA.release_name
    return build(folder, folder / "pages", name=name, campaign="brasilia_2023")


def test_the_simulated_pages_hold_nothing_of_ecuador(brasilia: Built) -> None:
    for path in sorted(brasilia.pages.iterdir()):
        assert "ecuador" not in path.name.casefold()
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"ecuador|noboa|guayaquil|quito\b|choneros|toque de queda", text, re.I)


def test_the_card_names_nothing_of_ecuador_and_no_spanish(brasilia: Built) -> None:
    card = (brasilia.release / "README.md").read_text(encoding="utf-8")
    assert "ecuador" not in PACKAGE.sub("", card).casefold()
    assert not SPANISH.findall(card)
    assert "paper's" not in card
    assert "language:\n- pt\n" in card and "BR" in card


def test_the_release_validates_and_tells_its_countries(brasilia: Built) -> None:
    assert brasilia.report["contract"]["verdict"] == "pass"
    assert brasilia.manifest["campaign"] == "brasilia_2023"
    assert brasilia.manifest["scrub_countries"] == {"loaded": ["BR"], "missing": []}
    assert brasilia.report["privacy"]["scrub_countries"]["loaded"] == ["BR"]


def test_planted_brazilian_identifiers_are_gone(brasilia: Built) -> None:
    raw = brasilia.raw
    said = raw.select(pl.concat_list(pl.col("whisper_text", "voice_to_text").fill_null("")))
    before = " ".join(said.to_series().explode().to_list())
    after = " ".join(brasilia.frame("transcripts")["text"].drop_nulls().to_list())
    found = {k: p.findall(before) for k, p in identifier_patterns("BR").items()}
    assert found["cpf"]
    for values in found.values():
        for value in values:
            assert value not in after
    assert "[CPF]" in after


def test_every_kind_of_planted_identifier_is_scrubbed() -> None:
    texts, scrubber, dice = Texts(BRASILIA, 4), Scrubber.of(BRASILIA), Dice(4)
    patterns = identifier_patterns("BR")
    assert tuple(patterns) == texts.kinds == ("handle", "phone", "cpf", "url", "email")
    for kind in texts.kinds:
        for _ in range(60):
            sentence = texts.identifier(kind, dice)
            assert len(patterns[kind].findall(sentence)) == 1, sentence
            assert scrubber.scrub(sentence).kinds == (kind,), sentence
            assert not patterns[kind].findall(scrubber.scrub(spoken(sentence)).text)


def test_only_brazils_recognisers_are_loaded() -> None:
    scrubber = Scrubber.of(BRASILIA)
    assert scrubber.scrub("meu CPF 390.533.447-05").kinds == ("cpf",)
    assert scrubber.scrub("são 1710034065").kinds == ()  # an Ecuadorian cédula
    assert Scrubber.of(ECUADOR).scrub("son 1710034065").kinds == ("cedula",)


def test_the_models_are_asked_in_portuguese() -> None:
    for name in EMBEDDED:
        profile = for_campaign(load_profile(name), BRASILIA)
        assert profile.sentiment.template == "O sentimento deste texto é {}."
        assert profile.summaries.language == "pt"
        assert "Brasília" in profile.summaries.subject
        assert max(profile.asr.language_weights, key=profile.asr.language_weights.__getitem__) == (
            "pt"
        )


def test_it_has_no_paper_and_calibrates_on_none() -> None:
    assert BRASILIA.paper == {}
    assert words_of(BRASILIA) != words_of(ECUADOR)
    assert BRASILIA.licence.contact == "" and "laceholder" in BRASILIA.licence.citation


def test_terms_are_translated_and_events_lie_in_the_window() -> None:
    assert all(keyword.english for keyword in BRASILIA.keywords)
    assert 4 <= len(BRASILIA.events) <= 5
